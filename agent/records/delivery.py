"""Delivers the outbox: a few entries at a time, again and again with growing pauses, until done or given up.

One process at a time delivers from one file (:mod:`agent.records.records_lock`), so whatever it left unfinished when it
died is due again as soon as the next one has taken over. Entries of one lane never wait for those of another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.common.backoff import pause_seconds
from agent.common.tasks import cancel_and_wait
from agent.errors import OrderlineError
from agent.records.outbox import Outbox
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry

log = logging.getLogger(__name__)

_HOUR = 3600.0


class DeliveryFailed(OrderlineError):
    """An entry did not arrive. ``final``: trying again cannot help. ``lane_down``: nothing arrives there just now."""

    code = "delivery_failed"

    def __init__(self, message: str, *, final: bool = False, lane_down: bool = False) -> None:
        super().__init__(message)
        self.final = final
        self.lane_down = lane_down


Deliverer = Callable[[OutboxEntry], Awaitable[Sequence[NewOutboxEntry]]]
"""Delivers one entry and returns what follows from it, or raises :class:`DeliveryFailed`. A repeat must be harmless."""


@dataclass(frozen=True)
class DeliveryOutcome:
    """How one attempt ended."""

    arrived: bool
    error: str = ""
    final: bool = False
    also: tuple[NewOutboxEntry, ...] = ()


class DeliverySharing(Protocol):
    """Lets other nodes take part."""

    async def offer(self, entries: Sequence[OutboxEntry], until: float) -> bool:
        """Offer entries to all nodes, this one too, until a moment; False when that is not possible now."""


@dataclass(frozen=True)
class DeliveryOptions:
    """Patience. All times in seconds."""

    max_concurrent_per_lane: int = 4
    attempt_seconds: float = 20.0
    """Whatever a deliverer does, it is stopped after this."""
    first_pause_seconds: float = 2.0
    """Doubled with every failure, up to ``longest_pause_seconds``, and shortened by up to half at random."""
    longest_pause_seconds: float = 900.0
    max_age_seconds: Mapping[str, float] = field(
        default_factory=lambda: {
            "ticket": 72 * _HOUR,
            "sms": 24 * _HOUR,
            "act": 600.0,
            "webhook": 72 * _HOUR,
            "record": math.inf,
        }
    )
    """By kind. A change that a caller confirmed is not made much later without asking anybody."""
    max_attempts: int = 200
    """Also counts attempts that killed the process. A kind without a greatest age is tried for ever."""
    longest_lane_pause_seconds: float = 30.0
    """A place that is down is asked again after ``first_pause_seconds``, doubled each time up to this."""
    keep_delivered_seconds: float = 7 * 24 * _HOUR
    poll_seconds: float = 1.0
    """How late an entry that became due, or that ``orderline outbox retry`` woke, may be noticed."""
    lease_seconds: float = 60.0
    """What is offered to other nodes and not reported back by then is delivered here."""
    stop_seconds: float = 5.0
    """A stopping agent lets attempts under way finish for this long."""


class OutboxDelivery:
    """The delivering part of one agent. :meth:`run` it as a task, end it with :meth:`stop`."""

    def __init__(
        self,
        outbox: Outbox,
        deliverers: Mapping[str, Deliverer],
        *,
        options: DeliveryOptions | None = None,
        chance: Callable[[], float] = random.random,
        unshared: Collection[str] = (),
    ) -> None:
        """``deliverers`` by lane; entries of other lanes stay. ``chance`` gives numbers from 0 to 1 for the jitter.

        Entries of ``unshared`` lanes are delivered by this node alone.
        """
        self._outbox = outbox
        self._deliverers = deliverers
        self._options = options or DeliveryOptions()
        self._chance = chance
        self._unshared = frozenset(unshared)
        self._down: dict[str, tuple[int, float]] = {}
        """Lanes whose place is down: how often in a row that was found, and when it is looked again."""
        self._running: dict[asyncio.Task[None], str] = {}
        self._stopping = False

    async def run(self, sharing: DeliverySharing | None = None) -> None:
        """Deliver until stopped; with ``sharing``, together with other nodes.

        What an earlier process left must have been taken over before (``CallStore.take_over``), and no other
        process may deliver from this file meanwhile.
        """
        next_cleaning = 0.0
        while not self._stopping:
            self._outbox.news.clear()
            if self._outbox.clock() >= next_cleaning:
                next_cleaning = self._outbox.clock() + _HOUR
                await self._retrying(self._clean)
            if not await self._retrying(lambda: self._round(sharing)):
                await self._wait()
        await self._finish()

    def stop(self) -> None:
        """Make :meth:`run` return after the attempts under way."""
        self._stopping = True
        self._outbox.news.set()

    async def attempt(self, entry: OutboxEntry) -> DeliveryOutcome:
        """Try once to deliver an entry, of whichever node. Never raises for what a deliverer does."""
        deliver = self._deliverers.get(entry.lane)
        if deliver is None:
            return DeliveryOutcome(False, f"nothing here delivers to {entry.lane}")
        work = asyncio.ensure_future(deliver(entry))
        try:
            done, _ = await asyncio.wait([work], timeout=self._options.attempt_seconds)
        finally:
            work.cancel()
        if not done:
            await asyncio.gather(work, return_exceptions=True)
            return DeliveryOutcome(False, f"no answer within {self._options.attempt_seconds:g} s")
        error = work.exception()
        self._note_lane(entry.lane, down=isinstance(error, DeliveryFailed) and error.lane_down)
        if error is None:
            return DeliveryOutcome(True, also=tuple(work.result()))
        if isinstance(error, DeliveryFailed):
            return DeliveryOutcome(False, error.message, error.final)
        log.error("delivering %s to %s failed in an unforeseen way", entry.key, entry.lane, exc_info=error)
        return DeliveryOutcome(False, f"{type(error).__name__}: {error}")

    async def settle(self, entry: OutboxEntry, outcome: DeliveryOutcome) -> None:
        """Write down how an attempt ended. Raises ``sqlite3.Error``; the entry then stays as it was."""
        if outcome.arrived:
            await self._outbox.delivered(entry.key, outcome.also)
            return
        options = self._options
        attempts = entry.attempts + 1
        pause = pause_seconds(attempts, options.first_pause_seconds, options.longest_pause_seconds)
        due_at = self._outbox.clock() + pause * (1 - self._chance() / 2)
        oldest = options.max_age_seconds.get(entry.kind, 72 * _HOUR)
        too_often = attempts >= options.max_attempts and not self._patient(entry.kind)
        if outcome.final or too_often or due_at - entry.created_at > oldest:
            log.error("%s to %s goes to the dead letters: %s", entry.key, entry.lane, outcome.error)
            await self._outbox.mark_dead(entry.id, outcome.error)
        else:
            log.warning("%s to %s, attempt %d: %s", entry.key, entry.lane, attempts, outcome.error)
            await self._outbox.postpone(entry.id, outcome.error, due_at)

    def _patient(self, kind: str) -> bool:
        return math.isinf(self._options.max_age_seconds.get(kind, 0.0))

    def _note_lane(self, lane: str, *, down: bool) -> None:
        """Leave a place that is down alone for a while; its entries wait, and are not tried one by one meanwhile."""
        if not down:
            self._down.pop(lane, None)
            return
        times = self._down.get(lane, (0, 0.0))[0] + 1
        pause = pause_seconds(times, self._options.first_pause_seconds, self._options.longest_lane_pause_seconds)
        self._down[lane] = (times, self._outbox.clock() + pause)

    def _places(self, lane: str, busy: int) -> int:
        times, until = self._down.get(lane, (0, 0.0))
        if not times:
            return self._options.max_concurrent_per_lane - busy
        return 1 if self._outbox.clock() >= until and not busy else 0

    # --- the loop -----------------------------------------------------------------------------------

    async def _round(self, sharing: DeliverySharing | None) -> int:
        """Begin what is due; return how much that was."""
        busy = Counter(self._running.values())
        places = {lane: self._places(lane, busy[lane]) for lane in self._deliverers}
        entries = await self._outbox.claim(places)
        mine = entries
        if sharing is not None:
            fresh = [  # what was offered before, nobody took in time
                entry for entry in entries if entry.state != "shared" and entry.lane not in self._unshared
            ]
            until = self._outbox.clock() + self._options.lease_seconds
            if fresh and await sharing.offer(fresh, until):
                await self._outbox.share(fresh, until)
                mine = [entry for entry in entries if entry not in fresh]
        for entry in mine:
            task = asyncio.create_task(self._one(entry), name=f"deliver-{entry.id}")
            self._running[task] = entry.lane
            task.add_done_callback(self._ended)
        return len(entries)

    async def _clean(self) -> int:
        options = self._options
        ages = (age for age in options.max_age_seconds.values() if math.isfinite(age))
        longest = max(ages, default=72 * _HOUR)
        return await self._outbox.clean(self._deliverers, options.keep_delivered_seconds, longest)

    async def _one(self, entry: OutboxEntry) -> None:
        too_old = entry.kind == "act" and self._outbox.clock() - entry.created_at > self._options.max_age_seconds["act"]
        if too_old:
            outcome = DeliveryOutcome(False, "too old to be done without asking: look whether it was done", final=True)
        elif entry.attempts >= self._options.max_attempts and not self._patient(entry.kind):
            outcome = DeliveryOutcome(False, entry.last_error or "the agent died at every attempt", final=True)
        else:
            outcome = await self.attempt(entry)
        await self._retrying(lambda: self.settle(entry, outcome))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._outbox.news.set()

    async def _retrying(self, job: Callable[[], Awaitable[int | None]]) -> int:
        """Do a job of the database; while the file is locked or full, again and again."""
        while True:
            try:
                return await job() or 0
            except sqlite3.Error as error:
                log.warning("the outbox cannot be used just now: %s", error)
                if self._stopping:
                    return 0
                await asyncio.sleep(self._options.poll_seconds)

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.poll_seconds):
                await self._outbox.news.wait()

    async def _finish(self) -> None:
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._options.stop_seconds)
            await cancel_and_wait(*late)  # they are due again at the next start
