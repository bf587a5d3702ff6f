"""Deliveries go on until they arrive, are refused for good, or are too old."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.records.call_store import CallStore
from agent.records.delivery import DeliveryFailed, DeliveryOptions, OutboxDelivery
from agent.records.outbox import Outbox
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry
from agent.records.records_lock import records_lock
from tests.waiting import until

OPTIONS = DeliveryOptions(poll_seconds=0.005, stop_seconds=0.2)


class DeliveryHarness:
    """Deliveries with a clock and a deliverer in hand."""

    def __init__(self, store: CallStore, directory: Path, **options: Any) -> None:
        self.now = 1000.0
        self.store = store
        self.outbox: Outbox = store.outbox
        self.outbox.clock = lambda: self.now
        self.failures: dict[str, list[Exception]] = {}
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.deliveries = OutboxDelivery(
            self.outbox,
            {"webhook:slow": self._wait, "webhook:crm": self._deliver, "act": self._deliver},
            options=replace(OPTIONS, **options),
            chance=lambda: 0.0,
        )
        self._lock_file = directory / "lock"
        self._stopping = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    async def _deliver(self, entry: OutboxEntry) -> Sequence[NewOutboxEntry]:
        self.asked.append(entry.key)
        if self.failures.get(entry.key):
            raise self.failures[entry.key].pop(0)
        return ()

    async def _wait(self, entry: OutboxEntry) -> Sequence[NewOutboxEntry]:
        self.asked.append(entry.key)
        await self.gate.wait()
        return ()

    async def add(self, *keys: str, lane: str = "webhook:crm") -> None:
        await self.outbox.add([NewOutboxEntry(lane.partition(":")[0], key, {"n": 1}, lane=lane) for key in keys])

    def start(self) -> None:
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Do as one process does: alone with the file, take over what was left, deliver."""
        async with records_lock(self._lock_file, self._stopping, poll_seconds=0.005) as held:
            if held:
                await self.store.take_over()
                await self.deliveries.run()

    async def state(self, entry_id: int = 1) -> OutboxEntry:
        entry = await self.outbox.entry(entry_id)
        assert entry is not None
        return entry

    async def settled(self, entry_id: int = 1, states: tuple[str, ...] = ("delivered", "dead")) -> OutboxEntry:
        async with asyncio.timeout(5):
            while (entry := await self.state(entry_id)).state not in states:  # noqa: ASYNC110 - SQLite tells nobody
                await asyncio.sleep(0.005)
        return entry

    async def stop(self) -> None:
        self._stopping.set()
        self.deliveries.stop()
        if self.task is not None:
            await self.task


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[DeliveryHarness]:
    store = await CallStore.open(tmp_path / "calls.sqlite")
    bench = DeliveryHarness(store, tmp_path)
    yield bench
    await bench.stop()
    await store.close()


async def test_what_arrives_is_delivered_once_and_its_content_forgotten(bench: DeliveryHarness) -> None:
    bench.start()
    await bench.add("a")
    await bench.add("a")
    entry = await bench.settled()
    assert (entry.state, entry.payload, bench.asked) == ("delivered", {}, ["a"])


async def test_pauses_double_up_to_the_longest(bench: DeliveryHarness) -> None:
    await bench.add("a")
    pauses = []
    for attempt in range(12):
        entry = replace(await bench.state(), attempts=attempt, state="delivering")
        await bench.outbox.claim({"webhook:crm": 1})
        await bench.deliveries.settle(entry, await bench.deliveries.attempt(replace(entry, lane="nowhere")))
        pauses.append((await bench.state()).due_at - bench.now)
        bench.now = (await bench.state()).due_at
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_jitter_shortens_a_pause_by_up_to_half(bench: DeliveryHarness) -> None:
    chance = random.Random(7)
    bench.deliveries._chance = chance.random
    seen = []
    for number in range(50):
        await bench.add(f"k{number}")
        (entry,) = await bench.outbox.claim({"webhook:crm": 1})
        bench.failures[entry.key] = [DeliveryFailed("no")]
        await bench.deliveries.settle(entry, await bench.deliveries.attempt(entry))
        seen.append((await bench.state(entry.id)).due_at - bench.now)
    assert all(1 <= pause <= 2 for pause in seen)
    assert max(seen) - min(seen) > 0.5


