"""What may be said in one turn: the recogniser's phrases, and the matching of what came back against them.

The rule (measured: accepts no foreign sentence, keeps 98 % of true ones): a text counts only when the whole of it is
one entry, or a number with an entry around it; fillers at the edges and a repeated entry are tolerated, nothing else.
What a gist finds in the rest is a guess (``Meaning.guessed``): the engine asks before it acts on it.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from agent.dialog import spoken_numbers
from agent.dialog.edges import Edges
from agent.dialog.entry_table import Entries, Entry, EntryTable, Layer
from agent.dialog.meanings import Match, Meaning
from agent.dialog.number_format import NumberFormat
from agent.dialog.number_matching import MAX_WINDOWS, UNKNOWN, Known, NumberMatcher
from agent.dialog.number_words import words_for
from agent.dialog.same_words import SameWords
from agent.dialog.turns import Completeness, Heard
from agent.dialog.wide_phrases import Tokens, fixed
from agent.dialog.word_matching import WordMatcher

_SURE_WORD = 0.8
"""Confidence from which a single strong word counts inside a sentence that was not understood."""
_MAX_WORDS = 60
_MAX_JOINED = 30
"""A longer text is not searched for a request and a number one after the other: every cut would be read anew."""


class TurnGrammar:
    """One turn's grammar, immutable: entries of its own, and tables it shares with other turns (``shared``).

    ``fillers`` may stand at its edges, and so may what ``edges`` holds; ``also_heard`` are phrases of those that the
    recogniser listens for.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        formats: Mapping[str, NumberFormat],
        fillers: Collection[Tokens] = (),
        strong_words: Mapping[str, Meaning] | None = None,
        *,
        shared: Sequence[Layer] = (),
        silent_words: Mapping[str, Meaning] | None = None,
        speak_fillers: bool = True,
        edges: Edges | None = None,
        also_heard: Sequence[str] = (),
        same: SameWords | None = None,
    ) -> None:
        self._formats = formats
        self._same = same or SameWords()
        self._fillers = frozenset(map(self._same.rewrite, fillers))
        around = [fixed(filler) for filler in sorted(self._fillers)]
        self._edges = edges or Edges(around, around)
        self._strong = {**(silent_words or {}), **(strong_words or {})}
        self._entries = Entries([Layer(EntryTable(entries, formats, self._same)), *shared])
        self._words = WordMatcher(self._entries, self._edges)
        self._numbers = NumberMatcher(self._entries, self._edges, formats, self._strong)
        spoken = dict.fromkeys(self._entries.phrases)
        if speak_fillers:
            spoken.update(dict.fromkeys([*(strong_words or {}), *(" ".join(filler) for filler in sorted(fillers))]))
        spoken.update(dict.fromkeys(also_heard))
        self.phrases = tuple(spoken)
        """Whole phrases for the recogniser, and the fixed words around numbers."""
        self.words = tuple(dict.fromkeys(word for slot in self._entries.slots for word in words_for(formats[slot])))
        """Loose words for the recogniser: what the numbers of this turn are spoken with."""
        self._loose = frozenset(self.words)
        self.bare_number = next((frame.slot for frame in self._entries.frames(()) if not frame.tail), "")
        """The number slot that may be answered with nothing but the number."""
        self.samples = self._entries.samples
        """Whole sentences with made-up numbers, for the recogniser's language model; they may repeat."""

    def match(self, heard: Heard, known: Known | None = None, so_far: str = "", so_far_slot: str = "") -> Match | None:
        """Return what the caller meant, or None when the text is not exactly something of this turn.

        ``known`` maps number slots to the numbers this caller may mean; ``so_far`` are the words already heard of the
        number in ``so_far_slot``.
        """
        tokens, known = self._tokens(heard.text), known or {}
        meaning = self._strong_word(heard, tokens) or self._words.whole_phrase(tokens)
        if meaning is not None:
            return Match(meaning)
        others = [self._tokens(text) for text in heard.alternatives]
        match = (
            self._numbers.two(tokens, known)
            or self._numbers.one(tokens, others, known, so_far, so_far_slot)
            or self._request_and_number(tokens, known)
        )
        if match is not None:
            return match
        sure = heard.confidence >= _SURE_WORD
        meaning = (self._words.anywhere(tokens) if sure else None) or self._words.patience(tokens)
        if meaning is None and sure and UNKNOWN not in tokens:
            meaning = self._words.gist(tokens)
        return Match(meaning) if meaning is not None else None

    def completeness(self, text: str, so_far: str = "", so_far_slot: str = "") -> Completeness:
        """Judge a text that may still grow."""
        tokens = self._tokens(text)
        verdict = Completeness.UNEXPECTED if any(token != UNKNOWN for token in tokens) else Completeness.OPEN
        for start, end in itertools.islice(self._edges.windows(tokens), MAX_WINDOWS):
            part = tokens[start:end]
            meaning = self._words.exact(part)
            longer = self._entries.longer(part)
            if verdict is Completeness.UNEXPECTED and (longer or part in self._fillers):
                verdict = Completeness.OPEN
            if meaning is not None:
                return Completeness.COMPLETE if longer <= {meaning} else Completeness.LIKELY
            if any(True for _ in self._entries.frames(part)):
                verdict = Completeness.INCOMPLETE
            for frame, middle in self._entries.framed(part):
                judged = spoken_numbers.completeness(
                    " ".join(middle), self._formats[frame.slot], so_far if frame.slot == so_far_slot else ""
                )
                if judged is Completeness.COMPLETE:
                    continues = any(other.tail for other in self._entries.frames(frame.lead)) and not frame.tail
                    return Completeness.OPEN if continues else judged
                if judged is Completeness.INCOMPLETE:
                    verdict = judged
                elif verdict is Completeness.UNEXPECTED and any(word in self._loose for word in middle):
                    verdict = Completeness.OPEN
        if verdict is Completeness.UNEXPECTED and self._words.widely(tokens) is not None:
            return Completeness.LIKELY
        return verdict

    def _tokens(self, text: str) -> Tokens:
        return self._same.rewrite(tuple(text.lower().split()[:_MAX_WORDS]))

    def _request_and_number(self, tokens: Tokens, known: Known) -> Match | None:
        """Read a request and a whole number with its own words around it, one after the other, in either order."""
        for at in range(1, len(tokens) if len(tokens) <= _MAX_JOINED else 0):
            for asked, rest in ((tokens[:at], tokens[at:]), (tokens[at:], tokens[:at])):
                if not any(word in self._loose or word.isdigit() for word in rest):
                    continue
                told = self._numbers.two(rest, known) or self._numbers.one(rest, (), known)
                if told is None or told.reading is None or told.reading.value is None:
                    continue
                meaning = self._words.whole_phrase(asked)
                if meaning is not None and meaning.kind == "request":
                    return replace(told, meaning=meaning)
        return None

    def _strong_word(self, heard: Heard, tokens: Tokens) -> Meaning | None:
        if not self._strong:
            return None
        sure = [word.text for word in heard.words if word.confidence >= _SURE_WORD]
        said = sure if heard.words else tokens
        return next((self._strong[word] for word in said if word in self._strong), None)
