"""Nodes that share a Redis pause together; without it each goes on with what it knows."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.control.pause import PauseSwitch
from agent.control.pause_sync import PauseSync
from agent.rehearsal.real_redis import RealRedis
from tests.planted import PAUSES
from tests.waiting import until


class Clock:
    """Wall time that moves when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Node:
    """One node's pause and its way to the others."""

    def __init__(
        self,
        directory: Path,
        name: str,
        url: str,
        wall: Callable[[], datetime],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.link = SharedRedis(url)
        self.pause = PauseSwitch(directory / f"{name}.json", wall)
        self.shared = PauseSync(self.pause, self.link, clock)

    async def close(self) -> None:
        await self.shared.close()
        await self.link.close()


async def test_who_pauses_one_node_pauses_all_and_resuming_one_resumes_all(redis: RealRedis, tmp_path: Path) -> None:
    clock = Clock()
    first, second = [Node(tmp_path, name, redis.url, clock) for name in ("first", "second")]
    await first.shared.start()
    await second.shared.start()
    first.pause.begin("alice")
    await until(lambda: second.pause.now)
    assert second.pause.now is not None
    assert second.pause.now.by == "alice"
    second.pause.end("bob")
    await until(lambda: first.pause.now is None)
    await first.close()
    await second.close()


async def test_the_last_word_counts_although_the_clock_of_one_node_is_twenty_minutes_ahead(
    redis: RealRedis, tmp_path: Path
) -> None:
    def ahead() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=20)

    first = Node(tmp_path, "first", redis.url, ahead, lambda: ahead().timestamp())
    second = Node(tmp_path, "second", redis.url, lambda: datetime.now(UTC))
    await first.shared.start()
    await second.shared.start()
    first.pause.begin("alice")
    await until(lambda: second.pause.now)
    second.pause.end("bob")
    await until(lambda: first.pause.now is None)
    second.pause.begin("bob")
    await until(lambda: first.pause.now)
    assert second.pause.now is not None
    await first.close()
    await second.close()


async def test_a_resume_counts_although_the_follower_had_measured_its_clock_badly(
    redis: RealRedis, tmp_path: Path
) -> None:
    clock = Clock()
    error = 3600.0
    first = Node(tmp_path, "first", redis.url, clock)
    second = Node(tmp_path, "second", redis.url, clock, lambda: time.time() + error)
    first.pause.begin("alice")
    await first.shared.synchronise()
    await second.shared.synchronise()
    assert second.pause.now is not None
    error = 0.0
    first.pause.end("alice")
    await first.shared.synchronise()
    await second.shared.synchronise()
    assert second.pause.now is None
    await first.shared.synchronise()
    assert first.pause.now is None
    await first.close()
    await second.close()


async def test_a_resume_while_the_pause_is_being_told_is_told_next(redis: RealRedis, tmp_path: Path) -> None:
    clock = Clock()
    first, second = [Node(tmp_path, name, redis.url, clock) for name in ("first", "second")]
    first.pause.begin("alice")
    ask = first.link.ask

    async def ask_and_resume(work: Callable[[Redis], Awaitable[Any]], otherwise: Any) -> Any:
        async def resume_as_it_is_told(client: Redis) -> Any:
            tell = client.set

            async def told(*arguments: Any) -> Any:
                first.pause.end("alice")
                return await tell(*arguments)

            client.set = told  # type: ignore[method-assign]
            try:
                return await work(client)
            finally:
                client.set = tell  # type: ignore[method-assign]

        return await ask(resume_as_it_is_told, otherwise)

    first.link.ask = ask_and_resume  # type: ignore[method-assign]
    await first.shared.synchronise()
    first.link.ask = ask  # type: ignore[method-assign]
    await second.shared.synchronise()
    assert second.pause.now is not None, "what was told was the pause"
    await first.shared.synchronise()
    await second.shared.synchronise()
    assert (first.pause.now, second.pause.now) == (None, None)
    await first.close()
    await second.close()