async def test_a_failure_is_tried_again_when_its_pause_is_over_and_not_before(bench: DeliveryHarness) -> None:
    bench.failures["a"] = [DeliveryFailed("busy")]
    bench.start()
    await bench.add("a")
    await until(lambda: bench.asked == ["a"])
    waiting = await bench.settled(states=("waiting",))
    assert (waiting.attempts, waiting.last_error) == (1, "busy")
    bench.now += 2.5
    entry = await bench.settled()
    assert (entry.state, bench.asked) == ("delivered", ["a", "a"])


async def test_what_is_refused_for_good_is_a_dead_letter_at_once(bench: DeliveryHarness) -> None:
    bench.failures["a"] = [DeliveryFailed("410 gone", final=True)]
    bench.start()
    await bench.add("a")
    entry = await bench.settled()
    assert (entry.state, entry.last_error, entry.payload) == ("dead", "410 gone", {"n": 1})


async def test_what_is_too_old_is_a_dead_letter(bench: DeliveryHarness) -> None:
    bench.failures["a"] = [DeliveryFailed("down")] * 9
    await bench.add("a")
    bench.now += 72 * 3600
    bench.start()
    assert (await bench.settled()).state == "dead"


async def test_a_confirmed_change_is_not_made_long_afterwards_without_asking(bench: DeliveryHarness) -> None:
    await bench.add("a", lane="act")
    bench.now += 601
    bench.start()
    entry = await bench.settled()
    assert (entry.state, bench.asked) == ("dead", [])
    assert "look whether it was done" in entry.last_error


async def test_an_entry_that_kills_the_agent_each_time_is_given_up(bench: DeliveryHarness) -> None:
    bench.deliveries._options = replace(OPTIONS, max_attempts=3)
    await bench.add("a")
    for _ in range(3):  # claimed, and then the agent died
        await bench.outbox.claim({"webhook:crm": 1})
        await bench.store.take_over()
    bench.start()
    assert (await bench.settled()).state == "dead"
    assert bench.asked == []


async def test_a_mistake_in_a_deliverer_costs_an_attempt_and_not_the_deliveries(bench: DeliveryHarness) -> None:
    bench.failures["a"] = [KeyError("oops")]
    bench.start()
    await bench.add("a", "b")
    await bench.settled(2)
    entry = await bench.state(1)
    assert "KeyError" in entry.last_error
    assert entry.state == "waiting"


async def test_a_receiver_that_hangs_holds_up_nobody_else(bench: DeliveryHarness) -> None:
    bench.gate.clear()
    bench.start()
    await bench.add(*(f"slow-{number}" for number in range(20)), lane="webhook:slow")
    await until(lambda: len(bench.asked) == OPTIONS.max_concurrent_per_lane)
    await bench.add("quick")
    assert (await bench.settled(21)).state == "delivered"
    assert len([key for key in bench.asked if key.startswith("slow")]) == OPTIONS.max_concurrent_per_lane
    bench.gate.set()
    await bench.settled(20)


async def test_an_answer_that_never_comes_is_a_failure(bench: DeliveryHarness) -> None:
    bench.deliveries._options = replace(OPTIONS, attempt_seconds=0.01)
    bench.gate.clear()
    await bench.add("a", lane="webhook:slow")
    outcome = await bench.deliveries.attempt(await bench.state())
    assert (outcome.arrived, outcome.error) == (False, "no answer within 0.01 s")


async def test_what_is_under_way_at_a_stop_is_due_again_at_the_next_start(
    bench: DeliveryHarness, tmp_path: Path
) -> None:
    bench.gate.clear()
    bench.start()
    await bench.add("a", lane="webhook:slow")
    await until(lambda: bench.asked == ["a"])
    await bench.stop()
    assert (await bench.state()).state == "delivering"
    second = DeliveryHarness(bench.store, tmp_path)
    second.start()
    assert (await bench.settled()).state == "delivered"
    await second.stop()


