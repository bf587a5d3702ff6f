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
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent.common.redis import BLOCK_SECONDS, RETRY_PAUSE_SECONDS, RedisUnreachable, SharedRedis
from agent.common.tasks import cancel_and_wait
from agent.records.delivery import DeliveryOutcome
from agent.records.outbox import Outbox
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry

log = logging.getLogger(__name__)

PREFIX = "orderline:outbox"
GROUP = "nodes"
CLAIM_AFTER_SECONDS = 40.0
"""Longer than any attempt, shorter than the lease: what a dead node had taken goes to another one."""
RESULTS_KEPT_SECONDS = 24 * 3600
LONGEST_STREAM = 10_000
_BLOCK_MS = int(BLOCK_SECONDS * 1000)

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
            async with redis.pipeline(transaction=True) as batch:
                for entry in entries:
                    fields = {
                        "node": self._node,
                        "until": str(until),
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
        for stream in self._streams.values():
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
        return await redis.xautoclaim(stream, GROUP, self._node, self._claim_after_ms, count=count)

    def _begin(self, stream: str, messages: Sequence[tuple[str, Fields]]) -> int:
        for message_id, fields in messages:
            task = asyncio.create_task(self._one(stream, message_id, fields), name=f"shared-{message_id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(messages)

    async def _one(self, stream: str, message_id: str, fields: Fields) -> None:
        outcome, entry = DeliveryOutcome(False), None
        if fields and float(fields["until"]) > self._outbox.clock():  # else its owner has taken it back
            entry = OutboxEntry(**json.loads(fields["entry"]))
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
                await self._note(int(fields["id"]), json.loads(fields["outcome"]))
                await self._redis.request(functools.partial(_delete, results, message_id))

    async def _note(self, entry_id: int, told: dict[str, Any]) -> None:
        entry = await self._outbox.entry(entry_id)
        if entry is None or entry.state == "delivered":
            return
        outcome = DeliveryOutcome(**{**told, "also": tuple(NewOutboxEntry(**one) for one in told["also"])})
        # the row was counted when it was offered; settle() counts the attempt it is told of
        await self._settle(dataclasses.replace(entry, attempts=entry.attempts - 1), outcome)


async def _make_group(stream: str, redis: Redis) -> None:
    try:
        await redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


async def _delete(stream: str, message_id: str, redis: Redis) -> None:
    await redis.xdel(stream, message_id)


def _by_stream(found: Any) -> list[tuple[str, list[tuple[str, Fields]]]]:
    """Return what XREAD and XREADGROUP found in one shape, whichever protocol version the connection speaks."""
    if isinstance(found, Mapping):
        return [(stream, [pair for batch in batches for pair in batch]) for stream, batches in found.items()]
    return [(stream, messages) for stream, messages in found or ()]
