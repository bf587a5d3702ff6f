"""What ``orderline outbound`` shows: jobs, who would be called and who not, what the calls came to. Plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.call.dialling import DialEnd
from agent.outbound.model import Attempt, CallOutcome, Job, JobState, Purpose, Reached, Reason
from agent.outbound.policy import READ_AGAIN, DialRules, Go, NumberHistory, Verdict, may_dial
from agent.outbound.store import OutboundStore
from agent.outbound.windows import CallHours


@dataclass(frozen=True)
class Forecast:
    """What would become of a job, as far as it can be told now; the order system is asked at the moment of dialling."""

    job: Job
    would: str
    """``dial``, ``wait``, ``drop`` or ``block``."""
    when: datetime | None
    """When it would be dialled; None when it would not."""
    why: str


async def forecast(
    store: OutboundStore,
    jobs: Sequence[Job],
    rules: DialRules,
    hours: Callable[[], CallHours],
    purposes: Iterable[Purpose],
    now: datetime,
) -> list[Forecast]:
    """Say of each job whether and when it would be dialled; nothing is written."""
    used = frozenset(purposes)

    def judge(job: Job, history: NumberHistory) -> Verdict:
        try:
            return may_dial(job, now, history, rules, hours())
        except (OSError, ValueError) as error:
            return Verdict(Go.WAIT, Reason.RULES_UNREADABLE, now + READ_AGAIN, f"holidays not readable: {error}")

    found = []
    for job in jobs:
        if job.state is not JobState.OPEN:
            found.append(Forecast(job, "block" if job.state is JobState.BLOCKED else "wait", None, job.reason))
            continue
        if job.purpose not in used:
            found.append(Forecast(job, "wait", None, f"outbound.purposes has no {job.purpose}"))
            continue
        verdict = await store.judge(job, judge)
        when = now if verdict.go is Go.DIAL else verdict.until
        found.append(Forecast(job, verdict.go, when, verdict.detail or verdict.reason or ""))
    return found


def job_data(job: Job) -> dict[str, Any]:
    """Return a job for JSON."""
    return {
        "key": job.key,
        "purpose": job.purpose,
        "number": job.number,
        "name": job.facts.name,
        "order": job.facts.order_number,
        "state": job.state,
        "reason": job.reason,
        "attempts": job.attempts,
        "not_before": job.not_before.isoformat(timespec="seconds"),
        "not_after": job.not_after.isoformat(timespec="seconds"),
        "consent": job.consent,
        "zone": job.zone,
        "source": job.source,
    }


def figures(attempts: Sequence[Attempt], jobs: Sequence[Job]) -> dict[str, Any]:
    """Count what calls came to; ``jobs`` are those that were made in the same time."""
    reached = [attempt for attempt in attempts if attempt.reached is Reached.RIGHT_PERSON]
    return {
        "jobs": len(jobs),
        "jobs_by_state": dict(Counter(job.state.value for job in jobs)),
        "jobs_by_reason": dict(Counter(job.reason for job in jobs if job.reason)),
        "dialled": len(attempts),
        "rang": sum(attempt.rang for attempt in attempts),
        "answered": sum(attempt.answered_at is not None for attempt in attempts),
        "right_person": len(reached),
        "completed": sum(attempt.outcome is CallOutcome.COMPLETED for attempt in attempts),
        "voicemail": sum(attempt.reached is Reached.VOICEMAIL for attempt in attempts),
        "opted_out": sum(attempt.outcome is CallOutcome.OPTED_OUT for attempt in attempts),
        "our_faults": sum(attempt.end is DialEnd.TRUNK_FAULT for attempt in attempts),
        "unknown": sum(attempt.end is DialEnd.UNKNOWN for attempt in attempts),
        "ends": dict(Counter(attempt.end.value for attempt in attempts if attempt.end is not None)),
        "outcomes": dict(Counter(attempt.outcome.value for attempt in attempts if attempt.outcome is not None)),
    }
