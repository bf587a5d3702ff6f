"""The one SQLite file of calls and outbox: made, brought up to date, and used from one thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agent.errors import OrderlineError
from agent.records import outbox_sql

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 2.0
"""How long a write waits for another process before it is given up."""

LAYOUT = 2
"""``PRAGMA user_version`` of the database; a higher one belongs to a newer Orderline. 2 added outbox and open calls."""

_CALLS = """
CREATE TABLE IF NOT EXISTS calls (
    id               TEXT PRIMARY KEY,
    started_at       TEXT NOT NULL,   -- ISO 8601 with offset
    caller_number    TEXT NOT NULL,
    outcome          TEXT NOT NULL,
    ended_by         TEXT NOT NULL,
    duration_seconds REAL NOT NULL,
    record           TEXT NOT NULL,   -- the whole record as JSON
    written_at       TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS calls_by_start ON calls (started_at);
CREATE TABLE IF NOT EXISTS open_calls (
    id     TEXT PRIMARY KEY,
    owner  TEXT NOT NULL,             -- the process that holds the call
    record TEXT NOT NULL              -- what its record would be if that process died now
);
"""


class RecordsUnavailable(OrderlineError):
    """Neither the database nor the spool file can be used."""

    code = "records_unavailable"
    retryable = True


class CallDatabase:
    """An open ``calls.sqlite``. What touches it runs on its one thread, in the order asked for."""

    def __init__(self, path: Path, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> None:
        self.path = path
        self.busy_timeout_seconds = busy_timeout_seconds
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="records")
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for jobs on the thread. Raises ``sqlite3.ProgrammingError`` when it is closed."""
        if self._connection is None:
            raise sqlite3.ProgrammingError("the store is closed")
        return self._connection

    def open(self) -> None:
        """Open or make the file, on the thread. Raises ``sqlite3.Error``, ``OSError``, :class:`RecordsUnavailable`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connect(self.path, self.busy_timeout_seconds)

    async def run(self, job: Callable[[], T]) -> T:
        """Run a job on the thread; a caller who is cancelled does not cancel it."""
        # Shielded: a job that has not started would vanish with its caller.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._worker, job))

    async def transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job on the thread in one transaction: all of it is on the disk afterwards, or none."""
        return await self.run(lambda: self._in_transaction(job))

    def soon(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have a transaction done by the thread, for those who cannot wait (a task that is being cancelled)."""
        return self._worker.submit(self._in_transaction, job)

    async def close(self) -> None:
        """Finish the jobs under way and close the file."""
        await self.run(self._close)
        self._worker.shutdown(wait=True)

    def _in_transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        with transaction(self.connection) as db:
            return job(db)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect(path: Path, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> sqlite3.Connection:
    """Open the file and bring its layout up to date; old data stays. The connection begins no transactions by itself.

    Raises ``sqlite3.Error``, and :class:`RecordsUnavailable` for a file of a newer Orderline.
    """
    connection = sqlite3.connect(path, timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise RecordsUnavailable(f"{path} was written by a newer Orderline (layout {layout}, ours {LAYOUT})")
        if layout < LAYOUT:
            connection.executescript(f"BEGIN;{_CALLS}{outbox_sql.SCHEMA}PRAGMA user_version = {LAYOUT};COMMIT;")
    except (sqlite3.Error, RecordsUnavailable):
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do what stands inside as one transaction: committed at the end, undone when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
