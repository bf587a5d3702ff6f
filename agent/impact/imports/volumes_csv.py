"""Volumes from a spreadsheet: how many calls came in which hour, as CSV."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.measured_volumes import HALF_HOURS, WEEKDAYS, WeekProfile
from agent.impact.imports.queue_events import split_csv
from agent.impact.imports.reading import FileRead, ImportNotes, read_lines

_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST_CALLS = 1_000_000
_CALLS = ("calls", "volume", "offered")
_COLUMNS: tuple[str, ...] = ("date", "weekday", "hour", "start", "calls")
_HELP = "name the columns in the first line: date,hour,calls or weekday,hour,calls or start,calls"


@dataclass(frozen=True)
class VolumesFile:
    """The volumes of a file."""

    week: WeekProfile
    calls: float
    """In a mean week."""
    file: FileRead
    notes: ImportNotes
    warnings: tuple[str, ...]


def read_volumes(path: Path) -> VolumesFile:
    """Return the mean week of a file with a line for each hour or half hour. Raises :class:`CallLogUnusable`.

    Columns: ``date`` (2026-11-02) or ``weekday`` (Monday, Mon, 1), ``hour`` (9, 09:30), ``calls``; or ``start``
    (2026-11-02 09:30) and ``calls``. Commas, semicolons or tabs. A day and hour without a line had no calls.
    """
    notes, file = ImportNotes(), FileRead(path.name)
    columns: Mapping[str, int] | None = None
    delimiter = ","
    entries: list[_Entry] = []
    for number, text in read_lines(path, file.name, notes):
        file.lines += 1
        if columns is None:
            delimiter = max(",;\t", key=text.count)
            columns = _columns(split_csv(text, delimiter), file.name)
            file.other += 1
            continue
        try:
            entries.append(_entry(split_csv(text, delimiter), columns))
        except ValueError as error:
            file.refused += 1
            notes.add(f"{error}: not used", f"{file.name}:{number}")
            continue
        file.used += 1
    if columns is None or not file.used:
        raise CallLogUnusable("\n".join([f"{file.name}: holds no volumes; {_HELP}", *notes.lines()]))
    week, seen = _mean_week(entries)
    dated = "weekday" not in columns
    warnings = (f"The volumes are of {seen} day(s): give two weeks or more.",) if dated and seen < 14 else ()
    return VolumesFile(week, math.fsum(map(math.fsum, week)), file, notes, warnings)


@dataclass(frozen=True)
class _Entry:
    day: int
    half: int
    calls: float
    which: str
    """Which day it was: several Mondays make a mean one."""


def _mean_week(entries: Sequence[_Entry]) -> tuple[WeekProfile, int]:
    """Return the mean week and of how many days it is. Where no line is of ``:30``, a line is of a whole hour."""
    days: dict[int, set[str]] = defaultdict(set)
    counts: dict[tuple[int, int], float] = defaultdict(float)
    whole_hours = all(entry.half % 2 == 0 for entry in entries)
    for entry in entries:
        days[entry.day].add(entry.which)
        halves = (entry.half, entry.half + 1) if whole_hours else (entry.half,)
        for half in halves:
            counts[entry.day, half] += entry.calls / len(halves)
    week = tuple(
        tuple(counts[day, half] / max(1, len(days[day])) for half in range(HALF_HOURS)) for day in range(WEEKDAYS)
    )
    return week, sum(len(which) for which in days.values())


def _columns(cells: Sequence[str], name: str) -> Mapping[str, int]:
    names = [cell.strip().lower() for cell in cells]
    names = ["calls" if one in _CALLS else one for one in names]
    columns = {one: names.index(one) for one in _COLUMNS if one in names}
    if "calls" in columns and (
        "start" in columns or ("hour" in columns and ("date" in columns or "weekday" in columns))
    ):
        return columns
    raise CallLogUnusable(f"{name}: {_HELP}")


def _entry(cells: Sequence[str], columns: Mapping[str, int]) -> _Entry:
    """Return what a line says. Raises ValueError that says what is wrong."""
    if len(cells) <= max(columns.values()):
        raise ValueError("too few columns")
    cell = {name: cells[place].strip() for name, place in columns.items()}
    calls = _calls(cell["calls"])
    if "start" in cell:
        try:
            moment = dt.datetime.fromisoformat(cell["start"])
        except ValueError as error:
            raise ValueError("start is no time like 2026-11-02 09:30") from error
        return _Entry(moment.weekday(), _half(f"{moment:%H:%M}"), calls, str(moment.date()))
    half = _half(cell["hour"])
    if "weekday" in cell:
        day = _weekday(cell["weekday"])
        return _Entry(day, half, calls, str(day))
    try:
        date = dt.date.fromisoformat(cell["date"])
    except ValueError as error:
        raise ValueError("date is no day like 2026-11-02") from error
    return _Entry(date.weekday(), half, calls, str(date))


def _calls(text: str) -> float:
    try:
        calls = float(text.replace(",", "."))
    except ValueError:
        calls = -1.0
    if not 0 <= calls <= _MOST_CALLS:
        raise ValueError("calls is no number of calls")
    return calls


def _half(text: str) -> int:
    """Return the half hour of the day that ``9``, ``09:00`` or ``9:30`` begins."""
    hour, colon, minute = text.partition(":")
    if not (hour.isascii() and hour.isdigit() and int(hour) <= 23) or (colon and minute[:2] not in ("00", "30")):
        raise ValueError("hour is none from 0 to 23, with :00 or :30")
    return int(hour) * 2 + (minute[:2] == "30")


def _weekday(text: str) -> int:
    lower = text.lower()
    if lower.isdigit() and 1 <= int(lower) <= WEEKDAYS:
        return int(lower) - 1
    for day, name in enumerate(_DAY_NAMES):
        if len(lower) >= 3 and name.startswith(lower):
            return day
    raise ValueError("weekday is none like Monday, Mon or 1")


__all__ = ["VolumesFile", "read_volumes"]
