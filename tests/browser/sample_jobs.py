"""Calls to customers for pictures and tests of pages: jobs in every state, attempts, and a do-not-call list."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from agent.call.dialling import DialEnd, DialProgress, DialState
from agent.outbound.model import CallOutcome, CallResult, JobFacts, NewJob, Purpose, Reached, Reason, SuppressionScope
from agent.outbound.policy import DialRules, Go, Verdict
from agent.outbound.store import OutboundStore
from agent.outbound.windows import parse_window

OUTBOUND: dict[str, Any] = {
    "enabled": True,
    "purposes": ["delivery", "callback", "survey"],
    "trunk": "PJSIP/{number}@trunk",
    "trunk_channels": 10,
    "caller_id": "+12025550100",
}
LEFT_ALONE = "+12025550188"
"""A number on the do-not-call list."""
_NAMES = ("Maria Lopez", "Tom Becker", "Ada Osei", "", "Jun Park", "Lena Fischer", "", "Ravi Nair")
_RULES = DialRules({day: (parse_window("09:00-20:00"),) for day in range(7)})


async def write_jobs(state: Path, now: dt.datetime) -> None:
    """Write jobs made up to ``now`` (aware) into a state directory; the campaign runs."""
    store = OutboundStore(state)
    try:
        await store.set_campaign("running", "sam", "", now - dt.timedelta(days=2))
        made = [_job(number, now) for number in range(8)]
        await store.add(made, now - dt.timedelta(hours=26))
        await _answered(store, made[0], now)
        await store.drop(made[1].key, Reason.RETURNED, now)
        zoneless = Verdict(Go.BLOCK, Reason.ZONE_UNKNOWN, detail="no zone is known of this number: give the job one")
        await store.apply(made[2].key, zoneless, now)
        await store.suppress(
            [(LEFT_ALONE, SuppressionScope.ALL, "call:orderline-a-1796000000.8"),
             ("+12025550199", SuppressionScope.SURVEYS, "import")],
            now - dt.timedelta(days=3),
        )  # fmt: skip
    finally:
        await store.close()


def _job(number: int, now: dt.datetime) -> NewJob:
    purpose = (Purpose.DELIVERY, Purpose.DELIVERY, Purpose.SURVEY, Purpose.CALLBACK)[number % 4]
    order = f"{10480 + number}"
    due = now + dt.timedelta(hours=3 * number - 8)
    return NewJob(
        key=f"{purpose}:{order}",
        purpose=purpose,
        number=f"+1202555{110 + number:04d}",
        facts=JobFacts("Maple and Finch", _NAMES[number], order, (now - dt.timedelta(days=1)).date()),
        consent="order_terms",
        due_at=due,
        not_after=due + dt.timedelta(days=4),
        zone="America/New_York",
        source="csv",
    )


async def _answered(store: OutboundStore, job: NewJob, now: dt.datetime) -> None:
    """Have one job called, and its customer say that all is well."""
    at = now - dt.timedelta(hours=7)
    begun = await store.begin(job.key, "ob-0123456789abcdef-z", lambda *_: Verdict(Go.DIAL), at, _RULES)
    assert begun is not None
    assert begun.attempt is not None
    progress = DialProgress(begun.attempt.id, DialState.ENDED, DialEnd.ANSWERED)
    await store.ended(progress, at + dt.timedelta(seconds=60), _RULES, settle=False)
    result = CallResult(Reached.RIGHT_PERSON, CallOutcome.COMPLETED)
    await store.result(begun.attempt.id, result, at + dt.timedelta(seconds=60), _RULES)
