"""A call's record as JSON-like data: the shape that is stored, exported and, later, sent to webhooks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from agent.call.records import CallRecord

SCHEMA = 1
"""Version of the shape; raised whenever a field changes its meaning or goes."""


def call_record(record: CallRecord) -> dict[str, Any]:
    """Return the record as a JSON-like dict with the fields of ``CallRecord`` and ``"schema": 1`` in front.

    Never raises: values JSON does not know become what comes nearest (dates ISO text, NaN null, the rest ``str``).
    """
    data = plain(record)
    return {"schema": SCHEMA, **data}


def plain(value: Any) -> Any:
    """Return the value as dicts with text keys, lists, text, numbers, booleans and None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    return str(value)
