"""Cuts callers' numbers for people who may not see them whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KEPT_DIGITS = 2
LEAST_SEARCHED_DIGITS = 7
"""A search by fewer digits would tell a number digit by digit."""
_DATE = r"\d{4}-\d{2}-\d{2}(?![\d-])"
_NUMBER = re.compile(rf"(?<![\w-])(?<!\d:)(?!{_DATE})\+?\(?\d(?:[\s().-]{{0,2}}\d){{6,17}}(?![\w-]|:\d)")
"""Seven digits or more, as people and systems write phone numbers; dates and times of day are none."""
_OURS = frozenset(
    {"id", "call_id", "channel_id", "epoch", "edition", "started_at", "at", "dialled", "ticket", "name", "job"}
    | {"order", "orders", "order_number", "repeat_of", "continues"}
)
"""Fields that are no caller's number, whatever they look like."""
_NUMBER_FIELDS = frozenset({"caller", "caller_number", "number", "phone", "by"})


def cut_number(number: str) -> str:
    """Return the last two digits of a number, ``…43``; ``""`` stays (the caller hides it)."""
    digits = "".join(one for one in number if one.isdigit())
    if not digits:
        return number if len(number) <= KEPT_DIGITS else "…"
    return f"…{digits[-KEPT_DIGITS:]}" if len(digits) > KEPT_DIGITS else "…"


def cut_numbers_in(text: str) -> str:
    """Return a text in which whatever looks like a phone number is cut."""
    return _NUMBER.sub(lambda found: cut_number(found[0]), text)


def without_numbers(value: Any, field: str = "") -> Any:
    """Return JSON-like data in which callers' numbers are cut: by the field, and by what looks like one anywhere."""
    if isinstance(value, Mapping):
        return {name: without_numbers(one, str(name)) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_numbers(one, field) for one in value]
    if isinstance(value, str) and field not in _OURS:
        return cut_number(value) if field in _NUMBER_FIELDS else cut_numbers_in(value)
    return value
