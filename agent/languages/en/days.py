"""How English callers name a day in the weeks ahead: "tomorrow", "next Tuesday", "November the twelfth". Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

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
_WEEK = 7


def name_day(day: dt.date, today: dt.date) -> Iterator[tuple[str, ...]]:
    """Yield every way of naming a day ahead of today.

    A weekday alone is the next one to come; "next Tuesday" is that of the coming week when this week's is still ahead
    (read it back: people do not agree). A day of the month is the next one with that number.
    """
    distance = (day - today).days
    weekday, month = _WEEKDAYS[day.weekday()], _MONTHS[day.month - 1]
    ordinal = tuple(_ORDINALS[day.day - 1].split())
    if distance == 1:
        yield ("tomorrow",)
    if distance == 2:
        yield from (("the", "day", "after", "tomorrow"), ("day", "after", "tomorrow"))
    if 2 <= distance <= _WEEK:
        yield ("in", _COUNTS[distance - 1], "days")
    if distance == _WEEK:
        yield from (("in", "a", "week"), ("a", "week", "from", "today"))
    if distance <= _WEEK:
        yield from ((weekday,), ("on", weekday), ("this", "coming", weekday))
    if distance < _WEEK:
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
    return _WEEK <= (day - monday).days < 2 * _WEEK
