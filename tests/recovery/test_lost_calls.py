"""Calls that ended because their process did are recorded once, whether or not Asterisk answers."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.app.recovery_factory import CallRecovery, open_recovery
from agent.call.records import Caller, CallRecord, SoundPart, SoundRecord, TurnRecord
from agent.common.redis import KEY_PREFIX, SharedRedis
from agent.config.settings import Settings
from agent.dialog.pack.loader import FlowPack
from agent.records import sounds_sql
from agent.records.call_store import CallStore
from agent.recovery.lost_calls import LostCalls, consent_filtered
from agent.rehearsal.real_redis import RealRedis
from tests.recovery.killed_agent import NOW, died_with, record_of
from tests.waiting import until


class AsteriskWith:
    """Tells at once, or never, that the callers of an earlier process have been taken over."""

    def __init__(self, *channel_ids: str, answers: bool = True) -> None:
        self._channel_ids = channel_ids
        self.adopted = asyncio.Event()
        if answers:
            self.adopted.set()

    async def channel_ids(self) -> Sequence[str]:
        return self._channel_ids


@contextlib.asynccontextmanager
async def opened(directory: Path, redis: SharedRedis | None = None) -> AsyncIterator[CallRecovery]:
    async with contextlib.AsyncExitStack() as stack:
        settings = Settings.model_validate({"state_directory": str(directory)})
        yield await open_recovery(settings, redis, stack)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CallStore]:
    """The records after a restart: the killed agent had begun the calls c-1 and c-2."""
    before = await CallStore.open(tmp_path / "calls.sqlite")
    for call_id in ("c-1", "c-2"):
        await before.begin(record_of(call_id))
    await before.close()
    after = await CallStore.open(tmp_path / "calls.sqlite", busy_timeout_seconds=0.01)
    yield after
    await after.close()


async def write(found: CallRecovery, store: CallStore, asterisk: AsteriskWith, **options: Any) -> int:
    lost_calls = LostCalls(found.interrupted, found.snapshots, store, **options)
    return await lost_calls.write_records(asterisk, asyncio.Event())


async def test_the_records_of_calls_that_did_not_outlive_their_agent_are_written_once(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    await died_with(tmp_path, pack, "c-1")
    await died_with(tmp_path, pack, "c-2")
    async with opened(tmp_path) as found:
        found.interrupted.claim("c-2")
        assert await write(found, store, AsteriskWith()) == 1
        record = await store.get("c-1")
        assert record is not None
        assert (record["outcome"], record["ended_by"]) == ("lost", "fault")
        assert [turn["agent"] for turn in record["turns"]] == ["How can I help?"]
        assert await store.get("c-2") is None, "that one goes on"
        assert await write(found, store, AsteriskWith()) == 0
    async with opened(tmp_path) as after:
        assert [one.call_id for one in after.interrupted.unclaimed] == ["c-2"], "its snapshot is kept, the other's gone"


async def test_the_recording_of_a_lost_call_is_known_by_its_record_and_silent_where_nothing_was_written_down(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    await died_with(tmp_path, pack, "c-1", sound=SoundRecord("0" * 32, [SoundPart(1, 0.0)]))
    async with opened(tmp_path) as found:
        assert await write(found, store, AsteriskWith()) == 2
    record = await store.get("c-1")
    assert record is not None
    assert {"from_seconds": 0.0, "until_seconds": None, "side": "caller"} in record["sound"]["silent"]
    (waiting,) = await store.database.transaction(sounds_sql.unfinished)
    assert (waiting.name, waiting.call_id) == ("0" * 32, "c-1")


async def test_a_caller_whom_the_dialplan_gave_to_the_staff_was_rescued(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    await died_with(tmp_path, pack, "c-1")
    async with opened(tmp_path) as found:
        assert await write(found, store, AsteriskWith("c-1")) == 2
    record = await store.get("c-1")
    assert record is not None
    assert record["outcome"] == "rescued"


async def test_where_asterisk_does_not_answer_they_are_written_all_the_same(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    await died_with(tmp_path, pack, "c-1")
    async with opened(tmp_path) as found:
        assert await write(found, store, AsteriskWith(answers=False), recovery_seconds=0.01) == 2
    assert await store.get("c-1") is not None


async def test_nothing_is_written_before_it_is_known_who_is_still_there(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    await died_with(tmp_path, pack, "c-1")
    asterisk = AsteriskWith(answers=False)
    async with opened(tmp_path) as found:
        writing = asyncio.create_task(write(found, store, asterisk))
        await asyncio.sleep(0)
        found.interrupted.claim("c-1")
        found.interrupted.claim("c-2")
        asterisk.adopted.set()
        assert await writing == 0
    assert await store.get("c-1") is None


async def test_while_the_file_is_locked_it_is_tried_again(
    tmp_path: Path, store: CallStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as found:
        with contextlib.closing(sqlite3.connect(tmp_path / "calls.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            writing = asyncio.create_task(write(found, store, AsteriskWith()))
            await until(lambda: "cannot be written just now" in caplog.text)
            other.rollback()
        assert await writing == 2


async def test_a_stop_ends_the_trying(tmp_path: Path, store: CallStore, caplog: pytest.LogCaptureFixture) -> None:
    stopping = asyncio.Event()
    async with opened(tmp_path) as found:
        with contextlib.closing(sqlite3.connect(tmp_path / "calls.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            lost_calls = LostCalls(found.interrupted, found.snapshots, store)
            writing = asyncio.create_task(lost_calls.write_records(AsteriskWith(), stopping))
            await until(lambda: "cannot be written just now" in caplog.text)
            stopping.set()
            assert await writing == 0
            other.rollback()
    assert await store.get("c-1") is None


async def test_a_process_that_is_stopped_before_asterisk_answers_leaves_the_calls_to_the_next_one(
    tmp_path: Path, pack: FlowPack, store: CallStore
) -> None:
    await died_with(tmp_path, pack, "c-1")
    stopping = asyncio.Event()
    async with opened(tmp_path) as found:
        lost_calls = LostCalls(found.interrupted, found.snapshots, store)
        writing = asyncio.create_task(lost_calls.write_records(AsteriskWith(answers=False), stopping))
        await asyncio.sleep(0)
        stopping.set()
        assert await writing == 0
    assert await store.get("c-1") is None
    async with opened(tmp_path) as found:
        assert await write(found, store, AsteriskWith()) == 2
    record = await store.get("c-1")
    assert record is not None
    assert record["turns"], "what was said is known from the snapshot still"


async def test_what_another_living_node_holds_is_its_own(redis: RealRedis, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    link = SharedRedis(redis.url)
    async with opened(tmp_path / "one", link) as one:
        one.snapshots.keep("c-1", {"turn": 1})
        await until_kept(link, "c-1")
        async with opened(tmp_path / "two", link) as two:
            store = await CallStore.open(tmp_path / "two" / "calls.sqlite")
            assert await write(two, store, AsteriskWith()) == 0
            assert two.interrupted.claim("c-1") == "c-1", "it could go on with it"
            await store.close()
        assert await link.ask(lambda client: client.exists(f"{KEY_PREFIX}:call:c-1"), 0) == 1
    await link.close()


async def until_kept(link: SharedRedis, call_id: str) -> None:
    async with asyncio.timeout(20):
        while not await link.ask(lambda client: client.exists(f"{KEY_PREFIX}:call:{call_id}"), 0):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_a_lost_call_whose_caller_refused_to_be_recorded_is_recorded_without_a_word() -> None:
    record = CallRecord("c-1", Caller("2025550143"), NOW.isoformat())
    record.turns.append(TurnRecord(0.0, "How can I help?"))
    for conversation in ({"consent": "refused"}, {"consent": "", "asking": True}):
        told = consent_filtered(record, {"conversation": conversation})
        assert (told.consent, told.turns, told.caller.number) == ("refused", [], "")
    assert consent_filtered(record, {"conversation": {"consent": "given", "asking": False}}).turns == record.turns
