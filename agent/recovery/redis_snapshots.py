"""Call snapshots shared between nodes through Redis, each node with its own SQLite file behind it.

Writes are sent and not waited for. After a failure the node goes on with its own file and tries Redis again after a
moment.
"""

from __future__ import annotations

import asyncio
import glob
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.common.untrusted import MOST_CHARS
from agent.recovery.snapshot import CallSnapshot, call_was_on_channel
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600
_WHERE_OURS = """
local kept = redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1)
if kept ~= '' and kept ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""
"""Writes or deletes a call unless another process has taken it: one that hung must not undo what the other kept."""
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
        self._begun: set[str] = set()
        """Calls that stand in Redis as ours, as far as we know."""

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Keep a call here and in Redis."""
        self._own.keep(call_id, state)
        self._send(call_id, CallSnapshot(call_id, self._holder, self._clock(), state))

    async def written(self) -> None:
        """Return when it is in the node's own file."""
        await self._own.written()

    def forget(self, call_id: str, holder: str = "") -> None:
        """Forget a call here, and in Redis where it stands as this process's or as ``holder``'s."""
        self._own.forget(call_id)
        self._send(call_id, None, holder)

    async def left_behind(self) -> Sequence[CallSnapshot]:
        """Return what other processes left here, and what other nodes left in Redis; the later of two counts."""
        found = {kept.call_id: kept for kept in await self._own.left_behind()}
        for kept in await self._shared(""):
            known = found.get(kept.call_id)
            if known is None or known.at < kept.at:
                found[kept.call_id] = kept
        return list(found.values())

    async def of_channel(self, channel_id: str) -> Sequence[CallSnapshot]:
        """Return what other processes keep in Redis of the calls on a channel."""
        found = await self._shared(glob.escape(channel_id))
        return [kept for kept in found if call_was_on_channel(kept.call_id, channel_id)]

    async def _shared(self, beginning: str) -> list[CallSnapshot]:
        """Return what other processes keep in Redis of calls whose ids begin so (a pattern of Redis)."""

        async def read(redis: Redis) -> list[Any]:
            keys: list[str] = []
            async for key in redis.scan_iter(match=f"{KEY_PREFIX}:call:{beginning}*", count=200):
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
        kept_by_others: list[CallSnapshot] = []
        now = self._clock()
        for key, text, left_ms in await self._link.ask(read, nothing):
            try:
                kept = _by_our_clock(CallSnapshot.from_text(text if isinstance(text, str) else ""), left_ms, now)
            except ValueError as error:
                log.warning("%s in Redis is no call of ours and is passed over: %s", key, error)
                continue
            if kept.holder != self._holder:
                kept_by_others.append(kept)
        return kept_by_others

    async def close(self) -> None:
        """Send what is under way and close."""
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._own.close()

    def _send(self, call_id: str, kept: CallSnapshot | None, holder: str = "") -> None:
        waiting = call_id in self._latest
        self._latest[call_id] = kept
        if not waiting:
            task = asyncio.create_task(self._send_latest(call_id, holder or self._holder), name=f"keep-{call_id}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send_latest(self, call_id: str, holder: str) -> None:
        kept = self._latest.pop(call_id)
        key = f"{KEY_PREFIX}:call:{call_id}"

        begun, ours = call_id in self._begun, json.dumps([call_id, holder])[:-1]

        async def write(redis: Redis) -> bool:
            if kept is not None and not begun:  # new, or taken from another process
                await redis.set(key, kept.to_text(), ex=KEPT_SECONDS)
            else:
                text = "" if kept is None else kept.to_text()
                await redis.eval(_WHERE_OURS, 1, key, ours, text, KEPT_SECONDS)
            return True

        if await self._link.ask(write, False) and kept is not None:
            self._begun.add(call_id)
        if kept is None:
            self._begun.discard(call_id)


def _by_our_clock(kept: CallSnapshot, left_ms: object, now: float) -> CallSnapshot:
    """Return a snapshot with its time by our clock: its age is what Redis has counted of its life already.

    Raises ValueError where Redis will keep it longer than we ask for: it is none of ours.
    """
    if not isinstance(left_ms, int) or not 0 <= left_ms <= KEPT_SECONDS * 1000:
        raise ValueError("it has another end than ours have")
    at = now - (KEPT_SECONDS - left_ms / 1000)
    return replace(kept, at=at, ahead_seconds=kept.at - at)
