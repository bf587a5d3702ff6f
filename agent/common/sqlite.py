"""One SQLite file used from the event loop: everything that touches it runs on one thread of its own.

Not aiosqlite: it awaits every statement, so a caller who is cancelled in between leaves a transaction half done, and it
cannot take work from a task that is being cancelled. Here a whole transaction is one job.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class SqliteOptions:
    """How a file is opened, and what it promises."""

    busy_timeout_seconds: float
    """How long a statement waits for another process that holds the file."""
    prepare: Callable[[sqlite3.Connection], object]
    """Makes the tables, or brings them up to date, each time the file is opened."""
    synchronous: Literal["FULL", "OFF"] = "FULL"
    """``FULL``: what was committed outlives a power cut. ``OFF``: it outlives the process, not the power cut."""
    immediate: bool = False
    """A transaction holds the file from its beginning, not from its first change, so what it has read stays true."""
    shielded: bool = False
    """A job that has not begun is done even when its caller is cancelled."""
    owner_only: bool = False
    """Only the owner may read the file; its directory is made as well."""


class SqliteFile:
    """Opened with its first job; an opening that fails is tried again with the next. Close it.

    Jobs are done one after another, in the order in which they were asked for.
    """

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        self.path = path
        self.options = options
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection | None = None
        self._ended = False
        """Set on the thread: no job opens the file again."""
        self.closed = False

    # --- from the event loop ------------------------------------------------------------------------

    async def transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Do a job on the thread in one transaction: all of it is done afterwards, or none.

        Raises ``sqlite3.Error`` or ``OSError`` when the file cannot be used.
        """
        work = asyncio.wrap_future(self.soon(job))
        return await (asyncio.shield(work) if self.options.shielded else work)

    async def transaction_or(self, job: Callable[[sqlite3.Connection], T], otherwise: T, loss: str) -> T:
        """Do the same for data the agent can do without: ``otherwise`` when the file cannot be used.

        ``loss`` tells the log what that means ("Attempts are not counted").
        """
        try:
            return await self.transaction(job)
        except (sqlite3.Error, OSError) as error:
            log.error("%s: %s: %s", loss, self.path, error)
            return otherwise

    async def run(self, job: Callable[[], T]) -> T:
        """Do a job on the thread that makes its own transactions with :meth:`begin`; its caller cannot cancel it."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(job)))

    def soon(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have a transaction done, for those who cannot wait (a task that is being cancelled).

        Raises ``RuntimeError`` when the file has been closed.
        """
        return self.submit(lambda: self._in_transaction(job))

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Have a job done on the thread that makes its own transactions; raises like :meth:`soon`."""
        return self._worker.submit(job)

    async def close(self) -> None:
        """Finish the jobs under way and close the file; idempotent."""
        if self.closed:
            return
        self.closed = True
        await self.run(self._close)
        self._worker.shutdown(wait=True)

    # --- on the thread ------------------------------------------------------------------------------

    def open(self) -> sqlite3.Connection:
        """Open the file unless it is open. Raises ``sqlite3.Error``, ``OSError`` and what ``prepare`` raises."""
        if self._ended:
            raise sqlite3.ProgrammingError("the file is closed")
        if self._connection is None:
            self._connection = connect(self.path, self.options)
        return self._connection

    def begin(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a transaction for ``with``: committed at its end, undone when something is raised inside."""
        connection = self.open()
        return transaction(connection) if self.options.immediate else connection

    def _in_transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        with self.begin() as connection:
            return job(connection)

    def _close(self) -> None:
        self._ended = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect(path: Path, options: SqliteOptions) -> sqlite3.Connection:
    """Open or make a file in WAL mode. Raises ``sqlite3.Error``, ``OSError`` and what ``options.prepare`` raises.

    With ``options.immediate`` the connection begins no transaction by itself: use :func:`transaction`.
    """
    if options.owner_only:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path,
        timeout=options.busy_timeout_seconds,
        isolation_level=None if options.immediate else "DEFERRED",
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={options.synchronous}")
        options.prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do what stands inside as one transaction that holds the file from its beginning.

    Committed at the end, undone when something is raised. For a connection that begins no transactions by itself.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
