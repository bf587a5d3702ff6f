"""Odd variants of an answer: one value of it missing, empty, or of a word or a kind nobody has seen. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_VARIANTS = 500
"""Of one answer; a long one is not tried to its end."""
_STRANGE_WORD = "a-word-nobody-has-seen"
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class VariantsTried:
    """What came of reading the odd variants of one answer."""

    count: int
    unreadable: dict[str, str] = field(default_factory=dict)
    """Field -> what is wrong when its value is odd; such an answer cannot be used at all."""


def odd_variants(document: Any) -> Iterator[Any]:
    """Yield copies of an answer with one value each replaced; the answer itself is not changed."""
    for count, (at, value) in enumerate(_replacements(document, ())):
        if count >= MAX_VARIANTS:
            return
        yield _with(document, at, value)


def _replacements(value: Any, at: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _replacements(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from _replacements(inner, (*at, index))
        yield at, []
        if value:
            yield at, [*value, None]
    elif isinstance(value, str):
        yield at, ""
        yield at, _STRANGE_WORD
    elif isinstance(value, bool):
        yield at, not value
    elif isinstance(value, int | float):
        yield at, 1.52
        yield at, -1
    if at and value is not None:
        yield at, None


def _with(document: Any, at: Place, value: Any) -> Any:
    if not at:
        return value
    changed = copy.deepcopy(document)
    here = changed
    for part in at[:-1]:
        here = here[part]
    here[at[-1]] = value
    return changed
