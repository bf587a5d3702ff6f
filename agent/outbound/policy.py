"""Whether a job may be dialled now, and what becomes of it after an attempt. Pure: facts in, one verdict out.

Everything is judged at the moment of dialling, inside the transaction that writes the attempt. What is not known counts
against the call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from agent.outbound.model import Attempt, AttemptState, Job, Purpose, Reason, SuppressionScope
from agent.outbound.ports import OrderNow
from agent.outbound.windows import (
    CallHours,
    NumberUnreadable,
    Window,
    ZoneUnknown,
    inside_until,
    is_inside,
    next_inside,
    zones_of,
)

WEEK = timedelta(days=7)
READ_AGAIN = timedelta(minutes=5)
"""After a list or the order system could not be read."""
BUSY_WITH_US = timedelta(minutes=1)


@dataclass(frozen=True)
class DialRules:
    """The shop's own rules; the defaults are those of docs/outbound.md."""

    hours: Mapping[int, Sequence[Window]]
    """Weekday (0 is Monday) -> windows."""
    attempts: int = 3
    """A job, all outcomes together."""
    over_days: int = 3
    """From the first attempt of a job to its last."""
    retry: timedelta = timedelta(hours=4)
    busy_retry: timedelta = timedelta(minutes=20)
    answered_a_day: int = 1
    """Calls answered at one number in a day, over all purposes."""
    attempts_a_week: int = 3
    """Attempts at one number in 7 days, over all purposes."""
    surveys_without_consent: bool = False


class Go(StrEnum):
    """What to do with a job."""

    DIAL = "dial"
    WAIT = "wait"
    DROP = "drop"
    BLOCK = "block"


@dataclass(frozen=True)
class Verdict:
    """What to do with a job now, and why."""

    go: Go
    reason: Reason | None = None
    until: datetime | None = None
    """Of WAIT: when to look again (UTC)."""
    detail: str = ""
    """For a person."""


DIAL = Verdict(Go.DIAL)


@dataclass(frozen=True)
class NumberHistory:
    """What is known of a number and of a job, read in the transaction that would write the attempt."""

    of_number: Sequence[Attempt] = ()
    """Attempts at the number, over all jobs, those under way too."""
    of_job: Sequence[Attempt] = ()
    """All attempts of the job, the oldest first."""
    suppressed: Collection[SuppressionScope] = field(default_factory=frozenset)


def may_dial(job: Job, now: datetime, history: NumberHistory, rules: DialRules, hours: CallHours) -> Verdict:
    """Judge one job at an aware moment. The order system is asked apart: :func:`order_verdict`."""
    final = _final(job, now, history, rules)
    if final is not None:
        return Verdict(Go.DROP, final)
    try:
        zones = zones_of(job.number, job.zone)
    except NumberUnreadable as error:
        return Verdict(Go.BLOCK, Reason.NUMBER_UNREADABLE, detail=error.message)
    except ZoneUnknown as error:
        return Verdict(Go.BLOCK, Reason.ZONE_UNKNOWN, detail=error.message)
    if now < job.not_before:
        return _wait(job, Reason.NOT_DUE, job.not_before, zones, hours)
    if not is_inside(now, zones, hours):
        return _wait(job, Reason.OUTSIDE_WINDOW, now, zones, hours)
    return _caps(job, now, history, rules, hours, zones) or DIAL


def order_verdict(order: OrderNow) -> Verdict:
    """Judge a job by how its order stands now."""
    for reason, stands in (
        (Reason.CANCELLED, order.cancelled),
        (Reason.RETURNED, order.returned),
        (Reason.REFUNDED, order.refunded),
        (Reason.COMPLAINED, order.complained),
        (Reason.TICKET_OPEN, order.ticket_open),
        (Reason.CALLED_IN, order.called_in),
    ):
        if stands:
            return Verdict(Go.DROP, reason)
    return DIAL


