"""A person is removed everywhere and is then in no byte of the state directory; what is too old goes by kind."""

from __future__ import annotations

import asyncio
import io
import json
import sqlite3
import time
from collections.abc import Collection
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.call.records import Caller, CallRecord, SoundPart, SoundRecord, TurnRecord
from agent.errors import OrderlineError
from agent.records import sounds_sql
from agent.records.call_store import CallStore
from agent.records.calls_erasure import CallsFile
from agent.records.copies import Kind, Removal
from agent.records.erasure import Erasure, erase, expire, tell
from agent.records.outbox_sql import NewOutboxEntry
from agent.records.person import Person, caller, of_order
from agent.records.sound_files import SoundDirectory
from agent.records.spool import Spool
from agent.records.state_files import StateFiles, remaining
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from agent.shop.attempts_sqlite import SqliteAttemptLimits
from agent.shop.http.idempotency_store import IdempotencyStore

NUMBER = "+12025550143"
OTHER = "+12025550199"
NATIONAL = b"2025550143"
ME = caller(NUMBER, "US")
NOW = 1_764_500_000.0
DAY = 86400.0


def call(call_id: str, number: str = NUMBER, order: str = "10473", began: float = NOW) -> CallRecord:
    started = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
    record = CallRecord(call_id, Caller(number, "Ann Example", "7000"), started, outcome="answered")
    said = "one oh four seven three" if order == "10473" else "two oh eight eight one"
    record.turns.append(TurnRecord(1.0, "Which order?", heard=said, understood=f"order_number={order}"))
    record.slots = {"order_number": order}
    record.handover = {"reason": "x", "ticket": "", "summary": "wants her order", "facts": {}}
    return record


