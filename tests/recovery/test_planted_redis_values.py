"""What stands in Redis may be anybody's: it costs no start, and no call of ours."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.recovery.redis_snapshots import RedisSnapshotStore
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from agent.rehearsal.real_redis import RealRedis
from tests.planted import VALUES


@pytest.mark.parametrize("planted", VALUES.values(), ids=VALUES)
async def test_a_planted_value_hides_no_call_of_another_node(planted: bytes, redis: RealRedis, tmp_path: Path) -> None:
    link = SharedRedis(redis.url)
    first = RedisSnapshotStore(await SqliteSnapshotStore.open(tmp_path / "1", "one"), link, "one")
    first.keep("c-1", {"turn": 1})
    await first.close()
    await write_raw(redis, f"{KEY_PREFIX}:call:planted", planted)
    assert await calls_of_another_node(link, tmp_path) == {"c-1": {"turn": 1}}
    assert link.connected, "and Redis does not count as gone"
    await link.close()


async def test_a_key_of_another_type_hides_no_call_and_is_told(
    redis: RealRedis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = SharedRedis(redis.url)
    first = RedisSnapshotStore(await SqliteSnapshotStore.open(tmp_path / "1", "one"), link, "one")
    first.keep("c-1", {"turn": 1})
    await first.close()
    client = Redis.from_url(redis.url)
    await client.rpush(f"{KEY_PREFIX}:call:list", "a", "b")  # type: ignore[misc]
    await client.aclose()
    with caplog.at_level(logging.WARNING):
        assert await calls_of_another_node(link, tmp_path) == {"c-1": {"turn": 1}}
    assert f"{KEY_PREFIX}:call:list" in caplog.text
    await link.close()


async def calls_of_another_node(link: SharedRedis, tmp_path: Path) -> dict[str, object]:
    second = RedisSnapshotStore(await SqliteSnapshotStore.open(tmp_path / "2", "two"), link, "two")
    async with asyncio.timeout(10):
        found = await second.left_behind()
    await second.close()
    return {call.call_id: call.state for call in found}


async def write_raw(redis: RealRedis, key: str, value: bytes) -> None:
    client = Redis.from_url(redis.url)
    await client.set(key, value)
    await client.aclose()
