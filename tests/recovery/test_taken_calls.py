"""A call that another instance has taken is recorded by that one alone, whether the first one died or hung."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from agent.app.recovery_factory import CallRecovery, open_recovery
from agent.config.instances import instance_settings
from agent.config.settings import Settings
from agent.dialog.pack.loader import FlowPack
from agent.records.begun_calls import begun_calls, forget_begun
from agent.records.call_store import CallStore
from agent.records.outbox_sql import NewOutboxEntry
from agent.recovery import taken_calls
from agent.recovery.lost_calls import LostCalls
from agent.recovery.taken_calls import RecordsOfOwnCalls, TakenCalls
from tests.recovery.killed_agent import died_with, record_of
from tests.recovery.test_lost_calls import AsteriskWith


@contextlib.asynccontextmanager
async def instance(directory: Path, number: int) -> AsyncIterator[CallRecovery]:
    async with contextlib.AsyncExitStack() as stack:
        whole = Settings.model_validate({"state_directory": str(directory), "instances": 2})
        settings = instance_settings(whole, number)
        settings.state_directory.mkdir(exist_ok=True)
        yield await open_recovery(settings, None, stack)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CallStore]:
    opened = await CallStore.open(tmp_path / "calls.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
async def seen_by(tmp_path: Path) -> AsyncIterator[dict[int, TakenCalls]]:
    """The file of taken calls, as instances 1 and 2 see it."""
    both = {number: TakenCalls(tmp_path / "taken.sqlite", number) for number in (1, 2)}
    yield both
    for one in both.values():
        await one.close()


async def after_dying_with(tmp_path: Path, pack: FlowPack, store: CallStore, *call_ids: str) -> CallStore:
    """Leave calls behind that had begun, and open the records as the next start does."""
    for call_id in call_ids:
        await store.begin(record_of(call_id))
        await died_with(tmp_path, pack, call_id)
    await store.close()
    return await CallStore.open(tmp_path / "calls.sqlite")


async def test_the_latest_who_took_a_call_has_it(seen_by: dict[int, TakenCalls]) -> None:
    await seen_by[2].take("c-1")
    assert await seen_by[1].with_others(["c-1", "c-2"]) == {"c-1"}
    assert await seen_by[2].with_others(["c-1", "c-2"]) == frozenset()
    await seen_by[1].take("c-1")
    assert await seen_by[1].with_others(["c-1"]) == frozenset()
    assert await seen_by[2].with_others(["c-1"]) == {"c-1"}


async def test_one_that_hung_writes_no_record_of_a_call_that_was_taken(
    store: CallStore, seen_by: dict[int, TakenCalls]
) -> None:
    records = RecordsOfOwnCalls(store, seen_by[1])
    for call_id in ("c-1", "c-2"):
        await records.begin(record_of(call_id))
    await seen_by[2].take("c-1")
    await records.write(record_of("c-1"))
    await records.write(record_of("c-2"))
    assert await store.get("c-1") is None
    assert await store.get("c-2") is not None
    assert await begun_calls(store.database) == frozenset(), "or the next start would write one"


async def test_a_call_that_the_dialplan_takes_away_is_waited_for(
    store: CallStore, seen_by: dict[int, TakenCalls], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on its way to the other instance, which has not noted it yet."""

    async def taken_meanwhile(seconds: float) -> None:
        await seen_by[2].take("c-1")

    monkeypatch.setattr(taken_calls.asyncio, "sleep", taken_meanwhile)
    record = record_of("c-1")
    record.outcome = "rescued"
    await RecordsOfOwnCalls(store, seen_by[1]).write(record)
    assert await store.get("c-1") is None


