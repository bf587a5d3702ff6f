"""Dials the jobs that are due: one loop that looks for the next job, asks everything again, writes, and dials.

At most once: the attempt is on disk before the telephone system is asked, and an attempt whose fate is unknown is not
dialled again by itself. Exactly one dialler works on a state directory (a file lock).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from agent.call.dialling import DialEnd, DialProgress, DialRefused, DialRequest, DialState, Trunk
from agent.common.file_lock import wait_for_lock
from agent.errors import OrderlineError
from agent.outbound.breaker import CALLS_LOOKED_AT, why_stop
from agent.outbound.clock import Clock
from agent.outbound.model import Attempt, Job, JobState, NewJob, Purpose, Reason, new_attempt_id
from agent.outbound.policy import (
    BUSY_WITH_US,
    READ_AGAIN,
    Go,
    NumberHistory,
    Verdict,
    may_dial,
    order_verdict,
    spread,
)
from agent.outbound.ports import JobObserver, OrderLookup, OutboundUnavailable, Staff
from agent.outbound.settings import DiallerSettings
from agent.outbound.store import OutboundStore
from agent.outbound.tracker import AttemptTracker
from agent.outbound.windows import CallHours

__all__ = ["Dialler", "DiallerSettings"]

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Between two looks at the file, which the commands beside the agent change without an event."""
RETRY_SECONDS = 5.0
"""After the file, the trunk or the staff's queue could not be asked, or had no room."""
OVERDUE = timedelta(hours=1)
"""Jobs that a dialler finds so late at its start are spread, not dialled one after the other at once."""
SPREAD_OVER = timedelta(hours=2)
_NEED_STAFF = frozenset({Purpose.DELIVERY, Purpose.CALLBACK})
"""Calls that may end with a person."""
FORGET_EVERY = timedelta(hours=1)
LOCK_FILE = "outbound.lock"


