"""Recognises callers who speak another language than the pack, by that language's commonest words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_FEWEST = 2
"""So many different words of the other language must be said."""
_SHARE = 0.5
"""So much of what was said must be that language's."""


def spoken_language(tokens: Sequence[str], languages: Mapping[str, Sequence[str]]) -> str:
    """Return the name of the language that is spoken; ``""`` when it is the pack's own, or cannot be told."""
    said = [token.strip(".,?!\u00bf\u00a1") for token in tokens]
    best, most = "", 0
    for name, words in languages.items():
        own = set(words)
        hits = [word for word in said if word in own]
        if len(set(hits)) >= _FEWEST and len(hits) >= _SHARE * len(said) and len(hits) > most:
            best, most = name, len(hits)
    return best
