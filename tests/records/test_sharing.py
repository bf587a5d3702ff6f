"""Several nodes share the deliveries through a real Redis, and go on alone when it is gone, frozen or emptied."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agent.records.call_store import CallStore
from agent.records.delivery import DeliveryFailed, DeliveryOptions, OutboxDelivery
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry
from agent.records.redis_sharing import GROUP, PREFIX, RedisSharing
from agent.rehearsal.real_redis import RealRedis
from tests.waiting import until

OPTIONS = DeliveryOptions(first_pause_seconds=0.05, longest_pause_seconds=0.2, poll_seconds=0.02)
LANES = ("ticket", "webhook:crm")


class Node:
    """One agent's store, deliveries and sharing."""

    def __init__(
        self, name: str, directory: Path, url: str, deliver: Callable[[str, OutboxEntry], Awaitable[None]]
    ) -> None:
        self.name = name
        self._directory = directory / name
        self._url = url
        self._deliver = deliver

    async def start(self, *, claim_after_seconds: float = 30.0, lease_seconds: float = 1.0) -> None:
        self.store = await CallStore.open(self._directory / "calls.sqlite")
        self.deliveries = OutboxDelivery(
            self.store.outbox,
            dict.fromkeys(LANES, self._one),
            options=replace(OPTIONS, lease_seconds=lease_seconds),
        )
        self.sharing = RedisSharing(
            self._url,
            self.store.outbox,
            LANES,
            self.deliveries.attempt,
            self.deliveries.settle,
            claim_after_seconds=claim_after_seconds,
        )
        await self.store.take_over()
        self._tasks = [
            asyncio.create_task(self.sharing.run()),
            asyncio.create_task(self.deliveries.run(self.sharing)),
        ]

    async def _one(self, entry: OutboxEntry) -> Sequence[NewOutboxEntry]:
        await self._deliver(self.name, entry)
        return ()

    async def add(self, *keys: str, lane: str = "ticket") -> None:
        await self.store.outbox.add([NewOutboxEntry(lane.partition(":")[0], key, {"a": 1}, lane=lane) for key in keys])

    async def empty(self) -> None:
        async with asyncio.timeout(40):
            while any(set(states) - {"delivered"} for states in (await self.store.outbox.counts()).values()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # SQLite tells nobody

    async def stop(self) -> None:
        self._tasks[0].cancel()
        self.deliveries.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.sharing.close()
        await self.store.close()


class TwoNodes:
    """Two nodes and what they delivered."""

    def __init__(self, tmp_path: Path, url: str) -> None:
        self.by_node: Counter[str] = Counter()
        self.by_key: Counter[str] = Counter()
        self.failing: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}
        """Nodes that finish nothing they take before their event is set."""
        self.a, self.b = (Node(name, tmp_path, url, self._deliver) for name in ("a", "b"))

    async def _deliver(self, node: str, entry: OutboxEntry) -> None:
        if node in self.held:
            await self.held[node].wait()
        await asyncio.sleep(0.01)
        if entry.key in self.failing:
            self.failing.discard(entry.key)
            raise DeliveryFailed("not now")
        self.by_node[node] += 1
        self.by_key[entry.key] += 1

    def hold(self, *nodes: str) -> None:
        self.held = {node: asyncio.Event() for node in nodes}


@asynccontextmanager
async def two_nodes(redis: RealRedis, directory: Path, lease_seconds: float) -> AsyncIterator[TwoNodes]:
    world = TwoNodes(directory, redis.url)
    await world.a.start(lease_seconds=lease_seconds)
    await world.b.start(lease_seconds=lease_seconds)
    await until(lambda: world.a.sharing.connected and world.b.sharing.connected)
    yield world
    await world.a.stop()
    await world.b.stop()


@pytest.fixture
async def world(redis: RealRedis, tmp_path: Path) -> AsyncIterator[TwoNodes]:
    """Nodes that take back what another one has not settled within a second."""
    async with two_nodes(redis, tmp_path, 1.0) as world:
        yield world


@pytest.fixture
async def patient_world(redis: RealRedis, tmp_path: Path) -> AsyncIterator[TwoNodes]:
    """Nodes that take nothing back while a test runs, however busy the machine: each entry is delivered once."""
    async with two_nodes(redis, tmp_path, 300.0) as world:
        yield world


