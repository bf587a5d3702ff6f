"""The phrases of a turn, compiled: found by their words, not by going through them. Tables are shared between turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.dialog.gists import Gist
from agent.dialog.heard_list import sample_sentences, spoken_phrases
from agent.dialog.meanings import ANSWER_KINDS, Meaning
from agent.dialog.number_format import NumberFormat
from agent.dialog.same_words import SameWords
from agent.dialog.templates import Phrase
from agent.dialog.wide_phrases import Reach, Tokens, WideIndex, WidePhrase

Entry = tuple[Phrase | WidePhrase | Gist, Meaning]


@dataclass(frozen=True)
class Frame:
    """An entry with a number: the words before and after it."""

    lead: Tokens
    tail: Tokens
    slot: str
    meaning: Meaning


@dataclass(frozen=True)
class Pair:
    """An entry with two numbers: the words before, between and after them."""

    lead: Tokens
    first: str
    middle: Tokens
    second: str
    tail: Tokens
    meaning: Meaning


class EntryTable:
    """Some entries, compiled once; immutable afterwards."""

    def __init__(
        self, entries: Iterable[Entry], formats: Mapping[str, NumberFormat], same: SameWords | None = None
    ) -> None:
        self._same = same or SameWords()
        self.whole: dict[Tokens, Meaning] = {}
        self.frames: dict[Tokens, list[Frame]] = {}
        self.pairs: list[Pair] = []
        self.longer: dict[Tokens, set[Meaning]] = {}
        """Beginnings of entries the recogniser listens for -> what they may become."""
        self.gists: list[tuple[Gist, Meaning]] = []
        wide: list[tuple[WidePhrase, Meaning]] = []
        heard: list[tuple[Phrase, str]] = []
        for phrase, meaning in entries:
            if isinstance(phrase, WidePhrase):
                wide.append((phrase, meaning))
            elif isinstance(phrase, Gist):
                self.gists.append((phrase, meaning))
            else:
                self._add(phrase, meaning)
                if phrase.heard:
                    heard.append((phrase, meaning.kind))
        self.wide = WideIndex(wide)
        self.wide_answers = WideIndex(one for one in wide if one[1].kind in ANSWER_KINDS)
        self.wide_escalations = WideIndex(one for one in wide if one[1].kind == "escalate")
        self.phrases = tuple(spoken_phrases(phrase for phrase, _ in heard))
        self.samples = tuple(sample_sentences([one for one in heard if one[0].number_slots], formats))
        self.slots = tuple(dict.fromkeys(slot for phrase, _ in heard for slot in phrase.number_slots))
        """Number slots with an entry the recogniser listens for."""

    def _add(self, phrase: Phrase, meaning: Meaning) -> None:
        tokens = self._same.rewrite(phrase.tokens)
        places = [index for index, token in enumerate(tokens) if token[0] == "{"]
        if not places:
            self.whole.setdefault(tokens, meaning)
        elif len(places) > 1:
            at, then = places[:2]
            first, second = tokens[at][1:-1], tokens[then][1:-1]
            self.pairs.append(Pair(tokens[:at], first, tokens[at + 1 : then], second, tokens[then + 1 :], meaning))
        else:
            at = places[0]
            frame = Frame(tokens[:at], tokens[at + 1 :], tokens[at][1:-1], meaning)
            frames = self.frames.setdefault(frame.lead, [])
            if frame not in frames:
                frames.append(frame)
        if phrase.heard:
            begins = tokens[: places[0]] if places else tokens
            for length in range(1, len(begins) + bool(places)):
                self.longer.setdefault(begins[:length], set()).add(meaning)


@dataclass(frozen=True)
class Layer:
    """A table as one turn uses it."""

    table: EntryTable
    heard: bool = True
    """False: its phrases are understood in this turn, but the recogniser does not listen for them."""


class Entries:
    """The tables of one turn as if they were one; the first table that knows some words decides what they mean."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._tables = tuple(layer.table for layer in layers)
        self._heard = tuple(layer.table for layer in layers if layer.heard)
        self.phrases = tuple(dict.fromkeys(phrase for table in self._heard for phrase in table.phrases))
        self.samples = tuple(sample for table in self._heard for sample in table.samples)
        self.slots = tuple(dict.fromkeys(slot for table in self._heard for slot in table.slots))
        self.pairs = tuple(pair for table in self._tables for pair in table.pairs)
        self.gists = tuple(gist for table in self._tables for gist in table.gists)
        self._longest = max((len(lead) for table in self._tables for lead in table.frames), default=-1)

    def whole(self, tokens: Tokens) -> Meaning | None:
        """Return what exactly these words mean."""
        for table in self._tables:
            meaning = table.whole.get(tokens)
            if meaning is not None:
                return meaning
        return None

    def longer(self, tokens: Tokens) -> set[Meaning]:
        """Return what may still come of these words when more follow; empty when nothing begins with them."""
        return set[Meaning]().union(*(table.longer.get(tokens, ()) for table in self._heard))

    def frames(self, lead: Tokens) -> Iterator[Frame]:
        """Yield the entries with a number behind these words."""
        for table in self._tables:
            yield from table.frames.get(lead, ())

    def framed(self, tokens: Tokens) -> Iterator[tuple[Frame, Tokens]]:
        """Yield every number entry whose fixed words fit, with the words left for the number; longest lead first."""
        for at in range(min(len(tokens) - 1, self._longest), -1, -1):
            for frame in self.frames(tokens[:at]):
                end = len(tokens) - len(frame.tail)
                if at < end and tokens[end:] == frame.tail:
                    yield frame, tokens[at:end]

    def wide(self, tokens: Tokens, at: int) -> Iterator[tuple[Reach, Meaning]]:
        """Yield how far the wide phrases reach from here, and what they mean."""
        for table in self._tables:
            yield from table.wide.reaches(tokens, at)

    def wide_answers(self, tokens: Tokens, at: int) -> Iterator[tuple[Reach, Meaning]]:
        """Yield the same for those that answer the open question."""
        for table in self._tables:
            yield from table.wide_answers.reaches(tokens, at)

    def wide_escalations(self, tokens: Tokens, at: int) -> Iterator[tuple[Reach, Meaning]]:
        """Yield the same for those that bring a person at once."""
        for table in self._tables:
            yield from table.wide_escalations.reaches(tokens, at)
