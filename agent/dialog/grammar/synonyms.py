"""Synonyms: wordings that count as equal, as "i'm" and "i am", "parcel" and "package". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Synonyms:
    """Rewrites tokens so that two ways of writing one thing become equal; both sides of a comparison go through it."""

    def __init__(self, same: Mapping[str, Iterable[str]] | None = None) -> None:
        self._to: dict[tuple[str, ...], tuple[str, ...]] = {
            tuple(variant.lower().split()): tuple(word.lower().split())
            for word, variants in (same or {}).items()
            for variant in variants
        }
        self._longest: dict[str, int] = {}
        for variant in self._to:
            self._longest[variant[0]] = max(self._longest.get(variant[0], 0), len(variant))

    def rewrite(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        """Return the tokens with every variant replaced, longest variant first."""
        if not any(token in self._longest for token in tokens):
            return tokens
        written: list[str] = []
        at = 0
        while at < len(tokens):
            for length in range(min(self._longest.get(tokens[at], 0), len(tokens) - at), 0, -1):
                found = self._to.get(tokens[at : at + length])
                if found is not None:
                    written += found
                    at += length
                    break
            else:
                written.append(tokens[at])
                at += 1
        return tuple(written)
