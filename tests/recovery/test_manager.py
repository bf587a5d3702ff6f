"""Recovery of calls that outlive a process: resumed, handed over, or recorded; and call admission."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.call.records import Caller, CallRecord, TurnRecord
from agent.call.snapshot import snapshot_of
from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.config.settings import Settings
from agent.control.pause import PauseSwitch
from agent.dialog.contract import TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import SandboxRenderer
from agent.flows import english_pack
from agent.records.call_store import CallStore
from agent.recovery.manager import RecoveryManager, consent_filtered
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from agent.rehearsal.real_redis import RealRedis
from agent.speech.wording import filters

RENDER = SandboxRenderer(filters)


@pytest.fixture(scope="module")
def pack() -> FlowPack:
    return FlowPack.load(english_pack(), RENDER.filters)


def wall() -> datetime:
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def settings_of(directory: Path, more: Mapping[str, Any], **call: Any) -> Settings:
    return Settings.model_validate({"state_directory": str(directory), "call": call, **more})


@contextlib.asynccontextmanager
async def survival(
    directory: Path, more: Mapping[str, Any] = MappingProxyType({}), **call: Any
) -> AsyncIterator[RecoveryManager]:
    async with contextlib.AsyncExitStack() as stack:
        pause = PauseSwitch(directory / "paused.json", wall)
        yield await RecoveryManager.open(settings_of(directory, more, **call), pause, wall, stack)


def line(channel_id: str, known_as: str = "", *, adopted: bool = True, state: str = "Up") -> AsteriskCallerLine:
    ari = AriClient("http://127.0.0.1:1", "orderline", "secret", "orderline")
    channel = {"id": channel_id, "state": state, "caller": {"number": "2025550143"}}
    return AsteriskCallerLine(ari, channel, ["inbound", "7000"], StasisOptions(), adopted=adopted, known_as=known_as)


async def died_with(directory: Path, pack: FlowPack, call_id: str, *heard: str) -> None:
    """Leave behind what a killed agent would of a call in which this was said."""
    conversation = Conversation(pack, CallFacts(now=wall(), call_id=call_id), RENDER)
    conversation.start()
    for text in heard:
        conversation.hear(TurnInput(text))
    record = CallRecord(call_id, Caller("2025550143"), wall().isoformat())
    record.turns.append(TurnRecord(0.0, "How can I help?"))
    keeper = await SqliteSnapshotStore.open(directory / "state.sqlite", "the-dead-one")
    keeper.keep(call_id, snapshot_of(record, wall().timestamp(), conversation.snapshot()))
    await keeper.close()


FACTS = CallFacts(now=wall())


async def test_a_call_of_a_dead_agent_goes_on_where_it_was(tmp_path: Path, pack: FlowPack) -> None:
    await died_with(tmp_path, pack, "c-1", "where is order one oh four seven three")
    async with survival(tmp_path) as found:
        assert found.id_of("c-1") == "c-1"
        conversation, resumed = found.conversation(line("c-1", "c-1"), pack, FACTS, RENDER)
        assert resumed is not None
        assert resumed.hand_over == ""
        assert conversation.slots["order_number"] == "10473"
        assert conversation.resume().say[0].id == "lost_you"


async def test_what_was_kept_by_other_procedures_goes_to_a_person_with_its_record(
    tmp_path: Path, pack: FlowPack
) -> None:
    await died_with(tmp_path, pack, "c-1")
    (tmp_path / "other").mkdir()
    async with survival(tmp_path) as found:
        found.id_of("c-1")
        kept = found._left["c-1"].state
        kept["conversation"]["pack"] = "another edition"
        _, resumed = found.conversation(line("c-1", "c-1"), pack, FACTS, RENDER)
        assert resumed is not None
        assert resumed.hand_over == "controller_restarted"
        assert resumed.record.turns[0].agent == "How can I help?"


async def test_a_caller_nobody_knows_goes_to_a_person_and_one_not_yet_answered_is_greeted(
    tmp_path: Path, pack: FlowPack
) -> None:
    async with survival(tmp_path) as found:
        assert found.id_of("c-9") == ""
        _, answered = found.conversation(line("c-9"), pack, FACTS, RENDER)
        assert answered is not None
        assert answered.hand_over == "controller_restarted"
        _, ringing = found.conversation(line("c-8", state="Ring"), pack, FACTS, RENDER)
        assert ringing is None


async def test_the_records_of_calls_that_did_not_outlive_their_agent_are_written_once(
    tmp_path: Path, pack: FlowPack
) -> None:
    await died_with(tmp_path, pack, "c-1")
    await died_with(tmp_path, pack, "c-2")
    before = await CallStore.open(tmp_path / "calls.sqlite")
    for call_id in ("c-1", "c-2"):
        await before.begin(CallRecord(call_id, Caller("2025550143"), wall().isoformat()))
    await before.close()
    adopted = asyncio.Event()
    adopted.set()
    store = await CallStore.open(tmp_path / "calls.sqlite")
    async with survival(tmp_path) as found:
        found.id_of("c-2")
        assert await found.take_over(store, adopted, lambda: None) == 1
        record = await store.get("c-1")
        assert record is not None
        assert record["outcome"] == "lost"
        assert [turn["agent"] for turn in record["turns"]] == ["How can I help?"]
        assert await store.get("c-2") is None, "that one goes on"
        assert await found.take_over(store, adopted, lambda: None) == 0
    await store.close()


async def test_what_another_living_node_holds_is_its_own(redis: RealRedis, tmp_path: Path, pack: FlowPack) -> None:
    shared: dict[str, Any] = {"redis": {"url": redis.url}}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    adopted = asyncio.Event()
    adopted.set()
    async with survival(tmp_path / "one", shared) as one:
        one.keeper.keep("c-1", {"turn": 1})
        link = SharedRedis(redis.url)
        await until_kept(link, "c-1")
        async with survival(tmp_path / "two", shared) as two:
            store = await CallStore.open(tmp_path / "two" / "calls.sqlite")
            assert await two.take_over(store, adopted, lambda: None) == 0
            assert two.id_of("c-1") == "c-1", "it could go on with it"
            await store.close()
        assert await link.ask(lambda client: client.exists(f"{KEY_PREFIX}:call:c-1"), 0) == 1
        await link.close()


async def until_kept(link: SharedRedis, call_id: str) -> None:
    async with asyncio.timeout(20):
        while not await link.ask(lambda client: client.exists(f"{KEY_PREFIX}:call:{call_id}"), 0):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_lost_call_whose_caller_refused_to_be_recorded_is_recorded_without_a_word(
    tmp_path: Path, pack: FlowPack
) -> None:
    record = CallRecord("c-1", Caller("2025550143"), wall().isoformat())
    record.turns.append(TurnRecord(0.0, "How can I help?"))
    for conversation in ({"consent": "refused"}, {"consent": "", "asking": True}):
        told = consent_filtered(record, {"conversation": conversation})
        assert (told.consent, told.turns, told.caller.number) == ("refused", [], "")
    assert consent_filtered(record, {"conversation": {"consent": "given", "asking": False}}).turns == record.turns


async def test_new_calls_are_let_in_unless_there_are_too_many_or_nobody_should_come(tmp_path: Path) -> None:
    async with survival(tmp_path, max_calls=2) as found:
        assert [found.admit(live) for live in (0, 1, 2, 9)] == ["", "", "overload", "overload"]
        found.draining = True
        assert found.admit(0) == "draining"
    PauseSwitch(tmp_path / "paused.json", wall).begin("alice")
    async with survival(tmp_path) as found:
        assert found.admit(0) == "paused"
