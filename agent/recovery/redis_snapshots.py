"""Call snapshots shared between nodes through Redis, each node with its own SQLite file behind it.

Writes are sent and not waited for. After a failure the node goes on with its own file and tries Redis again after a
moment.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.common.untrusted import MOST_CHARS
from agent.recovery.snapshot import CallSnapshot
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600
MOST_CALLS = 2000
"""More than all nodes of one shop hold at once; what else stands in Redis is not read."""


class RedisSnapshotStore:
    """Implements :class:`agent.recovery.snapshot.SnapshotStore`: the node's own file, and Redis for the other nodes.

    The link is not its own to close.
    """

    def __init__(
        self, own: SqliteSnapshotStore, link: SharedRedis, holder: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._own = own
        self._link = link
        self._holder = holder
        self._clock = clock
        self._sending: set[asyncio.Task[None]] = set()
        self._latest: dict[str, CallSnapshot | None] = {}

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Keep a call here and in Redis."""
        self._own.keep(call_id, state)
        self._send(call_id, CallSnapshot(call_id, self._holder, self._clock(), state))

    async def written(self) -> None:
        """Return when it is in the node's own file."""
        await self._own.written()

    def forget(self, call_id: str) -> None:
        """Forget a call here and in Redis."""
        self._own.forget(call_id)
        self._send(call_id, None)

    async def left_behind(self) -> Sequence[CallSnapshot]:
        """Return what other processes left here, and what other nodes left in Redis; the later of two counts."""
        found = {kept.call_id: kept for kept in await self._own.left_behind()}

        async def read(redis: Redis) -> list[Any]:
            keys: list[str] = []
            async for key in redis.scan_iter(match=f"{KEY_PREFIX}:call:*", count=200):
                keys.append(key)
                if len(keys) >= MOST_CALLS:
                    break
            async with redis.pipeline(transaction=False) as batch:
                for key in keys:
                    batch.getrange(key, 0, MOST_CHARS)  # one more than may be read: what is too long is refused
                    batch.pttl(key)
                found = await batch.execute(raise_on_error=False) if keys else []
                return list(zip(keys, found[::2], found[1::2], strict=True))

        nothing: list[Any] = []
        now = self._clock()
        for key, text, left_ms in await self._link.ask(read, nothing):
            try:
                kept = _by_our_clock(CallSnapshot.from_text(text if isinstance(text, str) else ""), left_ms, now)
            except ValueError as error:
                log.warning("%s in Redis is no call of ours and is passed over: %s", key, error)
                continue
            known = found.get(kept.call_id)
            if kept.holder != self._holder and (known is None or known.at < kept.at):
                found[kept.call_id] = kept
        return list(found.values())

    async def close(self) -> None:
        """Send what is under way and close."""
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._own.close()

    def _send(self, call_id: str, kept: CallSnapshot | None) -> None:
        waiting = call_id in self._latest
        self._latest[call_id] = kept
        if not waiting:
            task = asyncio.create_task(self._send_latest(call_id), name=f"keep-{call_id}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send_latest(self, call_id: str) -> None:
        kept = self._latest.pop(call_id)
        key = f"{KEY_PREFIX}:call:{call_id}"

        async def write(redis: Redis) -> None:
            if kept is None:
                await redis.delete(key)
            else:
                await redis.set(key, kept.to_text(), ex=KEPT_SECONDS)

        await self._link.ask(write, None)


def _by_our_clock(kept: CallSnapshot, left_ms: object, now: float) -> CallSnapshot:
    """Return a snapshot with its time by our clock: its age is what Redis has counted of its life already.

    Raises ValueError where Redis will keep it longer than we ask for: it is none of ours.
    """
    if not isinstance(left_ms, int) or not 0 <= left_ms <= KEPT_SECONDS * 1000:
        raise ValueError("it has another end than ours have")
    at = now - (KEPT_SECONDS - left_ms / 1000)
    return replace(kept, at=at, ahead_seconds=kept.at - at)
