"""A person is removed from the index and from PostgreSQL as well, and is then in no byte of their files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from agent.call.records import Caller, CallRecord, TurnRecord
from agent.history.copies import IndexCopies, SharedCopies
from agent.history.local import LocalHistory
from agent.history.sending import send_missing
from agent.history.shared import PostgresUnavailable, SharedHistory
from agent.records.call_store import CallStore
from agent.records.calls_erasure import CallsFile
from agent.records.copies import Kind, RecordCopies
from agent.records.erasure import Erasure, erase, expire
from agent.records.person import caller
from agent.records.sound_files import SoundDirectory
from agent.records.state_files import StateFiles
from agent.rehearsal.real_postgres import RealPostgres

NUMBER, OTHER = "+12025550143", "+12025550199"
NOW = 1_764_500_000.0
DAY = 86400.0
FORMS = (b"2025550143", b"3410555202", b"zanzibar")
"""The number, its digits backwards as an index may keep them, and a word that only this caller said."""


def call(call_id: str, number: str, word: str, began: float = NOW) -> CallRecord:
    started = datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")
    record = CallRecord(call_id, Caller(number), started, outcome="answered")
    record.turns.append(TurnRecord(1.0, "How can I help?", heard=f"my cat {word}"))
    return record


class Node:
    """One node's files, with an index."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "calls.sqlite"
        self.calls = CallsFile(self.path, SoundDirectory(directory / "sound"))

    async def filled(self) -> None:
        store = await CallStore.open(self.path)
        await store.write(call("call-1", NUMBER, "zanzibar", NOW - 100 * DAY))
        await store.write(call("call-2", OTHER, "timbuktu"))
        await store.close()

    def indexed(self) -> None:
        history = LocalHistory(self.path)
        history.catch_up(wait=True)
        history.close()

    def erase(self, *others: RecordCopies) -> Erasure:
        places = [StateFiles(self.directory, "calls.sqlite"), IndexCopies(self.path), *others]
        return erase(caller(NUMBER, "US"), self.calls, places, self.directory, dry_run=False)

    def bytes_with(self, *patterns: bytes) -> list[str]:
        files = [file for file in self.directory.rglob("*") if file.is_file()]
        return [file.name for file in files if any(pattern in file.read_bytes() for pattern in patterns)]


@pytest.fixture
async def node(tmp_path: Path) -> Node:
    made = Node(tmp_path / "state")
    made.directory.mkdir()
    await made.filled()
    return made


async def test_a_person_is_in_no_byte_of_the_index(node: Node) -> None:
    node.indexed()
    assert "index.sqlite" in " ".join(node.bytes_with(*FORMS)), "the test has something to find"
    done = node.erase()
    assert done.complete, done
    assert node.bytes_with(*FORMS) == []
    assert "index.sqlite" in " ".join(node.bytes_with(b"timbuktu")), "others are found as before"


async def test_an_index_that_was_never_made_is_not_made_for_this(node: Node) -> None:
    assert node.erase().complete
    assert not (node.directory / "index.sqlite").exists()


async def test_words_that_were_lost_are_not_found_in_the_index_any_more(node: Node) -> None:
    node.indexed()
    days: dict[Kind, int] = {"words": 50}
    expire(days, [node.calls, IndexCopies(node.path)], dry_run=False, now=NOW)
    for place in (node.calls, IndexCopies(node.path)):
        place.follow()
    assert node.bytes_with(b"zanzibar") == []


def server_files(postgres: RealPostgres, *patterns: bytes) -> list[str]:
    """The server's tables in which one of these stands, after everything was written to them."""
    files = [file for file in (postgres.directory / "data" / "base").rglob("*") if file.is_file()]
    return [str(file) for file in files if any(pattern in file.read_bytes() for pattern in patterns)]


async def test_a_person_is_removed_from_postgresql(node: Node, postgres: RealPostgres) -> None:
    send_missing(node.path, postgres.url)
    shared = SharedHistory(postgres.url)
    shared.catch_up(wait=True)
    place = SharedCopies(postgres.url)
    assert place.calls_of(caller(NUMBER, "US")) == {"call-1"}
    assert place.erase(caller(NUMBER, "US"), {"call-1"}, dry_run=True)[0].count == 1
    done = node.erase(place)
    assert done.complete, done
    assert {"PostgreSQL: records": 1}.items() <= {
        f"{one.place}: {one.what}": one.count for one in done.removals
    }.items()
    assert [call_id for call_id, _ in shared.all_records()] == ["call-2"]
    shared.close()
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CHECKPOINT")
    assert server_files(postgres, *FORMS) == []
    assert server_files(postgres, b"timbuktu") != []


async def test_calls_of_another_node_are_found_in_postgresql(
    node: Node, postgres: RealPostgres, tmp_path: Path
) -> None:
    other = Node(tmp_path / "other")
    other.directory.mkdir()
    store = await CallStore.open(other.path)
    await store.write(call("elsewhere", NUMBER, "zanzibar"))
    await store.close()
    send_missing(other.path, postgres.url)
    done = node.erase(SharedCopies(postgres.url))
    assert done.calls == 2
    shared = SharedHistory(postgres.url)
    assert list(shared.all_records()) == []
    shared.close()


async def test_postgresql_keeps_for_the_same_days(node: Node, postgres: RealPostgres) -> None:
    send_missing(node.path, postgres.url)
    place = SharedCopies(postgres.url)

    def removed(kind: Kind, *, dry_run: bool = False) -> int:
        return sum(one.count for one in place.expire(kind, NOW - 50 * DAY, dry_run=dry_run))

    assert removed("words", dry_run=True) == removed("words") == 1
    assert removed("words") == 0
    assert words(postgres.url) == {"call-1": "", "call-2": "my cat timbuktu"}
    assert removed("record", dry_run=True) == removed("record") == 1
    assert set(words(postgres.url)) == {"call-2"}
    assert removed("sound") == 0


def words(url: str) -> dict[str, Any]:
    shared = SharedHistory(url)
    try:
        return {call_id: json.loads(record)["turns"][0]["heard"] for call_id, record in shared.all_records()}
    finally:
        shared.close()


async def test_a_postgresql_that_does_not_answer_stops_an_erasure_before_it_begins(node: Node) -> None:
    place = SharedCopies("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(PostgresUnavailable):
        place.calls_of(caller(NUMBER, "US"))
    done = node.erase(place)
    assert not done.complete
    assert "PostgreSQL" in done.failed[0]
    assert node.bytes_with(FORMS[0]) != []
