"""What imported calls say: arrivals by half hour of the week, talk times, waits, and how patient callers are."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Literal
from zoneinfo import ZoneInfo

from agent.impact.errors import CallLogUnusable
from agent.impact.imports.reading import FileRead, ImportNotes

HALF_HOURS = 48
WEEKDAYS = 7
_HALF_HOUR_SECONDS = 1800
_FEW_CALLS = 200
_FEW_DAYS = 14
_FEW_ABANDONED = 30
_MOST_DAYS = 3660

Ending = Literal["answered", "abandoned", "left", "unknown"]

WeekProfile = tuple[tuple[float, ...], ...]
"""Mean number of callers by weekday (Monday first) and half hour."""


@dataclass(frozen=True, slots=True)
class ImportedCaller:
    """One caller, from the first moment to the last, however many queues and staff members were involved."""

    arrived: float
    """Seconds since 1970."""
    ending: Ending
    """``left``: by a rule of the queue (timeout, key, nobody there); ``unknown``: the file ends before."""
    waited: float | None
    """Seconds in queues; None where the file does not say."""
    talked: float | None
    """Seconds with staff."""


@dataclass(frozen=True)
class ImportSummary:
    """What was used of the files, and what not."""

    kind: str
    """``queue log``, ``call detail records``."""
    files: tuple[FileRead, ...]
    notes: ImportNotes
    zone: str
    """Whose hours are counted."""
    by_queue: tuple[tuple[str, int], ...]
    """Queue -> callers that entered it first."""


@dataclass(frozen=True)
class MeasuredVolumes:
    """What the model takes from imported calls."""

    calls: int
    first: dt.datetime
    last: dt.datetime
    week: WeekProfile
    answered: int
    abandoned: int
    left: int
    unknown: int
    talk_seconds: float | None
    """Mean time with staff of an answered caller, without wrap-up."""
    talk_median_seconds: float | None
    wait_seconds: float | None
    """Mean time in the queue of all callers for whom it is known."""
    patience_seconds: float | None
    """Mean patience: the wait of all / the number who hung up. None where waits are unknown or nobody hung up."""
    patience_interval: tuple[float, float] | None
    """95 %, from the number who hung up."""
    busiest_day: tuple[dt.date, int]
    summary: ImportSummary
    warnings: tuple[str, ...]


def measure(
    callers: Sequence[ImportedCaller], span: tuple[float, float], zone: ZoneInfo, summary: ImportSummary
) -> MeasuredVolumes:
    """Return what the callers say. ``span`` is the time that the files cover, in seconds since 1970.

    Raises :class:`CallLogUnusable` where there are no callers, or the span is longer than ten years.
    """
    if not callers:
        raise CallLogUnusable(
            "\n".join([f"{', '.join(file.name for file in summary.files)}: no calls in it", *summary.notes.lines()])
        )
    first, last = (dt.datetime.fromtimestamp(moment, zone) for moment in span)
    if (last - first).days > _MOST_DAYS:
        raise CallLogUnusable(
            f"calls from {first:%Y-%m-%d} to {last:%Y-%m-%d}: a wrong clock, or more than ten years\n"
            + "\n".join(summary.notes.lines())
        )
    local = [dt.datetime.fromtimestamp(caller.arrived, zone) for caller in callers]
    by_day = Counter(moment.date() for moment in local)
    endings = Counter(caller.ending for caller in callers)
    waits = [caller.waited for caller in callers if caller.waited is not None and caller.ending != "unknown"]
    talks = [caller.talked for caller in callers if caller.talked is not None]
    patience, interval = _patience(sum(waits), endings["abandoned"] if waits else 0)
    return MeasuredVolumes(
        calls=len(callers),
        first=first,
        last=last,
        week=_week(local, first, last),
        answered=endings["answered"],
        abandoned=endings["abandoned"],
        left=endings["left"],
        unknown=endings["unknown"],
        talk_seconds=fmean(talks) if talks else None,
        talk_median_seconds=median(talks) if talks else None,
        wait_seconds=fmean(waits) if waits else None,
        patience_seconds=patience,
        patience_interval=interval,
        busiest_day=max(by_day.items(), key=lambda item: (item[1], item[0])),
        summary=summary,
        warnings=tuple(_warnings(len(callers), first, last, endings["abandoned"], bool(waits), bool(talks))),
    )


def _week(local: Sequence[dt.datetime], first: dt.datetime, last: dt.datetime) -> WeekProfile:
    """Return callers by weekday and half hour, each over how often the files cover that half hour."""
    counts = Counter((moment.weekday(), moment.hour * 2 + moment.minute // 30) for moment in local)
    covered: Counter[tuple[int, int]] = Counter()
    moment = first.replace(minute=first.minute // 30 * 30, second=0, microsecond=0, tzinfo=None)
    end = last.replace(tzinfo=None)
    while moment <= end:  # in the clock's hours: the hour that a change of time takes or gives does not matter here
        covered[moment.weekday(), moment.hour * 2 + moment.minute // 30] += 1
        moment += dt.timedelta(seconds=_HALF_HOUR_SECONDS)
    return tuple(
        tuple(counts[day, half] / max(1, covered[day, half]) for half in range(HALF_HOURS)) for day in range(WEEKDAYS)
    )


def _patience(waited_seconds: float, abandoned: int) -> tuple[float | None, tuple[float, float] | None]:
    """Return mean patience and its interval. Callers who were answered count by what they waited (censored)."""
    if abandoned == 0 or waited_seconds <= 0:
        return None, None
    spread = 1.96 / math.sqrt(abandoned)
    patience = waited_seconds / abandoned
    return patience, (patience * math.exp(-spread), patience * math.exp(spread))


def _warnings(calls: int, first: dt.datetime, last: dt.datetime, abandoned: int, waits: bool, talks: bool) -> list[str]:
    days = (last - first).days + 1
    found = []
    if days < _FEW_DAYS:
        found.append(f"The files cover {days} day(s): give two weeks or more, one day says little about the next.")
    if calls < _FEW_CALLS:
        found.append(f"There are {calls} calls: hours of the week are guesses below {_FEW_CALLS}.")
    if not waits:
        found.append("Waiting times and patience cannot be read from these files (a queue log has them): defaults.")
    elif abandoned < _FEW_ABANDONED:
        found.append(f"{abandoned} caller(s) hung up while waiting: patience is a rough guess below {_FEW_ABANDONED}.")
    if not talks:
        found.append("There is no talk time in these files: handle times are defaults.")
    return found
