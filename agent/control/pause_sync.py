"""Synchronises the pause over all nodes that share a Redis. Without Redis each node keeps its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

from redis.asyncio import Redis

from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.common.tasks import cancel_and_wait
from agent.control.pause import PauseError, PauseState, PauseSwitch

log = logging.getLogger(__name__)

REFRESH_SECONDS = 1.0
"""How often a node looks what the others did; what it did itself is told at once."""
_KEY = f"{KEY_PREFIX}:pause"


class PauseSync:
    """Keeps one node's pause and that of the others together; of two changes the later one counts. Close it.

    While Redis is gone every node goes on with what it knows, and with what its own supervisors ask for.
    """

    def __init__(self, pause: PauseSwitch, link: SharedRedis) -> None:
        self._pause = pause
        self._link = link
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

        async def exchange(redis: Redis) -> Any:
            known = _read(await redis.get(_KEY))
            if known is None or pause.changed_at > known[1]:
                if pause.changed_at:
                    now = pause.now
                    told = {"since": now.since if now else "", "by": now.by if now else "", "at": pause.changed_at}
                    await redis.set(_KEY, json.dumps(told))
                return None
            return known

        theirs: tuple[PauseState | None, float] | None = await self._link.ask(exchange, None)
        if theirs is not None and theirs[1] > pause.changed_at:
            try:
                pause.follow(*theirs)
            except PauseError as error:
                log.error("%s", error.message)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._changed.wait()
            self._changed.clear()
            await self.synchronise()


def _read(text: str | bytes | None) -> tuple[PauseState | None, float] | None:
    """Return the shared pause and when it changed; None for nothing, or for what nobody of ours wrote."""
    try:
        told = json.loads(text or "")
        paused = PauseState(str(told["since"]), str(told["by"])) if told["since"] else None
        return paused, float(told["at"])
    except (ValueError, KeyError, TypeError):
        return None
