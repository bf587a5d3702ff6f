"""What becomes of jobs, told to the log and, where no record of a call says it, to the shop's webhooks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from agent.outbound.model import Attempt, GivenAnswer, Job, Reason, SuppressionScope

log = logging.getLogger(__name__)

_SAID_BY_RECORDS = frozenset(
    {Reason.COMPLETED, Reason.PARTIAL, Reason.CALLED_IN, Reason.OPTED_OUT, Reason.WRONG_NUMBER, Reason.FAX}
)
"""Ends of jobs that the record of a call tells, with more than we know here."""

AnnounceJob = Callable[[Job], Awaitable[None]]
"""Tells others that a job is over without a call that came to anything."""
AttemptsOf = Callable[[str], Awaitable[Sequence[Attempt]]]


class JobNews:
    """Implements :class:`agent.outbound.ports.JobObserver`."""

    def __init__(self, announce: AnnounceJob, attempts_of: AttemptsOf) -> None:
        """``attempts_of(key)`` are a job's, the oldest first. Neither may raise anything but OutboundUnavailable."""
        self._announce = announce
        self._attempts_of = attempts_of

    async def attempt_ended(self, job: Job, attempt: Attempt, answers: Sequence[GivenAnswer]) -> None:
        """Log how an attempt went, without the number."""
        outcome = attempt.outcome or (attempt.end.value if attempt.end else "")
        log.info("Attempt %s for %s: %s (%d answer(s))", attempt.id, job.key, outcome, len(answers))

    async def job_over(self, job: Job) -> None:
        """Log what became of a job; tell of it where no call has."""
        log.info("Job %s is %s: %s", job.key, job.state, job.reason)
        if job.reason in _SAID_BY_RECORDS:
            return
        if job.reason == Reason.DECLINED:  # said on a call, or rejected twice
            attempts = await self._attempts_of(job.key)
            if attempts and attempts[-1].call_id:
                return
        await self._announce(job)

    async def suppressed(self, number: str, scope: SuppressionScope, source: str, at: datetime) -> None:
        """Log that a number is not called any more, without the number; the record of the call tells others."""
        log.info("A number is not called any more (%s), by %s", scope, source)

    async def alarm(self, text: str) -> None:
        """Log it as an error."""
        log.error("Calls to customers: %s", text)
