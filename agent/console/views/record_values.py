"""Values of stored records, whatever stands in their place. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return the value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings_in(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the mappings of a list in a part; what is none is left out."""
    value = part.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """Return the value where it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def number_of(value: object) -> float | None:
    """Return the value where it is a number, else None."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def value_text(value: object) -> str:
    """Return any value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    return "–" if value is None else str(value)
