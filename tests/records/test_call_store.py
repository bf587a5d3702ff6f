"""Every call ends in exactly one record, on the disk, whatever the disk does."""

from __future__ import annotations

import asyncio
import datetime as dt
import errno
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.call.records import Caller, CallRecord, TurnRecord
from agent.records import call_store
from agent.records.call_record import SCHEMA, call_record
from agent.records.call_store import CallStore, RecordExists, RecordsUnavailable
from agent.records.spool import RESERVE_BYTES

START = dt.datetime(2026, 11, 22, 15, 30, tzinfo=dt.UTC)


def finished_call(call_id: str = "call-1", minute: int = 0, **fields: Any) -> CallRecord:
    values: dict[str, Any] = {
        "caller": Caller(number="+12025550143", name="Maria"),
        "started_at": (START + dt.timedelta(minutes=minute)).isoformat(),
        "duration_seconds": 24.5,
        "outcome": "answered",
        "ended_by": "caller",
        "turns": [TurnRecord(at_seconds=0.2, agent="Hello", heard="where is my order", response_ms=310.0)],
        "slots": {"order_number": "10473"},
    }
    return CallRecord(id=call_id, **values | fields)


async def opened(path: Path) -> CallStore:
    return await CallStore.open(path, busy_timeout_seconds=0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records" / "calls.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[CallStore]:
    store = await opened(path)
    yield store
    await store.close()


def spool(path: Path) -> Path:
    return path.with_name(path.name + ".spool.jsonl")


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def locked(path: Path) -> sqlite3.Connection:
    """Hold the database as another process would."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


class TestWriting:
    async def test_a_record_comes_back_as_it_was_with_its_schema(self, store: CallStore) -> None:
        call = finished_call()
        await store.write(call)
        stored = await store.get("call-1")
        assert stored == call_record(call)
        assert stored is not None
        assert stored["schema"] == SCHEMA == 1

    async def test_the_second_record_of_a_call_is_refused_and_the_first_stands(self, store: CallStore) -> None:
        await store.write(finished_call(outcome="answered"))
        with pytest.raises(RecordExists) as caught:
            await store.write(finished_call(outcome="failed"))
        assert caught.value.code == "record_exists"
        assert (await store.recent(9))[0]["outcome"] == "answered"

    async def test_of_twenty_writes_at_once_of_one_call_one_wins(self, store: CallStore) -> None:
        outcomes = await asyncio.gather(*(store.write(finished_call()) for _ in range(20)), return_exceptions=True)
        assert outcomes.count(None) == 1
        assert sum(isinstance(outcome, RecordExists) for outcome in outcomes) == 19

    async def test_a_call_that_is_cancelled_while_it_writes_is_recorded_all_the_same(self, store: CallStore) -> None:
        writing = asyncio.create_task(store.write(finished_call()))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        await store.write(finished_call("call-2"))
        assert await store.get("call-1") is not None

    async def test_secrets_are_redacted_before_they_reach_the_disk(self, store: CallStore, path: Path) -> None:
        turn = TurnRecord(at_seconds=1, agent="Your postcode?", heard="six oh six one four", slot="postcode")
        card = TurnRecord(at_seconds=4, agent="Yes?", heard="4111111111111111")
        await store.write(finished_call(turns=[turn, card], slots={"postcode": "60614"}))
        await store.close()
        content = on_disk(path.parent)
        assert b"[postcode]" in content
        assert b"60614" not in content
        assert b"six oh six" not in content
        assert b"4111111111111111" not in content

    async def test_values_json_does_not_know_do_not_lose_the_record(self, store: CallStore) -> None:
        odd = {
            "day": START.date(),
            "sum": Decimal("49.50"),
            "nan": float("nan"),
            "set": {"a"},
            "bytes": b"x",
            "half": "\ud800",
            3: "three",
        }
        await store.write(finished_call(slots=odd, caller=Caller(name="\udcff", number="\ud800")))
        stored = await store.get("call-1")
        assert stored is not None
        assert stored["slots"]["day"] == "2026-11-22"
        assert stored["slots"]["sum"] == 49.5
        assert stored["slots"]["nan"] is None
        assert stored["slots"]["3"] == "three"


class TestReading:
    async def test_an_unknown_call_is_none(self, store: CallStore) -> None:
        assert await store.get("nobody") is None

    async def test_recent_calls_come_newest_first(self, store: CallStore) -> None:
        for minute in (1, 3, 2):
            await store.write(finished_call(f"call-{minute}", minute))
        assert [record["id"] for record in await store.recent(2)] == ["call-3", "call-2"]

    async def test_export_writes_one_json_line_a_call_oldest_first(self, store: CallStore, tmp_path: Path) -> None:
        for minute in (2, 1):
            await store.write(finished_call(f"call-{minute}", minute))
        assert await store.export(tmp_path / "calls.jsonl") == 2
        lines = (tmp_path / "calls.jsonl").read_text().splitlines()
        assert [json.loads(line)["id"] for line in lines] == ["call-1", "call-2"]
        assert names(tmp_path) == ["calls.jsonl", "records"]

    async def test_an_export_that_cannot_be_written_says_so(self, store: CallStore, tmp_path: Path) -> None:
        with pytest.raises(RecordsUnavailable):
            await store.export(tmp_path / "missing" / "calls.jsonl")


class TestWhenTheDatabaseCannot:
    async def test_a_locked_database_sends_the_record_to_the_spool_and_the_next_start_takes_it_in(
        self, path: Path
    ) -> None:
        store = await opened(path)
        with closing(locked(path)) as other:
            await store.write(finished_call())
            assert len(spool(path).read_text().splitlines()) == 1
            await store.close()
            other.rollback()
        store = await opened(path)
        assert await store.get("call-1") == call_record(finished_call())
        assert spool(path).read_bytes() == b""
        await store.close()

    async def test_a_full_database_sends_the_record_to_the_spool(self, path: Path) -> None:
        await (await opened(path)).close()
        store = await opened(path)
        await store.outbox._database.transaction(lambda db: db.execute("PRAGMA max_page_count = 1"))
        await store.write(finished_call(slots={"long": "words " * 5000}))
        await store.close()
        store = await opened(path)
        assert await store.get("call-1") is not None
        await store.close()

    async def test_a_call_that_waits_in_the_spool_is_not_recorded_twice(self, store: CallStore, path: Path) -> None:
        with closing(locked(path)) as other:
            await store.write(finished_call())
            with pytest.raises(RecordExists):
                await store.write(finished_call())
            other.rollback()
        with pytest.raises(RecordExists):
            await store.write(finished_call())

    async def test_the_next_record_that_gets_through_takes_the_waiting_ones_along(
        self, store: CallStore, path: Path
    ) -> None:
        with closing(locked(path)) as other:
            await store.write(finished_call("call-1"))
            other.rollback()
        await store.write(finished_call("call-2", 1))
        assert [record["id"] for record in await store.recent(9)] == ["call-2", "call-1"]
        with pytest.raises(RecordExists):
            await store.write(finished_call("call-1"))

    async def test_a_start_killed_between_taking_in_and_forgetting_makes_no_double(self, path: Path) -> None:
        store = await opened(path)
        await store.write(finished_call())
        await store.close()
        spool(path).write_text(json.dumps(call_record(finished_call())) + "\n")
        store = await opened(path)
        assert len(await store.recent(9)) == 1
        await store.close()
        assert names(path.parent) == ["calls.sqlite", spool(path).name, f"{spool(path).name}.reserve"]

    async def test_another_record_for_a_known_call_is_set_aside_not_lost(self, path: Path) -> None:
        store = await opened(path)
        await store.write(finished_call())
        await store.close()
        spool(path).write_text(json.dumps(call_record(finished_call(outcome="failed"))) + "\n")
        store = await opened(path)
        assert (await store.recent(9))[0]["outcome"] == "answered"
        await store.close()
        aside = path.with_name(spool(path).name + ".refused")
        assert json.loads(aside.read_text())["outcome"] == "failed"

    async def test_a_line_cut_short_spoils_neither_its_neighbours_nor_the_start(self, path: Path) -> None:
        store = await opened(path)
        spool(path).write_text('{"id": "half of a rec')
        with closing(locked(path)) as other:
            await store.write(finished_call())
            other.rollback()
        await store.close()
        store = await opened(path)
        assert await store.get("call-1") is not None
        await store.close()
        assert path.with_name(spool(path).name + ".unreadable").read_text() == '{"id": "half of a rec\n'

    async def test_what_neither_database_nor_spool_takes_is_written_as_soon_as_one_does(
        self, store: CallStore, path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call_store, "RETRY_SECONDS", 0.02)
        spool(path).mkdir()
        with closing(locked(path)) as other:
            await store.write(finished_call())
            assert (store.waiting, "calls.sqlite" in store.problem) == (1, True)
            assert "is in memory alone" in caplog.text
            with pytest.raises(RecordExists):
                await store.write(finished_call())
            other.rollback()
        async with asyncio.timeout(10):
            while await store.get("call-1") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        spool(path).rmdir()
        await store.write(finished_call("call-2"))
        assert (store.waiting, store.problem) == (0, "")

    async def test_the_log_is_the_last_place_a_record_goes_to(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = await opened(path)
        spool(path).mkdir()
        with closing(locked(path)):
            await store.write(finished_call())
            await store.close()
        (line,) = [one for one in caplog.messages if "was kept nowhere else" in one]
        assert json.loads(line.partition("else: ")[2])["id"] == "call-1"

    async def test_when_the_memory_for_it_is_full_too_the_caller_hears_of_it(
        self, store: CallStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(call_store, "MOST_IN_MEMORY", 0)
        spool(path).mkdir()
        with closing(locked(path)) as other:
            with pytest.raises(RecordsUnavailable) as caught:
                await store.write(finished_call())
            other.rollback()
        assert "call-1" in caught.value.message
        assert (caught.value.code, caught.value.retryable) == ("records_unavailable", True)
        await store.write(finished_call())
        assert await store.get("call-1") is not None

    async def test_on_a_full_disk_the_room_held_for_records_takes_them(
        self, store: CallStore, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reserve = path.with_name(spool(path).name + ".reserve")
        assert reserve.stat().st_blocks * 512 >= RESERVE_BYTES
        synchronise = os.fsync

        def full_while_the_reserve_is_there(handle: int) -> None:
            if reserve.exists():
                raise OSError(errno.ENOSPC, "No space left on device")
            synchronise(handle)

        monkeypatch.setattr(os, "fsync", full_while_the_reserve_is_there)
        with closing(locked(path)) as other:
            await store.write(finished_call())
            assert len(spool(path).read_text().splitlines()) == 1
            other.rollback()
        await store.write(finished_call("call-2"))
        assert await store.get("call-1") is not None
        assert reserve.exists(), "and it is held again"


class TestOpening:
    async def test_a_file_that_is_no_database_is_refused_with_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "calls.sqlite").write_text("this is no database, it is a letter")
        with pytest.raises(RecordsUnavailable, match=r"calls\.sqlite"):
            await opened(tmp_path / "calls.sqlite")

    async def test_a_database_of_a_newer_version_is_left_alone(self, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(RecordsUnavailable, match="newer"):
            await opened(tmp_path / "calls.sqlite")

    async def test_closing_twice_is_harmless_and_a_record_after_it_is_a_typed_error(self, path: Path) -> None:
        store = await opened(path)
        await store.close()
        await store.close()
        with pytest.raises(RecordsUnavailable):
            await store.write(finished_call())

    async def test_closing_waits_for_the_writes_under_way(self, path: Path) -> None:
        store = await opened(path)
        writes = [asyncio.create_task(store.write(finished_call(f"call-{n}"))) for n in range(10)]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*writes)
        store = await opened(path)
        assert len(await store.recent(99)) == 10
        await store.close()


WRITER = """
import asyncio, pathlib, sys
from agent.call.records import Caller, CallRecord
from agent.records.call_store import CallStore
from agent.records.spool import RESERVE_BYTES

async def main():
    store = await CallStore.open(pathlib.Path(sys.argv[1]))
    for n in range(100000):
        await store.write(CallRecord(id=f"call-{n}", caller=Caller(), started_at="2026-11-22T15:30:00+00:00"))
        print(f"call-{n}", flush=True)

asyncio.run(main())
"""


async def test_every_record_that_was_confirmed_survives_a_kill(path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    confirmed = [(await process.stdout.readline()).decode().strip() for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    rest, _ = await process.communicate()
    confirmed += rest.decode().split("\n")[:-1]
    assert confirmed[0] == "call-0"
    store = await opened(path)
    assert {record["id"] for record in await store.recent(100000)} >= set(confirmed)
    await store.close()
