"""At a start lost calls are recorded first; only then is anything delivered, and Asterisk holds up neither for long."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.app.outbox_factory import OutboxService, delivery_lock_path, open_outbox
from agent.app.recovery_factory import open_recovery, recovered_then_delivered
from agent.call.records import Caller, CallRecord
from agent.config.settings import Settings
from agent.records.outbox_sql import NewOutboxEntry
from agent.records.records_lock import records_lock
from agent.recovery.lost_calls import LostCalls
from tests.waiting import until

CHANGES = frozenset({"tickets.create"})


class BackOffice:
    """Makes tickets, and remembers for which calls."""

    def __init__(self) -> None:
        self.tickets: list[str] = []

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        self.tickets.append(key)
        return {"ticket": {"id": "T-1"}}


class SilentAsterisk:
    """An Asterisk of which nobody knows yet who is still there."""

    def __init__(self) -> None:
        self.adopted = asyncio.Event()

    async def channel_ids(self) -> Sequence[str]:
        return ()


def wall() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def ticket(key: str, call_id: str = "") -> NewOutboxEntry:
    draft = {"name": "tickets.create", "arguments": {"reason": "call_back", "summary": "x"}}
    return NewOutboxEntry("ticket", key, draft, call_id)


def settings_of(directory: Path) -> Settings:
    return Settings.model_validate({"state_directory": str(directory)})


async def killed_while_making_a_ticket(directory: Path) -> None:
    """Leave behind what an agent does that is killed while the ticket of its call is being made."""
    async with contextlib.AsyncExitStack() as stack:
        outbox = await open_outbox(settings_of(directory), BackOffice(), CHANGES, wall, stack)
        await outbox.records.begin(CallRecord("c-1", Caller("2025550143"), wall().isoformat()))
        await outbox.records.outbox.intend(ticket("k1", "c-1"))


class NextAgent:
    """The agent started after it, as far as records and outbox go."""

    def __init__(self, directory: Path, stack: contextlib.AsyncExitStack) -> None:
        self.settings = settings_of(directory)
        self.shop = BackOffice()
        self.asterisk = SilentAsterisk()
        self._stack = stack

    async def start(self, *, recovery_seconds: float = 10.0) -> OutboxService:
        outbox = await open_outbox(self.settings, self.shop, CHANGES, wall, self._stack)
        recovery = await open_recovery(self.settings, None, self._stack)
        lost_calls = LostCalls(
            recovery.interrupted, recovery.snapshots, outbox.records, recovery_seconds=recovery_seconds
        )
        await self._stack.enter_async_context(
            recovered_then_delivered(delivery_lock_path(self.settings), lost_calls, self.asterisk, outbox)
        )
        return outbox


async def test_what_a_lost_call_left_is_delivered_after_its_record_and_not_before(tmp_path: Path) -> None:
    await killed_while_making_a_ticket(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        agent = NextAgent(tmp_path, stack)
        outbox = await agent.start()
        await outbox.records.outbox.add([ticket("k2")])
        await asyncio.sleep(0.1)  # nothing happens, which no event can tell
        assert await outbox.records.get("c-1") is None
        assert agent.shop.tickets == []
        agent.asterisk.adopted.set()
        await until(lambda: "k1" in agent.shop.tickets)
        record = await outbox.records.get("c-1")
        assert record is not None
        assert record["outcome"] == "failed"


async def test_an_asterisk_that_never_answers_blocks_neither_records_nor_deliveries(tmp_path: Path) -> None:
    await killed_while_making_a_ticket(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        agent = NextAgent(tmp_path, stack)
        outbox = await agent.start(recovery_seconds=0.01)
        await until(lambda: agent.shop.tickets == ["k1"])
        assert await outbox.records.get("c-1") is not None


async def test_what_a_call_of_this_process_tries_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        agent = NextAgent(tmp_path, stack)
        outbox = await agent.start()
        await outbox.records.begin(CallRecord("c-2", Caller(), wall().isoformat()))
        await outbox.records.outbox.intend(ticket("k2", "c-2"))
        await outbox.records.outbox.add([ticket("k3")])
        agent.asterisk.adopted.set()
        await until(lambda: agent.shop.tickets)
        assert agent.shop.tickets == ["k3"]
        assert (await outbox.records.outbox.counts())["ticket"]["trying"] == 1


async def test_while_an_earlier_process_still_holds_the_records_nothing_is_touched(tmp_path: Path) -> None:
    await killed_while_making_a_ticket(tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        agent = NextAgent(tmp_path, stack)
        agent.asterisk.adopted.set()
        async with records_lock(delivery_lock_path(agent.settings), asyncio.Event()):
            outbox = await agent.start()
            await asyncio.sleep(0.1)  # nothing happens, which no event can tell
            assert await outbox.records.get("c-1") is None
        await until(lambda: agent.shop.tickets == ["k1"])


async def test_the_end_of_the_block_ends_the_work(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        agent = NextAgent(tmp_path, stack)
        agent.asterisk.adopted.set()
        await agent.start()
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("outbox")] == []
