"""Reading JSON that may be anything: what is not of the kind that is asked for counts as not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.common.untrusted import storable

MOST_VALUE_CHARS = 200


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> Sequence[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else ()


def mappings(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def string(value: object) -> str:
    """Return text as it is, else ``""``."""
    return value if isinstance(value, str) else ""


def text(value: object) -> str:
    """Return text, a whole number or a yes or no as text that every database stores, cut to its length; else ``""``."""
    if type(value) is str and len(value) <= MOST_VALUE_CHARS and value.isascii() and "\0" not in value:
        return value  # nearly always
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int)):
        return storable(str(value))[:MOST_VALUE_CHARS]
    return ""


def number(value: object) -> float | None:
    """Return a number that is one, and not beyond all sense."""
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )


def whole(value: float | None, factor: int) -> int | None:
    """Return ``value * factor`` as a whole number."""
    return None if value is None else round(value * factor)