class Dialler:
    """Makes the calls. ``hours()`` reads windows and holidays anew; it raises OSError or ValueError."""

    def __init__(
        self,
        store: OutboundStore,
        trunk: Trunk,
        orders: OrderLookup,
        staff: Staff,
        observer: JobObserver,
        settings: DiallerSettings,
        hours: Callable[[], CallHours],
        clock: Clock,
    ) -> None:
        self._store = store
        self._trunk = trunk
        self._orders = orders
        self._staff = staff
        self._observer = observer
        self._settings = settings
        self._hours = hours
        self._clock = clock
        self.tracker = AttemptTracker(store, trunk, observer, clock, settings.rules, settings.ring_seconds)
        self._calling_in: Counter[str] = Counter()
        self._next_dial = datetime.min.replace(tzinfo=UTC)
        self._next_forget = datetime.min.replace(tzinfo=UTC)
        self._stopping = asyncio.Event()
        self._alarms: set[str] = set()

    # --- from outside -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Dial until :meth:`stop`; another dialler on the same state directory is waited for."""
        with (self._store.directory / LOCK_FILE).open("a") as lock:
            busy = lambda: log.warning("another process dials already; this one waits")  # noqa: E731
            if not await wait_for_lock(lock, RETRY_SECONDS, busy, self._stopping):
                return
            await self._work()

    def stop(self) -> None:
        """Let :meth:`run` return; calls under way are followed up by the next dialler."""
        self._stopping.set()
        self.wake()

    def wake(self) -> None:
        """Look at once: something has changed."""
        self.tracker.changed.set()

    async def inbound_began(self, number: str) -> None:
        """A customer rings in: what rings at their number is cancelled, nothing new begins there."""
        self._calling_in[number] += 1
        for attempt_id in self.tracker.ringing(number) if number else ():
            await self.tracker.cancel(attempt_id)
        self.wake()

    def inbound_ended(self, number: str) -> None:
        """The call of :meth:`inbound_began` is over."""
        self._calling_in[number] -= 1
        self._calling_in = +self._calling_in
        self.wake()

    def dials(self, purpose: Purpose) -> bool:
        """Return whether customers are called for a purpose."""
        return purpose in self._settings.purposes

    async def foresee(self, new: NewJob) -> Verdict:
        """Return what would become of a job if it were made now; nothing is written. Raises OutboundUnavailable."""
        return await self._store.judge(Job(**vars(new)), self._judge_by_rules)

    # --- the loop -----------------------------------------------------------------------------------

    async def _work(self) -> None:
        ready = False
        while not self._stopping.is_set():
            self.tracker.changed.clear()
            try:
                if not ready:
                    await self.tracker.take_over()
                    await self._spread_backlog()
                    ready = True
                seconds = await self.step()
            except OutboundUnavailable as error:
                await self._alarm(f"nobody is called: {error.message}")
                seconds = RETRY_SECONDS
            if not self._stopping.is_set():
                await self._clock.wait(self.tracker.changed, seconds)

    async def step(self) -> float:
        """Do what can be done now; returns after how many seconds to look again. Raises OutboundUnavailable."""
        await self.tracker.look()
        await self.tracker.cancel_over()
        await self.tracker.tell()
        await self._forget()
        campaign = await self._store.campaign()
        if campaign.state == "stopped":
            for attempt_id in self.tracker.ringing():
                await self.tracker.cancel(attempt_id)
        if not campaign.running:
            return POLL_SECONDS
        lately = await self._store.attempts_since(datetime.fromisoformat(campaign.since), CALLS_LOOKED_AT)
        if why := why_stop(lately, self._clock.now()):
            await self._store.set_campaign("paused", "circuit breaker", why, self._clock.now())
            await self._alarm(f"calls to customers are paused: {why}")
            return POLL_SECONDS
        await self._yield_to_inbound()
        return await self._dial_due()

    async def _dial_due(self) -> float:
        now = self._clock.now()
        jobs = await self._store.due(now, self._settings.purposes)
        if any(job.purpose in _NEED_STAFF for job in jobs) and not await self._has_staff():
            jobs = await self._store.due(now, self._settings.purposes - _NEED_STAFF)
        for job in jobs:
            if self._stopping.is_set() or self.tracker.channels >= self._settings.max_outbound:
                break
            if (early := (self._next_dial - self._clock.now()).total_seconds()) > 0:
                return min(early, POLL_SECONDS)
            if not await self._stands(job, await self._store.judge(job, self._judge)):
                continue
            if await self._room() <= 0:
                return RETRY_SECONDS
            if not await self._stands(job, await self._line_verdict(job)):
                continue
            if await self._stands(job, await self._order_verdict(job)):
                await self._dial(job)
        return POLL_SECONDS

    # --- whether ------------------------------------------------------------------------------------

    async def _stands(self, job: Job, verdict: Verdict) -> bool:
        """Return whether nothing speaks against a job; what does is written."""
        if verdict.go is Go.DIAL:
            return True
        if verdict.reason in (Reason.ORDER_UNREADABLE, Reason.RULES_UNREADABLE):
            log.warning("%s is not called now: %s", job.key, verdict.detail)
        await self._store.apply(job.key, verdict, self._clock.now())
        await self.tracker.tell()
        return False

    async def _line_verdict(self, job: Job) -> Verdict:
        """Whether the customer is on another call with the shop: waiting in the queue, say, after a hand-over."""
        until = self._clock.now() + BUSY_WITH_US
        try:
            on_the_line = await self._trunk.on_the_line(job.number)
        except OrderlineError:
            return Verdict(Go.WAIT, Reason.NUMBER_BUSY_WITH_US, until, "Asterisk does not say who is on the line")
        return Verdict(Go.WAIT, Reason.NUMBER_BUSY_WITH_US, until) if on_the_line else Verdict(Go.DIAL)

    async def _order_verdict(self, job: Job) -> Verdict:
        try:
            return order_verdict(await self._orders.order_now(job))
        except OrderlineError as error:
            until = self._clock.now() + READ_AGAIN
            return Verdict(Go.WAIT, Reason.ORDER_UNREADABLE, until, f"order not readable: {error.message}")

    def _judge(self, job: Job, history: NumberHistory) -> Verdict:
        now = self._clock.now()
        if self._calling_in[job.number] > 0:
            return Verdict(Go.WAIT, Reason.NUMBER_BUSY_WITH_US, now + BUSY_WITH_US)
        return self._judge_by_rules(job, history)

    def _judge_by_rules(self, job: Job, history: NumberHistory) -> Verdict:
        now = self._clock.now()
        try:
            hours = self._hours()
        except (OSError, ValueError) as error:
            return Verdict(Go.WAIT, Reason.RULES_UNREADABLE, now + READ_AGAIN, f"holidays not readable: {error}")
        return may_dial(job, now, history, self._settings.rules, hours)

    async def _has_staff(self) -> bool:
        room = await self._staff.room()
        return room is not None and room.open and room.longest_wait_seconds <= self._settings.staff_wait_seconds

    async def _room(self) -> int:
        """Return how many calls may begin now; none while the trunk cannot be asked."""
        try:
            busy = await self._trunk.channels()
        except OrderlineError as error:
            await self._alarm(f"nobody is called: the trunk cannot be asked: {error.message}")
            return 0
        self._alarms.clear()
        free = self._settings.trunk_channels - self._settings.reserve_channels - busy
        return min(free, self._settings.max_outbound - self.tracker.channels)

    async def _yield_to_inbound(self) -> None:
        """Cancel calls that ring while those who call in need the trunk; the latest first."""
        ringing = self.tracker.ringing()
        if not ringing:
            return
        try:
            busy = await self._trunk.channels()
        except OrderlineError:
            return
        too_many = busy - (self._settings.trunk_channels - self._settings.reserve_channels)
        for attempt_id in ringing[: max(0, too_many)]:
            await self.tracker.cancel(attempt_id)

    # --- dialling -----------------------------------------------------------------------------------

    async def _dial(self, job: Job) -> None:
        now = self._clock.now()
        rules = self._settings.rules
        begun = await self._store.begin(job.key, new_attempt_id(), self._judge, now, rules)
        if begun is None or begun.attempt is None:
            await self.tracker.tell()
            return
        attempt = begun.attempt
        self._next_dial = now + timedelta(seconds=self._settings.seconds_between_calls)
        self.tracker.follow(attempt)
        try:
            await self._trunk.dial(self._request(attempt))
        except DialRefused as error:
            log.warning("attempt %s was refused: %s", attempt.id, error.message)
            await self.tracker.dial_progressed(DialProgress(attempt.id, DialState.ENDED, DialEnd.TRUNK_FAULT))
        except Exception as error:  # noqa: BLE001 - whatever went wrong, a call may have been placed
            log.warning("attempt %s may have been placed: %s", attempt.id, error)
            await self.tracker.uncertain(attempt)
        if self._calling_in[attempt.number] > 0:  # they rang in while the telephone system was asked
            await self.tracker.cancel(attempt.id)
        await self.tracker.cancel_over()  # ... or opted out, or the job was removed

    def _request(self, attempt: Attempt) -> DialRequest:
        return DialRequest(
            attempt=attempt.id,
            job=attempt.job,
            purpose=attempt.purpose,
            number=attempt.number,
            caller_id=self._settings.caller_ids[attempt.purpose],
            ring_seconds=self._settings.ring_seconds,
        )

    # --- housekeeping -------------------------------------------------------------------------------

    async def _spread_backlog(self) -> None:
        """Spread what became due while no dialler ran over the next hours; what expires first keeps its place."""
        now = self._clock.now()
        late = [
            job
            for job in await self._store.jobs([JobState.OPEN], limit=100_000)
            if job.not_before < now - OVERDUE and job.attempts == 0 and not job.appointment
        ]
        await self._store.postpone(
            [(job.key, spread(job.key, now, now + 2 * SPREAD_OVER, job.not_after)) for job in late]
        )

    async def _forget(self) -> None:
        now = self._clock.now()
        if now >= self._next_forget:
            self._next_forget = now + FORGET_EVERY
            await self._store.forget(now - self._settings.keep)

    async def _alarm(self, text: str) -> None:
        """Tell a person, once as long as it stays so."""
        if text not in self._alarms:
            self._alarms.add(text)
            log.error("%s", text)
            await self._observer.alarm(text)
