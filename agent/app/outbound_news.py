"""What becomes of jobs, told to the log and, where no record of a call says it, to the shop's webhooks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from agent.outbound.model import Attempt, GivenAnswer, Job, JobState, Reason, SuppressionScope

log = logging.getLogger(__name__)

_SAID_BY_RECORDS = frozenset({Reason.COMPLETED, Reason.PARTIAL, Reason.WRONG_NUMBER, Reason.FAX})
"""Ends of jobs that the record of a call for them always tells, with more than we know here."""
_EVER = datetime.fromtimestamp(0, UTC)

AnnounceJob = Callable[[Job], Awaitable[None]]
"""Tells others that a job is over without a call that came to anything."""


class KnownAttempts(Protocol):
    """The attempts on disk (:class:`agent.outbound.store.OutboundStore`). Raise OutboundUnavailable."""

    async def attempts_of(self, key: str) -> Sequence[Attempt]:
        """Return a job's, the oldest first."""
        ...

    async def recent_attempt(self, number: str, since: datetime) -> tuple[Job, Attempt] | None:
        """Return the latest one at a number, with its job."""
        ...


class JobNews:
    """Implements :class:`agent.outbound.ports.JobObserver`."""

    def __init__(self, announce: AnnounceJob, attempts: KnownAttempts) -> None:
        """``announce`` raises nothing but OutboundUnavailable."""
        self._announce = announce
        self._attempts = attempts

    async def attempt_ended(self, job: Job, attempt: Attempt, answers: Sequence[GivenAnswer]) -> None:
        """Log how an attempt went, without the number."""
        outcome = attempt.outcome or (attempt.end.value if attempt.end else "")
        log.info("Attempt %s for %s: %s (%d answer(s))", attempt.id, job.key, outcome, len(answers))

    async def job_over(self, job: Job) -> None:
        """Log what became of a job; tell of it where no call has."""
        log.info("Job %s is %s: %s", job.key, job.state, job.reason)
        if not await self._is_said_by_a_record(job):
            await self._announce(job)

    async def _is_said_by_a_record(self, job: Job) -> bool:
        if job.reason == Reason.DECLINED:  # said on a call, or rejected twice
            attempts = await self._attempts.attempts_of(job.key)
            return bool(attempts and attempts[-1].call_id)
        if job.reason == Reason.CALLED_IN:  # in a call for it, or in one of the customer's own before it was dialled
            return job.state is JobState.DONE
        if job.reason == Reason.OPTED_OUT:  # the call was for the job that was tried last; the others went with it
            last = await self._attempts.recent_attempt(job.number, _EVER)
            return last is not None and last[0].key == job.key
        return job.reason in _SAID_BY_RECORDS

    async def suppressed(self, number: str, scope: SuppressionScope, source: str, at: datetime) -> None:
        """Log that a number is not called any more, without the number; the record of the call tells others."""
        log.info("A number is not called any more (%s), by %s", scope, source)

    async def alarm(self, text: str) -> None:
        """Log it as an error."""
        log.error("Calls to customers: %s", text)
