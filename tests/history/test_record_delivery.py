"""Records go from a node's outbox to PostgreSQL: at least once, for as long as it takes, and no call is held up."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.call.records import Caller, CallRecord, QueueWait
from agent.common.tasks import cancel_and_wait
from agent.history import record_delivery
from agent.history.filters import CallFilter
from agent.history.record_delivery import LANE, RecordSender, entries_of_record
from agent.history.sending import send_missing
from agent.history.shared import PostgresUnavailable, SharedHistory
from agent.history.sources import RecordsUnreadable
from agent.records.call_store import CallStore
from agent.records.delivery import DeliveryOptions, OutboxDelivery
from agent.rehearsal.real_postgres import RealPostgres
from tests.history.stored import execute, record, write
from tests.waiting import until

OPTIONS = DeliveryOptions(
    first_pause_seconds=0.02, longest_pause_seconds=0.1, longest_lane_pause_seconds=0.1, poll_seconds=0.02
)


class Node:
    """One agent's records and their delivery."""

    def __init__(self, store: CallStore, url: str) -> None:
        self.store = store
        self.sender = RecordSender(url, store.get, store.outbox.node)
        self.deliveries = OutboxDelivery(store.outbox, self.sender.deliverers(), options=OPTIONS, unshared=(LANE,))

    async def take_call(self, call_id: str, **fields: Any) -> None:
        started = dt.datetime.now(dt.UTC).isoformat()
        await self.store.write(CallRecord(call_id, Caller("2025550143"), started, outcome="answered", **fields))

    async def waiting(self) -> int:
        counts = (await self.store.outbox.counts()).get(LANE, {})
        return sum(count for state, count in counts.items() if state != "delivered")


@contextlib.asynccontextmanager
async def running_node(directory: Path, url: str) -> AsyncIterator[Node]:
    store = await CallStore.open(directory / "calls.sqlite", news=entries_of_record)
    node = Node(store, url)
    task = asyncio.create_task(node.deliveries.run())
    try:
        yield node
    finally:
        node.deliveries.stop()
        await cancel_and_wait(task)
        await node.sender.close()
        await store.close()


async def sent(node: Node) -> None:
    async def empty() -> bool:
        return await node.waiting() == 0

    await until_async(empty)


async def until_async(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)


def records_in(server: RealPostgres) -> dict[str, str]:
    with psycopg.connect(server.url) as connection:
        return dict(connection.execute("SELECT id, record FROM orderline.records").fetchall())


