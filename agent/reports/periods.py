"""Periods of reports: days, weeks and hours by the shop's clock, whatever is done to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from agent.errors import OrderlineError

By = Literal["hour", "day", "week"]
MOST_ROWS = 9_000
"""Hours of a year."""
_HOUR = 3_600


class InvalidPeriod(OrderlineError):
    """A report cannot be made of this period."""

    code = "settings"


@dataclass(frozen=True)
class Period:
    """From a moment on, and before another."""

    since_ms: int
    """Milliseconds since 1970, UTC."""
    until_ms: int
    zone: dt.tzinfo
    """The shop's."""

    def __post_init__(self) -> None:
        if self.since_ms >= self.until_ms:
            raise InvalidPeriod("A report needs a period that begins before it ends.")

    @classmethod
    def days(cls, first: dt.date, last: dt.date, zone: dt.tzinfo) -> Period:
        """Return whole days of the shop, both included. Raises :class:`InvalidPeriod`."""
        return cls(_midnight_ms(first, zone), _midnight_ms(last + dt.timedelta(days=1), zone), zone)

    def local(self, ms: int) -> dt.datetime:
        """Return a moment by the shop's clock."""
        return dt.datetime.fromtimestamp(ms / 1000, dt.UTC).astimezone(self.zone)

    def __str__(self) -> str:
        first, last = self.local(self.since_ms), self.local(self.until_ms)
        if first.time() == last.time() == dt.time():
            end = (last - dt.timedelta(days=1)).date()
            return f"{first:%Y-%m-%d}" if end == first.date() else f"{first:%Y-%m-%d} to {end:%Y-%m-%d}"
        return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"

    def cuts(self, by: By) -> list[int]:
        """Return where the hours, days or weeks of the period begin, and where the last one ends, in milliseconds.

        The first and the last one may be cut off by the period. A day has 23 to 25 hours where the clocks change.
        Raises :class:`InvalidPeriod` for more than :data:`MOST_ROWS`.
        """
        cuts = [self.since_ms]
        for cut in self._hours() if by == "hour" else self._days(weeks=by == "week"):
            if cut >= self.until_ms:
                break
            cuts.append(cut)
            if len(cuts) > MOST_ROWS:
                raise InvalidPeriod(f"This period has too many {by}s for a report; the most is {MOST_ROWS}.")
        return [*cuts, self.until_ms]

    def names(self, by: By) -> list[str]:
        """Return how the parts are called, in the order of :meth:`cuts`: unambiguous also where a clock goes back."""
        cuts = self.cuts(by)
        shape = "%Y-%m-%d %H:%M" if by == "hour" else "%Y-%m-%d"
        names = [f"{self.local(cut):{shape}}" for cut in cuts[:-1]]
        twice = {one for one, other in pairwise(names) if one == other}
        return [
            f"{name} {self.local(cut):%Z}" if name in twice else name for name, cut in zip(names, cuts, strict=False)
        ]

    def _hours(self) -> Iterator[int]:
        second = self.since_ms // 1000
        while True:
            shift = dt.datetime.fromtimestamp(second, dt.UTC).astimezone(self.zone).utcoffset() or dt.timedelta()
            second += _HOUR - (second + int(shift.total_seconds())) % _HOUR
            yield second * 1000

    def _days(self, *, weeks: bool) -> Iterator[int]:
        day = self.local(self.since_ms).date()
        step = dt.timedelta(days=1)
        if weeks:  # from Monday on
            day -= dt.timedelta(days=day.weekday())
            step = dt.timedelta(days=7)
        while True:
            day += step
            yield _midnight_ms(day, self.zone)


def _midnight_ms(day: dt.date, zone: dt.tzinfo) -> int:
    """Return when a day begins; where the clock skips midnight, that is the moment it does so."""
    return round(dt.datetime.combine(day, dt.time(), zone).timestamp() * 1000)
