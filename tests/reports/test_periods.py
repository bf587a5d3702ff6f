"""Days, weeks and hours by the shop's clock."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reports.periods import By, InvalidPeriod, Period

HOUR_MS = 3_600_000
NEW_YORK = ZoneInfo("America/New_York")


def lengths(period: Period, by: By) -> list[float]:
    return [(end - begin) / HOUR_MS for begin, end in pairwise(period.cuts(by))]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(dt.date(2026, 3, 8), 23), (dt.date(2026, 11, 1), 25), (dt.date(2026, 11, 2), 24)],
    ids=["spring", "autumn", "usual"],
)
def test_a_day_has_the_hours_of_the_shops_clock(day: dt.date, hours: int) -> None:
    period = Period.days(day - dt.timedelta(days=1), day + dt.timedelta(days=1), NEW_YORK)
    assert lengths(period, "day")[1] == hours
    one = Period.days(day, day, NEW_YORK)
    assert lengths(one, "hour") == [1.0] * hours


def test_the_hour_that_comes_twice_has_two_names() -> None:
    names = Period.days(dt.date(2026, 11, 1), dt.date(2026, 11, 1), NEW_YORK).names("hour")
    assert [name for name in names if name.startswith("2026-11-01 01:00")] == [
        "2026-11-01 01:00 EDT",
        "2026-11-01 01:00 EST",
    ]
    assert len(names) == len(set(names))


def test_a_day_whose_midnight_is_skipped_begins_at_the_change() -> None:
    zone = ZoneInfo("America/Santiago")  # 2026-09-06 begins at 01:00
    period = Period.days(dt.date(2026, 9, 5), dt.date(2026, 9, 7), zone)
    assert lengths(period, "day") == [24.0, 23.0, 24.0]
    assert period.local(period.cuts("day")[1]).isoformat() == "2026-09-06T01:00:00-03:00"


def test_weeks_begin_on_monday_and_are_cut_by_the_period() -> None:
    period = Period.days(dt.date(2026, 11, 4), dt.date(2026, 11, 17), NEW_YORK)
    assert period.names("week") == ["2026-11-04", "2026-11-09", "2026-11-16"]


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidPeriod):
        Period(10, 10, dt.UTC)


def test_a_period_of_too_many_hours_is_refused() -> None:
    with pytest.raises(InvalidPeriod, match="too many hours"):
        Period.days(dt.date(2020, 1, 1), dt.date(2026, 1, 1), NEW_YORK).cuts("hour")


@given(
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "UTC"]),
    first=st.dates(dt.date(2020, 1, 1), dt.date(2026, 12, 1)),
    days=st.integers(0, 40),
    by=st.sampled_from(["hour", "day", "week"]),
)
def test_the_parts_follow_one_another_and_begin_where_their_name_says(
    zone: str, first: dt.date, days: int, by: By
) -> None:
    period = Period.days(first, first + dt.timedelta(days=days), ZoneInfo(zone))
    cuts = period.cuts(by)
    assert cuts[0] == period.since_ms
    assert cuts[-1] == period.until_ms
    assert all(begin < end for begin, end in pairwise(cuts))
    for cut in cuts[1:-1]:
        local = period.local(cut)
        assert local.minute == local.second == 0 or zone == "Australia/Lord_Howe"
        if by != "hour":
            before = period.local(cut - 1)
            assert before.date() < local.date()
        if by == "week":
            assert local.weekday() == 0


def test_a_period_is_printed_as_its_days() -> None:
    assert str(Period.days(dt.date(2026, 11, 1), dt.date(2026, 11, 30), NEW_YORK)) == "2026-11-01 to 2026-11-30"
    assert str(Period.days(dt.date(2026, 11, 1), dt.date(2026, 11, 1), NEW_YORK)) == "2026-11-01"
