"""Matches texts without numbers: listed phrases, wildcard phrases, edge phrases, then keyword patterns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from agent.dialog.contract import TurnInput
from agent.dialog.grammar.entry_table import LayeredEntryTable
from agent.dialog.grammar.intent import ANSWER_KINDS, Intent, intent_priority
from agent.dialog.grammar.synonyms import Synonyms
from agent.dialog.grammar.wildcard_phrases import EdgeMatcher, Tokens, WildcardPhrase, fixed

UNKNOWN = "[unk]"
"""What the recogniser writes for speech its grammar does not hold."""
_SURE_WORD = 0.8
"""Confidence from which a single strong word, or a part of a sentence, counts."""
_ANYWHERE_WORDS = 2
"""An angry or legal sentence of so many words counts in the middle of anything."""
_WAIT = Intent("command", "wait")
_PATIENT_WORDS = 2
"""A single word ("wait") is too easily misheard to begin a sentence nobody understood."""


@dataclass(frozen=True)
class EdgePhrases:
    """What may stand at the edges of what was said. Made once, shared between turns."""

    edges: EdgeMatcher
    fillers: frozenset[Tokens]
    """The fillers among it, as they are matched."""
    spoken_fillers: tuple[str, ...]
    """The same as they are written, for the recogniser."""
    heard: tuple[str, ...] = ()
    """What of the rest the recogniser listens for."""

    @classmethod
    def of(
        cls,
        fillers: Collection[Tokens],
        same: Synonyms,
        before: Iterable[WildcardPhrase] = (),
        behind: Iterable[WildcardPhrase] = (),
        heard: Iterable[str] = (),
    ) -> EdgePhrases:
        """Compile fillers, and what else may stand before and behind a phrase."""
        matched = frozenset(map(same.rewrite, fillers))
        both = [fixed(filler) for filler in matched]
        spoken = tuple(" ".join(filler) for filler in sorted(fillers))
        return cls(EdgeMatcher([*both, *before], [*both, *behind]), matched, spoken, tuple(heard))


class PhraseMatcher:
    """The entries of one turn that hold no number."""

    def __init__(self, layers: LayeredEntryTable, edges: EdgeMatcher, strong_words: Mapping[str, Intent]) -> None:
        self._layers = layers
        self._edges = edges
        self._strong = dict(strong_words)

    def windows(self, tokens: Tokens) -> Iterator[tuple[int, int]]:
        """Yield the whole text first, then what remains without what may stand at its edges."""
        ends = self._edges.ends(tokens)
        for start, guessed in self._edges.starts(tokens).items():
            for end in ends:
                if start + guessed < end:
                    yield start, end

    def meaning_of(self, tokens: Tokens) -> Intent | None:
        """Return what a text means that is one entry, with nothing around it but what may stand at the edges.

        The entry that explains the most words wins; the listed one when a wide one explains no more.
        """
        listed, length = self._listed(tokens)
        wide = self.widely(tokens, length)
        meaning = (replace(wide, wide=True) if wide is not None else None) or listed or self._answers(tokens)
        return None if meaning is not None and self._contradicts(tokens, meaning) else meaning

    def _listed(self, tokens: Tokens) -> tuple[Intent | None, int]:
        """Return the meaning of the longest written-out phrase with nothing but edges around it, and its length."""
        listed, length = None, 0
        for start, end in self.windows(tokens):
            meaning = self.exact(tokens[start:end]) if end - start > length else None
            if meaning is not None:
                listed, length = meaning, end - start
        return listed, length

    def _contradicts(self, tokens: Tokens, meaning: Intent) -> bool:
        """Return whether a refusal begins with a yes ("yes not right"), as it does when "that's" was misheard.

        "Yeah no" is none: callers say that for a no.
        """
        if not _refuses(meaning):
            return False
        first, second = self._layers.whole(tokens[:1]), self._layers.whole(tokens[1:2])
        return first is not None and _agrees(first) and (second is None or not _refuses(second))

    def _answers(self, tokens: Tokens) -> Intent | None:
        """Return what several answers in a row mean when all of them mean the same: "yes, that's fine, go ahead"."""
        reached: dict[int, set[Intent | None]] = {0: {None}}
        for at in range(len(tokens)):
            for end, meaning in self._answer_steps(tokens, at) if at in reached else ():
                said = {meaning} if meaning is not None else reached[at]
                reached.setdefault(end, set()).update(one for one in said if {one} | reached[at] <= {one, None})
        meanings = reached.get(len(tokens), set()) - {None}
        return meanings.pop() if len(meanings) == 1 else None

    def _answer_steps(self, tokens: Tokens, at: int) -> Iterator[tuple[int, Intent | None]]:
        """Yield how far an answer, or what may stand around one, reaches from here."""
        yield from ((end, None) for end in self._edges.steps(tokens, at))
        for end in range(at + 1, len(tokens) + 1):
            meaning = self._layers.whole(tokens[at:end])
            if meaning is not None and meaning.kind in ANSWER_KINDS:
                yield end, meaning
        for phrase, wide in self._layers.wide(tokens[at]):
            if wide.kind in ANSWER_KINDS:
                yield from ((reach.end, wide) for reach in phrase.ends(tokens, at))

    def widely(self, tokens: Tokens, longer_than: int = 0) -> Intent | None:
        """Return the meaning of the wide phrase that explains most words; None when two different ones tie."""
        ends = frozenset(self._edges.ends(tokens))
        found = [
            (sure, replace(meaning, values=(*meaning.values, *reach.values)))
            for start, guessed in self._edges.starts(tokens).items()
            if len(tokens) - start > longer_than
            for phrase, meaning in self._layers.wide(tokens[start])
            for reach in phrase.ends(tokens, start)
            # what was guessed before it must not be more than what is sure
            if reach.end in ends and (sure := reach.end - start - reach.guessed) > max(longer_than, guessed)
        ]
        if not found:
            return None
        most = max(length for length, _ in found)
        longest = [meaning for length, meaning in found if length == most]
        highest = max(map(intent_priority, longest))
        best = dict.fromkeys(meaning for meaning in longest if intent_priority(meaning) == highest)
        return next(iter(best)) if len({(one.kind, one.name, one.values) for one in best}) == 1 else None

    def exact(self, tokens: Tokens) -> Intent | None:
        """Return the meaning of an entry, also when it is said several times ("no no no")."""
        meaning = self._layers.whole(tokens)
        if meaning is not None:
            return meaning
        for length in range(1, len(tokens) // 2 + 1):
            if len(tokens) % length == 0 and tokens == tokens[:length] * (len(tokens) // length):
                meaning = self._layers.whole(tokens[:length])
                if meaning is not None:
                    return meaning
        return None

    def patience(self, tokens: Tokens) -> Intent | None:
        """Take "hold on" for what it is whatever is murmured after it: the caller talks to the room by then."""
        for start, _ in self.windows(tokens):
            for end in range(len(tokens) - 1, start + _PATIENT_WORDS - 1, -1):
                meaning = self._layers.whole(tokens[start:end])
                if meaning == _WAIT:
                    return meaning
        return None

    def anywhere(self, heard: TurnInput, tokens: Tokens) -> Intent | None:
        """Take an angry or legal sentence for what it is whatever stands around it."""
        if heard.confidence < _SURE_WORD:
            return None
        for start in range(len(tokens)):
            for end in range(len(tokens), start + _ANYWHERE_WORDS - 1, -1):
                meaning = self._layers.whole(tokens[start:end])
                if meaning is not None and meaning.kind == "escalate":
                    return meaning
            for phrase, meaning in self._layers.wide(tokens[start]):
                ends = (reach.end for reach in phrase.ends(tokens, start)) if meaning.kind == "escalate" else ()
                if any(end >= start + _ANYWHERE_WORDS for end in ends):
                    return meaning
        return None

    def gist(self, heard: TurnInput, tokens: Tokens) -> Intent | None:
        """Guess what a sentence is about; None when two meanings are as likely, or when it was not heard well."""
        if UNKNOWN in tokens or heard.confidence < _SURE_WORD:
            return None
        best = self.gists(tokens)
        return best[0] if len(best) == 1 else None

    def gists(self, tokens: Tokens) -> list[Intent]:
        """Return what the gists say that explain most of a text; several when they explain as much."""
        told = [
            (found, meaning) for gist, meaning in self._layers.gists() if (found := gist.explains(tokens)) is not None
        ]
        if not told:
            return []
        most = max((intent_priority(meaning)[:2], found[0]) for found, meaning in told)
        best: dict[tuple[str, str, object], Intent] = {}
        for (count, values), meaning in told:
            if (intent_priority(meaning)[:2], count) == most:
                guess = replace(meaning, values=(*meaning.values, *values), guessed=True)
                best.setdefault((guess.kind, guess.name, guess.values), guess)
        return list(best.values())

    def strong_word(self, heard: TurnInput, tokens: Tokens) -> Intent | None:
        """Return what a single word said surely brings, wherever it stands."""
        if not self._strong:
            return None
        sure = [word.text for word in heard.words if word.confidence >= _SURE_WORD]
        said = sure if heard.words else tokens
        return next((self._strong[word] for word in said if word in self._strong), None)


def _agrees(meaning: Intent) -> bool:
    return meaning.kind == "right" or (meaning.kind == "value" and meaning.name == "yes")


def _refuses(meaning: Intent) -> bool:
    return meaning.kind == "wrong" or (meaning.kind == "value" and meaning.name == "no")
