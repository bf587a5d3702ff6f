from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from agent.outbound.model import OutboundError, Purpose
from agent.outbound.triggers.csv_file import RefusedRow, TakenRow, read_rows
from agent.outbound.triggers.deliveries import JobTimes

TIMES = JobTimes("Maple and Finch")
GOOD = "A1,(202) 555-0143,2026-06-01T10:00-04:00,Maria Lopez,order_terms,America/New_York"


def rows(text: str, purpose: Purpose = Purpose.DELIVERY, zone: str = "") -> list[TakenRow | RefusedRow]:
    head = "order,phone,delivered_at,name,consent,zone\n"
    return list(read_rows(io.StringIO(head + text, newline=""), purpose, TIMES, zone))


def test_a_good_row_becomes_a_job() -> None:
    [row] = rows(GOOD)
    assert isinstance(row, TakenRow)
    assert (row.job.key, row.job.number, row.job.consent) == ("delivery:A1:all", "+12025550143", "order_terms")
    assert row.job.due_at == datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
    [survey] = rows(GOOD, Purpose.SURVEY)
    assert isinstance(survey, TakenRow)
    assert survey.job.key == "survey:A1"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A1,12,2026-06-01T10:00-04:00,,order_terms,", "no telephone number"),
        ("A1,2025550143,2026-06-01T10:00-04:00,,,", "no consent"),
        ("A1,2025550143,yesterday,,order_terms,", "no time"),
        ("A1,2025550143,2026-06-01T10:00,,order_terms,", "no offset"),
        ("A1,2025550143,2026-06-01T10:00,,order_terms,Mars/Olympus", "no time zone"),
        ("A1,+447700900123,2026-06-01T10:00Z,,order_terms,", "time zones"),
        (",2025550143,2026-06-01T10:00Z,,order_terms,", "no order number"),
        ("A1,2025550143", "number of columns"),
        ("A1,2025550143,2026-06-01T10:00Z,,order_terms,,more", "number of columns"),
    ],
)
def test_a_bad_row_is_given_back_with_the_reason_and_its_line(row: str, reason: str) -> None:
    bad, good = rows(f"{row}\n{GOOD}")
    assert isinstance(bad, RefusedRow)
    assert bad.line == 2
    assert reason in bad.reason
    assert isinstance(good, TakenRow)


def test_a_time_without_offset_is_of_the_rows_zone_or_the_shops() -> None:
    [row] = rows("A1,2025550143,2026-06-01T10:00,,order_terms,", zone="America/Chicago")
    assert isinstance(row, TakenRow)
    assert row.job.due_at == datetime(2026, 6, 1, 17, 0, tzinfo=UTC)


def test_a_file_that_lacks_a_column_or_has_an_unknown_one_is_refused_whole() -> None:
    for head in ("order,phone,delivered_at", "order,phone,delivered_at,consent,colour", ""):
        with pytest.raises(OutboundError, match="column"):
            list(read_rows(io.StringIO(head + "\n"), Purpose.DELIVERY, TIMES))
