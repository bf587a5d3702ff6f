"""Finds the earlier call that a call repeats: the latest one from the same number within the time that counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from agent.records.database import utc_seconds

REPEAT_SECONDS = 24 * 3600.0
"""The usual time within which a call from the same number is a repeat."""
_FEWEST_DIGITS = 3
_MOST_LOOKED_AT = 50
_FIND = "SELECT id, started_at FROM calls WHERE caller_number = ? ORDER BY started_at DESC LIMIT ?"
"""Text with an offset is out of order by an hour when the clocks change: the order is found out after that."""


def earlier_call(db: sqlite3.Connection, record: Mapping[str, Any], within_seconds: float) -> str:
    """Return the id of the latest earlier call from the number of a redacted record, ``""`` for none.

    Calls count that are over and began at most ``within_seconds`` before. A withheld number, and one that is not kept,
    has no earlier calls; a visit of the same call (:attr:`agent.call.records.CallRecord.continues`) is none.
    """
    number, start = _number(record), start_of(record)
    if within_seconds <= 0 or not number or not start or record.get("entry", "inbound") != "inbound":
        return ""
    call_id = str(record["id"])
    found = [
        (began, str(row["id"]))
        for row in db.execute(_FIND, (number, _MOST_LOOKED_AT))
        if start - within_seconds <= (began := utc_seconds(row["started_at"])) < start
        and not (row["id"] == call_id or str(row["id"]).startswith(f"{call_id}-"))
    ]
    return max(found)[1] if found else ""


def start_of(record: Mapping[str, Any]) -> float:
    """Return when a call began, seconds since 1970; from ``started_at`` in records of older versions."""
    start = record.get("started_utc")
    known = isinstance(start, int | float) and not isinstance(start, bool)
    return float(start) if known and start is not None else utc_seconds(record.get("started_at"))


def _number(record: Mapping[str, Any]) -> str:
    """Return the caller's number as it is kept; ``""`` where it is none, or is cut to its last digits."""
    caller = record.get("caller")
    number = str(caller.get("number") or "") if isinstance(caller, Mapping) else ""
    digits = sum(one.isdecimal() for one in number)
    return number if digits >= _FEWEST_DIGITS and number.lstrip("+").isalnum() else ""