async def shared_again(world: TwoNodes) -> None:
    """Have A deliver more and more until B has delivered some of it: finding Redis again takes a moment."""
    world.by_node.clear()
    async with asyncio.timeout(40):
        for batch in itertools.count():
            await world.a.add(*keys(20, f"later-{batch}"))
            await world.a.empty()
            assert set(keys(20, f"later-{batch}")) <= set(world.by_key)
            if world.by_node["b"]:
                return


def keys(count: int, prefix: str = "key") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


async def test_what_one_node_has_is_delivered_by_both_and_once_each(patient_world: TwoNodes) -> None:
    world = patient_world
    await world.a.add(*keys(60))
    await world.a.empty()
    assert world.by_key == Counter(keys(60))
    assert min(world.by_node[node] for node in ("a", "b")) >= 10


async def test_a_failure_elsewhere_is_noted_and_tried_again_by_the_owner_s_file(world: TwoNodes) -> None:
    world.failing = {"key-1"}
    await world.a.add(*keys(3), lane="webhook:crm")
    await world.a.empty()
    assert world.by_key == Counter(keys(3))
    async with asyncio.timeout(20):
        entry = await world.a.store.outbox.entry(2)
    assert entry is not None
    assert entry.attempts == 2


async def test_a_frozen_redis_holds_nothing_up_and_is_used_again_when_it_thaws(
    world: TwoNodes, redis: RealRedis
) -> None:
    redis.freeze()
    await world.a.add(*keys(20))
    await world.a.empty()
    assert world.by_key == Counter(keys(20))
    assert world.by_node["b"] == 0
    assert not world.a.sharing.connected
    redis.thaw()
    await shared_again(world)


async def test_what_was_offered_when_redis_died_comes_back_to_its_owner(world: TwoNodes, redis: RealRedis) -> None:
    world.hold("a", "b")
    await world.a.add(*keys(20))
    await until(lambda: world.a.sharing._running or world.b.sharing._running)
    await redis.stop()
    world.held["a"].set()  # A may have begun to deliver alone before Redis was gone for good; B keeps what it took
    await world.a.empty()
    assert set(world.by_key) == set(keys(20))
    assert world.by_node["b"] == 0


async def test_a_redis_that_comes_back_empty_is_shared_again(world: TwoNodes, redis: RealRedis) -> None:
    await redis.stop()
    await world.a.add(*keys(5))
    await world.a.empty()
    await redis.start()
    await shared_again(world)


async def test_what_a_dead_node_had_taken_is_delivered_by_another_one(redis: RealRedis, tmp_path: Path) -> None:
    world = TwoNodes(tmp_path, redis.url)
    await world.a.start(lease_seconds=60.0)
    world.hold("a")
    await until(lambda: world.a.sharing.connected)
    await world.a.add(*keys(4))
    await until(lambda: len(world.a.sharing._running) == 4)
    await world.a.stop()
    await world.b.start(claim_after_seconds=0.2)
    await until(lambda: world.by_key == Counter(keys(4)), 10)
    world.held.clear()
    await world.a.start()
    await world.a.empty()
    assert set(world.by_key) == set(keys(4))
    await world.a.stop()
    await world.b.stop()


async def test_without_any_redis_a_node_delivers_alone(tmp_path: Path) -> None:
    world = TwoNodes(tmp_path, "redis://127.0.0.1:1/0")
    await world.a.start()
    await world.a.add(*keys(10))
    await world.a.empty()
    assert world.by_key == Counter(keys(10))
    await world.a.stop()


