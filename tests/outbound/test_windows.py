from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import timezone as phone_zones

from agent.outbound.windows import (
    CallHours,
    NumberUnreadable,
    Window,
    ZoneUnknown,
    inside_until,
    is_inside,
    next_inside,
    parse_window,
    zones_of,
)
from tests.outbound.made import HOURS, NUMBER

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "Pacific/Honolulu",
    "Europe/London",
    "Europe/Berlin",
    "Africa/Casablanca",  # its clocks go back for Ramadan
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Australia/Eucla",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "America/St_Johns",
]
DST_NIGHTS = [
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
]


@st.composite
def windows(draw: st.DrawFn) -> Window:
    start = draw(st.integers(0, 47))
    end = draw(st.integers(start + 1, 48))
    return time(start // 2, start % 2 * 30), time(0) if end == 48 else time(end // 2, end % 2 * 30)


hours = st.builds(
    CallHours,
    st.dictionaries(st.integers(0, 6), st.lists(windows(), max_size=2), max_size=7),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=5),
)
zone_sets = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(
    lambda names: [ZoneInfo(n) for n in names]
)
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
around_dst = st.builds(
    lambda night, minutes: night + timedelta(minutes=minutes), st.sampled_from(DST_NIGHTS), st.integers(-300, 300)
)
moments = st.integers(0, 365 * 86400).map(lambda seconds: YEAR + timedelta(seconds=seconds)) | around_dst


def by_the_clock(moment: datetime, zone: ZoneInfo, hours: CallHours) -> bool:
    """The same by another way: the local clock read as minutes of the day."""
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute + local.second / 60 + local.microsecond / 60e6
    if local.date() in hours.holidays:
        return False
    for start, end in hours.hours.get(local.isoweekday() - 1, ()):
        until = end.hour * 60 + end.minute or 24 * 60
        if start.hour * 60 + start.minute <= minute < until:
            return True
    return False


@given(moments, zone_sets, hours)
def test_a_moment_is_inside_only_when_the_clocks_of_all_zones_say_so(
    moment: datetime, zones: list[ZoneInfo], hours: CallHours
) -> None:
    assert is_inside(moment, zones, hours) == all(by_the_clock(moment, zone, hours) for zone in zones)


@given(moments, zone_sets, hours)
def test_what_is_offered_as_the_next_moment_is_inside_and_not_before(
    moment: datetime, zones: list[ZoneInfo], hours: CallHours
) -> None:
    found = next_inside(moment, zones, hours)
    if found is not None:
        assert found >= moment
        assert all(by_the_clock(found, zone, hours) for zone in zones)


@given(moments, zone_sets, hours)
def test_no_earlier_quarter_of_an_hour_is_missed(moment: datetime, zones: list[ZoneInfo], hours: CallHours) -> None:
    found = next_inside(moment, zones, hours)
    until = min(found or moment + timedelta(days=9), moment + timedelta(days=3))
    at = moment
    while at < until:
        at_quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        if moment <= at_quarter < until and not any(_is_shown_twice(at_quarter, zone) for zone in zones):
            assert not is_inside(at_quarter, zones, hours) or _begins_in_a_gap(at_quarter, zones)
        at += timedelta(minutes=15)


def _is_shown_twice(moment: datetime, zone: ZoneInfo) -> bool:
    local = moment.astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _begins_in_a_gap(moment: datetime, zones: list[ZoneInfo]) -> bool:
    """A window that begins within an hour that clocks leave out may be found late, never early."""
    return any(
        moment.astimezone(zone).utcoffset() != (moment - timedelta(hours=2)).astimezone(zone).utcoffset()
        for zone in zones
    )


@given(moments, zone_sets, hours)
def test_the_end_of_a_window_lies_behind_a_moment_inside(
    moment: datetime, zones: list[ZoneInfo], hours: CallHours
) -> None:
    if is_inside(moment, zones, hours):
        assert moment < inside_until(moment, zones, hours) <= moment + timedelta(days=2)


def test_a_number_with_several_zones_is_called_when_it_is_day_in_all_of_them() -> None:
    everywhere = zones_of("+18005550100")
    assert len(everywhere) > 20
    first = next_inside(datetime(2026, 6, 1, tzinfo=UTC), everywhere, HOURS)
    assert first is None, "from Newfoundland to Guam no minute is common"
    australia = zones_of("+61412345678")
    first = next_inside(datetime(2026, 6, 1, tzinfo=UTC), australia, HOURS)
    assert first is not None
    assert {9} <= {first.astimezone(zone).hour for zone in australia} <= set(range(9, 20))


def test_the_zone_of_the_delivery_address_counts_besides_those_of_the_number() -> None:
    names = [zone.key for zone in zones_of(NUMBER, "America/Los_Angeles")]
    assert names == ["America/Los_Angeles", "America/New_York"]
    nine_in_new_york = datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert is_inside(nine_in_new_york, zones_of(NUMBER), HOURS)
    assert not is_inside(nine_in_new_york, zones_of(NUMBER, "America/Los_Angeles"), HOURS)


@pytest.mark.parametrize("number", ["", "2025550143", "+1", "maria", "+999999999999999999"])
def test_what_is_no_number_has_no_zones(number: str) -> None:
    with pytest.raises((NumberUnreadable, ZoneUnknown)):
        zones_of(number)


def test_a_number_of_unknown_zone_and_an_unknown_delivery_zone_are_refused() -> None:
    assert phone_zones.time_zones_for_number(phonenumbers.parse("+447700900123")) == ("Etc/Unknown",)
    with pytest.raises(ZoneUnknown):
        zones_of("+447700900123", "Europe/London")
    for zone in ("Mars/Olympus", "../../etc/passwd", "America"):
        with pytest.raises(ZoneUnknown):
            zones_of(NUMBER, zone)


def test_without_a_zone_nothing_is_inside() -> None:
    always = CallHours({day: ((time(0), time(0)),) for day in range(7)})
    assert not is_inside(datetime(2026, 6, 1, 12, tzinfo=UTC), [], always)


@pytest.mark.parametrize(
    "text", ["22:00-06:00", "09:00-09:00", "20:00-09:00", "9-20", "25:00-26:00", "09:00-24:30", "", "00:00-00:00"]
)
def test_a_window_that_passes_midnight_or_is_empty_or_unreadable_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"window|before|hour"):
        parse_window(text)


def test_a_window_until_24_00_ends_with_the_day() -> None:
    late = CallHours({0: (parse_window("21:00-24:00"),)})
    monday = datetime(2026, 6, 1, 23, 59, 59, tzinfo=NEW_YORK)
    assert is_inside(monday, [NEW_YORK], late)
    assert not is_inside(monday + timedelta(seconds=1), [NEW_YORK], late)


def test_the_hour_that_comes_twice_and_the_one_that_is_left_out() -> None:
    night = CallHours({6: (parse_window("01:30-02:30"),)})
    spring = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)  # 01:30 in New York; at 2:00 it becomes 3:00
    assert is_inside(spring, [NEW_YORK], night)
    assert not is_inside(spring + timedelta(minutes=30), [NEW_YORK], night)
    autumn = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # 01:30 for the first time
    assert is_inside(autumn, [NEW_YORK], night)
    assert not is_inside(autumn + timedelta(minutes=45), [NEW_YORK], night), "01:15 for the second time"
    assert is_inside(autumn + timedelta(minutes=60), [NEW_YORK], night)
