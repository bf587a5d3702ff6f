"""The index of one node follows its records, and may be lost at any time."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.common import file_lock
from agent.history.filters import CallFilter
from agent.history.indexer import NewerIndex
from agent.history.local import INDEX_FILE, IndexUnusable, LocalHistory
from agent.history.sources import RecordsUnreadable
from agent.records import change_log
from tests.history.stored import execute, record, turn, write


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    return tmp_path / "calls.sqlite"


def found(history: LocalHistory, wanted: CallFilter | None = None) -> list[str]:
    return [line.id for line in history.index.find(wanted or CallFilter()).lines]


def test_new_changed_and_deleted_records_are_noticed(calls: Path) -> None:
    write(calls, [record("call.1"), record("call.2", outcome="handed_over")])
    history = LocalHistory(calls)
    history.catch_up()
    assert set(found(history)) == {"call.1", "call.2"}
    write(calls, [record("call.3")])
    changed = record("call.1", outcome="rescued")
    execute(calls, "UPDATE calls SET record = ? WHERE id = 'call.1'", json.dumps(changed))
    execute(calls, "DELETE FROM calls WHERE id = 'call.2'")
    history.catch_up()
    assert set(found(history)) == {"call.1", "call.3"}
    assert found(history, CallFilter(values={"outcome": ("rescued",)})) == ["call.1"]
    assert history.index.values("outcome") == [("answered", 1), ("rescued", 1)]


def test_a_record_that_takes_the_place_of_a_deleted_one_is_not_missed(calls: Path) -> None:
    write(calls, [record("call.1"), record("call.2")])
    history = LocalHistory(calls)
    history.catch_up()
    execute(calls, "DELETE FROM calls WHERE id = 'call.2'")
    write(calls, [record("call.3")])  # SQLite gives it the row number of the deleted one
    history.catch_up()
    assert set(found(history)) == {"call.1", "call.3"}


def test_nothing_of_a_deleted_call_stays_in_the_files(calls: Path, tmp_path: Path) -> None:
    ordinary = [record(f"call.{number}", turns=[turn("Good day.", "where is it")]) for number in range(50)]
    person = record(
        "call.person",
        caller={"number": "3125550199", "name": "", "dialled": "7000"},
        turns=[turn("And your name?", "marguerite vandenplas", "order_number=887766", flow="main", step="ask")],
        faults=["nothing is known of vandenplas"],
    )
    write(calls, [*ordinary[:25], person, *ordinary[25:]])
    history = LocalHistory(calls)
    history.catch_up()
    assert found(history, CallFilter(caller_said="vandenplas")) == ["call.person"]
    execute(calls, "DELETE FROM calls WHERE id = 'call.person'")
    history.take_out_deleted()
    history.close()
    held = b"".join(file.read_bytes() for file in tmp_path.glob(f"{INDEX_FILE}*"))
    for trace in (b"vandenplas", b"marguerite", b"887766", b"3125550199", b"9910555213"):
        assert trace not in held
    assert found(history, CallFilter(caller_said="vandenplas")) == []
    assert len(found(history, CallFilter(caller_said="where"))) == 50


def test_words_that_were_taken_out_of_a_record_are_found_no_more(calls: Path, tmp_path: Path) -> None:
    said = record(turns=[turn("Yes?", "my cat is called bartholomew")])
    write(calls, [said])
    history = LocalHistory(calls)
    history.catch_up()
    execute(calls, "UPDATE calls SET record = ?", json.dumps({**said, "turns": []}))
    history.catch_up()
    assert found(history, CallFilter(said="bartholomew")) == []
    assert found(history) == ["call.1"]
    history.close()
    assert b"bartholomew" not in b"".join(file.read_bytes() for file in tmp_path.glob(f"{INDEX_FILE}*"))


def test_an_index_that_is_deleted_or_broken_is_made_anew(calls: Path, tmp_path: Path) -> None:
    write(calls, [record("call.1")])
    history = LocalHistory(calls)
    history.catch_up()
    history.close()
    index = tmp_path / INDEX_FILE
    for spoil in (lambda: index.unlink(), lambda: index.write_bytes(b"this is no database" * 500)):
        spoil()
        for ending in ("-wal", "-shm"):
            index.with_name(index.name + ending).unlink(missing_ok=True)
        history.catch_up()
        assert found(history) == ["call.1"]


def test_an_index_without_one_of_its_tables_is_made_anew(calls: Path, tmp_path: Path) -> None:
    write(calls, [record("call.1")])
    history = LocalHistory(calls)
    history.catch_up()
    with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as db:
        db.execute("DROP TABLE value_blocks")
    write(calls, [record("call.2")])
    history.catch_up()
    assert len(found(history, CallFilter(values={"outcome": ("answered",)}))) == 2


def test_an_index_of_an_older_layout_is_made_anew_and_that_of_a_newer_one_left_alone(
    calls: Path, tmp_path: Path
) -> None:
    write(calls, [record("call.1")])
    history = LocalHistory(calls)
    history.catch_up()
    for layout in (0, 99):
        with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as db, db:
            db.execute("UPDATE index_state SET value = ? WHERE name = 'layout'", (layout,))
            db.execute("DELETE FROM call_values WHERE kind = 'outcome'")
            db.execute("CREATE TABLE IF NOT EXISTS calls_by_value (value_id, seq)")  # the first layouts had it
        if layout == 0:
            history.catch_up()
            assert history.index.values("outcome") == [("answered", 1)]
            with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as db:
                assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'calls_by_value'").fetchall()
    with pytest.raises(NewerIndex):
        history.catch_up()


def test_an_index_further_behind_than_the_log_of_changes_is_made_anew(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(calls, [record("call.1")])
    history = LocalHistory(calls)
    history.catch_up()
    write(calls, [record(f"call.{number}") for number in range(2, 30)])
    execute(calls, "DELETE FROM calls WHERE id = 'call.1'")
    execute(calls, "DELETE FROM call_changes WHERE number <= (SELECT max(number) - 10 FROM call_changes)")
    history.catch_up()
    assert len(found(history)) == 28
    assert "call.1" not in found(history)


def test_records_that_were_restored_from_a_backup_are_indexed_as_they_are(calls: Path, tmp_path: Path) -> None:
    write(calls, [record("call.1"), record("call.2")])
    history = LocalHistory(calls)
    history.catch_up()
    for file in tmp_path.glob("calls.sqlite*"):
        file.unlink()
    write(calls, [record("other.1"), record("other.2"), record("other.3")])
    history.catch_up()
    assert set(found(history)) == {"other.1", "other.2", "other.3"}


def test_the_log_of_changes_is_pruned(calls: Path) -> None:
    write(calls, [record(f"call.{number}") for number in range(20)])
    with closing(sqlite3.connect(calls, isolation_level=None)) as db:
        assert change_log.prune(db, keep=5) == 15
        assert db.execute("SELECT count(*) FROM call_changes").fetchone()[0] == 5


def test_calls_of_a_database_of_the_version_before_are_indexed(calls: Path) -> None:
    write(calls, [record("call.1")])
    with closing(sqlite3.connect(calls, isolation_level=None)) as db:
        for name in ("calls_came", "calls_changed", "calls_went"):
            db.execute(f"DROP TRIGGER {name}")
        db.execute("DROP TABLE call_changes")
        db.execute("PRAGMA user_version = 2")
    history = LocalHistory(calls)
    history.catch_up()
    write(calls, [record("call.2")])
    history.catch_up()
    assert set(found(history)) == {"call.1", "call.2"}


def test_a_record_that_cannot_be_read_costs_no_other_its_place(calls: Path) -> None:
    write(calls, [record("call.1"), record("call.2")])
    execute(calls, "UPDATE calls SET record = ? WHERE id = 'call.1'", "[" * 100_000)
    history = LocalHistory(calls)
    history.catch_up()
    assert found(history) == ["call.2"]


def test_without_records_it_is_said_what_is_missing(calls: Path) -> None:
    with pytest.raises(RecordsUnreadable, match="the agent makes it"):
        LocalHistory(calls).catch_up()


def test_one_process_fills_the_index_and_others_read_it_meanwhile(calls: Path, tmp_path: Path) -> None:
    write(calls, [record("call.1")])
    history = LocalHistory(calls)
    history.catch_up()
    script = (
        "import fcntl, sys\n"
        "lock = open(sys.argv[1], 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    lock = tmp_path / f"{INDEX_FILE}.lock"
    with subprocess.Popen([sys.executable, "-c", script, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        write(calls, [record("call.2")])
        assert history.catch_up() is False
        assert found(history) == ["call.1"]
        other.communicate()
    assert history.catch_up() is True
    assert set(found(history)) == {"call.1", "call.2"}


def test_while_another_process_begins_the_index_it_is_said_that_it_is_being_made(calls: Path, tmp_path: Path) -> None:
    write(calls, [record("call.1")])
    with (tmp_path / f"{INDEX_FILE}.lock").open("w") as file:
        file_lock.lock(file)
        with pytest.raises(IndexUnusable, match="being made anew"):
            LocalHistory(calls).catch_up()
    history = LocalHistory(calls)
    assert history.catch_up()
    assert found(history) == ["call.1"]


def test_filling_that_was_killed_is_gone_on_with(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.history.indexer.FILLED_AT_ONCE", 10)
    write(calls, [record(f"call.{number}") for number in range(35)])

    class Killed(BaseException):
        pass

    def dies(done: int, of: int) -> None:
        if done >= 20:
            raise Killed

    history = LocalHistory(calls)
    with pytest.raises(Killed):
        history.catch_up(dies)
    assert len(found(history)) == 20
    progress: list[tuple[int, int]] = []
    history.catch_up(lambda done, of: progress.append((done, of)))
    assert [done for done, _ in progress] == [10, 15]
    assert len(found(history)) == 35


def test_very_many_calls_without_a_beginning_each_have_their_place(calls: Path) -> None:
    """They all have the moment of storing: more than a millisecond has places for."""
    history = LocalHistory(calls)
    for part in range(3):
        write(calls, [record(f"call.{part}.{number}", started_at="unknown") for number in range(1500)])
        execute(calls, "UPDATE calls SET written_at = '2026-11-30 12:00:00'")
        history.catch_up()
    assert len({line.id for line in history.index.every(CallFilter())}) == 4500


def test_where_there_is_no_index_none_is_made_for_what_was_deleted(calls: Path, tmp_path: Path) -> None:
    write(calls, [record("call.1")])
    LocalHistory(calls).take_out_deleted()
    assert not (tmp_path / INDEX_FILE).exists()
