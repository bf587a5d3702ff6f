"""Synchronises the pause over all nodes that share a Redis. Without Redis each node keeps its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent.common.redis import KEY_PREFIX, SharedRedis, delete_foreign, is_wrong_type, redis_ahead
from agent.common.tasks import cancel_and_wait
from agent.common.untrusted import CLOCK_SKEW_SECONDS, finite_number, parse_json
from agent.control.pause import PauseState, PauseSwitch, pause_of

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often a node looks what the others did; what it did itself is told at once."""
_KEY = f"{KEY_PREFIX}:pause"
_MOST_CHARS = 4096
_STEP_SECONDS = 0.001
_LAST_MOMENT = 1e11
"""A time beyond this (the year 5138) is no time."""


class PauseSync:
    """Keeps one node's pause and that of the others together; of two changes the later one counts. Close it.

    While Redis is gone every node goes on with what it knows, and with what its own supervisors ask for. The time of a
    change stands in Redis by Redis's clock: those of the nodes need not agree.
    """

    def __init__(self, pause: PauseSwitch, link: SharedRedis, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970, this node's own."""
        self._pause = pause
        self._link = link
        self._clock = clock
        self._agreed_at = pause.changed_at
        """When the change was made that this node last knew to be shared; a later one here is news."""
        self._shared_at: float | None = None
        """The same moment as it stands in Redis."""
        self._changed = asyncio.Event()
        pause.on_change = self._changed.set
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn what the others do, then go on looking."""
        await self.synchronise()
        self._task = asyncio.create_task(self._run(), name="shared-pause")

    async def close(self) -> None:
        """Stop looking; idempotent."""
        if self._task is not None:
            await cancel_and_wait(self._task)
            self._task = None

    async def synchronise(self) -> None:
        """Tell the others what this node did since, or do what they did."""

        async def exchange(redis: Redis) -> None:
            ahead = await redis_ahead(redis, self._clock)
            known = await _shared(redis)
            # From here to the next await nobody can pause or resume in between.
            if known is not None and self._follow(*known, ahead):
                return
            told_at, told = self._pause.changed_at, self._pause.now
            if not told_at or (known is not None and known[1] == self._shared_at and told_at == self._agreed_at):
                return
            at = max(told_at + ahead, known[1] + _STEP_SECONDS if known is not None else 0.0)
            value = {"since": told.since if told else "", "by": told.by if told else "", "at": at}
            await redis.set(_KEY, json.dumps(value))
            self._agreed_at, self._shared_at = told_at, at  # a change during the await is news for the next round

        await self._link.ask(exchange, None)

    def _follow(self, theirs: PauseState | None, shared_at: float, ahead: float) -> bool:
        """Do what another node did at ``shared_at`` (Redis's clock), if it did so later than this one; say whether."""
        pause = self._pause
        if shared_at == self._shared_at:
            return False
        theirs_at = shared_at - ahead
        if pause.changed_at != self._agreed_at:  # there is news here
            if theirs_at > max(self._clock() + CLOCK_SKEW_SECONDS, pause.changed_at):
                pause.outrank(theirs_at)  # a change from the future cannot undo what somebody did here just now
        elif self._shared_at is not None and shared_at > self._shared_at:
            # Both by Redis's clock: that this node's own was measured badly does not make the later one older.
            theirs_at = max(theirs_at, pause.changed_at + _STEP_SECONDS)
        if theirs_at <= pause.changed_at:
            return False
        pause.follow(theirs, theirs_at)
        self._agreed_at, self._shared_at = pause.changed_at, shared_at
        return True

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._changed.wait()
            self._changed.clear()
            await self.synchronise()


async def _shared(redis: Redis) -> tuple[PauseState | None, float] | None:
    """Return the shared pause and when it changed by Redis's clock; None for nothing, or for what is not ours."""
    try:
        return _read(str(await redis.getrange(_KEY, 0, _MOST_CHARS)))
    except ResponseError as error:
        if not is_wrong_type(error):
            raise
        await delete_foreign(redis, _KEY)
        return None


def _read(text: str) -> tuple[PauseState | None, float] | None:
    """Return the shared pause and when it changed; None for nothing, or for what nobody of ours wrote."""
    if not text:
        return None
    try:
        told = parse_json(text, most_chars=_MOST_CHARS)
        changed_at = finite_number(told["at"]) if isinstance(told, dict) else 0.0
        if not 0.0 < changed_at < _LAST_MOMENT:
            raise ValueError("no time")
        return (pause_of(told) if told["since"] else None), changed_at
    except (ValueError, KeyError) as error:
        log.debug("the pause in Redis cannot be read: %s", error)
        return None