class State:
    """A state directory as a shop's agent leaves it, with all files that hold something of calls."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "calls.sqlite"
        self.sound = SoundDirectory(directory / "sound")
        self.calls = CallsFile(self.path, self.sound)

    async def filled(self) -> None:
        store = await CallStore.open(self.path)
        mine, other = call("call-1"), call("call-2", OTHER, "20881")
        mine.sound = SoundRecord(self.recording(), [SoundPart(1, 0.0)])
        other.sound = SoundRecord(self.recording(), [SoundPart(1, 0.0)])
        for record in (mine, other):
            await store.begin(record)
            await store.write(record)
        draft = {"name": "tickets.create", "arguments": {"page": "She rang from (202) 555-0143"}}
        await store.outbox.add(
            [
                NewOutboxEntry("ticket", "k-1", draft, "call-1"),
                NewOutboxEntry("ticket", "k-2", {"name": "tickets.create", "arguments": {}}, "call-2"),
                NewOutboxEntry("webhook", "k-3", {"body": {"caller": NUMBER}}, "call-9"),
            ]
        )
        await store.close()
        Spool(self.path.with_name("calls.sqlite.spool.jsonl")).append({"id": "call-3", "caller": {"number": NUMBER}})
        Spool(self.path.with_name("calls.sqlite.spool.jsonl")).append({"id": "call-4", "caller": {"number": OTHER}})
        (self.directory / "calls.sqlite.spool.jsonl.unreadable").write_bytes(
            b'{"broken": "+12025550143"\n{"broken": 1\n'
        )
        snapshots = await SqliteSnapshotStore.open(self.directory / "state.sqlite", "holder")
        snapshots.keep("call-5", {"record": {"caller": {"number": NUMBER}}})
        snapshots.keep("call-6", {"record": {"caller": {"number": OTHER}}})
        await snapshots.written()
        await snapshots.close()
        attempts = SqliteAttemptLimits(self.directory / "attempts.sqlite")
        await attempts.failed(NUMBER, "10473")
        await attempts.failed(OTHER, "20881")
        await attempts.close()
        changes = IdempotencyStore(self.directory / "changes.sqlite")
        await changes.begin("messages.send", "a")
        await changes.done("messages.send", "a", json.dumps({"to": "202-555-0143"}))
        await changes.close()
        whispers = self.directory / "whispers"
        whispers.mkdir()
        (whispers / "orderline-whisper-call-1.wav").write_bytes(b"RIFF")
        (whispers / "orderline-whisper-call-2.wav").write_bytes(b"RIFF")

    def recording(self) -> str:
        name = self.sound.new_name()
        self.sound.kept_file(name).write_bytes(b"RIFF")
        return name

    def erase(self, person: Person, *, dry_run: bool = False) -> Erasure:
        others = [StateFiles(self.directory, "calls.sqlite")]
        return erase(person, self.calls, others, self.directory, dry_run=dry_run)

    def bytes_with(self, *patterns: bytes) -> list[str]:
        """Every file, whatever it is, in which one of these stands."""
        files = [file for file in self.directory.rglob("*") if file.is_file()]
        return [file.name for file in files if any(pattern in file.read_bytes() for pattern in patterns)]

    def rows(self, query: str, file: str = "calls.sqlite") -> list[Any]:
        with closing(sqlite3.connect(self.directory / file)) as db:
            return [row[0] for row in db.execute(query)]


@pytest.fixture
async def state(tmp_path: Path) -> State:
    made = State(tmp_path)
    await made.filled()
    return made


def counts(done: Erasure) -> dict[str, int]:
    return {f"{one.place}: {one.what}": one.count for one in done.removals if one.count}


async def test_a_number_is_nowhere_after_its_erasure(state: State) -> None:
    before = state.bytes_with(NATIONAL, b"202-555-0143", b"(202) 555-0143")
    assert len(before) >= 5, "the test has something to find"
    done = state.erase(ME)
    assert done.complete, done
    assert state.bytes_with(NATIONAL, b"202-555-0143", b"(202) 555-0143", b"202 555 0143") == []
    assert counts(done) == {
        "calls.sqlite: records": 1,
        "calls.sqlite: outbox entries that were never delivered": 2,
        "sound: recordings": 1,
        "calls.sqlite.spool.jsonl: records that wait": 1,
        "calls.sqlite.spool.jsonl.unreadable: records that wait": 1,
        "state.sqlite: snapshots of calls": 1,
        "attempts.sqlite: failed verifications": 1,
        "changes.sqlite: answers of business systems": 1,
        "whispers: announcements for staff": 1,
    }


async def test_others_keep_everything(state: State) -> None:
    state.erase(ME)
    assert state.rows("SELECT id FROM calls") == ["call-2"]
    assert state.rows("SELECT key FROM outbox") == ["k-2"]
    assert state.rows("SELECT call_id FROM live_calls", "state.sqlite") == ["call-6"]
    assert state.rows("SELECT caller FROM attempts", "attempts.sqlite") == [OTHER]
    assert Spool(state.directory / "calls.sqlite.spool.jsonl").ids() == {"call-4"}
    assert len(list(state.sound.kept.iterdir())) == 1
    assert [file.name for file in (state.directory / "whispers").iterdir()] == ["orderline-whisper-call-2.wav"]


async def test_an_order_takes_the_calls_about_it(state: State) -> None:
    done = state.erase(of_order("10473"))
    assert done.complete
    assert done.calls == 1
    assert state.rows("SELECT id FROM calls") == ["call-2"]
    assert state.bytes_with(b"10473") == []


async def test_a_dry_run_says_the_same_and_removes_nothing(state: State) -> None:
    contents = {file: file.read_bytes() for file in state.directory.rglob("*") if file.is_file()}
    would = counts(state.erase(ME, dry_run=True))
    for file, content in contents.items():
        if not file.name.endswith(("-shm", "-wal")):
            assert file.read_bytes() == content, file
    assert counts(state.erase(ME)) == would


async def test_it_can_be_done_again(state: State) -> None:
    state.erase(ME)
    again = state.erase(ME)
    assert again.complete
    assert counts(again) == {}


async def test_it_is_done_while_an_agent_has_the_files_open_and_writes(state: State) -> None:
    store = await CallStore.open(state.path)
    try:
        erasing = asyncio.create_task(asyncio.to_thread(state.erase, ME))
        number = 0
        while not erasing.done():
            number += 1
            await store.write(call(f"busy-{number}", OTHER, "20881"))
        assert (await erasing).complete
        assert not store.waiting or store.problem
    finally:
        await store.close()
    assert state.bytes_with(NATIONAL) == []
    reopened = await CallStore.open(state.path)
    await reopened.close()
    assert state.rows("SELECT count(*) FROM calls WHERE id LIKE 'busy-%'") == [number]


async def test_a_call_that_goes_on_is_told_and_is_no_complete_erasure(state: State) -> None:
    store = await CallStore.open(state.path)
    await store.begin(call("call-7"))
    done = await asyncio.to_thread(state.erase, ME)
    assert done.going_on == ["call-7"]
    assert not done.complete
    assert store.outbox is not None
    await store.write(call("call-7"))
    await store.close()
    assert state.erase(ME).complete
    assert state.bytes_with(NATIONAL) == []


class Broken:
    """A place that cannot be reached."""

    place = "PostgreSQL"

    def __init__(self) -> None:
        self.works = False

    def calls_of(self, person: Person) -> set[str]:
        return set()

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        if not self.works:
            raise OrderlineError("no answer")
        return [Removal(self.place, "records", len(calls))]

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        return []

    def follow(self) -> None:
        pass


async def test_a_place_that_cannot_be_reached_gets_the_same_calls_the_next_time(state: State) -> None:
    place = Broken()
    done = erase(ME, state.calls, [place], state.directory, dry_run=False)
    assert done.failed == ["PostgreSQL: no answer"]
    assert not done.complete
    assert state.rows("SELECT count(*) FROM calls") == [2], "else nobody could say any more which calls they are"
    place.works = True
    done = erase(ME, state.calls, [place], state.directory, dry_run=False)
    assert counts(done)["PostgreSQL: records"] == 1


async def test_the_report_tells_what_was_done_and_never_the_number(state: State) -> None:
    out = io.StringIO()
    tell(state.erase(ME), "1 call(s):", dry_run=False, out=out)
    assert "calls.sqlite: 1 records" in out.getvalue()
    assert "2025550143" not in out.getvalue()


def test_a_number_that_is_left_somewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x12025550143y")
    (tmp_path / "b.txt").write_text("120255501439")
    (tmp_path / "big").write_bytes(b"." * (4 * 1024 * 1024 - 5) + NATIONAL + b"." * 10)
    assert sorted(file.name for file in remaining(tmp_path, [NATIONAL])) == ["a.txt", "big"]


# --- age --------------------------------------------------------------------------------------------


async def aged(tmp_path: Path) -> State:
    """Calls of 1, 10 and 100 days ago, with recordings."""
    state = State(tmp_path)
    store = await CallStore.open(state.path)
    for age in (1, 10, 100):
        record = call(f"call-{age}", began=NOW - age * DAY)
        record.sound = SoundRecord(state.recording(), [SoundPart(1, 0.0)])
        store.outbox.clock = lambda age=age: NOW - age * DAY  # type: ignore[misc]
        await store.write(record)
    await store.close()
    return state


def aged_out(state: State, *, dry_run: bool = False, **days: int) -> dict[str, int]:
    kinds: dict[Kind, int] = {"sound": 0, "words": 0, "notes": 0, "record": 0, **days}  # type: ignore[typeddict-item]
    return counts(expire(kinds, [state.calls], dry_run=dry_run, now=NOW))


async def test_each_kind_has_its_own_days(tmp_path: Path) -> None:
    state = await aged(tmp_path)
    assert aged_out(state, sound=5, words=50, record=0) == {
        "sound: recordings": 2,
        "calls.sqlite: records that lost their words": 1,
    }
    assert len(list(state.sound.kept.iterdir())) == 1
    assert state.rows("SELECT count(*) FROM calls") == [3]
    words = {row["id"]: row["turns"][0]["heard"] for row in map(json.loads, state.rows("SELECT record FROM calls"))}
    assert words == {"call-1": "one oh four seven three", "call-10": "one oh four seven three", "call-100": ""}


async def test_a_record_goes_with_its_recording(tmp_path: Path) -> None:
    state = await aged(tmp_path)
    assert aged_out(state, record=50) == {"calls.sqlite: records": 1, "sound: recordings": 1}
    assert state.rows("SELECT id FROM calls ORDER BY id") == ["call-1", "call-10"]
    assert len(list(state.sound.kept.iterdir())) == 2


async def test_0_days_are_for_ever(tmp_path: Path) -> None:
    assert aged_out(await aged(tmp_path)) == {}


async def test_a_dry_run_of_age_removes_nothing(tmp_path: Path) -> None:
    state = await aged(tmp_path)
    would = aged_out(state, dry_run=True, sound=5, words=5, record=50)
    assert state.rows("SELECT count(*) FROM sounds") == [3]
    assert would["calls.sqlite: records"] == 1
    assert aged_out(state, sound=5, words=5, record=50)["calls.sqlite: records that lost their words"] == 2


async def test_words_are_lost_once_and_figures_stay(tmp_path: Path) -> None:
    state = await aged(tmp_path)
    aged_out(state, words=5)
    assert aged_out(state, words=5) == {}
    record = json.loads(state.rows("SELECT record FROM calls WHERE id = 'call-100'")[0])
    assert record["words_expired"] is True
    assert (record["turns"][0]["agent"], record["handover"]["summary"]) == ("", "")
    assert (record["outcome"], record["turns"][0]["at_seconds"], record["handover"]["reason"]) == ("answered", 1.0, "x")


async def test_words_of_a_record_that_came_late_are_lost_too(tmp_path: Path) -> None:
    state = await aged(tmp_path)
    aged_out(state, words=5)
    store = await CallStore.open(state.path)
    await store.write(call("late", began=NOW - 6 * DAY))
    await store.close()
    assert aged_out(state, words=5) == {"calls.sqlite: records that lost their words": 1}


async def test_the_words_that_were_lost_are_in_no_byte(tmp_path: Path) -> None:
    state = State(tmp_path)
    store = await CallStore.open(state.path)
    record = call("call-1", began=NOW - 100 * DAY)
    record.turns[0].heard = "my secret sentence"
    await store.write(record)
    await store.close()
    aged_out(state, words=5)
    state.calls.follow()
    assert state.bytes_with(b"secret sentence") == []


async def test_a_database_of_an_older_version_can_be_asked(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as db:
        db.execute(
            "CREATE TABLE calls (id TEXT PRIMARY KEY, started_at TEXT NOT NULL, caller_number TEXT NOT NULL,"
            " outcome TEXT NOT NULL, ended_by TEXT NOT NULL, duration_seconds REAL NOT NULL, record TEXT NOT NULL,"
            " written_at TEXT)"
        )
        row = ("old", "2025-01-01T00:00:00+00:00", NUMBER, "answered", "agent", 1.0, json.dumps({"id": "old"}), "")
        db.execute("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.commit()
    state = State(tmp_path)
    assert state.erase(ME).calls == 1
    assert state.rows("SELECT count(*) FROM calls") == [0]
    assert state.bytes_with(NATIONAL) == []


def test_nothing_there_is_nothing_to_erase(tmp_path: Path) -> None:
    assert State(tmp_path).erase(ME).complete
    assert not (tmp_path / "calls.sqlite").exists()


async def test_sounds_of_the_table_are_those_of_the_directory(tmp_path: Path) -> None:
    state = await aged(tmp_path)
    with closing(sqlite3.connect(state.path)) as db:
        db.row_factory = sqlite3.Row
        assert set(sounds_sql.states(db)) == {file.stem for file in state.sound.kept.iterdir()}
    assert time.time() > NOW
