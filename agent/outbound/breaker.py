"""When a campaign stops by itself: the trunk fails, or customers show that they do not want these calls. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.call.dialling import DialEnd
from agent.outbound.model import Attempt, AttemptState, CallOutcome

FAULT_SECONDS = 120
LEAST_CALLS = 5
"""Fewer calls say nothing."""
FAULT_SHARE = 0.5
LAST = 20
"""Over so many of the latest calls unwillingness is counted."""
REJECTED_SHARE = 0.3
OPTED_OUT_SHARE = 0.2
LAST_ANSWERS = 50
ANSWERED_SHARE = 0.1
"""Fewer answers than this among the last calls: the number is shown as spam, or the list is bad."""
CALLS_LOOKED_AT = 200
"""The latest calls that :func:`why_stop` wants to see."""
_REJECTED = frozenset({DialEnd.DECLINED, DialEnd.REFUSED})


def why_stop(attempts: Sequence[Attempt], now: datetime) -> str:
    """Return why no more calls should be made, in plain words; empty when nothing speaks against it.

    ``attempts`` are those since the campaign was resumed, the oldest first.
    """
    over = [attempt for attempt in attempts if attempt.state is AttemptState.ENDED]
    since = now - timedelta(seconds=FAULT_SECONDS)
    lately = [attempt for attempt in over if (attempt.ended_at or attempt.dialled_at) >= since]
    faults = sum(attempt.end is DialEnd.TRUNK_FAULT for attempt in lately)
    if len(lately) >= LEAST_CALLS and faults >= FAULT_SHARE * len(lately):
        return f"{faults} of the last {len(lately)} calls failed on our side: look at the trunk"
    reached = [attempt for attempt in over if attempt.end is not DialEnd.TRUNK_FAULT]
    last = reached[-LAST:]
    if len(last) == LAST:
        rejected = sum(attempt.end in _REJECTED for attempt in last)
        if rejected >= REJECTED_SHARE * LAST:
            return f"{rejected} of the last {LAST} calls were rejected: the number may be shown as spam"
    spoken = [attempt for attempt in reached if attempt.outcome is not None][-LAST:]
    opted_out = sum(attempt.outcome is CallOutcome.OPTED_OUT for attempt in spoken)
    if len(spoken) == LAST and opted_out >= OPTED_OUT_SHARE * LAST:
        return f"{opted_out} of the last {LAST} customers reached asked not to be called"
    answers = reached[-LAST_ANSWERS:]
    answered = sum(attempt.answered_at is not None for attempt in answers)
    if len(answers) == LAST_ANSWERS and answered < ANSWERED_SHARE * LAST_ANSWERS:
        return f"only {answered} of the last {LAST_ANSWERS} calls were answered"
    return ""
