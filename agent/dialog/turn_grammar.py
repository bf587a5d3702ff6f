"""What may be said in one turn: the recogniser's phrases, and the matching of what came back against them.

The rule (measured: accepts no foreign sentence, keeps 98 % of true ones): a text counts only when the whole of it is
one entry, or a number with an entry around it; fillers at the edges and a repeated entry are tolerated, nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.dialog import samples, spoken_numbers
from agent.dialog.number_format import NumberFormat
from agent.dialog.number_words import words_for
from agent.dialog.spoken_numbers import NumberReading
from agent.dialog.templates import Phrase
from agent.dialog.turns import Completeness, Heard

UNKNOWN = "[unk]"
_SURE_WORD = 0.8
"""Confidence from which a single strong word counts inside a sentence that was not understood."""
_MAX_WORDS = 60
_MIN_BARE_SYMBOLS = 3
"""So much of a number must be heard for it to be a request by itself."""


@dataclass(frozen=True)
class Meaning:
    """What a phrase of the grammar stands for."""

    kind: str
    """``value``, ``number``, ``request``, ``command``, ``correct``, ``wrong``, ``right``, ``escalate``."""
    name: str
    """The value, slot, flow, command or escalation."""
    values: tuple[tuple[str, str], ...] = ()
    """Slot values the phrase names itself."""
    trigger: int = 0
    """Requests: which trigger of the flow."""


_WAIT = Meaning("command", "wait")
_PATIENT_WORDS = 2
"""A single word ("wait") is too easily misheard to begin a sentence nobody understood."""


@dataclass(frozen=True)
class Match:
    """A text that was understood."""

    meaning: Meaning
    number_slot: str = ""
    number_text: str = ""
    """The words of the number alone, for the next breath."""
    reading: NumberReading | None = None
    leads: bool = False
    """True when words stood before the number ("no, it's ...")."""
    also: tuple[tuple[str, NumberReading], ...] = ()
    """Further numbers of the same sentence, by slot."""


@dataclass(frozen=True)
class _Frame:
    """A number entry: the words before and after the number."""

    lead: tuple[str, ...]
    tail: tuple[str, ...]
    slot: str
    meaning: Meaning


@dataclass(frozen=True)
class _Pair:
    """An entry with two numbers: the words before, between and after them."""

    lead: tuple[str, ...]
    first: str
    middle: tuple[str, ...]
    second: str
    tail: tuple[str, ...]
    meaning: Meaning


class TurnGrammar:
    """One turn's grammar, compiled once when the pack loads; immutable afterwards."""

    def __init__(
        self,
        entries: Sequence[tuple[Phrase, Meaning]],
        formats: Mapping[str, NumberFormat],
        fillers: Collection[tuple[str, ...]] = (),
        strong_words: Mapping[str, Meaning] | None = None,
        *,
        speak_fillers: bool = True,
    ) -> None:
        self._formats = formats
        self._fillers = frozenset(fillers)
        self._longest_filler = max((len(filler) for filler in fillers), default=0)
        self._strong = dict(strong_words or {})
        self._whole: dict[tuple[str, ...], Meaning] = {}
        self._frames: dict[tuple[str, ...], list[_Frame]] = {}
        self._pairs: list[_Pair] = []
        self._longer: dict[tuple[str, ...], set[Meaning]] = {}
        for phrase, meaning in entries:
            self._add(phrase, meaning)
        spoken = {" ".join(tokens): None for tokens in self._whole}
        for frame in self._all_frames():
            spoken.update({" ".join(part): None for part in (frame.lead, frame.tail) if part})
        for pair in self._pairs:
            spoken.update({" ".join(part): None for part in (pair.lead, pair.middle, pair.tail) if part})
        spoken.update(dict.fromkeys(self._strong))
        if speak_fillers:
            spoken.update({" ".join(filler): None for filler in sorted(self._fillers)})
        self.phrases = tuple(spoken)
        """Whole phrases for the recogniser, and the fixed words around numbers."""
        slots = {frame.slot: None for frame in self._all_frames()}
        slots.update({slot: None for pair in self._pairs for slot in (pair.first, pair.second)})
        self.words = tuple(dict.fromkeys(word for slot in slots for word in words_for(formats[slot])))
        """Loose words for the recogniser: what the numbers of this turn are spoken with."""
        self._loose = frozenset(self.words)
        self.bare_number = next((frame.slot for frame in self._frames.get((), ()) if not frame.tail), "")
        """The number slot that may be answered with nothing but the number."""
        self.samples = tuple(self._samples())
        """Whole sentences with made-up numbers, for the recogniser's language model; they may repeat."""

    def match(
        self,
        heard: Heard,
        known: Mapping[str, Sequence[str]] | None = None,
        so_far: str = "",
        so_far_slot: str = "",
    ) -> Match | None:
        """Return what the caller meant, or None when the text is not exactly something of this turn.

        ``known`` maps number slots to the numbers this caller may mean; ``so_far`` are the words already heard of the
        number in ``so_far_slot``.
        """
        tokens = tuple(heard.text.lower().split()[:_MAX_WORDS])
        for start, end in self._windows(tokens):
            meaning = self._exact(tokens[start:end])
            if meaning is not None:
                return Match(meaning)
        both = self._two_numbers(tokens, known or {})
        if both is not None:
            return both
        number = self._number(tokens, heard.alternatives, known or {}, so_far, so_far_slot)
        if number is not None:
            return number
        strong = self._strong_word(heard, tokens)
        if strong is None:
            strong = self._patience(tokens)
        return Match(strong) if strong is not None else None

    def completeness(self, text: str, so_far: str = "", so_far_slot: str = "") -> Completeness:
        """Judge a text that may still grow."""
        tokens = tuple(text.lower().split()[:_MAX_WORDS])
        verdict = Completeness.UNEXPECTED if any(token != UNKNOWN for token in tokens) else Completeness.OPEN
        for start, end in self._windows(tokens):
            part = tokens[start:end]
            meaning = self._exact(part)
            if verdict is Completeness.UNEXPECTED and (part in self._longer or part in self._fillers):
                verdict = Completeness.OPEN
            if meaning is not None:
                only = self._longer.get(part, {meaning}) <= {meaning}
                return Completeness.COMPLETE if only else Completeness.LIKELY
            if part in self._frames:
                verdict = Completeness.INCOMPLETE
            for frame, middle in self._framed(part):
                judged = spoken_numbers.completeness(
                    " ".join(middle), self._formats[frame.slot], so_far if frame.slot == so_far_slot else ""
                )
                if judged is Completeness.COMPLETE:
                    continues = any(other.tail for other in self._frames[frame.lead]) and not frame.tail
                    return Completeness.OPEN if continues else judged
                if judged is Completeness.INCOMPLETE:
                    verdict = judged
                elif verdict is Completeness.UNEXPECTED and any(word in self._loose for word in middle):
                    verdict = Completeness.OPEN
        return verdict

    def _add(self, phrase: Phrase, meaning: Meaning) -> None:
        tokens = phrase.tokens
        places = [index for index, token in enumerate(tokens) if token.startswith("{")]
        if not places:
            self._whole.setdefault(tokens, meaning)
        elif len(places) > 1:
            at, then = places[:2]
            first, second = tokens[at][1:-1], tokens[then][1:-1]
            self._pairs.append(_Pair(tokens[:at], first, tokens[at + 1 : then], second, tokens[then + 1 :], meaning))
        else:
            at = places[0]
            frame = _Frame(tokens[:at], tokens[at + 1 :], tokens[at][1:-1], meaning)
            self._frames.setdefault(frame.lead, []).append(frame)
        fixed = tokens[: places[0]] if places else tokens
        for length in range(1, len(fixed) + bool(places)):
            self._longer.setdefault(fixed[:length], set()).add(meaning)

    def _samples(self) -> Iterator[str]:
        for frame in self._all_frames():
            count = samples.FRAMED_SAMPLES
            if not frame.lead and not frame.tail:
                asked = frame.meaning.kind == "number"
                count = samples.ASKED_SAMPLES if asked else samples.UNASKED_SAMPLES
            lead, tail = " ".join(frame.lead), " ".join(frame.tail)
            for spoken in samples.spoken_samples(self._formats[frame.slot], count, f"{lead}|{tail}"):
                yield f"{lead} {spoken} {tail}".strip()
        for pair in self._pairs:
            parts = [" ".join(part) for part in (pair.lead, pair.middle, pair.tail)]
            seed = "|".join(parts)
            first = samples.spoken_samples(self._formats[pair.first], samples.FRAMED_SAMPLES, f"{seed}|1")
            second = samples.spoken_samples(self._formats[pair.second], samples.FRAMED_SAMPLES, f"{seed}|2")
            for one, other in zip(first, second, strict=True):
                yield " ".join(f"{parts[0]} {one} {parts[1]} {other} {parts[2]}".split())

    def _all_frames(self) -> Iterator[_Frame]:
        for frames in self._frames.values():
            yield from frames

    def _windows(self, tokens: tuple[str, ...]) -> Iterator[tuple[int, int]]:
        """Yield the whole text first, then what remains without fillers at either edge."""
        starts = [0]
        while starts[-1] < len(tokens) and (used := self._filler(tokens, starts[-1])):
            starts.append(starts[-1] + used)
        ends = [len(tokens)]
        while ends[-1] > 0 and (used := self._filler_before(tokens, ends[-1])):
            ends.append(ends[-1] - used)
        for start in starts:
            for end in ends:
                if start < end:
                    yield start, end

    def _filler(self, tokens: tuple[str, ...], at: int) -> int:
        lengths = range(min(self._longest_filler, len(tokens) - at), 0, -1)
        return next((length for length in lengths if tokens[at : at + length] in self._fillers), 0)

    def _filler_before(self, tokens: tuple[str, ...], end: int) -> int:
        lengths = range(min(self._longest_filler, end), 0, -1)
        return next((length for length in lengths if tokens[end - length : end] in self._fillers), 0)

    def _exact(self, tokens: tuple[str, ...]) -> Meaning | None:
        """Return the meaning of an entry, also when it is said several times ("no no no")."""
        meaning = self._whole.get(tokens)
        if meaning is not None:
            return meaning
        for length in range(1, len(tokens) // 2 + 1):
            if len(tokens) % length == 0 and tokens == tokens[:length] * (len(tokens) // length):
                meaning = self._whole.get(tokens[:length])
                if meaning is not None:
                    return meaning
        return None

    def _framed(self, tokens: tuple[str, ...]) -> Iterator[tuple[_Frame, tuple[str, ...]]]:
        """Yield every number entry whose fixed words fit, with the words left for the number; longest lead first."""
        for at in range(len(tokens) - 1, -1, -1):
            for frame in self._frames.get(tokens[:at], ()):
                end = len(tokens) - len(frame.tail)
                if at < end and tokens[end:] == frame.tail:
                    yield frame, tokens[at:end]

    def _number(
        self,
        tokens: tuple[str, ...],
        alternatives: Sequence[str],
        known: Mapping[str, Sequence[str]],
        so_far: str,
        so_far_slot: str,
    ) -> Match | None:
        others = [tuple(text.lower().split()[:_MAX_WORDS]) for text in alternatives]
        best: Match | None = None
        for source in (tokens, *others):
            noisy = UNKNOWN in source
            heard = _without_edges(source) if noisy else source
            for start, end in self._windows(heard):
                for frame, middle in self._framed(heard[start:end]):
                    match = self._read(frame, middle, others, known, so_far if frame.slot == so_far_slot else "")
                    if match is None or match.reading is None:
                        continue
                    if noisy or source is not tokens:
                        match = _doubtful(match)
                    if match.reading is not None and match.reading.value is not None:
                        return match
                    # the beginning of a number counts only when it was heard clean
                    if best is None and source is tokens and not noisy and self._worth_continuing(frame, match):
                        best = match
        return best

    def _two_numbers(self, tokens: tuple[str, ...], known: Mapping[str, Sequence[str]]) -> Match | None:
        """Read a sentence that holds two numbers, when both are whole."""
        for start, end in self._windows(tokens) if self._pairs else ():
            part = tokens[start:end]
            for pair in self._pairs:
                inner = part[len(pair.lead) : len(part) - len(pair.tail)]
                if part[: len(pair.lead)] != pair.lead or part[len(part) - len(pair.tail) :] != pair.tail:
                    continue
                for at in range(1, len(inner) - len(pair.middle)):
                    if inner[at : at + len(pair.middle)] != pair.middle:
                        continue
                    found = [
                        spoken_numbers.understand(" ".join(words), self._formats[slot], known.get(slot, ()))
                        for slot, words in ((pair.first, inner[:at]), (pair.second, inner[at + len(pair.middle) :]))
                    ]
                    if all(reading.value is not None for reading in found):
                        text = " ".join(inner[:at])
                        return Match(
                            pair.meaning, pair.first, text, found[0], bool(pair.lead), ((pair.second, found[1]),)
                        )
        return None

    def _worth_continuing(self, frame: _Frame, match: Match) -> bool:
        """A digit or two out of nowhere is no request; after "where is order" it is."""
        if frame.meaning.kind != "request" or frame.lead or match.reading is None:
            return True
        return len(match.reading.partial) >= _MIN_BARE_SYMBOLS

    def _read(
        self,
        frame: _Frame,
        middle: tuple[str, ...],
        others: Sequence[tuple[str, ...]],
        known: Mapping[str, Sequence[str]],
        so_far: str,
    ) -> Match | None:
        text = " ".join(middle)
        if frame.meaning.kind == "correct" and spoken_numbers.names_a_place(" ".join((*frame.lead, *middle))):
            # "it ends in {value}": the words before the number say where it belongs
            text = " ".join((*frame.lead, *middle))
        number_format = self._formats[frame.slot]
        same = [" ".join(inner) for other in others for one, inner in self._framed(other) if one == frame]
        reading = spoken_numbers.understand(text, number_format, known.get(frame.slot, ()), same, so_far)
        if reading.in_a_sentence and (frame.meaning.kind != "number" or not self._strong.keys().isdisjoint(middle)):
            # only the question for this number makes it the answer, and a caller in anger answers nothing
            return None
        if reading.value is None and not reading.partial:
            if frame.meaning.kind != "correct":
                return None
            # a part ("no, fifteen") need not be a beginning; what it replaces is for the engine to find
            if not spoken_numbers.is_part(text, number_format):
                return None
        return Match(frame.meaning, frame.slot, text, reading, bool(frame.lead))

    def _patience(self, tokens: tuple[str, ...]) -> Meaning | None:
        """Take "hold on" for what it is whatever is murmured after it: the caller talks to the room by then."""
        for start, _ in self._windows(tokens):
            for end in range(len(tokens) - 1, start + _PATIENT_WORDS - 1, -1):
                meaning = self._whole.get(tokens[start:end])
                if meaning == _WAIT:
                    return meaning
        return None

    def _strong_word(self, heard: Heard, tokens: tuple[str, ...]) -> Meaning | None:
        if not self._strong:
            return None
        sure = [word.text for word in heard.words if word.confidence >= _SURE_WORD]
        said = sure if heard.words else tokens
        return next((self._strong[word] for word in said if word in self._strong), None)


def _without_edges(tokens: tuple[str, ...]) -> tuple[str, ...]:
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
