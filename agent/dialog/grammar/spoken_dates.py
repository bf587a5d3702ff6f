"""The days ahead as choices, with every way a caller may name each of them in the language of the pack. Pure."""

from __future__ import annotations

import datetime as dt

from agent.dialog.grammar.choices import Option
from agent.languages.language import DayNames


def day_options(today: dt.date, ahead: int, name_day: DayNames) -> tuple[Option, ...]:
    """Return the days from tomorrow to ``ahead`` days from now, as ISO dates with every way of naming them.

    A way of naming that fits several days means the first of them.
    """
    used: set[tuple[str, ...]] = set()
    options: list[Option] = []
    for distance in range(1, ahead + 1):
        day = today + dt.timedelta(days=distance)
        ways = [way for way in dict.fromkeys(name_day(day, today)) if way not in used]
        used.update(ways)
        options.append(Option(day.isoformat(), day.isoformat(), tuple(ways)))
    return tuple(options)
