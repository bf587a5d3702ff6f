"""How callers name a day in the weeks ahead: "tomorrow", "next Tuesday", "November the twelfth". Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from agent.dialog.grammar.choices import Option

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth", "twenty first", "twenty second", "twenty third", "twenty fourth", "twenty fifth", "twenty sixth",
    "twenty seventh", "twenty eighth", "twenty ninth", "thirtieth", "thirty first",
)  # fmt: skip
_COUNTS = ("one", "two", "three", "four", "five", "six", "seven")
WEEK = 7


def day_options(today: dt.date, ahead: int) -> tuple[Option, ...]:
    """Return the days from tomorrow to ``ahead`` days from now, as ISO dates with every way of naming them.

    A weekday alone is the next one to come; "next Tuesday" is that of the coming week when this week's is still ahead
    (read it back: callers mean different days by it). A day of the month is the next one with that number.
    """
    used: set[tuple[str, ...]] = set()
    options: list[Option] = []
    for distance in range(1, ahead + 1):
        day = today + dt.timedelta(days=distance)
        ways = [way for way in dict.fromkeys(_ways(day, today, distance)) if way not in used]
        used.update(ways)
        options.append(Option(day.isoformat(), day.isoformat(), tuple(ways)))
    return tuple(options)


def _ways(day: dt.date, today: dt.date, distance: int) -> Iterator[tuple[str, ...]]:
    weekday, month = _WEEKDAYS[day.weekday()], _MONTHS[day.month - 1]
    ordinal = tuple(_ORDINALS[day.day - 1].split())
    if distance == 1:
        yield ("tomorrow",)
    if distance == 2:
        yield from (("the", "day", "after", "tomorrow"), ("day", "after", "tomorrow"))
    if 2 <= distance <= WEEK:
        yield ("in", _COUNTS[distance - 1], "days")
    if distance == WEEK:
        yield from (("in", "a", "week"), ("a", "week", "from", "today"))
    if distance <= WEEK:
        yield from ((weekday,), ("on", weekday), ("this", "coming", weekday))
    if distance < WEEK:
        yield ("this", weekday)
    if _is_next(day, today):
        yield from (("next", weekday), ("on", "next", weekday), (weekday, "next", "week"))
    for core in (("the", *ordinal), (month, *ordinal), (month, "the", *ordinal), ("the", *ordinal, "of", month)):
        yield core
        yield ("on", *core)
        yield (weekday, *core)


def _is_next(day: dt.date, today: dt.date) -> bool:
    """Return whether "next <weekday>" means this day: the one in the calendar week after this one."""
    monday = today - dt.timedelta(days=today.weekday())
    return WEEK <= (day - monday).days < 2 * WEEK