async def test_one_that_died_leaves_the_record_of_a_taken_call_to_the_other(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    for call_id in ("c-1", "c-2"):
        await store.begin(record_of(call_id))
        await died_with(tmp_path, pack, call_id)
    await store.close()
    async with instance(tmp_path, 2) as second:
        assert second.taken is not None
        await second.taken.take("c-1")
    after = await CallStore.open(tmp_path / "calls.sqlite")
    async with instance(tmp_path, 1) as first:
        lost = LostCalls(first.interrupted, first.snapshots, after, taken=first.taken)
        assert await lost.write_records(AsteriskWith(), asyncio.Event()) == 1
    assert await after.get("c-1") is None
    assert await after.get("c-2") is not None
    assert await begun_calls(after.database) == frozenset()
    await after.close()
    async with instance(tmp_path, 1) as again:
        assert again.interrupted.unclaimed == []


async def test_a_caller_who_has_heard_nothing_but_ringing_is_taken_without_a_memory(tmp_path: Path) -> None:
    async with instance(tmp_path, 1) as first, instance(tmp_path, 2) as second:
        assert await second.take("c-1", answered=False) == "c-1"
        assert first.taken is not None
        assert await first.taken.with_others(["c-1"]) == {"c-1"}


async def test_a_conversation_that_nobody_knows_is_not_taken(tmp_path: Path, pack: FlowPack) -> None:
    """It stands in the dead instance's own file alone; without Redis the caller goes to the staff."""
    await died_with(tmp_path, pack, "c-1")
    async with instance(tmp_path, 1) as first, instance(tmp_path, 2) as second:
        assert await second.take("c-1", answered=True) == ""
        assert first.taken is not None
        assert await first.taken.with_others(["c-1"]) == frozenset(), "its record is the dead one's to write"


@pytest.mark.parametrize("hung", [True, False])
async def test_a_change_that_a_taken_call_was_trying_is_not_made_by_the_one_that_lost_it(
    store: CallStore, seen_by: dict[int, TakenCalls], hung: bool
) -> None:
    """The caller has heard its outcome from the other instance; a ticket is done once whoever does it."""
    await store.begin(record_of("c-1"))
    for kind in ("act", "ticket"):
        await store.outbox.intend(NewOutboxEntry(kind, f"{kind}-key", {}, "c-1"))
    await seen_by[2].take("c-1")
    if hung:
        await RecordsOfOwnCalls(store, seen_by[1]).write(record_of("c-1"))
    else:
        await forget_begun(store.database, await seen_by[1].with_others(["c-1"]))
    await store.take_over()
    assert await store.outbox.counts() == {"ticket": {"waiting": 1}}


async def test_one_that_is_back_at_once_waits_for_the_note_about_a_call_that_is_on_its_way(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    """Its caller is still on the line, and the dialplan's timer has not run out or has only just."""
    after = await after_dying_with(tmp_path, pack, store, "c-1", "c-2")
    async with instance(tmp_path, 1) as first, instance(tmp_path, 2) as second:
        looks = 0

        class TakenAtTheSecondLook(AsteriskWith):
            async def channel_ids(self) -> Sequence[str]:
                nonlocal looks
                looks += 1
                if looks == 2:
                    assert second.taken is not None
                    await second.taken.take("c-1")
                return await super().channel_ids()

        lost = LostCalls(first.interrupted, first.snapshots, after, taken=first.taken, taken_seconds=0.01)
        assert await lost.write_records(TakenAtTheSecondLook("c-1"), asyncio.Event()) == 1
    assert await after.get("c-1") is None
    assert await after.get("c-2") is not None
    await after.close()


async def test_one_that_is_to_stop_while_it_waits_leaves_the_records_to_the_next(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    after = await after_dying_with(tmp_path, pack, store, "c-1")
    stopping = asyncio.Event()
    stopping.set()
    async with instance(tmp_path, 1) as first:
        lost = LostCalls(first.interrupted, first.snapshots, after, taken=first.taken)
        assert await lost.write_records(AsteriskWith("c-1"), stopping) == 0
    assert await begun_calls(after.database) == {"c-1"}
    await after.close()


async def test_a_call_that_an_instance_had_taken_goes_on_at_its_next_start(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    """It is in the application still as one that was stranded, and known from this instance's own file."""
    after = await after_dying_with(tmp_path, pack, store, "c-1")
    async with instance(tmp_path, 1) as first:
        assert await first.take("c-1", answered=True) == "c-1"
        assert first.interrupted.claimed == {"c-1"}
        lost = LostCalls(first.interrupted, first.snapshots, after, taken=first.taken)
        assert await lost.write_records(AsteriskWith("c-1"), asyncio.Event()) == 0
    assert await after.get("c-1") is None, "it goes on"
    await after.close()
