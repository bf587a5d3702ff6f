"""What a text without a number means: whole entries first, then several answers in a row, in the end its gist. Pure."""

from __future__ import annotations

from dataclasses import replace

from agent.dialog.edges import Edges
from agent.dialog.entry_table import Entries
from agent.dialog.meanings import ANSWER_KINDS, Meaning, rank
from agent.dialog.wide_phrases import Tokens

_ANYWHERE_WORDS = 2
"""An angry or legal sentence of so many words counts in the middle of anything."""
_PATIENT_WORDS = 2
"""A single word ("wait") is too easily misheard to begin a sentence nobody understood."""
_WAIT = Meaning("command", "wait")


class WordMatcher:
    """Matches texts against the entries of one turn."""

    def __init__(self, entries: Entries, edges: Edges) -> None:
        self._entries = entries
        self._edges = edges

    def whole_phrase(self, tokens: Tokens) -> Meaning | None:
        """Return what a text means that is one entry, with nothing around it but what may stand at the edges.

        The entry that explains the most words wins; the listed one when a wide one explains no more.
        """
        listed, length = None, 0
        for start, end in self._edges.windows(tokens):
            meaning = self.exact(tokens[start:end]) if end - start > length else None
            if meaning is not None:
                listed, length = meaning, end - start
        return self.widely(tokens, length) or listed or self._answers(tokens)

    def exact(self, tokens: Tokens) -> Meaning | None:
        """Return the meaning of an entry, also when it is said several times ("no no no")."""
        meaning = self._entries.whole(tokens)
        if meaning is not None:
            return meaning
        for length in range(1, len(tokens) // 2 + 1):
            if len(tokens) % length == 0 and tokens[:-length] == tokens[length:]:
                meaning = self._entries.whole(tokens[:length])
                if meaning is not None:
                    return meaning
        return None

    def widely(self, tokens: Tokens, longer_than: int = 0) -> Meaning | None:
        """Return the meaning of the wide phrase that explains most words; None when two different ones tie."""
        ends = frozenset(self._edges.ends(tokens))
        found = [
            (sure, replace(meaning, values=(*meaning.values, *reach.values)))
            for start, guessed in self._edges.starts(tokens).items()
            if len(tokens) - start > longer_than
            for reach, meaning in self._entries.wide(tokens, start)
            # what was guessed before it must not be more than what is sure
            if reach.end in ends and (sure := reach.end - start - reach.guessed) > max(longer_than, guessed)
        ]
        if not found:
            return None
        most = max(length for length, _ in found)
        longest = [meaning for length, meaning in found if length == most]
        highest = max(map(rank, longest))
        best = dict.fromkeys(meaning for meaning in longest if rank(meaning) == highest)
        return next(iter(best)) if len({(one.kind, one.name, one.values) for one in best}) == 1 else None

    def _answers(self, tokens: Tokens) -> Meaning | None:
        """Return what several answers in a row mean when all of them mean the same: "yes, that's fine, go ahead"."""
        reached: dict[int, set[Meaning | None]] = {0: {None}}
        for at in range(len(tokens)):
            before = reached.get(at)
            if before is None:
                continue
            for end in self._edges.steps(tokens, at):
                reached.setdefault(end, set()).update(before)
            for end, meaning in self._answers_from(tokens, at):
                joined = reached.setdefault(end, set())
                joined.update({meaning} & before if None not in before else {meaning})
        said = [meaning for meaning in reached.get(len(tokens), ()) if meaning is not None]
        return said[0] if len(said) == 1 else None

    def _answers_from(self, tokens: Tokens, at: int) -> list[tuple[int, Meaning]]:
        listed = [(end, self._entries.whole(tokens[at:end])) for end in range(at + 1, len(tokens) + 1)]
        return [
            *((end, meaning) for end, meaning in listed if meaning is not None and meaning.kind in ANSWER_KINDS),
            *((reach.end, meaning) for reach, meaning in self._entries.wide_answers(tokens, at)),
        ]

    def patience(self, tokens: Tokens) -> Meaning | None:
        """Take "hold on" for what it is whatever is murmured after it: the caller talks to the room by then."""
        for start in self._edges.starts(tokens):
            for end in range(len(tokens) - 1, start + _PATIENT_WORDS - 1, -1):
                meaning = self._entries.whole(tokens[start:end])
                if meaning == _WAIT:
                    return meaning
        return None

    def anywhere(self, tokens: Tokens) -> Meaning | None:
        """Take an angry or legal sentence for what it is whatever stands around it."""
        for start in range(len(tokens)):
            for end in range(len(tokens), start + _ANYWHERE_WORDS - 1, -1):
                meaning = self._entries.whole(tokens[start:end])
                if meaning is not None and meaning.kind == "escalate":
                    return meaning
            for reach, meaning in self._entries.wide_escalations(tokens, start):
                if reach.end >= start + _ANYWHERE_WORDS:
                    return meaning
        return None

    def gist(self, tokens: Tokens) -> Meaning | None:
        """Guess what a sentence is about; None when two meanings are as likely."""
        told = [(found, meaning) for gist, meaning in self._entries.gists if (found := gist.explains(tokens))]
        if not told:
            return None
        most = max((rank(meaning)[:2], found[0]) for found, meaning in told)
        best: dict[tuple[str, str, object], Meaning] = {}
        for (count, values), meaning in told:
            if (rank(meaning)[:2], count) == most:
                guess = replace(meaning, values=(*meaning.values, *values), guessed=True)
                best.setdefault((guess.kind, guess.name, guess.values), guess)
        return next(iter(best.values())) if len(best) == 1 else None
