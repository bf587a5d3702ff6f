"""Failed verifications count over all nodes, and go on counting on each when Redis is gone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agent.common.redis import SharedRedis
from agent.rehearsal.real_redis import RealRedis
from agent.shop.attempts_redis import RedisAttemptLimits, _key
from agent.shop.attempts_sqlite import SqliteAttemptLimits
from tests.waiting import until


class Node:
    """One node's limits: three failures an hour for a caller and for an order number."""

    def __init__(self, directory: Path, name: str, url: str, *, ahead_seconds: float = 0.0) -> None:
        def clock() -> float:
            return time.time() + ahead_seconds

        self.link = SharedRedis(url)
        self.own = SqliteAttemptLimits(directory / f"{name}.sqlite", per_caller=3, per_number=3, clock=clock)
        self.limits = RedisAttemptLimits(
            self.own, self.link, per_caller=3, per_number=3, hidden=20, window_seconds=3600.0, clock=clock
        )

    async def close(self) -> None:
        await self.link.close()
        await self.own.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize("ahead_seconds", [1200.0, -1200.0])
async def test_failures_on_a_node_whose_clock_is_wrong_count_on_the_others(
    redis: RealRedis, directory: Path, ahead_seconds: float
) -> None:
    first = Node(directory, "first", redis.url, ahead_seconds=ahead_seconds)
    second = Node(directory, "second", redis.url)
    for number in ("10473", "10474"):
        await first.limits.failed("2025550143", number)
    await second.limits.failed("2025550143", "10475")
    assert await second.limits.locked("2025550143", "10476") == "caller"
    assert await first.limits.locked("2025550143", "10476") == "caller"
    await first.close()
    await second.close()


async def test_a_caller_who_failed_on_one_node_is_locked_out_on_another(redis: RealRedis, directory: Path) -> None:
    first, second = Node(directory, "first", redis.url), Node(directory, "second", redis.url)
    for number in ("10473", "10474"):
        await first.limits.failed("2025550143", number)
    assert not await second.limits.locked("2025550143", "10999")
    await second.limits.failed("2025550143", "10475")
    assert await first.limits.locked("2025550143", "10999")
    assert await second.limits.locked("2025550143", "10999")
    assert not await first.limits.locked("2025550199", "10999")
    await first.close()
    await second.close()


async def test_an_order_number_tried_from_everywhere_is_locked_too(redis: RealRedis, directory: Path) -> None:
    first, second = Node(directory, "first", redis.url), Node(directory, "second", redis.url)
    await first.limits.failed("2025550101", "10473")
    await first.limits.failed("2025550102", "10473")
    await second.limits.failed("2025550103", "10473")
    assert await first.limits.locked("2025550104", "10473")
    await first.close()
    await second.close()


async def test_what_was_counted_while_redis_was_gone_is_handed_in_later(redis: RealRedis, directory: Path) -> None:
    first, second = Node(directory, "first", redis.url), Node(directory, "second", redis.url)
    await redis.stop()
    for number in ("10473", "10474", "10475"):
        await first.limits.failed("2025550143", number)
    assert await first.limits.locked("2025550143", ""), "the node's own file still knows"
    await redis.start()
    await until(lambda: first.link.is_available)
    await first.limits.locked("2025550199", "")
    await first.limits.failed("2025550199", "10476")
    assert await second.limits.locked("2025550143", "")
    await first.close()
    await second.close()


async def test_failures_planted_in_the_future_lock_nobody_and_are_thrown_away(
    redis: RealRedis, directory: Path
) -> None:
    node = Node(directory, "first", redis.url)
    key = _key("number", "10473")
    client = Redis.from_url(redis.url)
    await client.zadd(key, {f"planted-{number}": 9e9 for number in range(50)})
    assert not await node.limits.locked("2025550101", "10473")
    await node.limits.failed("2025550101", "10473")
    assert await client.zcard(key) == 1
    await client.aclose()
    await node.close()


async def test_a_key_of_another_type_costs_no_count(redis: RealRedis, directory: Path) -> None:
    first, second = Node(directory, "first", redis.url), Node(directory, "second", redis.url)
    client = Redis.from_url(redis.url)
    await client.set(_key("number", "10473"), b"\xff")
    await client.set(_key("caller", "2025550101"), b"\xff")
    assert not await second.limits.locked("2025550101", "10473")
    await client.set(_key("number", "10473"), b"\xff")
    for caller in ("2025550101", "2025550102", "2025550103"):
        await first.limits.failed(caller, "10473")
    assert await second.limits.locked("2025550104", "10473")
    assert second.link.connected
    await client.aclose()
    await first.close()
    await second.close()
