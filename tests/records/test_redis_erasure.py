"""A person is removed from the Redis that nodes share; what stands there of others stays."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest

from agent.common.redis import RedisUnreachable, SharedRedis, connect
from agent.records.copies import Removal
from agent.records.outbox_sql import OutboxEntry
from agent.records.person import caller, of_order
from agent.records.redis_erasure import RedisCopies
from agent.recovery.snapshot import CallSnapshot
from agent.rehearsal.real_redis import RealRedis
from agent.shop.attempts_redis import RedisAttemptLimits

NUMBER, OTHER = "+12025550143", "+12025550199"


class NoOwn:
    """A node without a file of its own."""

    async def locked(self, caller: str, number: str) -> str:
        return ""

    async def failed(self, caller: str, number: str) -> None:
        pass


def offered(call_id: str, number: str) -> dict[str, str]:
    entry = OutboxEntry(1, "ticket", "ticket", "k", call_id, {"page": number}, "shared", 0.0, 0.0, 0, "")
    return {"node": "a" * 12, "until": "1", "entry": json.dumps(dataclasses.asdict(entry))}


async def fill(url: str) -> None:
    redis = connect(url, 2.0)
    for call_id, number in (("call-1", NUMBER), ("call-2", OTHER), ("call-3", "")):
        state = {"record": {"caller": {"number": number}}}
        await redis.set(f"orderline:state:call:{call_id}", CallSnapshot(call_id, "h", 1.0, state).to_text())
        await redis.xadd("orderline:outbox:ticket", offered(call_id, number))  # type: ignore[arg-type]
    await redis.set("somebody:else", NUMBER)
    await redis.aclose()
    link = SharedRedis(url)
    limits = RedisAttemptLimits(NoOwn(), link, per_caller=5, per_number=5, hidden=20, window_seconds=3600)  # type: ignore[arg-type]
    await limits.failed(NUMBER, "10473")
    await limits.failed(OTHER, "20881")
    await link.close()


async def contents(url: str) -> tuple[list[str], int]:
    redis = connect(url, 2.0)
    keys = sorted([key async for key in redis.scan_iter(match="orderline:state:*")])
    entries = await redis.xlen("orderline:outbox:ticket")
    await redis.aclose()
    return keys, entries


async def test_values_streams_and_counted_failures_of_a_person_go(redis: RealRedis) -> None:
    await fill(redis.url)
    copies = RedisCopies(redis.url)
    person = caller(NUMBER, "US")
    would = await asyncio.to_thread(copies.erase, person, {"call-3"}, dry_run=True)
    assert len((await contents(redis.url))[0]) == 7
    done = await asyncio.to_thread(copies.erase, person, {"call-3"}, dry_run=False)
    assert done == would == [Removal("Redis", "values", 3), Removal("Redis", "offered deliveries", 2)]
    keys, entries = await contents(redis.url)
    assert entries == 1
    assert len(keys) == 4
    assert "orderline:state:call:call-2" in keys
    client = connect(redis.url, 2.0)
    assert await client.get("somebody:else") == NUMBER, "what is not ours is not touched"
    await client.aclose()


async def test_failures_counted_for_an_order_go_with_it(redis: RealRedis) -> None:
    await fill(redis.url)
    done = await asyncio.to_thread(RedisCopies(redis.url).erase, of_order("10473"), set(), dry_run=False)
    assert done[0] == Removal("Redis", "values", 1)


def test_a_redis_that_does_not_answer_is_told() -> None:
    with pytest.raises(RedisUnreachable, match="does not answer"):
        RedisCopies("redis://127.0.0.1:1/0").erase(caller(NUMBER, "US"), set(), dry_run=False)
