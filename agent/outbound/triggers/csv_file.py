"""Deliveries from a CSV file: every row becomes one job, or is given back with the reason."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.outbound.keys import ALL_PARCELS
from agent.outbound.model import NewJob, OutboundError, Purpose
from agent.outbound.triggers.deliveries import Delivery, DeliveryRefused, JobTimes, delivery_job, survey_job

NEEDED = ("order", "phone", "delivered_at", "consent")
OPTIONAL = ("name", "zone", "parcel", "parcels", "order_value", "first_order")


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken."""

    line: int
    row: Mapping[str, str]
    reason: str


@dataclass(frozen=True)
class TakenRow:
    """A row, what it says, and its job."""

    line: int
    delivery: Delivery
    job: NewJob


def read_rows(file: TextIO, purpose: Purpose, times: JobTimes, zone: str = "") -> Iterator[TakenRow | RefusedRow]:
    """Read a file whose first line names its columns.

    ``zone`` is the IANA zone of times without an offset where the row has no ``zone``. Raises OutboundError for a file
    that lacks a column of :data:`NEEDED`, or has one that is not known.
    """
    reader = csv.DictReader(file)
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    if missing := [name for name in NEEDED if name not in names]:
        raise OutboundError(f"the file lacks the column(s) {', '.join(missing)}; its first line must name the columns")
    if unknown := [name for name in names if name not in (*NEEDED, *OPTIONAL)]:
        raise OutboundError(f"there is no column {unknown[0]!r}; there are {', '.join((*NEEDED, *OPTIONAL))}")
    for raw in reader:
        line = reader.line_num
        if None in raw or None in raw.values():
            yield RefusedRow(line, {}, "it has another number of columns than the first line")
            continue
        row = {name: value.strip() for name, value in raw.items()}
        try:
            delivery = _delivery(row, zone)
            make = survey_job if purpose is Purpose.SURVEY else delivery_job
            yield TakenRow(line, delivery, make(delivery, times, "csv"))
        except DeliveryRefused as error:
            yield RefusedRow(line, row, error.message)


def _delivery(row: Mapping[str, str], zone: str) -> Delivery:
    return Delivery(
        order=row["order"],
        number=row["phone"].removeprefix("'"),  # how table programs keep a plus sign
        delivered_at=parse_moment(row["delivered_at"], row.get("zone") or zone),
        name=row.get("name", ""),
        consent=row["consent"],
        zone=row.get("zone", ""),
        parcel=row.get("parcel") or ALL_PARCELS,
        parcels=_count(row.get("parcels") or "1"),
        order_value=_value(row.get("order_value", "")),
        first_order=_yes(row.get("first_order", "")),
    )


def parse_moment(text: str, zone: str) -> datetime:
    """Read an ISO time; one without an offset is of ``zone``. Raises :class:`DeliveryRefused`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DeliveryRefused(f"delivered_at {text[:40]!r} is no time; write 2026-12-01T14:30-05:00") from error
    if moment.tzinfo is not None:
        return moment
    if not zone:
        raise DeliveryRefused(f"delivered_at {text[:40]!r} has no offset, and there is no zone")
    try:
        return moment.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeliveryRefused(f"there is no time zone {zone[:40]!r}") from error


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1000):
        raise DeliveryRefused(f"parcels {text[:40]!r} is no number of parcels")
    return int(text)


def _value(text: str) -> Decimal | None:
    try:
        value = Decimal(text) if text else None
    except InvalidOperation as error:
        raise DeliveryRefused(f"order_value {text[:40]!r} is no amount; write 129.90") from error
    if value is not None and not value.is_finite():
        raise DeliveryRefused(f"order_value {text[:40]!r} is no amount; write 129.90")
    return value


def _yes(text: str) -> bool | None:
    known = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if text.lower() not in known:
        raise DeliveryRefused(f"first_order {text[:40]!r} is neither yes nor no")
    return known[text.lower()]