ENTRY = {
    "id": 1, "kind": "ticket", "lane": "ticket", "key": "planted", "call_id": "c", "payload": {}, "state": "shared",
    "created_at": 1.0, "due_at": 1.0, "attempts": 1, "last_error": "",
}  # fmt: skip
SOON = f"{time.time() + 30}"
OFFERS: dict[str, Mapping[str, bytes | str]] = {
    "no fields of ours": {"a": "b"},
    "no UTF-8": {"node": "0" * 12, "until": SOON, "entry": b"\xff\xfe"},
    "nested deeply": {"node": "0" * 12, "until": SOON, "entry": b"[" * 100_000},
    "an entry of wrong types": {"node": "0" * 12, "until": SOON, "entry": json.dumps({**ENTRY, "payload": "x"})},
    "an entry that lacks a field": {"node": "0" * 12, "until": SOON, "entry": json.dumps({"id": 1})},
    "an id too large": {"node": "0" * 12, "until": SOON, "entry": json.dumps({**ENTRY, "id": 10**30})},
    "no time": {"node": "0" * 12, "until": "soon", "entry": json.dumps(ENTRY)},
    "for ever": {"node": "0" * 12, "until": "inf", "entry": json.dumps(ENTRY)},
    "another lane": {"node": "0" * 12, "until": SOON, "entry": json.dumps({**ENTRY, "lane": "webhook:crm"})},
    "no node": {"until": SOON, "entry": json.dumps(ENTRY)},
    "a node with control characters": {"node": "\x1b[2J", "until": SOON, "entry": json.dumps(ENTRY)},
}
REPORTS: dict[str, Mapping[str, bytes | str]] = {
    "no fields of ours": {"a": "b"},
    "no id": {"id": "one", "outcome": "{}"},
    "an id too large": {"id": "9" * 30, "outcome": '{"arrived": true}'},
    "nested deeply": {"id": "1", "outcome": b"[" * 100_000},
    "no UTF-8": {"id": "1", "outcome": b"\xff"},
    "wrong types": {"id": "1", "outcome": '{"arrived": "perhaps", "also": 7}'},
    "entries of wrong types": {"id": "1", "outcome": '{"arrived": true, "also": [{"kind": 1}]}'},
}


@pytest.mark.parametrize("planted", OFFERS.values(), ids=OFFERS)
async def test_a_planted_offer_is_thrown_away_and_the_deliveries_go_on(
    planted: Mapping[str, bytes | str], patient_world: TwoNodes, redis: RealRedis
) -> None:
    world = patient_world
    client = Redis.from_url(redis.url)
    await client.xadd(f"{PREFIX}:ticket", {**planted})  # type: ignore[arg-type]
    await world.a.add(*keys(3))
    await world.a.empty()
    async with asyncio.timeout(10):
        while await client.xlen(f"{PREFIX}:ticket"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # Redis tells nobody
    assert world.by_key == Counter(keys(3)), "what was planted was not delivered"
    await client.aclose()


@pytest.mark.parametrize("planted", REPORTS.values(), ids=REPORTS)
async def test_a_planted_report_is_thrown_away_and_the_deliveries_go_on(
    planted: Mapping[str, bytes | str], patient_world: TwoNodes, redis: RealRedis
) -> None:
    world = patient_world
    client = Redis.from_url(redis.url)
    results = f"{PREFIX}:results:{await world.a.store.outbox.node()}"
    await client.xadd(results, {**planted})  # type: ignore[arg-type]
    await world.a.add(*keys(3))
    await world.a.empty()
    assert world.by_key == Counter(keys(3))
    async with asyncio.timeout(10):
        while await client.xlen(results):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # Redis tells nobody
    await client.aclose()


async def test_streams_of_another_type_are_made_anew(redis: RealRedis, tmp_path: Path) -> None:
    client = Redis.from_url(redis.url)
    await client.set(f"{PREFIX}:ticket", b"\xff")
    world = TwoNodes(tmp_path, redis.url)
    await world.a.start(lease_seconds=300.0)
    await until(lambda: world.a.sharing.connected)
    await world.a.add(*keys(3))
    await world.a.empty()
    assert world.by_key == Counter(keys(3))
    await world.a.stop()
    await client.aclose()


async def test_an_entry_that_nobody_can_read_is_thrown_away_unread(redis: RealRedis, tmp_path: Path) -> None:
    client = Redis.from_url(redis.url)
    stream = f"{PREFIX}:ticket"
    await client.xgroup_create(stream, GROUP, id="0", mkstream=True)
    planted = await client.xadd(stream, {"entry": b"x" * 1_000_000})
    await client.xclaim(stream, GROUP, "dead", 0, [planted], retrycount=9, force=True)
    world = TwoNodes(tmp_path, redis.url)
    await world.a.start(claim_after_seconds=0.05)
    async with asyncio.timeout(10):
        while await client.xlen(stream):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # Redis tells nobody
    await world.a.add(*keys(2))
    await world.a.empty()
    assert set(world.by_key) == set(keys(2))
    await world.a.stop()
    await client.aclose()
