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

from agent.common.redis import KEY_PREFIX, SharedRedis, delete_foreign, is_wrong_type, redis_clock
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
        pause = self._pause

        async def exchange(redis: Redis) -> tuple[PauseState | None, float] | None:
            """Return what another node changed later than this one, with the time by this node's clock."""
            ahead = await redis_clock(redis) - self._clock()
            try:
                known = _read(str(await redis.getrange(_KEY, 0, _MOST_CHARS)))
            except ResponseError as error:
                if not is_wrong_type(error):
                    raise
                await delete_foreign(redis, _KEY)
                known = None
            news_here = pause.changed_at != self._agreed_at
            if known is not None and known[1] == self._shared_at and not news_here:
                return None
            if known is not None and known[1] != self._shared_at:
                theirs_at = known[1] - ahead
                if news_here and theirs_at > max(self._clock() + CLOCK_SKEW_SECONDS, pause.changed_at):
                    pause.outrank(theirs_at)  # a change from the future cannot undo what somebody did here just now
                if theirs_at > pause.changed_at:
                    self._shared_at = known[1]
                    return known[0], theirs_at
            if pause.changed_at:
                now = pause.now
                at = max(pause.changed_at + ahead, known[1] + _STEP_SECONDS if known is not None else 0.0)
                told = {"since": now.since if now else "", "by": now.by if now else "", "at": at}
                await redis.set(_KEY, json.dumps(told))
                self._agreed_at, self._shared_at = pause.changed_at, at
            return None

        theirs = await self._link.ask(exchange, None)
        if theirs is not None:
            pause.follow(*theirs)
            self._agreed_at = pause.changed_at

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._changed.wait()
            self._changed.clear()
            await self.synchronise()


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
