"""Take a flow's JSON-like arguments apart, or raise a ``bad_request`` that says which one is wrong. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.common.service_error import ServiceError
from agent.common.untrusted import encodable
from agent.shop import normalise

MAX_NUMBER_CHARS = 40


def text(arguments: Mapping[str, Any], name: str, max_chars: int, *, optional: bool = False, cut: bool = False) -> str:
    """Return a text without outer spaces; ``""`` when optional and missing. Whole numbers count as text."""
    value = arguments.get(name)
    if value is None and optional:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ServiceError("bad_request", f"argument {name!r} must be text, got {type(value).__name__}")
    value = encodable(value).strip()
    if not value and not optional:
        raise ServiceError("bad_request", f"argument {name!r} is empty")
    if len(value) > max_chars and not cut:
        raise ServiceError("bad_request", f"argument {name!r} is longer than {max_chars} characters")
    return value[:max_chars]


def number(arguments: Mapping[str, Any], name: str = "number") -> str:
    """Return an order number (or the like) in its one form: letters and digits, upper case."""
    value = normalise.order_number(text(arguments, name, MAX_NUMBER_CHARS))
    if not value:
        raise ServiceError("bad_request", f"argument {name!r} holds neither letters nor digits")
    return value


def choice(arguments: Mapping[str, Any], name: str, allowed: Sequence[str], *, optional: bool = False) -> str:
    """Return one of the allowed words; ``""`` when optional and missing."""
    value = text(arguments, name, MAX_NUMBER_CHARS, optional=optional)
    if value not in allowed and not (optional and not value):
        raise ServiceError("bad_request", f"argument {name!r} must be one of {', '.join(allowed)}, got {value!r}")
    return value


def day(arguments: Mapping[str, Any], name: str) -> dt.date:
    """Return a day given as ISO 8601 (``2026-11-24``)."""
    value = text(arguments, name, MAX_NUMBER_CHARS)
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise ServiceError("bad_request", f"argument {name!r} must be a day like 2026-11-24, got {value!r}") from None


def amount(arguments: Mapping[str, Any], name: str) -> Decimal | None:
    """Return an amount of money of zero or more, or None when missing."""
    value = arguments.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ServiceError("bad_request", f"argument {name!r} must be an amount, got {type(value).__name__}")
    try:
        money = Decimal(str(value))
    except InvalidOperation:
        money = Decimal("NaN")
    if not money.is_finite() or money < 0 or money > Decimal(10) ** 12:
        raise ServiceError("bad_request", f"argument {name!r} must be an amount of money of zero or more")
    return money


def texts(arguments: Mapping[str, Any], name: str, max_chars: int) -> tuple[str, ...]:
    """Return a list of texts; empty when missing."""
    value = arguments.get(name)
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > MAX_NUMBER_CHARS:
        raise ServiceError("bad_request", f"argument {name!r} must be a short list of texts")
    return tuple(text({name: one}, name, max_chars) for one in value)
