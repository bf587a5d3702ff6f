"""What may stand before and behind a phrase without changing what it means: fillers, openers, closers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.dialog.wide_phrases import Tokens, WideIndex, WidePhrase


class Edges:
    """What may stand at the edges, in any number and order; made once and shared between turns."""

    def __init__(self, before: Iterable[WidePhrase] = (), behind: Iterable[WidePhrase] = ()) -> None:
        self._before = WideIndex((phrase, None) for phrase in before)
        self._behind = WideIndex((phrase, None) for phrase in behind)

    def starts(self, tokens: Tokens) -> dict[int, int]:
        """Return where the phrase itself may begin, 0 first, with the words before it that only a ``*`` explains."""
        found = {0: 0}
        for at in range(len(tokens)):
            if at in found:
                for reach, _ in self._before.reaches(tokens, at):
                    guessed = found[at] + reach.guessed
                    found[reach.end] = min(found.get(reach.end, guessed), guessed)
        return {at: found[at] for at in sorted(found) if at < len(tokens)}

    def ends(self, tokens: Tokens) -> list[int]:
        """Return where the phrase itself may end, the end of the text first."""
        found = {len(tokens)}
        for at in range(len(tokens) - 1, 0, -1):
            if any(reach.end in found for reach, _ in self._behind.reaches(tokens, at)):
                found.add(at)
        return sorted(found, reverse=True)

    def steps(self, tokens: Tokens, at: int) -> set[int]:
        """Return how far anything that may stand at an edge reaches from here."""
        return {reach.end for index in (self._before, self._behind) for reach, _ in index.reaches(tokens, at)}

    def windows(self, tokens: Tokens) -> Iterator[tuple[int, int]]:
        """Yield the whole text first, then what remains without what may stand at its edges."""
        ends = self.ends(tokens)
        for start, guessed in self.starts(tokens).items():
            for end in ends:
                if start + guessed < end:
                    yield start, end
