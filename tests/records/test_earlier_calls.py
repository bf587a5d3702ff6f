"""A call from a number that called before is a repeat of that call, in real time, not in the time of clocks."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.call.records import Caller, CallRecord, OutboundPart, QueueWait
from agent.records import database, outbox_sql
from agent.records.call_store import CallStore
from agent.records.database import utc_seconds
from agent.records.earlier_calls import ContactsSince, start_of
from agent.records.redaction import RedactionPolicy, redact_record

NUMBER = "+12025550143"
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0


def called(call_id: str, at: dt.datetime, number: str = NUMBER, **more: Any) -> CallRecord:
    record = CallRecord(call_id, Caller(number), at.isoformat(timespec="milliseconds"), outcome="answered", **more)
    record.started_utc = at.timestamp()
    return record


def berlin(hour: int, minute: int = 0, day: int = 25, fold: int = 0) -> dt.datetime:
    """A time of the night in which the clocks go back from three to two."""
    return dt.datetime(2026, 10, day, hour, minute, tzinfo=BERLIN, fold=fold)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[CallStore]:
    store = await CallStore.open(tmp_path / "calls.sqlite", repeat_seconds=2 * HOUR)
    yield store
    await store.close()


async def kept(store: CallStore, call_id: str) -> str:
    record = await store.get(call_id)
    assert record is not None
    return str(record["repeat_of"])


async def test_the_latest_earlier_call_within_the_time_counts(store: CallStore) -> None:
    for call_id, hour in (("old", 9), ("first", 10), ("second", 11)):
        await store.write(called(call_id, berlin(hour)))
    again = called("again", berlin(12, 30))
    assert await store.begin(again) == "second"
    assert await store.begin(called("late", berlin(13, 1))) == ""
    await store.write(again)  # what begin() found is looked up again where it was not kept
    assert await kept(store, "again") == "second"
    assert await kept(store, "old") == ""


async def test_when_the_clocks_go_back_the_hour_that_comes_twice_is_in_order(store: CallStore) -> None:
    before, after = berlin(2, 50), berlin(2, 10, fold=1)  # twenty minutes apart, and the text says the other way round
    assert after.timestamp() - before.timestamp() == 20 * 60
    await store.write(called("before", before))
    assert await store.begin(called("after", after)) == "before"
    await store.write(called("after", after))
    assert await store.begin(called("third", berlin(2, 55, fold=1))) == "after"
    assert await store.begin(called("between", berlin(2, 55))) == "before"


@pytest.mark.parametrize("number", ["", "anonymous", "Anonymous", "unknown", "asterisk", "s", "[…43]"])
async def test_who_shows_no_number_has_no_earlier_calls(store: CallStore, number: str) -> None:
    await store.write(called("first", berlin(10), number))
    assert await store.begin(called("second", berlin(11), number)) == ""


async def test_a_visit_of_the_same_call_is_no_repeat(store: CallStore) -> None:
    await store.write(called("call-1", berlin(10)))
    back = called("call-1-ab12", berlin(10, 5), entry="queue_failed", continues="call-1")
    assert await store.begin(back) == ""
    await store.write(back)
    assert await store.begin(called("call-2", berlin(11))) == "call-1-ab12"


async def test_another_number_is_another_caller(store: CallStore) -> None:
    await store.write(called("first", berlin(10), "+12025550144"))
    assert await store.begin(called("second", berlin(11))) == ""


async def test_none_is_a_repeat_where_the_shop_does_not_want_it(tmp_path: Path) -> None:
    store = await CallStore.open(tmp_path / "calls.sqlite", repeat_seconds=0)
    await store.write(called("first", berlin(10)))
    assert await store.begin(called("second", berlin(11))) == ""
    await store.close()


async def test_where_numbers_are_cut_nobody_is_taken_for_somebody_else(tmp_path: Path) -> None:
    policy = RedactionPolicy(keep_caller_number=False)
    store = await CallStore.open(tmp_path / "calls.sqlite", redact=lambda record: redact_record(record, policy))
    await store.write(called("first", berlin(10), "+12025550143"))
    assert await store.begin(called("second", berlin(11), "+13125550143")) == ""
    await store.close()


async def test_the_record_of_a_lost_call_knows_the_call_before(tmp_path: Path) -> None:
    first = await CallStore.open(tmp_path / "calls.sqlite")
    await first.write(called("first", berlin(10)))
    await first.begin(called("killed", berlin(11)))
    await first.close()
    second = await CallStore.open(tmp_path / "calls.sqlite")
    latest = {"killed": {"id": "killed", "outcome": "lost", "repeat_of": "", "started_at": berlin(11).isoformat()}}
    assert await second.take_over(latest) == 1
    assert await kept(second, "killed") == "first"
    await second.close()


# --- older files and older records ------------------------------------------------------------------------


OLD_TABLES = """
CREATE TABLE calls (id TEXT PRIMARY KEY, started_at TEXT NOT NULL, caller_number TEXT NOT NULL, outcome TEXT NOT NULL,
    ended_by TEXT NOT NULL, duration_seconds REAL NOT NULL, record TEXT NOT NULL,
    written_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE INDEX calls_by_start ON calls (started_at);
"""
OPEN_CALLS = "CREATE TABLE open_calls (id TEXT PRIMARY KEY, owner TEXT NOT NULL, record TEXT NOT NULL);"
OLD_RECORD = {
    "schema": 1, "id": "old-1", "caller": {"number": NUMBER, "name": "", "dialled": "7000"},
    "started_at": "2026-10-25T10:00:00.000+01:00", "outcome": "answered", "ended_by": "agent", "duration_seconds": 20.0,
    "turns": [{"at_seconds": 0.0, "agent": "Hello", "heard": "hi"}], "effects": [], "slots": {}, "faults": [],
}  # fmt: skip


@pytest.mark.parametrize("layout", [1, 2])
async def test_a_file_of_an_older_version_is_read_and_goes_on(tmp_path: Path, layout: int) -> None:
    path = tmp_path / "calls.sqlite"
    text = json.dumps(OLD_RECORD)
    begun = json.dumps({**OLD_RECORD, "id": "old-2", "caller": {"number": "+12025550144"}, "outcome": "failed"})
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(OLD_TABLES + (OPEN_CALLS + outbox_sql.SCHEMA if layout == 2 else ""))
        row = ("old-1", OLD_RECORD["started_at"], NUMBER, "answered", "agent", 20.0, text)
        old.execute(
            "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)", row,
        )  # fmt: skip
        if layout == 2:
            old.execute("INSERT INTO open_calls VALUES ('old-2', 'somebody', ?)", (begun,))
        old.execute(f"PRAGMA user_version = {layout}")
    store = await CallStore.open(path)
    assert await store.get("old-1") == OLD_RECORD
    assert await store.take_over() == (1 if layout == 2 else 0)
    assert await store.begin(called("new", berlin(11))) == "old-1"
    await store.close()
    with closing(sqlite3.connect(path)) as now:
        assert now.execute("PRAGMA user_version").fetchone() == (database.LAYOUT,)
        assert now.execute("SELECT record FROM calls WHERE id = 'old-1'").fetchone() == (text,)


def test_the_start_of_an_older_record_is_read_from_its_text() -> None:
    assert start_of(OLD_RECORD) == dt.datetime(2026, 10, 25, 9, tzinfo=dt.UTC).timestamp()
    assert start_of({**OLD_RECORD, "started_utc": 5.0}) == 5.0


@pytest.mark.parametrize("nothing", [None, "", "yesterday", "2026-10-25T10:00:00", 7])
def test_what_is_no_time_with_an_offset_is_no_time(nothing: object) -> None:
    assert utc_seconds(nothing) == 0.0


# --- the wait in the queue --------------------------------------------------------------------------------


async def test_a_wait_is_written_into_the_record_once(store: CallStore) -> None:
    handed = called("call-1", berlin(10))
    handed.queue_wait = QueueWait("support", "open", 2)
    await store.write(handed)
    assert await store.note_wait("call-1", 74.0, "answered")
    assert not await store.note_wait("call-1", 99.0, "hung_up")
    record = await store.get("call-1")
    assert record is not None
    assert record["queue_wait"] == {
        "queue": "support", "standing": "open", "expected_minutes": 2, "waited_seconds": 74.0, "ended": "answered",
    }  # fmt: skip


async def test_a_wait_of_no_call_and_of_one_that_was_not_handed_over_is_nothing(store: CallStore) -> None:
    await store.write(called("call-1", berlin(10)))
    assert not await store.note_wait("call-1", 74.0, "answered")
    assert not await store.note_wait("nobody", 74.0, "answered")


class TestContactsSince:
    """What is known by telephone about an order."""

    SINCE = berlin(10).timestamp()
    NUMBERS = (NUMBER, NUMBER[1:], NUMBER[2:])

    async def asked(self, store: CallStore) -> ContactsSince:
        return await store.contacts_since(self.NUMBERS, "A1", self.SINCE)

    async def test_nobody_has_called(self, store: CallStore) -> None:
        await store.write(called("before", berlin(9, 59), slots={"order_number": "A1"}))
        await store.write(called("another", berlin(11), "+12025550199", slots={"order_number": "B2"}))
        assert await self.asked(store) == ContactsSince()

    @pytest.mark.parametrize("number", [NUMBER[2:], "+12025550199"])
    async def test_a_call_about_the_order_counts_from_any_number(self, store: CallStore, number: str) -> None:
        await store.write(called("in", berlin(11), number, slots={"order_number": "A1"}))
        assert await self.asked(store) == ContactsSince(called_in=True)

    async def test_asked_without_an_order_every_call_from_the_number_counts_and_no_other(
        self, store: CallStore
    ) -> None:
        await store.write(called("another", berlin(11), "+12025550199", slots={"order_number": ""}))
        assert await store.contacts_since(self.NUMBERS, "", self.SINCE) == ContactsSince()
        await store.write(called("in", berlin(11), slots={"order_number": "B2"}))
        assert await store.contacts_since(self.NUMBERS, "", self.SINCE) == ContactsSince(called_in=True)

    async def test_a_call_about_another_order_does_not(self, store: CallStore) -> None:
        await store.write(called("in", berlin(11), slots={"order_number": "B2"}))
        assert await self.asked(store) == ContactsSince()

    async def test_a_call_about_nothing_that_is_known_counts(self, store: CallStore) -> None:
        await store.write(called("in", berlin(11)))
        assert await self.asked(store) == ContactsSince(called_in=True)

    async def test_a_case_that_was_opened_on_a_call_of_ours_is_a_complaint(self, store: CallStore) -> None:
        effects = [{"name": "returns.create", "code": "ok"}, {"name": "tickets.create", "code": "unavailable"}]
        part = OutboundPart(order_number="A1")
        await store.write(called("out", berlin(11), direction="outbound", effects=effects, outbound=part))
        assert await self.asked(store) == ContactsSince(complained=True)

    async def test_a_ticket_counts_also_that_of_a_hand_over(self, store: CallStore) -> None:
        handed = {"ticket": "T-1", "reason": "caller_asked", "summary": ""}
        await store.write(called("in", berlin(11), slots={"order_number": "A1"}, handover=handed))
        assert await self.asked(store) == ContactsSince(called_in=True, ticket=True)
