"""Takes from an operation the facts that may be kept: single values named by the pack, nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Fact = str | int | float | bool
_MOST_CHARS = 200
"""A longer text is no fact but a story; it is cut."""


def kept_facts(
    keeps: Sequence[str], arguments: Mapping[str, Any], result: Mapping[str, Any]
) -> Iterator[tuple[str, Fact]]:
    """Yield name and value of each place of ``keeps`` (``order.status``) that holds a single value.

    A place is looked for in the result first, then in the arguments. What is not there, is None, or is a list or a
    mapping is left out. ``result`` is empty for an operation that failed.
    """
    for place in keeps:
        value = _single(_at(result, place))
        value = _single(_at(arguments, place)) if value is None else value
        if value is not None:
            yield place, value


def _at(data: Mapping[str, Any], place: str) -> Any:
    found: Any = data
    for name in place.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _single(value: Any) -> Fact | None:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping | list | tuple | set | frozenset | bytes):
        return None
    return str(value)[:_MOST_CHARS] or None