def is_last(job: Job, now: datetime, rules: DialRules) -> bool:
    """Return whether an attempt that begins now is the job's last: no further one would be inside its limits."""
    return job.attempts + 1 >= rules.attempts or now + rules.retry >= job.not_after


def forbids(scopes: Collection[SuppressionScope], purpose: Purpose) -> bool:
    """Return whether the do-not-call list forbids calls of a purpose."""
    return SuppressionScope.ALL in scopes or (purpose is Purpose.SURVEY and SuppressionScope.SURVEYS in scopes)


def _final(job: Job, now: datetime, history: NumberHistory, rules: DialRules) -> Reason | None:
    if forbids(history.suppressed, job.purpose):
        return Reason.SUPPRESSED
    if not job.consent and not (job.purpose is Purpose.SURVEY and rules.surveys_without_consent):
        return Reason.NO_CONSENT
    if now >= job.not_after:
        return Reason.EXPIRED
    counted = [attempt for attempt in history.of_job if attempt.counted]
    if len(counted) >= rules.attempts + int(job.appointment):
        return Reason.ATTEMPTS_USED_UP
    if counted and not job.appointment and now >= counted[0].dialled_at + timedelta(days=rules.over_days):
        return Reason.ATTEMPTS_USED_UP
    return None


def _caps(
    job: Job, now: datetime, history: NumberHistory, rules: DialRules, hours: CallHours, zones: Sequence[ZoneInfo]
) -> Verdict | None:
    if any(attempt.state is not AttemptState.ENDED for attempt in history.of_number):
        return Verdict(Go.WAIT, Reason.NUMBER_BUSY_WITH_US, now + BUSY_WITH_US)
    asked_for = job.appointment or (job.purpose is Purpose.CALLBACK and not history.of_job)
    if asked_for:
        return None  # a second answer that day is what the customer wants
    counted = [attempt for attempt in history.of_number if attempt.counted and attempt.dialled_at > now - WEEK]
    answered = [attempt for attempt in counted if attempt.answered_at is not None and _same_day(attempt, now, zones)]
    if len(answered) >= rules.answered_a_day:
        return _wait(job, Reason.ANSWERED_TODAY, next_day(now, zones), zones, hours)
    if len(counted) >= rules.attempts_a_week:
        freed = sorted(attempt.dialled_at for attempt in counted)[-rules.attempts_a_week] + WEEK
        return _wait(job, Reason.WEEK_USED_UP, freed, zones, hours)
    return None


def _wait(job: Job, reason: Reason, until: datetime, zones: Sequence[ZoneInfo], hours: CallHours) -> Verdict:
    """Wait until a moment, or the first one after it that is inside; give up where that is too late."""
    opens = next_inside(until, zones, hours)
    if opens is None:
        return Verdict(Go.BLOCK, Reason.NO_WINDOW, detail="the windows of its zones have no minute in common")
    if opens >= job.not_after:
        return Verdict(Go.DROP, Reason.EXPIRED)
    if reason is Reason.OUTSIDE_WINDOW and not job.appointment:
        opens = spread(job.key, opens, inside_until(opens, zones, hours), job.not_after)
    return Verdict(Go.WAIT, reason, opens)


def _same_day(attempt: Attempt, now: datetime, zones: Sequence[ZoneInfo]) -> bool:
    at = attempt.answered_at or attempt.dialled_at
    return any(at.astimezone(zone).date() == now.astimezone(zone).date() for zone in zones)


def next_day(now: datetime, zones: Sequence[ZoneInfo]) -> datetime:
    """Return the first moment that is another day than ``now`` in every zone."""
    return max(_midnight_after(now, zone) for zone in zones)


def _midnight_after(now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    return datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), zone)


def spread(key: str, opens: datetime, closes: datetime, not_after: datetime) -> datetime:
    """Return when a job that waited for a window is tried in it: jobs that waited together do not all begin at once.

    The same key has always the same place in the first half of what is left of the window.
    """
    span = (min(closes, not_after) - opens) / 2
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return opens + max(span, timedelta(0)) * place
