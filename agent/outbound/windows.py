"""When a number may be called: windows of local time in every zone the number may be in. Pure.

A number whose zones cannot be told, or a list that cannot be read, means that nobody is called: the functions raise,
they never guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import timezone as phone_zones

from agent.outbound.model import OutboundError

LOOK_AHEAD_DAYS = 21
"""A number whose windows have no common minute within three weeks has none."""
MIDNIGHT = time(0, 0)
Window = tuple[time, time]
"""From, until (not included); until 00:00 is the end of the day."""

_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)", re.ASCII)


class NumberUnreadable(OutboundError):
    """This is no telephone number."""

    code = "number_unreadable"


class ZoneUnknown(OutboundError):
    """Nobody can say what time it is where this telephone rings."""

    code = "zone_unknown"


@dataclass(frozen=True)
class CallHours:
    """When customers may be called, in their own local time."""

    hours: Mapping[int, Sequence[Window]]
    """Weekday (0 is Monday) -> windows; on a missing day nobody is called."""
    holidays: Collection[date] = field(default_factory=frozenset)
    """Days on which nobody is called whatever the weekday."""

    def of_day(self, day: date) -> Sequence[Window]:
        """Return the windows of a local day, the earliest first."""
        return () if day in self.holidays else sorted(self.hours.get(day.weekday(), ()))


def parse_window(text: str) -> Window:
    """Read ``09:00-20:00``; 24:00 ends a day. Raises ValueError, also for what goes past midnight or is empty."""
    found = _WINDOW.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no window; write 09:00-20:00")
    start = time(int(found[1]), int(found[2]))
    end = MIDNIGHT if (found[3], found[4]) == ("24", "00") else time(int(found[3]), int(found[4]))
    if end <= start and (found[3], found[4]) != ("24", "00"):
        raise ValueError(f"{text!r} ends before it begins; nobody is called past midnight")
    return start, end


def zones_of(number: str, delivery_zone: str = "") -> tuple[ZoneInfo, ...]:
    """Return every zone in which a telephone may ring: all zones of its number, and that of the delivery address.

    ``number`` is E.164. Raises :class:`NumberUnreadable`, and :class:`ZoneUnknown` when any of them is not known.
    """
    names = _zone_names(number)
    if not names:
        raise ZoneUnknown(f"the time zones of the number ending {number[-2:]} are not known")
    if delivery_zone:
        names = (delivery_zone, *(name for name in names if name != delivery_zone))
    return tuple(_zone(name) for name in names)


@lru_cache(maxsize=4096)
def _zone_names(number: str) -> tuple[str, ...]:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException as error:
        raise NumberUnreadable(f"{number!r} is no telephone number with a country code") from error
    if not phonenumbers.is_possible_number(parsed):
        raise NumberUnreadable(f"{number!r} is no telephone number")
    return tuple(name for name in phone_zones.time_zones_for_number(parsed) if name != phone_zones.UNKNOWN_TIMEZONE)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ZoneUnknown(f"this machine knows no time zone {name!r} (is the package tzdata installed?)") from error


def is_inside(moment: datetime, zones: Sequence[ZoneInfo], hours: CallHours) -> bool:
    """Return whether an aware moment is inside a window on the clocks of all zones; without a zone it is not."""
    return bool(zones) and all(_is_open(moment.astimezone(zone), hours) for zone in zones)


def next_inside(moment: datetime, zones: Sequence[ZoneInfo], hours: CallHours) -> datetime | None:
    """Return the first moment from ``moment`` on (UTC) that is inside in all zones; None when there is none soon."""
    if is_inside(moment, zones, hours):
        return moment.astimezone(UTC)
    starts = {start for zone in zones for start in _edges(moment, zone, hours, 0)}
    return next((start for start in sorted(starts) if start > moment and is_inside(start, zones, hours)), None)


def inside_until(moment: datetime, zones: Sequence[ZoneInfo], hours: CallHours) -> datetime:
    """Return when the window that a moment is inside ends in the first zone to end it (UTC)."""
    ends = {end for zone in zones for end in _edges(moment, zone, hours, 1)}
    return min((end for end in ends if end > moment), default=moment)


def _is_open(local: datetime, hours: CallHours) -> bool:
    at = local.time()
    return any(start <= at and (at < end or end == MIDNIGHT) for start, end in hours.of_day(local.date()))


def _edges(moment: datetime, zone: ZoneInfo, hours: CallHours, which: int) -> Iterator[datetime]:
    """Give beginnings (``which`` 0) or ends (1) of windows in UTC, both times where clocks show a time twice."""
    today = moment.astimezone(zone).date()
    for days in range(-1, LOOK_AHEAD_DAYS + 1):
        day = today + timedelta(days=days)
        for window in hours.of_day(day):
            at = window[which]
            local = datetime.combine(day + timedelta(days=which if at == MIDNIGHT else 0), at, zone)
            yield local.astimezone(UTC)
            yield local.replace(fold=1).astimezone(UTC)
