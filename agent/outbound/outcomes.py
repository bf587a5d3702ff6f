"""What becomes of a job after an attempt: over, or another try and when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from agent.call.dialling import DialEnd
from agent.outbound.model import Attempt, CallOutcome, CallResult, Job, JobState, OutboundError, Reached, Reason
from agent.outbound.policy import DialRules, next_day
from agent.outbound.windows import zones_of

TRUNK_PAUSES = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10))
"""After a fault of our side, by how many came in a row."""
FARTHEST_APPOINTMENT = timedelta(days=7)
_PARTS_OF_DAY = (12, 17, 24)
"""Hours at which morning, afternoon and evening end: the next try falls into another part of the day."""

_DONE = {
    CallOutcome.COMPLETED: Reason.COMPLETED,
    CallOutcome.HANDED_OVER: Reason.COMPLETED,
    CallOutcome.PARTIAL: Reason.PARTIAL,
}
_DROPPED = {
    CallOutcome.DECLINED: Reason.DECLINED,
    CallOutcome.OPTED_OUT: Reason.OPTED_OUT,
    CallOutcome.WRONG_NUMBER: Reason.WRONG_NUMBER,
}
_REJECTED = frozenset({DialEnd.DECLINED, DialEnd.REFUSED})


@dataclass(frozen=True)
class Next:
    """What becomes of a job."""

    state: JobState
    reason: str = ""
    next_at: datetime | None = None
    appointment: bool = False
    not_after: datetime | None = None
    """Moved, where the customer asked for a later time; None: as it is."""


def counts(end: DialEnd) -> bool:
    """Return whether an attempt with this end costs the customer one: not when it failed on our side."""
    return end is not DialEnd.TRUNK_FAULT


def after_attempt(
    job: Job, attempts: Sequence[Attempt], result: CallResult | None, now: datetime, rules: DialRules
) -> Next:
    """Return what becomes of a job.

    ``attempts`` are all of the job, the oldest first; the last one has just ended, with ``result`` where somebody
    answered and the call said what it came to.
    """
    zones = _zones(job)
    step = _after_call(job, attempts, result, now, rules, zones) if result else _after_dial(attempts, now, rules, zones)
    if step.state is not JobState.OPEN or step.appointment:
        return step
    counted = [attempt for attempt in attempts if attempt.counted]
    if len(counted) >= rules.attempts:
        return Next(JobState.DROPPED, Reason.ATTEMPTS_USED_UP)
    at = step.next_at or now
    if at >= job.not_after:
        return Next(JobState.DROPPED, Reason.EXPIRED)
    if counted and at >= counted[0].dialled_at + timedelta(days=rules.over_days):
        return Next(JobState.DROPPED, Reason.ATTEMPTS_USED_UP)
    return step


def after_ringing_back(job: Job, attempts: Sequence[Attempt], result: CallResult, now: datetime) -> Next | None:
    """Return what becomes of a job whose customer rang in, and was told of it; None: it stays as it is.

    ``attempts`` are all of the job, the oldest first; none of them was this call.
    """
    if result.outcome in (CallOutcome.COMPLETED, CallOutcome.HANDED_OVER, CallOutcome.DECLINED):
        return Next(JobState.DONE, Reason.CALLED_IN)
    if result.outcome in (CallOutcome.WRONG_NUMBER, CallOutcome.OPTED_OUT):
        return Next(JobState.DROPPED, _DROPPED[result.outcome])
    if result.appointment is not None and result.outcome in (CallOutcome.LATER, CallOutcome.NOT_HERE):
        return _appointment(job, attempts, result.appointment, now)
    return None


def _after_call(
    job: Job,
    attempts: Sequence[Attempt],
    result: CallResult,
    now: datetime,
    rules: DialRules,
    zones: Sequence[ZoneInfo],
) -> Next:
    if result.outcome in _DONE:
        return Next(JobState.DONE, _DONE[result.outcome])
    if result.outcome in _DROPPED:
        return Next(JobState.DROPPED, _DROPPED[result.outcome])
    if result.reached is Reached.WRONG_NUMBER:
        return Next(JobState.DROPPED, Reason.WRONG_NUMBER)
    if result.reached is Reached.FAX:
        return Next(JobState.DROPPED, Reason.FAX)
    if result.appointment is not None and result.outcome in (CallOutcome.LATER, CallOutcome.NOT_HERE):
        return _appointment(job, attempts[:-1], result.appointment, now)
    if result.outcome in (CallOutcome.FAILED, CallOutcome.LATER):
        return _open(next_day(now, zones) if zones else now + timedelta(days=1))
    return _open(another_time(now, rules.retry, zones))


def _after_dial(attempts: Sequence[Attempt], now: datetime, rules: DialRules, zones: Sequence[ZoneInfo]) -> Next:
    end, before = attempts[-1].end, attempts[:-1]
    tomorrow = next_day(now, zones) if zones else now + timedelta(days=1)
    if end is DialEnd.BAD_NUMBER:
        return Next(JobState.DROPPED, Reason.BAD_NUMBER)
    if end is DialEnd.TRUNK_FAULT:
        return _open(now + TRUNK_PAUSES[min(_faults_in_a_row(attempts), len(TRUNK_PAUSES)) - 1])
    if end in _REJECTED:
        if any(attempt.end in _REJECTED for attempt in before):
            return Next(JobState.DROPPED, Reason.DECLINED)
        return _open(tomorrow)
    if end is DialEnd.BUSY and not any(attempt.end is DialEnd.BUSY for attempt in before):
        return _open(now + rules.busy_retry)
    if end in (DialEnd.BUSY, DialEnd.NO_ANSWER, DialEnd.FORWARDED, DialEnd.CANCELLED):
        return _open(another_time(now, rules.retry, zones))
    return _open(tomorrow)  # unknown, or answered and nobody knows what was said


def another_time(now: datetime, retry: timedelta, zones: Sequence[ZoneInfo]) -> datetime:
    """Return a moment at least ``retry`` later, and in another part of the day in the first zone."""
    later = now + retry
    if not zones:
        return max(later, now + timedelta(days=1))
    then, local = later.astimezone(zones[0]), now.astimezone(zones[0])
    if then.date() != local.date() or _part(then) != _part(local):
        return later
    ends = _PARTS_OF_DAY[_part(then)]
    day = datetime.combine(then.date(), datetime.min.time(), zones[0])
    return day + timedelta(days=1) if ends == 24 else day.replace(hour=ends)


def _appointment(job: Job, before: Sequence[Attempt], wanted: datetime, now: datetime) -> Next:
    """One appointment a job: whoever puts us off a second time does not want the call."""
    if any(attempt.outcome in (CallOutcome.LATER, CallOutcome.NOT_HERE) for attempt in before):
        return Next(JobState.DROPPED, Reason.DECLINED)
    at = min(max(wanted, now + timedelta(minutes=5)), now + FARTHEST_APPOINTMENT)
    not_after = max(job.not_after, at + timedelta(days=1))
    return Next(JobState.OPEN, next_at=at, appointment=True, not_after=not_after)


def _open(at: datetime) -> Next:
    return Next(JobState.OPEN, next_at=at)


def _faults_in_a_row(attempts: Sequence[Attempt]) -> int:
    count = 0
    for attempt in reversed(attempts):
        if attempt.end is not DialEnd.TRUNK_FAULT:
            break
        count += 1
    return max(1, count)


def _part(local: datetime) -> int:
    return next(index for index, ends in enumerate(_PARTS_OF_DAY) if local.hour < ends)


def _zones(job: Job) -> Sequence[ZoneInfo]:
    try:
        return zones_of(job.number, job.zone)
    except OutboundError:
        return ()
