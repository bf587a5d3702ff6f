"""Follows attempts to their end, whatever tells of it: the telephone system, the call itself, or nobody.

What became of an attempt is on disk before anybody is told. An attempt of which nothing is heard is looked up; one
whose fate nobody knows is ``unknown`` and is not dialled again by itself the same day.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.call.dialling import DialEnd, DialProgress, DialState, Trunk
from agent.errors import OrderlineError
from agent.outbound.clock import Clock
from agent.outbound.model import Attempt, AttemptState
from agent.outbound.policy import DialRules
from agent.outbound.ports import JobObserver, OutboundUnavailable
from agent.outbound.store import OutboundStore

log = logging.getLogger(__name__)

RING_MARGIN = timedelta(seconds=10)
"""After the ring time: a channel that is up then was forgotten by somebody."""
LONGEST_CALL = timedelta(minutes=20)
RESULT_GRACE = timedelta(seconds=30)
"""After the end of an answered call, for the call to say what it came to."""
LOOK_AGAIN = timedelta(seconds=5)
_STATES = {DialState.RANG: AttemptState.RINGING, DialState.ANSWERED: AttemptState.ANSWERED}


@dataclass
class _Live:
    attempt: Attempt
    state: AttemptState
    look_at: datetime
    """When it is looked up, if nothing was heard by then."""
    ended: DialProgress | None = None
    """How its channel ended, while the call has not said what it came to, or while the file does not take it."""


class AttemptTracker:
    """Implements :class:`agent.call.dialling.DialListener`. ``changed`` is set whenever there is room for more."""

    def __init__(
        self,
        store: OutboundStore,
        trunk: Trunk,
        observer: JobObserver,
        clock: Clock,
        rules: DialRules,
        ring_seconds: int,
    ) -> None:
        self._store = store
        self._trunk = trunk
        self._observer = observer
        self._clock = clock
        self._rules = rules
        self._ring = timedelta(seconds=ring_seconds) + RING_MARGIN
        self._live: dict[str, _Live] = {}
        self._telling = asyncio.Lock()
        self.changed = asyncio.Event()

    # --- what is under way --------------------------------------------------------------------------

    @property
    def channels(self) -> int:
        """How many calls of ours may be on the trunk."""
        return sum(live.ended is None for live in self._live.values())

    def follow(self, attempt: Attempt) -> None:
        """Take charge of an attempt that is on disk and about to be dialled."""
        self._live[attempt.id] = _Live(attempt, attempt.state, attempt.dialled_at + self._ring)

    def ringing(self, number: str = "") -> list[str]:
        """Return the attempts that nobody has answered yet, the latest first; with ``number``, those at it."""
        found = [
            live.attempt
            for live in self._live.values()
            if live.ended is None
            and live.state in (AttemptState.DIALLING, AttemptState.RINGING)
            and number in ("", live.attempt.number)
        ]
        return [attempt.id for attempt in sorted(found, key=lambda attempt: attempt.dialled_at, reverse=True)]

    async def cancel(self, attempt_id: str) -> None:
        """End an attempt that rings; its end is told as any other."""
        try:
            await self._trunk.cancel(attempt_id)
        except OrderlineError as error:
            log.warning("attempt %s could not be cancelled: %s", attempt_id, error.message)

    async def cancel_over(self) -> None:
        """Cancel what rings for jobs that are over: the customer opted out, rang in, or a person removed it."""
        for attempt_id in self.ringing():
            job = await self._store.job(self._live[attempt_id].attempt.job) if attempt_id in self._live else None
            if job is None or job.over:
                await self.cancel(attempt_id)

    # --- what is told of it -------------------------------------------------------------------------

    async def dial_progressed(self, progress: DialProgress) -> None:
        """Take one step of an attempt. Never raises: what the file does not take is tried again."""
        live = self._live.get(progress.attempt)
        if progress.state is DialState.ENDED:
            if live is not None:
                live.ended = live.ended or progress
            await self._ended(progress)
        elif (state := _STATES.get(progress.state)) is not None:
            await self._progressed(progress.attempt, state)
        self.changed.set()

    async def finished(self, attempt: Attempt) -> None:
        """Let go of an attempt whose call has said what it came to and whose channel is gone; tell of it."""
        if attempt.outcome is not None and attempt.state is AttemptState.ENDED:
            self._live.pop(attempt.id, None)
        await self.tell()

    async def tell(self) -> None:
        """Tell the observer of everything that is over and was not told; it may hear of one twice after a crash."""
        async with self._telling:
            try:
                attempts, jobs = await self._store.untold()
                for job, attempt, answers in attempts:
                    await self._observer.attempt_ended(job, attempt, answers)
                for job in jobs:
                    await self._observer.job_over(job)
                if attempts or jobs:
                    await self._store.mark_told([one.id for _, one, _ in attempts], [job.key for job in jobs])
            except OutboundUnavailable as error:
                log.error("what became of calls is told later: %s", error.message)

    async def _progressed(self, attempt_id: str, state: AttemptState) -> None:
        live = self._live.get(attempt_id)
        now = self._clock.now()
        if live is not None:
            live.state = state
            if state is AttemptState.ANSWERED:
                live.look_at = now + LONGEST_CALL
        try:
            await self._store.progressed(attempt_id, state, now)
        except OutboundUnavailable as error:
            log.error("attempt %s: that it is %s was not noted: %s", attempt_id, state, error.message)

    async def _ended(self, progress: DialProgress) -> None:
        """Write how a channel ended; an answered call is left a moment to say what it came to."""
        now = self._clock.now()
        answered = progress.end is DialEnd.ANSWERED
        live = self._live.get(progress.attempt)
        try:
            attempt = await self._store.ended(progress, now, self._rules, settle=not answered)
        except OutboundUnavailable as error:
            log.error("attempt %s: its end was not noted and is tried again: %s", progress.attempt, error.message)
            if live is not None:
                live.look_at = now + LOOK_AGAIN
            return
        if answered and attempt is not None and attempt.outcome is None:
            if live is not None:
                live.look_at = now + RESULT_GRACE
            return
        self._live.pop(progress.attempt, None)
        await self.tell()

    # --- what nobody tells --------------------------------------------------------------------------

    async def look(self) -> None:
        """Look up what has been silent for too long."""
        now = self._clock.now()
        for live in [live for live in self._live.values() if live.look_at <= now]:
            live.look_at = now + LOOK_AGAIN
            if live.ended is not None:
                await self._settle_silent(live.ended)
            else:
                await self._look_up(live.attempt, cancel_ringing=live.state is not AttemptState.ANSWERED)

    async def take_over(self) -> None:
        """At the start: find out what became of the attempts of a dialler that is gone. Raises OutboundUnavailable."""
        for attempt in await self._store.unfinished():
            self.follow(attempt)
            live = self._live[attempt.id]
            if attempt.state is AttemptState.ENDED:  # its call was answered, and died before it said what it came to
                live.ended = DialProgress(attempt.id, DialState.ENDED, attempt.end, attempt.cause, attempt.tech_cause)
                await self._settle_silent(live.ended)
                continue
            await self._look_up(attempt, cancel_ringing=True)

    async def uncertain(self, attempt: Attempt) -> None:
        """Find out whether a call was placed that may have been: it is followed if so, and never placed again."""
        await self._look_up(attempt, cancel_ringing=False)

    async def _look_up(self, attempt: Attempt, *, cancel_ringing: bool) -> None:
        live = self._live[attempt.id]
        try:
            state = await self._trunk.find(attempt.id)
            if state in (DialState.DIALLED, DialState.RANG) and cancel_ringing:
                if await self._trunk.cancel(attempt.id):
                    end = DialProgress(attempt.id, DialState.ENDED, DialEnd.CANCELLED, rang=state is DialState.RANG)
                    await self._ended_silently(live, end)
                    return
                state = await self._trunk.find(attempt.id)
            answered = state in (None, DialState.ENDED) and await self._trunk.was_answered(attempt.id)
        except OrderlineError as error:
            log.warning("what became of attempt %s cannot be found out yet: %s", attempt.id, error.message)
            live.look_at = max(live.look_at, self._clock.now() + LOOK_AGAIN)
            return
        if state in _STATES:
            await self._progressed(attempt.id, _STATES[state])
        elif answered or attempt.answered_at is not None or live.state is AttemptState.ANSWERED:
            await self._progressed(attempt.id, AttemptState.ANSWERED)
            await self._ended_silently(live, DialProgress(attempt.id, DialState.ENDED, DialEnd.ANSWERED))
        elif state is not DialState.DIALLED and self._clock.now() >= attempt.dialled_at + self._ring:
            await self._ended_silently(live, DialProgress(attempt.id, DialState.ENDED, DialEnd.UNKNOWN))

    async def _ended_silently(self, live: _Live, progress: DialProgress) -> None:
        """End an attempt of which the telephone system tells nothing any more."""
        live.ended = live.ended or progress
        await self._ended(live.ended)
        self.changed.set()

    async def _settle_silent(self, progress: DialProgress) -> None:
        """Settle an attempt without a word from its call."""
        try:
            await self._store.ended(progress, self._clock.now(), self._rules, settle=True)
        except OutboundUnavailable as error:
            log.error("attempt %s: its end was not noted and is tried again: %s", progress.attempt, error.message)
            return
        self._live.pop(progress.attempt, None)
        self.changed.set()
        await self.tell()