async def test_a_node_that_starts_learns_of_the_pause_before_its_first_call(redis: RealRedis, tmp_path: Path) -> None:
    clock = Clock()
    first = Node(tmp_path, "first", redis.url, clock)
    await first.shared.start()
    first.pause.begin("alice")
    await first.shared.synchronise()
    late = Node(tmp_path, "late", redis.url, clock)
    await late.shared.start()
    assert late.pause.now is not None
    assert PauseSwitch(tmp_path / "late.json", clock).now is not None, "and it remembers"
    await first.close()
    await late.close()


async def test_while_redis_is_gone_each_node_obeys_its_own_supervisors_and_the_later_word_wins(
    redis: RealRedis, tmp_path: Path
) -> None:
    clock = Clock()
    first, second = [Node(tmp_path, name, redis.url, clock) for name in ("first", "second")]
    await redis.stop()
    first.pause.begin("alice")
    await first.shared.synchronise()
    second.pause.begin("bob")
    second.pause.end("bob")
    await second.shared.synchronise()
    assert first.pause.now is not None
    assert second.pause.now is None
    await redis.start()
    await until(lambda: first.link.is_available and second.link.is_available)
    await first.shared.synchronise()
    await second.shared.synchronise()
    await first.shared.synchronise()
    assert first.pause.now is None, "bob's word came later"
    await first.close()
    await second.close()


async def test_a_redis_that_lost_everything_learns_from_the_nodes(redis: RealRedis, tmp_path: Path) -> None:
    clock = Clock()
    first, second = [Node(tmp_path, name, redis.url, clock) for name in ("first", "second")]
    first.pause.begin("alice")
    await first.shared.synchronise()
    await first.link.ask(lambda client: client.flushall(), None)
    await first.shared.synchronise()
    await second.shared.synchronise()
    assert second.pause.now is not None
    await first.close()
    await second.close()


async def test_a_foreign_value_in_redis_changes_nothing(redis: RealRedis, tmp_path: Path) -> None:
    node = Node(tmp_path, "first", redis.url, Clock())
    await node.link.ask(lambda client: client.set("orderline:state:pause", "[1, 2]"), None)
    await node.shared.synchronise()
    assert node.pause.now is None
    await node.close()


@pytest.mark.parametrize("planted", PAUSES.values(), ids=PAUSES)
async def test_a_planted_pause_does_not_end_the_sharing(planted: bytes, redis: RealRedis, tmp_path: Path) -> None:
    client = Redis.from_url(redis.url)
    await client.set(f"{KEY_PREFIX}:pause", planted)
    clock = Clock()
    first, second = [Node(tmp_path, name, redis.url, clock) for name in ("first", "second")]
    await first.shared.start()
    await second.shared.start()
    first.pause.begin("alice")
    await until(lambda: second.pause.now)
    async with client.pipeline(transaction=True) as batch:  # in between a node would write its own
        batch.delete(f"{KEY_PREFIX}:pause")
        batch.rpush(f"{KEY_PREFIX}:pause", "a", "b")
        await batch.execute()
    first.pause.end("alice")
    await until(lambda: second.pause.now is None)
    await client.aclose()
    await first.close()
    await second.close()


async def test_a_pause_from_the_future_is_resumed_on_all_nodes(redis: RealRedis, tmp_path: Path) -> None:
    client = Redis.from_url(redis.url)
    future = {"since": "2099-01-01T00:00:00+00:00", "by": "\x1b[2Jx", "at": 4070908800.0}
    await client.set(f"{KEY_PREFIX}:pause", json.dumps(future))
    clock = Clock()
    first, second = [Node(tmp_path, name, redis.url, clock) for name in ("first", "second")]
    await first.shared.start()
    await second.shared.start()
    assert first.pause.now is not None
    assert first.pause.now.by == r"\u001b[2Jx", "it cannot steer a terminal"
    first.pause.end("alice")
    await until(lambda: second.pause.now is None)
    await client.set(f"{KEY_PREFIX}:pause", json.dumps({**future, "at": 4070909999.0}))
    second.pause.end("bob")
    await second.shared.synchronise()
    await first.shared.synchronise()
    assert (first.pause.now, second.pause.now) == (None, None), "somebody resumed after it was planted"
    await client.aclose()
    await first.close()
    await second.close()
