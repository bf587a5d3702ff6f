"""What a text with a number in it means: an entry's fixed words around it, alone or behind a beginning. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from agent.dialog import spoken_numbers
from agent.dialog.edges import Edges
from agent.dialog.entry_table import Entries, Frame
from agent.dialog.meanings import Match
from agent.dialog.number_format import NumberFormat
from agent.dialog.spoken_numbers import NumberReading
from agent.dialog.wide_phrases import Tokens

UNKNOWN = "[unk]"
_MIN_BARE_SYMBOLS = 3
"""So much of a number must be heard for it to be a request by itself."""

MAX_WINDOWS = 24
"""Ways of cutting off the edges that are tried with numbers: reading one is dear, and nobody needs more."""

Known = Mapping[str, Sequence[str]]
"""Number slot -> the numbers this caller may mean."""


class NumberMatcher:
    """Matches texts against the number entries of one turn."""

    def __init__(
        self, entries: Entries, edges: Edges, formats: Mapping[str, NumberFormat], strong_words: Collection[str]
    ) -> None:
        self._entries = entries
        self._edges = edges
        self._formats = formats
        self._strong = frozenset(strong_words)

    def one(
        self, tokens: Tokens, others: Sequence[Tokens], known: Known, so_far: str = "", so_far_slot: str = ""
    ) -> Match | None:
        """Read a sentence that holds one number, whole or only its beginning; ``others`` are other recognitions."""
        best: Match | None = None
        for source in (tokens, *others):
            noisy = UNKNOWN in source
            heard = _without_edges(source) if noisy else source
            for start, end in itertools.islice(self._edges.windows(heard), MAX_WINDOWS):
                for frame, middle in self._entries.framed(heard[start:end]):
                    match = self._read(frame, middle, others, known, so_far if frame.slot == so_far_slot else "")
                    if match is None or match.reading is None:
                        continue
                    if noisy or source is not tokens:
                        match = _doubtful(match)
                    if match.reading is not None and match.reading.value is not None:
                        return match
                    # the beginning of a number counts only when it was heard clean
                    if best is None and source is tokens and not noisy and _worth_continuing(frame, match):
                        best = match
        return best

    def two(self, tokens: Tokens, known: Known) -> Match | None:
        """Read a sentence that holds two numbers, when both are whole."""
        for start, end in self._edges.windows(tokens) if self._entries.pairs else ():
            part = tokens[start:end]
            for pair in self._entries.pairs:
                inner = part[len(pair.lead) : len(part) - len(pair.tail)]
                if part[: len(pair.lead)] != pair.lead or part[len(part) - len(pair.tail) :] != pair.tail:
                    continue
                for at in range(1, len(inner) - len(pair.middle)):
                    if inner[at : at + len(pair.middle)] != pair.middle:
                        continue
                    first, second = inner[:at], inner[at + len(pair.middle) :]
                    one, other = self._whole(pair.first, first, known), self._whole(pair.second, second, known)
                    if one.value is not None and other.value is not None:
                        also = ((pair.second, other),)
                        return Match(pair.meaning, pair.first, " ".join(first), one, bool(pair.lead), also)
        return None

    def _whole(self, slot: str, words: Tokens, known: Known) -> NumberReading:
        return spoken_numbers.understand(" ".join(words), self._formats[slot], known.get(slot, ()))

    def _read(self, frame: Frame, middle: Tokens, others: Sequence[Tokens], known: Known, so_far: str) -> Match | None:
        text = " ".join(middle)
        if frame.meaning.kind == "correct" and spoken_numbers.names_a_place(" ".join((*frame.lead, *middle))):
            # "it ends in {value}": the words before the number say where it belongs
            text = " ".join((*frame.lead, *middle))
        number_format = self._formats[frame.slot]
        same = [" ".join(inner) for other in others for one, inner in self._entries.framed(other) if one == frame]
        reading = spoken_numbers.understand(text, number_format, known.get(frame.slot, ()), same, so_far)
        if reading.in_a_sentence and (frame.meaning.kind != "number" or not self._strong.isdisjoint(middle)):
            # only the question for this number makes it the answer, and a caller in anger answers nothing
            return None
        if reading.value is None and not reading.partial:
            if frame.meaning.kind != "correct":
                return None
            # a part ("no, fifteen") need not be a beginning; what it replaces is for the engine to find
            if not spoken_numbers.is_part(text, number_format):
                return None
        return Match(frame.meaning, frame.slot, text, reading, bool(frame.lead))


def _worth_continuing(frame: Frame, match: Match) -> bool:
    """A digit or two out of nowhere is no request; after "where is order" it is."""
    if frame.meaning.kind == "value":
        return False
    if frame.meaning.kind != "request" or frame.lead or match.reading is None:
        return True
    return len(match.reading.partial) >= _MIN_BARE_SYMBOLS


def _without_edges(tokens: Tokens) -> Tokens:
    """Drop unintelligible noise at the edges; noise in the middle stays and makes the text unusable."""
    start, end = 0, len(tokens)
    while start < end and tokens[start] == UNKNOWN:
        start += 1
    while end > start and tokens[end - 1] == UNKNOWN:
        end -= 1
    return tokens[start:end]


def _doubtful(match: Match) -> Match:
    """Mark a number heard through noise, or only in another recognition, as something to ask about."""
    reading = match.reading
    if reading is None or reading.value is None:
        return match
    doubtful = NumberReading(reading.value, True, min(reading.confidence, 0.5), reading.alternatives, must_confirm=True)
    return replace(match, reading=doubtful)
