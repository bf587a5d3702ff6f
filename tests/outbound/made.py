"""Jobs and attempts for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent.call.dialling import DialEnd
from agent.outbound.model import Attempt, AttemptState, Job, JobFacts, NewJob, Purpose
from agent.outbound.policy import DialRules
from agent.outbound.windows import CallHours, parse_window

NUMBER = "+12025550143"
"""A number made for stories; its zone is New York's."""
WEEKDAY_HOURS = {day: (parse_window("09:00-20:00"),) for day in range(5)} | {5: (parse_window("10:00-18:00"),)}
RULES = DialRules(WEEKDAY_HOURS)
HOURS = CallHours(WEEKDAY_HOURS)
MONDAY_NOON = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
"""12:00 in New York."""


def new_job(key: str = "delivery:A1:all", **changes: Any) -> NewJob:
    """A delivery check that is due on Monday noon."""
    values: dict[str, Any] = {
        "purpose": Purpose.DELIVERY,
        "number": NUMBER,
        "facts": JobFacts("Maple and Finch", "Maria Lopez", "A1", date(2026, 5, 31), 2),
        "consent": "order_terms",
        "due_at": MONDAY_NOON,
        "not_after": MONDAY_NOON + timedelta(days=4),
    }
    return NewJob(key=key, **(values | changes))


def job(key: str = "delivery:A1:all", **changes: Any) -> Job:
    """The same job as it stands on disk."""
    on_disk = {name: changes.pop(name) for name in ("state", "attempts", "next_at", "appointment") if name in changes}
    return Job(**vars(new_job(key, **changes)), **on_disk)


def attempt(at: datetime, **changes: Any) -> Attempt:
    """An attempt that nobody answered."""
    values: dict[str, Any] = {
        "id": f"ob-{at.timestamp():.0f}-z",
        "job": "delivery:A1:all",
        "purpose": Purpose.DELIVERY,
        "number": NUMBER,
        "dialled_at": at,
        "state": AttemptState.ENDED,
        "end": DialEnd.NO_ANSWER,
        "ended_at": at + timedelta(seconds=25),
    }
    return Attempt(**(values | changes))
