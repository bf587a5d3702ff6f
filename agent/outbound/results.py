"""What calls ask of the dialler and tell it: the job of an attempt, its result, an opt-out, who rings back."""

from __future__ import annotations

from datetime import timedelta

from agent.outbound.clock import Clock
from agent.outbound.dialler import Dialler
from agent.outbound.keys import callback_key
from agent.outbound.model import (
    Attempt,
    CallResult,
    GivenAnswer,
    Job,
    JobFacts,
    NewJob,
    Purpose,
    SuppressionScope,
)
from agent.outbound.policy import DialRules, Go
from agent.outbound.ports import RING_BACK_DAYS, CallBackRefused, JobObserver
from agent.outbound.store import OutboundStore

ASKED_ON_CALL = "asked_on_call"
"""The consent of a call-back: the customer asked for it."""
CALL_BACK_AFTER = timedelta(minutes=2)
"""The customer is on the telephone still."""
CALL_BACK_EXPIRES = timedelta(days=4)
"""A call-back later than this after its time was promised for nothing. A weekend and a holiday are shorter."""


class CallResults:
    """Implements :class:`agent.outbound.ports.OutboundResults`.

    Opt-outs and what customers who ring back say are written also where no dialler runs (``dialler`` is None).
    """

    def __init__(
        self,
        store: OutboundStore,
        observer: JobObserver,
        rules: DialRules,
        clock: Clock,
        dialler: Dialler | None,
        *,
        has_queue: bool = True,
    ) -> None:
        """``has_queue``: the staff has one; without it calls that may end with a person are never made."""
        self._store = store
        self._observer = observer
        self._rules = rules
        self._clock = clock
        self._dialler = dialler
        self._has_queue = has_queue

    async def job_of_attempt(self, attempt_id: str) -> Job | None:
        """Return the job an attempt is made for."""
        attempt = await self._store.attempt(attempt_id)
        return None if attempt is None else await self._store.job(attempt.job)

    async def attempt(self, attempt_id: str) -> Attempt | None:
        """Return one attempt."""
        return await self._store.attempt(attempt_id)

    async def survey_answered(self, attempt_id: str, answer: GivenAnswer) -> None:
        """Store one answer of a survey as it is given."""
        await self._store.put_answer(attempt_id, answer, self._clock.now())

    async def call_ended(self, attempt_id: str, result: CallResult) -> None:
        """Note what an answered call came to; the first result of an attempt stands."""
        now = self._clock.now()
        attempt = await self._store.result(attempt_id, result, now, self._rules)
        if attempt is None:
            return
        if result.opted_out is not None:
            source = f"call:{result.call_id or attempt_id}"
            await self._observer.suppressed(attempt.number, result.opted_out, source, now)
        if self._dialler is not None:
            await self._dialler.tracker.finished(attempt)
            self._dialler.wake()

    async def suppress(self, number: str, scope: SuppressionScope, source: str) -> None:
        """Put a number on the do-not-call list, drop its open jobs of that scope, cancel what rings there."""
        now = self._clock.now()
        await self._store.suppress([(number, scope, source)], now)
        await self._observer.suppressed(number, scope, source, now)
        if self._dialler is not None:
            await self._dialler.tracker.cancel_over()
            await self._dialler.tracker.tell()

    @property
    def calls_back(self) -> bool:
        """Whether customers who ask for it are called back from this node at all."""
        return self._has_queue and self._dialler is not None and self._dialler.dials(Purpose.CALLBACK)

    async def promise_call_back(self, call_id: str, number: str, facts: JobFacts) -> str:
        """Make the job of a call-back that is promised in a call; returns its key. Once for a call.

        Raises CallBackRefused where it would not be made as things stand.
        """
        now, key = self._clock.now(), callback_key(call_id)
        if self._dialler is None or not self.calls_back:
            raise CallBackRefused("nobody is called back from this node")
        if not (await self._store.campaign()).running:
            raise CallBackRefused("calls to customers are paused")
        due_at = now + CALL_BACK_AFTER
        until = due_at + CALL_BACK_EXPIRES
        job = NewJob(key, Purpose.CALLBACK, number, facts, ASKED_ON_CALL, due_at, until, source=f"call:{call_id}")
        verdict = await self._dialler.foresee(job)
        if verdict.go not in (Go.DIAL, Go.WAIT):
            raise CallBackRefused(f"it would not be made: {verdict.reason}")
        await self._store.add([job], now)
        self._dialler.wake()
        return key

    async def recent_attempt_to(self, number: str, days: int = RING_BACK_DAYS) -> tuple[Job, Attempt] | None:
        """Return the latest attempt to a number that may have rung there, with its job."""
        return await self._store.recent_attempt(number, self._clock.now() - timedelta(days=days))

    async def inbound_began(self, number: str) -> None:
        """A customer rings in: an attempt that rings at their number is cancelled, none begins meanwhile."""
        if self._dialler is not None:
            await self._dialler.inbound_began(number)

    async def inbound_ended(self, number: str) -> None:
        """The call of :meth:`inbound_began` is over."""
        if self._dialler is not None:
            self._dialler.inbound_ended(number)

    async def rang_back(self, job_key: str, result: CallResult) -> None:
        """A customer rang in and was told of a job: it is done, dropped or put off, as ``result`` says."""
        if await self._store.rang_back(job_key, result, self._clock.now()) is None:
            return
        if self._dialler is not None:
            await self._dialler.tracker.cancel_over()
            await self._dialler.tracker.tell()
