"""One SQLite file behind one thread: whole transactions, in order, whatever becomes of the caller."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.common.sqlite import SqliteFile, SqliteOptions, connect


def make_table(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY)")


OPTIONS = SqliteOptions(0.1, make_table)
ALL_OPTIONS = [OPTIONS, replace(OPTIONS, immediate=True)]


def add(db: sqlite3.Connection, word: str) -> None:
    db.execute("INSERT INTO words VALUES (?)", (word,))


def words(db: sqlite3.Connection) -> list[str]:
    return [word for (word,) in db.execute("SELECT word FROM words ORDER BY rowid")]


class BusyThread:
    """Keeps the thread of a file busy until it is released."""

    def __init__(self, file: SqliteFile) -> None:
        self._free = threading.Event()
        file.submit(self._free.wait)

    def release(self) -> None:
        self._free.set()


@pytest.mark.parametrize("options", ALL_OPTIONS)
class TestTransactions:
    async def test_what_is_done_in_one_is_there_after_the_file_was_closed(
        self, tmp_path: Path, options: SqliteOptions
    ) -> None:
        for word in ("one", "two"):
            file = SqliteFile(tmp_path / "a.sqlite", options)
            await file.transaction(lambda db, word=word: add(db, word))  # type: ignore[misc]
            await file.close()
        with closing(connect(tmp_path / "a.sqlite", options)) as db:
            assert words(db) == ["one", "two"]

    async def test_a_job_that_fails_leaves_nothing_behind(self, tmp_path: Path, options: SqliteOptions) -> None:
        file = SqliteFile(tmp_path / "a.sqlite", options)

        def half(db: sqlite3.Connection) -> None:
            add(db, "half")
            raise ValueError("no more")

        with pytest.raises(ValueError, match="no more"):
            await file.transaction(half)
        assert await file.transaction(words) == []
        await file.close()

    async def test_jobs_asked_for_before_it_is_closed_are_done(self, tmp_path: Path, options: SqliteOptions) -> None:
        file = SqliteFile(tmp_path / "a.sqlite", options)
        busy = BusyThread(file)
        done = [file.soon(lambda db, word=word: add(db, word)) for word in ("one", "two")]  # type: ignore[misc]
        closing_it = asyncio.create_task(file.close())
        busy.release()
        await closing_it
        assert [job.result() for job in done] == [None, None]
        await file.close()
        with pytest.raises(RuntimeError):
            file.soon(words)


class TestCancelledCallers:
    @pytest.mark.parametrize(("shielded", "left"), [(True, ["one"]), (False, [])])
    async def test_a_job_that_waits_its_turn_is_done_all_the_same_where_that_was_asked_for(
        self, tmp_path: Path, shielded: bool, left: list[str]
    ) -> None:
        file = SqliteFile(tmp_path / "a.sqlite", replace(OPTIONS, shielded=shielded))
        busy = BusyThread(file)
        caller = asyncio.create_task(file.transaction(lambda db: add(db, "one")))
        await asyncio.sleep(0)
        caller.cancel()
        await asyncio.wait([caller])
        busy.release()
        assert await file.transaction(words) == left
        await file.close()


class TestFilesThatCannotBeUsed:
    async def test_data_one_can_do_without_costs_a_line_in_the_log(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = SqliteFile(tmp_path / "missing" / "a.sqlite", OPTIONS)
        assert await file.transaction_or(words, ["nothing"], "Words are not kept") == ["nothing"]
        assert "Words are not kept" in caplog.text
        with pytest.raises(sqlite3.OperationalError):
            await file.transaction(words)
        (tmp_path / "missing").mkdir()  # opened with the next job
        assert await file.transaction(words) == []
        await file.close()

    async def test_a_file_that_another_holds_is_given_up_after_the_busy_timeout(self, tmp_path: Path) -> None:
        file = SqliteFile(tmp_path / "a.sqlite", OPTIONS)
        await file.transaction(words)
        with closing(sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await file.transaction(lambda db: add(db, "one"))
            other.execute("ROLLBACK")
        await file.transaction(lambda db: add(db, "one"))
        await file.close()


class TestOptions:
    @pytest.mark.parametrize(("synchronous", "level"), [("FULL", 2), ("OFF", 0)])
    def test_durability_is_what_was_asked_for(self, tmp_path: Path, synchronous: str, level: int) -> None:
        options = replace(OPTIONS, synchronous=synchronous)  # type: ignore[arg-type]
        with closing(connect(tmp_path / "a.sqlite", options)) as db:
            assert db.execute("PRAGMA synchronous").fetchone() == (level,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_file_for_its_owner_only_is_one_from_the_beginning(self, tmp_path: Path) -> None:
        path = tmp_path / "made" / "a.sqlite"
        connect(path, replace(OPTIONS, owner_only=True)).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    async def test_an_immediate_transaction_holds_the_file_before_its_first_change(self, tmp_path: Path) -> None:
        file = SqliteFile(tmp_path / "a.sqlite", replace(OPTIONS, immediate=True))

        def other_writes(db: sqlite3.Connection) -> None:
            words(db)
            with closing(connect(tmp_path / "a.sqlite", OPTIONS)) as other:
                add(other, "one")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await file.transaction(other_writes)
        await file.close()