async def test_records_of_two_nodes_come_together(postgres: RealPostgres, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        async with running_node(tmp_path / name, postgres.url) as node:
            await node.take_call(f"{name}.1")
            await node.take_call(f"{name}.2", faults=["half \ud800, nul \0"])
            await sent(node)
            assert node.sender.problem == ""
    shared = SharedHistory(postgres.url)
    await asyncio.to_thread(shared.catch_up)
    found = await asyncio.to_thread(shared.index.find, CallFilter())
    assert {line.id for line in found.lines} == {"a.1", "a.2", "b.1", "b.2"}
    shared.close()
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT count(DISTINCT node) FROM orderline.records").fetchone() == (2,)


async def test_a_node_whose_postgresql_is_gone_goes_on_and_catches_up(postgres: RealPostgres, tmp_path: Path) -> None:
    async with running_node(tmp_path, postgres.url) as node:
        await node.take_call("call.1")
        await sent(node)
        postgres.kill()
        for number in range(2, 40):
            await node.take_call(f"call.{number}")
        await until(lambda: node.sender.problem != "")
        assert await node.waiting() == 38
        postgres.start()
        await sent(node)
        assert node.sender.problem == ""
    assert set(records_in(postgres)) == {f"call.{number}" for number in range(1, 40)}


async def test_while_postgresql_is_down_one_entry_asks_and_the_others_wait(tmp_path: Path) -> None:
    async with running_node(tmp_path, "postgresql://orderline@127.0.0.1:1/none") as node:
        for number in range(20):
            await node.take_call(f"call.{number}")
        await until(lambda: node.sender.problem != "")
        await asyncio.sleep(0.5)  # several pauses long
        tried = await node.store._database.transaction(
            lambda db: [row["attempts"] for row in db.execute("SELECT attempts FROM outbox")]
        )
    assert len(tried) == 20
    assert sum(1 for attempts in tried if attempts) <= OPTIONS.max_concurrent_per_lane + 8


async def test_a_frozen_postgresql_holds_up_nothing_and_gets_its_records_later(
    postgres: RealPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_delivery, "ANSWER_SECONDS", 0.3)
    async with running_node(tmp_path, postgres.url) as node:
        await node.take_call("call.1")
        await sent(node)
        postgres.freeze()
        try:
            await node.take_call("call.2")
            await until(lambda: node.sender.problem != "")
        finally:
            postgres.thaw()
        monkeypatch.setattr(record_delivery, "ANSWER_SECONDS", 30.0)
        await sent(node)
    assert set(records_in(postgres)) == {"call.1", "call.2"}


async def test_a_wait_that_is_known_only_later_is_sent_as_well(postgres: RealPostgres, tmp_path: Path) -> None:
    async with running_node(tmp_path, postgres.url) as node:
        await node.take_call("call.1", queue_wait=QueueWait("support", "open"))
        await sent(node)
        assert await node.store.note_wait("call.1", 74.0, "answered")
        await sent(node)
    assert json.loads(records_in(postgres)["call.1"])["queue_wait"]["waited_seconds"] == 74.0


async def test_a_record_that_was_deleted_meanwhile_is_not_sent(postgres: RealPostgres, tmp_path: Path) -> None:
    store = await CallStore.open(tmp_path / "calls.sqlite", news=entries_of_record)
    await Node(store, postgres.url).take_call("call.1")
    await store.close()
    execute(tmp_path / "calls.sqlite", "DELETE FROM calls")
    async with running_node(tmp_path, postgres.url) as node:
        await node.take_call("call.2")
        await sent(node)
    assert set(records_in(postgres)) == {"call.2"}


async def test_nothing_of_a_call_stands_in_the_outbox_but_its_id(tmp_path: Path) -> None:
    store = await CallStore.open(tmp_path / "calls.sqlite", news=entries_of_record)
    await Node(store, "postgresql://orderline@127.0.0.1:1/none").take_call("call.1")
    held = await store._database.transaction(lambda db: [tuple(row) for row in db.execute("SELECT * FROM outbox")])
    await store.close()
    assert "2025550143" not in str(held)


async def test_a_record_that_is_sent_twice_is_one_row_and_one_that_changed_is_replaced(
    postgres: RealPostgres,
) -> None:
    shared = SharedHistory(postgres.url)
    shared.prepare()

    def send(**fields: Any) -> None:
        text = json.dumps(record("call.1", **fields))
        shared.send([{"id": "call.1", "node": "a", "started_at": "", "record": text}])

    send()
    shared.catch_up()
    with psycopg.connect(postgres.url) as connection:
        before = connection.execute("SELECT written_at FROM orderline.records").fetchall()
        send()
        assert connection.execute("SELECT written_at FROM orderline.records").fetchall() == before
        assert connection.execute("SELECT count(*) FROM orderline.record_changes").fetchone() == (0,)
    send(outcome="rescued")
    shared.catch_up()
    assert [line.outcome for line in shared.index.find(CallFilter()).lines] == ["rescued"]
    shared.close()


async def test_erased_records_are_in_no_list_and_no_file_of_the_server(postgres: RealPostgres) -> None:
    shared = SharedHistory(postgres.url)
    shared.prepare()
    for call_id, number in (("call.1", "2025550143"), ("call.2", "3125550177")):
        text = json.dumps(record(call_id, caller={"number": number}))
        shared.send([{"id": call_id, "node": "a", "started_at": "", "record": text}])
    shared.catch_up()
    assert shared.erase(["call.2", "call.9"]) == 1
    assert [line.id for line in shared.index.find(CallFilter()).lines] == ["call.1"]
    shared.scrub()
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    shared.close()
    tables = [file.read_bytes() for file in (postgres.directory / "data/base").rglob("*") if file.is_file()]
    assert not any(b"3125550177" in held or b"7710555213" in held for held in tables)
    assert any(b"2025550143" in held for held in tables)


async def test_a_server_that_lacks_records_gets_them(postgres: RealPostgres, tmp_path: Path) -> None:
    calls = tmp_path / "calls.sqlite"
    with pytest.raises(RecordsUnreadable):
        send_missing(calls, postgres.url)
    write(calls, [record(f"call.{number}") for number in range(1200)])
    assert send_missing(calls, postgres.url) == 1200
    with psycopg.connect(postgres.url) as connection:
        connection.execute("DELETE FROM orderline.records WHERE id LIKE '%7'")
    assert send_missing(calls, postgres.url) == 120
    assert send_missing(calls, postgres.url) == 0
    execute(calls, "UPDATE calls SET id = 'call.odd', record = '[' WHERE id = 'call.5'")
    assert send_missing(calls, postgres.url) == 1


async def test_what_postgresql_refuses_is_told_without_its_password() -> None:
    shared = SharedHistory("postgresql://orderline:secret@127.0.0.1:1/none")
    with pytest.raises(PostgresUnavailable, match=r"orderline@127\.0\.0\.1:1/none") as refused:
        shared.prepare()
    assert "secret" not in refused.value.message
    shared.close()


async def test_nodes_that_start_at_once_make_the_schema_once(postgres: RealPostgres) -> None:
    several = [SharedHistory(postgres.url) for _ in range(6)]
    await asyncio.gather(*(asyncio.to_thread(one.prepare) for one in several))
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT count(*) FROM orderline.migrations").fetchone() == (1,)
    for one in several:
        one.close()


async def test_a_database_that_is_not_utf_8_is_refused(postgres: RealPostgres) -> None:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    shared = SharedHistory(postgres.url.replace("/postgres", "/latin"))
    with pytest.raises(Exception, match="UTF8"):
        shared.prepare()
    shared.close()


async def test_one_process_fills_the_index_and_another_is_told(postgres: RealPostgres) -> None:
    first, second = SharedHistory(postgres.url), SharedHistory(postgres.url)
    first.prepare()
    first.send([{"id": "call.1", "node": "a", "started_at": "", "record": json.dumps(record("call.1"))}])
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (0x6F726469,))
        assert second.catch_up() is False
    assert second.catch_up() is True
    assert len(second.index.find(CallFilter()).lines) == 1
    first.close()
    second.close()
