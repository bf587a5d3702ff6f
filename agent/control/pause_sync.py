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

from agent.common.redis import KEY_PREFIX, SharedRedis, delete_foreign, is_wrong_type
from agent.common.tasks import cancel_and_wait
from agent.common.untrusted import CLOCK_SKEW_SECONDS, finite_number, parse_json
from agent.control.pause import PauseState, PauseSwitch, pause_of

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often a node looks what the others did; what it did itself is told at once."""
_KEY = f"{KEY_PREFIX}:pause"
_MOST_CHARS = 4096
_LAST_MOMENT = 1e11
"""A time beyond this (the year 5138) is no time."""


class PauseSync:
    """Keeps one node's pause and that of the others together; of two changes the later one counts. Close it.

    While Redis is gone every node goes on with what it knows, and with what its own supervisors ask for.
    """

    def __init__(self, pause: PauseSwitch, link: SharedRedis, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._pause = pause
        self._link = link
        self._clock = clock
        self._agreed_at = pause.changed_at
        """When the change was made that this node last knew to be shared; a later one here is news."""
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
            try:
                known = _read(str(await redis.getrange(_KEY, 0, _MOST_CHARS)))
            except ResponseError as error:
                if not is_wrong_type(error):
                    raise
                await delete_foreign(redis, _KEY)
                known = None
            if known is not None and pause.changed_at != self._agreed_at:
                latest = self._clock() + CLOCK_SKEW_SECONDS
                if known[1] > max(latest, pause.changed_at):
                    pause.outrank(known[1])  # a change from the future cannot undo what somebody did here just now
            if known is None or pause.changed_at > known[1]:
                if pause.changed_at:
                    now = pause.now
                    told = {"since": now.since if now else "", "by": now.by if now else "", "at": pause.changed_at}
                    await redis.set(_KEY, json.dumps(told))
                    self._agreed_at = pause.changed_at
                return None
            return known

        theirs = await self._link.ask(exchange, None)
        if theirs is not None and theirs[1] > pause.changed_at:
            pause.follow(*theirs)
        if theirs is not None:
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
