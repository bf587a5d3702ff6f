"""The grammar of one turn: phrases for the recogniser, and matching of the recognised text against them.

The rule (measured: accepts no foreign sentence, keeps 98 % of true ones): a text counts only when the whole of it is
one entry, or a number with an entry around it; what may stand at the edges and a repeated entry are tolerated, nothing
else. Only what was typed, or heard well, may be guessed from its gist when nothing explains it, and that is told.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.dialog.contract import Completeness, TurnInput
from agent.dialog.grammar.entry_table import Entry, EntryTable, LayeredEntryTable, NumberFrame
from agent.dialog.grammar.intent import Intent
from agent.dialog.grammar.matcher import UNKNOWN, EdgePhrases, PhraseMatcher
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.wildcard_phrases import Tokens
from agent.dialog.numbers import capture
from agent.dialog.numbers.capture import NumberReading
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.numbers.second_reading import second_reading
from agent.dialog.numbers.words import symbol_words_for, words_for
from agent.languages.number_words import NumberWords

__all__ = ["UNKNOWN", "EdgePhrases", "GrammarMatch", "Intent", "TurnGrammar"]

_MAX_WORDS = 60
_FEWEST_CORE_WORDS = 2
_MIN_BARE_SYMBOLS = 3
"""So much of a number must be heard for it to be a request by itself."""


@dataclass(frozen=True)
class GrammarMatch:
    """A text that was understood."""

    meaning: Intent
    number_slot: str = ""
    number_text: str = ""
    """The words of the number alone, for the next breath."""
    reading: NumberReading | None = None
    leads: bool = False
    """True when words stood before the number ("no, it's ...")."""
    also: tuple[tuple[str, NumberReading], ...] = ()
    """Further numbers of the same sentence, by slot."""


class TurnGrammar:
    """One turn's grammar: entries of its own, and a table it shares with other turns. Immutable.

    ``vocabulary`` are the number words of the language that is spoken.
    ``around`` is what may stand at its edges, shared as well; the ``fillers`` alone when not given. Of the ``shared``
    table nothing is listened for unless ``hears_shared``.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        formats: Mapping[str, NumberFormat],
        vocabulary: NumberWords,
        fillers: Collection[Tokens] = (),
        strong_words: Mapping[str, Intent] | None = None,
        *,
        silent_words: Mapping[str, Intent] | None = None,
        speak_fillers: bool = True,
        around: EdgePhrases | None = None,
        same: Synonyms | None = None,
        shared: EntryTable | None = None,
        hears_shared: bool = True,
        besides: TurnGrammar | None = None,
        sentences: Sequence[str] = (),
    ) -> None:
        self._formats = formats
        self._vocabulary = vocabulary
        self._same = same or Synonyms()
        self._besides = besides
        self._around = around = around or EdgePhrases.of(fillers, self._same)
        own = EntryTable(entries, formats, vocabulary, self._same)
        tables = (own,) if shared is None else (own, shared)
        self._own = own
        self._layers = LayeredEntryTable(tables, tables if hears_shared else (own,))
        self._sentences = PhraseMatcher(self._layers, around.edges, {**(silent_words or {}), **(strong_words or {})})
        heard = self._layers.heard
        spoken = dict.fromkeys(phrase for table in heard for phrase in table.phrases)
        if speak_fillers:
            spoken.update(dict.fromkeys([*(strong_words or {}), *around.spoken_fillers]))
        spoken.update(dict.fromkeys(around.heard))
        self.phrases = tuple(spoken)
        """Whole phrases for the recogniser, and the fixed words around numbers."""
        slots = dict.fromkeys(slot for table in heard for slot in table.slots)
        self.words = tuple(dict.fromkeys(word for slot in slots for word in words_for(formats[slot], vocabulary)))
        """Loose words for the recogniser: what the numbers of this turn are spoken with."""
        self._loose = frozenset(self.words)
        self.bare_number = next((frame.slot for frame in self._layers.frames(()) if not frame.tail), "")
        """The number slot that may be answered with nothing but the number."""
        self._asked = next(
            (one for one in self._layers.frames(()) if not one.tail and one.meaning.kind == "number"), None
        )
        self._asked_slot = self._asked.slot if self._asked is not None else ""
        self.symbols = symbol_words_for(formats[self._asked_slot], vocabulary) if self._asked is not None else ()
        """Those of the words that are one digit or letter each, where a number is asked for."""
        self.samples = (*(sample for table in heard for sample in table.samples), *sentences)
        """Whole sentences for the recogniser's language model: with made-up numbers, and ``sentences`` as callers open
        with; they may repeat."""

    def match(
        self,
        heard: TurnInput,
        known: Mapping[str, Sequence[str]] | None = None,
        so_far: str = "",
        so_far_slot: str = "",
    ) -> GrammarMatch | None:
        """Return what the caller meant, or None when the text is not exactly something of this turn.

        ``known`` maps number slots to the numbers this caller may mean; ``so_far`` are the words already heard of the
        number in ``so_far_slot``.
        """
        tokens = self._tokens(heard.text)
        strong = self._sentences.strong_word(heard, tokens)
        if strong is not None:
            return GrammarMatch(strong)
        whole = self._sentences.meaning_of(tokens)
        if whole is not None:
            return GrammarMatch(whole)
        both = self._two_numbers(tokens, known or {})
        if both is not None:
            return both
        number = self._number(tokens, heard.alternatives, known or {}, so_far, so_far_slot)
        number = self._spelled(number, tokens, heard, known or {}, so_far if so_far_slot == self._asked_slot else "")
        if number is not None:
            return number
        both = self._request_and_number(tokens, known or {})
        if both is not None:
            return both
        other = (
            self._sentences.anywhere(heard, tokens)
            or self._sentences.patience(tokens)
            or self._sentences.gist(heard, tokens)
        )
        if other is None and self._besides is not None:
            return self._besides.match(heard, known)
        return GrammarMatch(other) if other is not None else None

    def answer(self, heard: TurnInput) -> GrammarMatch | None:
        """Return what a text answers to this turn's own question, where what it could ask for besides may not begin."""
        meaning = self._answers.meaning_of(self._tokens(heard.text))
        return GrammarMatch(meaning) if meaning is not None else None

    @functools.cached_property
    def _answers(self) -> PhraseMatcher:
        return PhraseMatcher(LayeredEntryTable((self._own,), (self._own,)), self._around.edges, {})

    def evidence(self, text: str) -> tuple[Intent | None, tuple[Intent, ...]]:
        """Return what the phrases see in a whole text, and what the gists see in it, without numbers."""
        tokens = self._tokens(text)
        return self._sentences.meaning_of(tokens), tuple(self._sentences.gists(tokens))

    def core(self, text: str) -> str:
        """Return a text without what may stand at its edges; the whole of it where less than two words are left."""
        tokens = self._tokens(text)
        start, end = min(self._sentences.windows(tokens), key=lambda window: window[1] - window[0] or len(tokens))
        return " ".join(tokens[start:end]) if end - start >= _FEWEST_CORE_WORDS else text

    def completeness(self, text: str, so_far: str = "", so_far_slot: str = "") -> Completeness:
        """Judge a text that may still grow."""
        tokens = self._tokens(text)
        verdict = Completeness.UNEXPECTED if any(token != UNKNOWN for token in tokens) else Completeness.OPEN
        for start, end in self._sentences.windows(tokens):
            part = tokens[start:end]
            meaning = self._sentences.exact(part)
            if verdict is Completeness.UNEXPECTED and (self._layers.begins(part) or part in self._around.fillers):
                verdict = Completeness.OPEN
            if meaning is not None:
                only = self._layers.becomes_only(part, meaning)
                return Completeness.COMPLETE if only else Completeness.LIKELY
            if any(True for _ in self._layers.frames(part)):
                verdict = Completeness.INCOMPLETE
            for frame, middle in self._layers.framed(part):
                judged = capture.completeness(
                    " ".join(middle),
                    self._formats[frame.slot],
                    so_far if frame.slot == so_far_slot else "",
                    vocabulary=self._vocabulary,
                )
                if judged is Completeness.COMPLETE:
                    continues = any(other.tail for other in self._layers.frames(frame.lead)) and not frame.tail
                    return Completeness.OPEN if continues else judged
                if judged is Completeness.INCOMPLETE:
                    verdict = judged
                elif verdict is Completeness.UNEXPECTED and any(word in self._loose for word in middle):
                    verdict = Completeness.OPEN
        if verdict is Completeness.UNEXPECTED and self._sentences.widely(tokens) is not None:
            return Completeness.LIKELY
        return verdict

    def _tokens(self, text: str) -> tuple[str, ...]:
        return self._same.rewrite(tuple(text.lower().split()[:_MAX_WORDS]))

    def _number(
        self,
        tokens: tuple[str, ...],
        alternatives: Sequence[str],
        known: Mapping[str, Sequence[str]],
        so_far: str,
        so_far_slot: str,
    ) -> GrammarMatch | None:
        others = [self._tokens(text) for text in alternatives]
        best: GrammarMatch | None = None
        for source in (tokens, *others):
            noisy = UNKNOWN in source
            heard = _without_edges(source) if noisy else source
            for start, end in self._sentences.windows(heard):
                for frame, middle in self._layers.framed(heard[start:end]):
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

    def _spelled(
        self,
        found: GrammarMatch | None,
        tokens: tuple[str, ...],
        heard: TurnInput,
        known: Mapping[str, Sequence[str]],
        so_far: str,
    ) -> GrammarMatch | None:
        """Return the number that was asked for as it is beside its readings as single symbols."""
        frame, vocabulary = self._asked, self._vocabulary
        if frame is None or not heard.spelled or (found is not None and found.meaning != frame.meaning):
            return found
        number_format = self._formats[frame.slot]
        own = [number_format.normalise(one) for one in known.get(frame.slot, ())]
        said = found.number_text if found is not None else " ".join(token for token in tokens if token != UNKNOWN)
        reading = second_reading(
            found.reading if found is not None else None,
            f"{so_far} {said}".strip(),
            [f"{so_far} {text}".strip() for text in heard.spelled],
            lambda text: capture.understand(text, number_format, vocabulary=vocabulary),
            frozenset(one for one in own if one is not None),
            vocabulary,
        )
        if found is not None:
            return replace(found, reading=reading)
        return None if reading is None else GrammarMatch(frame.meaning, frame.slot, said, reading)

    def _two_numbers(self, tokens: tuple[str, ...], known: Mapping[str, Sequence[str]]) -> GrammarMatch | None:
        """Read a sentence that holds two numbers, when both are whole."""
        pairs = tuple(self._layers.pairs())
        for start, end in self._sentences.windows(tokens) if pairs else ():
            part = tokens[start:end]
            for pair in pairs:
                inner = part[len(pair.lead) : len(part) - len(pair.tail)]
                if part[: len(pair.lead)] != pair.lead or part[len(part) - len(pair.tail) :] != pair.tail:
                    continue
                for at in range(1, len(inner) - len(pair.middle)):
                    if inner[at : at + len(pair.middle)] != pair.middle:
                        continue
                    found = [
                        capture.understand(
                            " ".join(words), self._formats[slot], known.get(slot, ()), vocabulary=self._vocabulary
                        )
                        for slot, words in ((pair.first, inner[:at]), (pair.second, inner[at + len(pair.middle) :]))
                    ]
                    if all(reading.value is not None for reading in found):
                        text = " ".join(inner[:at])
                        return GrammarMatch(
                            pair.meaning, pair.first, text, found[0], bool(pair.lead), ((pair.second, found[1]),)
                        )
        return None

    def _request_and_number(self, tokens: tuple[str, ...], known: Mapping[str, Sequence[str]]) -> GrammarMatch | None:
        """Read a request and a whole number with its own words around it, one after the other, in either order."""
        for at in range(1, len(tokens)):
            for asked, rest in ((tokens[:at], tokens[at:]), (tokens[at:], tokens[:at])):
                if not any(word in self._loose or word.isdigit() for word in rest):
                    continue
                told = self._two_numbers(rest, known) or self._number(rest, (), known, "", "")
                if told is None or told.reading is None or told.reading.value is None:
                    continue
                meaning = self._sentences.meaning_of(asked)
                if meaning is not None and meaning.kind == "request":
                    return replace(told, meaning=meaning)
        return None

    def _worth_continuing(self, frame: NumberFrame, match: GrammarMatch) -> bool:
        """A digit or two out of nowhere is no request; after "where is order" it is."""
        if frame.meaning.kind == "value":
            return False
        if frame.meaning.kind != "request" or frame.lead or match.reading is None:
            return True
        return len(match.reading.partial) >= _MIN_BARE_SYMBOLS

    def _read(
        self,
        frame: NumberFrame,
        middle: tuple[str, ...],
        others: Sequence[tuple[str, ...]],
        known: Mapping[str, Sequence[str]],
        so_far: str,
    ) -> GrammarMatch | None:
        text, vocabulary = " ".join(middle), self._vocabulary
        if frame.meaning.kind == "correct" and capture.names_a_place(" ".join((*frame.lead, *middle)), vocabulary):
            # "it ends in {value}": the words before the number say where it belongs
            text = " ".join((*frame.lead, *middle))
        number_format = self._formats[frame.slot]
        same = [" ".join(inner) for other in others for one, inner in self._layers.framed(other) if one == frame]
        reading = capture.understand(
            text, number_format, known.get(frame.slot, ()), same, so_far, vocabulary=vocabulary
        )
        if reading.in_a_sentence and frame.meaning.kind != "number":
            # only the question for this number makes it the answer
            return None
        half = len(middle) // 2
        if reading.value is None and half >= _MIN_BARE_SYMBOLS and middle == middle[:half] * 2:
            # said twice, to be sure
            text = " ".join(middle[:half])
            known_here = known.get(frame.slot, ())
            reading = capture.understand(text, number_format, known_here, (), so_far, vocabulary=vocabulary)
        if reading.value is None and not reading.partial:
            if frame.meaning.kind != "correct":
                return None
            # a part ("no, fifteen") need not be a beginning; what it replaces is for the engine to find
            told = sum(word in self._loose or word.isdigit() for word in middle)
            if told < len(middle) / 2 or not capture.is_part(text, number_format, vocabulary=vocabulary):
                return None
        return GrammarMatch(frame.meaning, frame.slot, text, reading, bool(frame.lead))


def _without_edges(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Drop unintelligible noise at the edges; noise in the middle stays and makes the text unusable."""
    start, end = 0, len(tokens)
    while start < end and tokens[start] == UNKNOWN:
        start += 1
    while end > start and tokens[end - 1] == UNKNOWN:
        end -= 1
    return tokens[start:end]


def _doubtful(match: GrammarMatch) -> GrammarMatch:
    """Mark a number heard through noise, or only in another recognition, as something to ask about."""
    reading = match.reading
    if reading is None or reading.value is None:
        return match
    doubtful = NumberReading(reading.value, True, min(reading.confidence, 0.5), reading.alternatives, must_confirm=True)
    return replace(match, reading=doubtful)
