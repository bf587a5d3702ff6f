"""Several nodes share the deliveries through Redis Streams and their consumer groups (XADD, XREADGROUP, XAUTOCLAIM).

A node offers what is due on the stream of its lane, any node that delivers to this lane takes it, and reports the
outcome on the stream of the node it came from. That node's own file stays the truth: pauses, attempts and dead letters
are kept there, an entry stays in it until its delivery was reported, and what is not reported within the lease is
delivered by its owner. So a Redis that is gone, frozen or emptied costs nothing but the sharing.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import json
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent.common.redis import (
    BLOCK_SECONDS,
    RETRY_PAUSE_SECONDS,
    RedisUnreachable,
    SharedRedis,
    delete_foreign,
    redis_ahead,
    redis_clock,
)
from agent.common.tasks import cancel_and_wait
from agent.common.untrusted import finite_number, of_shape, parse_json, printable
from agent.records.delivery import DeliveryOutcome
from agent.records.outbox import Outbox
from agent.records.outbox_sql import MAX_ERROR_CHARS, OutboxEntry

log = logging.getLogger(__name__)

PREFIX = "orderline:outbox"
GROUP = "nodes"
CLAIM_AFTER_SECONDS = 40.0
"""Longer than any attempt, shorter than the lease: what a dead node had taken goes to another one."""
RESULTS_KEPT_SECONDS = 24 * 3600
MOST_DELIVERIES = 5
"""An entry that was taken so often and never reported is too large to be read in time, or ends who reads it."""
_MOST_STUCK = 10
LONGEST_STREAM = 10_000
LONGEST_LEASE_SECONDS = 600.0
"""An offer that is to hold longer was not made by one of ours."""
_BLOCK_MS = int(BLOCK_SECONDS * 1000)

_NODE = re.compile(r"[0-9a-f]{12}")
_MOST_ID = 2**63 - 1

Fields = Mapping[str, str]


class RedisSharing:
    """A :class:`agent.records.delivery.DeliverySharing`. :meth:`run` it as a task beside the deliveries; close it."""

    def __init__(
        self,
        url: str,
        outbox: Outbox,
        lanes: Sequence[str],
        attempt: Callable[[OutboxEntry], Awaitable[DeliveryOutcome]],
        settle: Callable[[OutboxEntry, DeliveryOutcome], Awaitable[None]],
        *,
        places: int = 4,
        claim_after_seconds: float = CLAIM_AFTER_SECONDS,
    ) -> None:
        """``attempt`` delivers an entry of any node; ``settle`` writes the outcome of one of our own down."""
        self._redis = SharedRedis(url, purpose="the outbox")
        self._outbox = outbox
        self._streams = {lane: f"{PREFIX}:{lane}" for lane in lanes}
        self._attempt = attempt
        self._settle = settle
        self._places = places
        self._claim_after_ms = int(claim_after_seconds * 1000)
        self._running: set[asyncio.Task[None]] = set()
        self._preparing = asyncio.Lock()
        self._node = ""

    @property
    def connected(self) -> bool:
        """Whether Redis answered the last request."""
        return self._redis.connected

    async def offer(self, entries: Sequence[OutboxEntry], until: float) -> bool:
        """Offer entries to all nodes until a moment (seconds since 1970); False when Redis is gone."""
        if not self.connected:
            return False

        async def add(redis: Redis) -> None:
            ahead = await redis_ahead(redis, self._outbox.clock)  # the nodes' own clocks need not agree
            async with redis.pipeline(transaction=True) as batch:
                for entry in entries:
                    fields = {
                        "node": self._node,
                        "until": str(until + ahead),
                        "entry": json.dumps(dataclasses.asdict(entry)),
                    }
                    batch.xadd(self._streams[entry.lane], fields, maxlen=LONGEST_STREAM, approximate=True)  # type: ignore[arg-type]
                await batch.execute()

        try:
            await self._redis.request(add)
        except RedisUnreachable:
            return False
        return True

    async def run(self) -> None:
        """Take what nodes offer and what they report, until cancelled."""
        self._node = await self._outbox.node()
        log.info("among the nodes that share the outbox this one is %s", self._node)
        try:
            await asyncio.gather(self._always(self._take), self._always(self._reported))
        finally:
            await cancel_and_wait(*self._running)

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._redis.close()

    async def _always(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await self._prepare()
                while True:
                    await work()
            except RedisUnreachable:  # the log has been told
                await asyncio.sleep(RETRY_PAUSE_SECONDS)
            except sqlite3.Error as error:
                log.warning("what other nodes report of the outbox cannot be noted just now: %s", error)
                await asyncio.sleep(RETRY_PAUSE_SECONDS)

    async def _prepare(self) -> None:
        async with self._preparing:  # both loops do this: what one has made must not be deleted by the other
            await self._redis.request(functools.partial(_delete_if_foreign, f"{PREFIX}:results:{self._node}"))
            for stream in self._streams.values():
                await self._redis.request(functools.partial(_delete_if_foreign, stream))
                await self._redis.request(functools.partial(_make_group, stream))

    # --- what any node has offered ------------------------------------------------------------------

    async def _take(self) -> None:
        free = self._places - len(self._running)
        if not free:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            return
        for stream in self._streams.values():
            if not free:
                return
            claimed = await self._redis.request(functools.partial(self._claim, stream, free))
            free -= self._begin(stream, claimed[1])
        if not free:
            return
        streams: dict[Any, Any] = dict.fromkeys(self._streams.values(), ">")
        # COUNT is per stream: one place is kept for each message that may come
        count = max(1, free // len(streams))
        found = await self._redis.wait(
            lambda redis: redis.xreadgroup(GROUP, self._node, streams, count=count, block=_BLOCK_MS)
        )
        for stream, messages in _by_stream(found):
            self._begin(stream, messages)

    async def _claim(self, stream: str, count: int, redis: Redis) -> Any:
        """Take over what another node took and did not report; what nobody can read is thrown away unread."""
        stuck = await redis.xpending_range(stream, GROUP, "-", "+", _MOST_STUCK, idle=self._claim_after_ms)
        for one in stuck:
            if int(one["times_delivered"]) >= MOST_DELIVERIES:
                log.warning("%s in %s was taken %d times in vain", one["message_id"], stream, one["times_delivered"])
                await redis.xack(stream, GROUP, one["message_id"])
                await redis.xdel(stream, one["message_id"])
        return await redis.xautoclaim(stream, GROUP, self._node, self._claim_after_ms, count=count)

    def _begin(self, stream: str, messages: Sequence[tuple[str, Fields]]) -> int:
        for message_id, fields in messages:
            task = asyncio.create_task(self._one(stream, message_id, fields), name=f"shared-{message_id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(messages)

    async def _one(self, stream: str, message_id: str, fields: Fields) -> None:
        outcome, entry = DeliveryOutcome(False), None
        try:
            offered = _offered(fields, await self._redis.request(redis_clock)) if fields else None
            if offered is not None and self._streams.get(offered.lane) != stream:
                raise ValueError("it stands on another lane's stream")
        except ValueError as error:
            log.warning("%s in %s is no delivery of ours and is thrown away: %s", message_id, stream, error)
            offered = None
        except RedisUnreachable:
            return  # its owner delivers it again when the lease is over
        if offered is not None:  # else its owner has taken it back
            entry = offered
            outcome = await self._attempt(entry)

        async def report(redis: Redis) -> None:
            async with redis.pipeline(transaction=True) as batch:
                if entry is not None:
                    results = f"{PREFIX}:results:{fields['node']}"
                    told = {"id": str(entry.id), "outcome": json.dumps(dataclasses.asdict(outcome))}
                    batch.xadd(results, told, maxlen=LONGEST_STREAM, approximate=True)  # type: ignore[arg-type]
                    batch.expire(results, RESULTS_KEPT_SECONDS)
                batch.xack(stream, GROUP, message_id)
                batch.xdel(stream, message_id)
                await batch.execute()

        # its owner delivers it again when the lease is over; the same key does no harm
        with contextlib.suppress(RedisUnreachable):
            await self._redis.request(report)

    # --- what became of our own ---------------------------------------------------------------------

    async def _reported(self) -> None:
        results = f"{PREFIX}:results:{self._node}"
        found = await self._redis.wait(lambda redis: redis.xread({results: "0"}, count=100, block=_BLOCK_MS))
        for _, messages in _by_stream(found):
            for message_id, fields in messages:
                try:
                    entry_id, outcome = _told(fields)
                except ValueError as error:
                    log.warning("%s in %s is no report and is thrown away: %s", message_id, results, error)
                else:
                    await self._note(entry_id, outcome)
                await self._redis.request(functools.partial(_delete, results, message_id))

    async def _note(self, entry_id: int, outcome: DeliveryOutcome) -> None:
        entry = await self._outbox.entry(entry_id)
        if entry is None or entry.state in ("delivered", "trying"):
            return  # known already, or never offered to anybody
        # the row was counted when it was offered; settle() counts the attempt it is told of
        await self._settle(dataclasses.replace(entry, attempts=entry.attempts - 1), outcome)


_ENTRY = TypeAdapter(OutboxEntry)
_OUTCOME = TypeAdapter(DeliveryOutcome)
"""They check every value of what stands in Redis."""


def _offered(fields: Fields, now: float) -> OutboxEntry | None:
    """Return the entry a node offers, None when its time is over by Redis's clock (``now``).

    Raises ValueError for what no node of ours wrote.
    """
    until = finite_number(_number(fields.get("until", "")))
    if until > now + LONGEST_LEASE_SECONDS:
        raise ValueError("it is from the future")
    if not _NODE.fullmatch(fields.get("node", "")):
        raise ValueError("it names no node")
    entry = of_shape(_ENTRY, parse_json(fields.get("entry", "")))
    if not 0 < entry.id <= _MOST_ID:
        raise ValueError("it has no id")
    return entry if until > now else None


def _told(fields: Fields) -> tuple[int, DeliveryOutcome]:
    """Return which entry a node reports on, and how it went. Raises ValueError for what no node of ours wrote."""
    entry_id = fields.get("id", "")
    if not (entry_id.isascii() and entry_id.isdecimal() and len(entry_id) < 19):
        raise ValueError("it has no id")
    outcome = of_shape(_OUTCOME, parse_json(fields.get("outcome", "")))
    return int(entry_id), dataclasses.replace(outcome, error=printable(outcome.error[:MAX_ERROR_CHARS], keep=""))


def _number(text: str) -> float:
    return float(text) if len(text) < 40 else float("inf")


async def _make_group(stream: str, redis: Redis) -> None:
    try:
        await redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


async def _delete_if_foreign(key: str, redis: Redis) -> None:
    if await redis.type(key) not in ("none", "stream"):
        await delete_foreign(redis, key)


async def _delete(stream: str, message_id: str, redis: Redis) -> None:
    await redis.xdel(stream, message_id)


def _by_stream(found: Any) -> list[tuple[str, list[tuple[str, Fields]]]]:
    """Return what XREAD and XREADGROUP found in one shape, whichever protocol version the connection speaks."""
    if isinstance(found, Mapping):
        return [(stream, [pair for batch in batches for pair in batch]) for stream, batches in found.items()]
    return [(stream, messages) for stream, messages in found or ()]