async def test_a_second_process_delivers_only_when_the_first_is_gone(bench: DeliveryHarness, tmp_path: Path) -> None:
    bench.start()
    await bench.add("a")
    await bench.settled(1)
    second = DeliveryHarness(bench.store, tmp_path)
    second.start()
    await bench.add("b")
    await bench.settled(2)
    assert second.asked == []
    await bench.stop()
    await bench.add("c")
    await until(lambda: second.asked == ["c"])
    await second.stop()


async def test_delivered_entries_are_forgotten_after_their_days(bench: DeliveryHarness) -> None:
    bench.start()
    await bench.add("a")
    await bench.settled()
    await bench.outbox.clean(["webhook:crm"], 60.0, 1e9)
    assert await bench.outbox.entry(1) is not None
    bench.now += 61
    await bench.outbox.clean(["webhook:crm"], 60.0, 1e9)
    assert await bench.outbox.entry(1) is None


async def test_what_waits_for_a_webhook_that_is_no_longer_set_becomes_a_dead_letter(bench: DeliveryHarness) -> None:
    await bench.add("a", lane="webhook:former")
    bench.now += 72 * 3600 + 1
    await bench.add("b", lane="webhook:former")
    bench.start()
    entry = await bench.settled(1)
    assert (entry.state, entry.last_error) == ("dead", "nothing here delivers to webhook:former")
    assert (await bench.state(2)).state == "waiting"


async def test_a_place_that_is_down_is_asked_by_one_entry_at_a_time_while_the_others_wait(
    bench: DeliveryHarness,
) -> None:
    keys = [f"k{number}" for number in range(10)]
    bench.failures = {key: [DeliveryFailed("it is down", lane_down=True) for _ in range(9)] for key in keys}
    await bench.add(*keys)
    bench.start()
    await until(lambda: len(bench.asked) == OPTIONS.max_concurrent_per_lane)  # begun before anybody knew
    for entry_id in range(1, 5):
        await bench.settled(entry_id, ("waiting",))
    for asked, seconds in ((5, 2 * 2.0**3), (6, 2 * 2.0**4)):
        bench.now += seconds + 0.1
        bench.outbox.news.set()
        await until(lambda asked=asked: len(bench.asked) == asked)  # type: ignore[misc]
        await bench.settled(asked, ("waiting",))
    assert len(bench.asked) == 6
    bench.failures.clear()
    bench.now += 100.0
    for entry_id in range(1, 11):
        await bench.settled(entry_id, ("delivered",))


async def test_a_record_is_never_given_up_for_its_age_or_its_attempts(bench: DeliveryHarness) -> None:
    bench.failures["k"] = [DeliveryFailed("it is down") for _ in range(3)]
    await bench.outbox.add([NewOutboxEntry("record", "k", {}, lane="webhook:crm")])
    await bench.store._database.transaction(
        lambda db: db.execute("UPDATE outbox SET attempts = 5000, created_at = created_at - 1e8")
    )
    bench.start()
    for _ in range(3):
        await until(lambda: bench.asked)
        bench.asked.clear()
        await bench.settled(1, ("waiting",))
        bench.now += 1000.0
        bench.outbox.news.set()
    assert (await bench.settled(1)).state == "delivered"


async def test_what_is_not_shared_is_never_offered_to_other_nodes(bench: DeliveryHarness) -> None:
    offered: list[str] = []

    class Sharing:
        async def offer(self, entries: Sequence[OutboxEntry], until: float) -> bool:
            offered.extend(entry.key for entry in entries)
            return True

    deliveries = OutboxDelivery(
        bench.outbox, {"act": bench._deliver, "records": bench._deliver}, options=OPTIONS, unshared=("records",)
    )
    await bench.add("shared", lane="act")
    await bench.add("own", lane="records")
    task = asyncio.create_task(deliveries.run(Sharing()))
    await bench.settled(2)
    deliveries.stop()
    await task
    assert (offered, bench.asked) == (["shared"], ["own"])
    assert (await bench.state(1)).state == "shared"
