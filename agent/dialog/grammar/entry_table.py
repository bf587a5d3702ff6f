"""The compiled entries of a turn's grammar, indexed by their words and shared between turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.dialog.grammar.asr_hints import sample_sentences, spoken_phrases
from agent.dialog.grammar.intent import Intent
from agent.dialog.grammar.keyword_match import KeywordPattern
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.templates import Phrase
from agent.dialog.grammar.wildcard_phrases import PhraseIndex, Tokens, WildcardPhrase
from agent.dialog.numbers.format import NumberFormat
from agent.languages.number_words import NumberWords

Entry = tuple[Phrase | WildcardPhrase | KeywordPattern, Intent]


@dataclass(frozen=True)
class NumberFrame:
    """A number entry: the words before and after the number."""

    lead: Tokens
    tail: Tokens
    slot: str
    meaning: Intent


@dataclass(frozen=True)
class TwoNumberFrame:
    """An entry with two numbers: the words before, between and after them."""

    lead: Tokens
    first: str
    middle: Tokens
    second: str
    tail: Tokens
    meaning: Intent


class EntryTable:
    """Some entries, compiled once; immutable afterwards. The first meaning of the same words stays."""

    def __init__(
        self,
        entries: Iterable[Entry],
        formats: Mapping[str, NumberFormat],
        vocabulary: NumberWords,
        same: Synonyms | None = None,
    ) -> None:
        self._same = same or Synonyms()
        self.whole: dict[Tokens, Intent] = {}
        self.frames: dict[Tokens, list[NumberFrame]] = {}
        self.pairs: list[TwoNumberFrame] = []
        self.longer: dict[Tokens, Intent | None] = {}
        """Beginnings of entries the recogniser listens for -> what they may become; None for several things."""
        self.gists: list[tuple[KeywordPattern, Intent]] = []
        wide: list[tuple[WildcardPhrase, Intent]] = []
        heard: list[Phrase] = []
        numbered: list[tuple[Phrase, str]] = []
        for phrase, meaning in entries:
            if isinstance(phrase, WildcardPhrase):
                wide.append((phrase, meaning))
            elif isinstance(phrase, KeywordPattern):
                self.gists.append((phrase, meaning))
            else:
                has_number = self._add(phrase, meaning)
                if phrase.heard:
                    heard.append(phrase)
                    if has_number:
                        numbered.append((phrase, meaning.kind))
        self.wide = PhraseIndex(wide)
        self.phrases = tuple(spoken_phrases(heard))
        """What of them the recogniser listens for: whole phrases, and the fixed words around numbers."""
        self.samples = tuple(sample_sentences(numbered, formats, vocabulary))
        """Whole sentences with made-up numbers; they may repeat."""
        self.slots = tuple(dict.fromkeys(slot for phrase, _ in numbered for slot in phrase.number_slots))
        """The number slots with an entry the recogniser listens for."""

    def _add(self, phrase: Phrase, meaning: Intent) -> bool:
        """Compile one phrase; True when there is a number in it."""
        tokens = self._same.rewrite(phrase.tokens)
        places = [index for index, token in enumerate(tokens) if token[0] == "{"]
        if not places:
            self.whole.setdefault(tokens, meaning)
        elif len(places) > 1:
            at, then = places[:2]
            first, second = tokens[at][1:-1], tokens[then][1:-1]
            self.pairs.append(
                TwoNumberFrame(tokens[:at], first, tokens[at + 1 : then], second, tokens[then + 1 :], meaning)
            )
        else:
            at = places[0]
            frame = NumberFrame(tokens[:at], tokens[at + 1 :], tokens[at][1:-1], meaning)
            frames = self.frames.setdefault(frame.lead, [])
            if frame not in frames:
                frames.append(frame)
        if phrase.heard:
            begins = tokens[: places[0]] if places else tokens
            longer = self.longer
            for length in range(1, len(begins) + bool(places)):
                begin = begins[:length]
                other = longer.setdefault(begin, meaning)
                if other is not meaning and other != meaning:
                    longer[begin] = None
        return bool(places)


@dataclass(frozen=True)
class LayeredEntryTable:
    """The tables of one turn as if they were one: the first that knows some words decides what they mean."""

    tables: Sequence[EntryTable]
    heard: Sequence[EntryTable]
    """Those of them the recogniser listens for; the others are only understood."""

    def whole(self, tokens: Tokens) -> Intent | None:
        """Return what exactly these words mean."""
        for table in self.tables:
            meaning = table.whole.get(tokens)
            if meaning is not None:
                return meaning
        return None

    def begins(self, tokens: Tokens) -> bool:
        """Return whether an entry the recogniser listens for begins with these words and goes on."""
        return any(tokens in table.longer for table in self.heard)

    def becomes_only(self, tokens: Tokens, meaning: Intent) -> bool:
        """Return whether these words mean the same however they go on."""
        return all(table.longer.get(tokens, meaning) == meaning for table in self.heard)

    def frames(self, lead: Tokens) -> Iterator[NumberFrame]:
        """Yield the entries with a number behind these words."""
        for table in self.tables:
            yield from table.frames.get(lead, ())

    def framed(self, tokens: Tokens) -> Iterator[tuple[NumberFrame, Tokens]]:
        """Yield every number entry whose fixed words fit, with the words left for the number; longest lead first."""
        for at in range(len(tokens) - 1, -1, -1):
            lead = tokens[:at]
            for frame in self.frames(lead):
                end = len(tokens) - len(frame.tail)
                if at < end and tokens[end:] == frame.tail:
                    yield frame, tokens[at:end]

    def wide(self, first: str) -> Iterator[tuple[WildcardPhrase, Intent]]:
        """Yield the wide phrases that may begin with this word, those that begin with any word last."""
        for table in self.tables:
            yield from table.wide.beginning(first)
        for table in self.tables:
            yield from table.wide.always

    def pairs(self) -> Iterator[TwoNumberFrame]:
        """Yield the entries with two numbers."""
        for table in self.tables:
            yield from table.pairs

    def gists(self) -> Iterator[tuple[KeywordPattern, Intent]]:
        """Yield the gists."""
        for table in self.tables:
            yield from table.gists
