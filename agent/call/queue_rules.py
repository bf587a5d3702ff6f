"""Rules of a staff queue: opening hours, holidays and statistics in, one availability report out. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from agent.dialog.contract import QueueReport

_LOOK_AHEAD_DAYS = 21
"""A queue that does not open within three weeks is not spoken of as opening at all."""
MIDNIGHT = time(0, 0)

Window = tuple[time, time]
"""From, until (not included); until 00:00 is the end of the day."""


@dataclass(frozen=True)
class QueueState:
    """How a queue stands at this moment, as Asterisk counts it."""

    logged_in: int
    """Members whose phones can be reached, busy and paused ones too."""
    available: int
    """Those who could take a call now."""
    callers: int
    """Callers waiting."""
    hold_seconds: float = 0.0
    """How long callers have waited of late (Asterisk's running average)."""
    talk_seconds: float = 0.0
    """How long they were talked with of late."""

    def expected_wait_seconds(self) -> float | None:
        """Estimate the next caller's wait; None when nothing is known to go by.

        Nobody waits while someone is free. Otherwise the longer of two guesses: the recent waits, and the time the
        members need to get through the callers ahead at the recent pace.
        """
        if self.available > self.callers:
            return 0.0
        ahead = self.callers - self.available + 1
        work = self.talk_seconds * ahead / self.logged_in if self.logged_in else 0.0
        return max(self.hold_seconds, work) or None


@dataclass(frozen=True)
class QueueRules:
    """When a queue may be used, and how full and slow it may be."""

    zone: tzinfo
    hours: Mapping[int, Sequence[Window]] | None = None
    """Weekday (0 is Monday) -> windows; a missing day is closed, None is always open."""
    holidays: Collection[date] = field(default_factory=frozenset)
    max_wait_seconds: float = 0.0
    """Above this a call back is offered; 0 for any wait."""
    max_callers: int = 0
    """From so many waiting callers on the queue is full; 0 for any number."""


def queue_report(rules: QueueRules, now: datetime, state: QueueState | None) -> QueueReport:
    """Judge a queue at an aware time. ``state`` is None when the figures are not to be had."""
    local = now.astimezone(rules.zone)
    if local.date() in rules.holidays:
        return QueueReport("holiday", opens=_opening(rules, local))
    if not _is_open(rules, local):
        return QueueReport("closed", opens=_opening(rules, local))
    if state is None:
        return QueueReport("unknown")
    if state.logged_in == 0:
        return QueueReport("empty")
    if rules.max_callers and state.callers >= rules.max_callers:
        return QueueReport("full")
    wait_seconds = state.expected_wait_seconds()
    minutes = rounded_minutes(wait_seconds)
    if rules.max_wait_seconds and wait_seconds is not None and wait_seconds > rules.max_wait_seconds:
        return QueueReport("too_long", minutes)
    return QueueReport("open", minutes)


def rounded_minutes(seconds: float | None) -> int:
    """Round a wait to whole minutes, upwards from half a minute on; beyond ten minutes to fives."""
    if seconds is None or seconds < 30:
        return 0
    minutes = max(1, math.floor(seconds / 60 + 0.5))
    return minutes if minutes <= 10 else 5 * math.ceil(minutes / 5)


def _windows(rules: QueueRules, day: date) -> Sequence[Window]:
    if day in rules.holidays:
        return ()
    if rules.hours is None:
        return ((MIDNIGHT, MIDNIGHT),)
    return rules.hours.get(day.weekday(), ())


def _is_open(rules: QueueRules, local: datetime) -> bool:
    at = local.time()
    return any(start <= at and (at < end or end == MIDNIGHT) for start, end in _windows(rules, local.date()))


def _opening(rules: QueueRules, local: datetime) -> str:
    for days in range(_LOOK_AHEAD_DAYS):
        day = local.date() + timedelta(days=days)
        for start, _ in sorted(_windows(rules, day)):
            opens = datetime.combine(day, start, rules.zone)
            if opens > local:
                return opens.isoformat(timespec="minutes")
    return ""
