"""Finds earlier calls: the one that a call repeats, and what a customer has done about an order since a moment."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
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


_ABOUT = (
    "SELECT record FROM calls WHERE started_at >= ? AND (caller_number IN (SELECT value FROM json_each(?)) OR (? != ''"
    " AND ? IN (json_extract(record, '$.slots.order_number'), json_extract(record, '$.outbound.order_number'))))"
)
_CASES = frozenset({"returns.create", "shipments.investigate"})
_TICKET = "tickets.create"


@dataclass(frozen=True)
class ContactsSince:
    """What became known by telephone about an order since a moment, on calls in both directions."""

    called_in: bool = False
    """The customer has called, about this order or about none that is known."""
    complained: bool = False
    """A return or a search was opened."""
    ticket: bool = False
    """A ticket was opened."""


def contacts_since(
    path: Path, timeout_seconds: float, numbers: Collection[str], order: str, since: float
) -> ContactsSince:
    """Look through the calls from ``numbers`` (all forms of one number), and those about an order; blocks.

    With ``order`` the calls about another one do not count; ``""`` stands for whatever the calls are about.
    ``path`` is ``calls.sqlite``, ``since`` in seconds since 1970. A record after a refusal of recording holds neither
    number nor order: such a call is not seen. Raises ``sqlite3.Error``.
    """
    with closing(sqlite3.connect(path, timeout=timeout_seconds)) as db:
        records = list(_about(db, numbers, order, since))
    done = {name for record in records for name in _done(record)}
    inbound = any(record.get("direction", "inbound") == "inbound" for record in records)
    ticket = _TICKET in done or any((record.get("handover") or {}).get("ticket") for record in records)
    return ContactsSince(called_in=inbound, complained=bool(done & _CASES), ticket=ticket)


def _about(db: sqlite3.Connection, numbers: Collection[str], order: str, since: float) -> Iterator[Mapping[str, Any]]:
    # a day earlier: text with different offsets is out of order by less than that
    first = (datetime.fromtimestamp(since, UTC) - timedelta(days=1)).isoformat()
    for (text,) in db.execute(_ABOUT, (first, json.dumps(list(numbers)), order, order)):
        record = json.loads(text)
        if start_of(record) >= since and (not order or _order(record) in ("", order)):
            yield record


def _order(record: Mapping[str, Any]) -> str:
    """Return the order a call was about; ``""`` where none is known."""
    of_job = (record.get("outbound") or {}).get("order_number")
    return str(of_job or (record.get("slots") or {}).get("order_number") or "")


def _done(record: Mapping[str, Any]) -> Iterator[str]:
    for effect in record.get("effects") or ():
        if effect.get("code") == "ok":
            yield str(effect.get("name"))


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
