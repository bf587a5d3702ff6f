"""The index of one node: ``index.sqlite`` beside ``calls.sqlite``. It may be deleted at any time, and is made again."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from agent.common import file_lock
from agent.errors import OrderlineError
from agent.history.dialects.sqlite import SqliteDialect
from agent.history.indexer import Indexer, Progress
from agent.history.search import CallIndex
from agent.history.sources import SqliteRecords

log = logging.getLogger(__name__)

INDEX_FILE = "index.sqlite"
_BUSY_SECONDS = 10.0
_CACHE_KIB = 65_536
_MAPPED_BYTES = 2**30
_LOGGED_PAGES = 32_768
"""What is written beside the file before it goes into it, in pages of 4 KiB: a page that changes often goes once."""


class IndexUnusable(OrderlineError):
    """The index cannot be read or written."""

    code = "index"
    retryable = True


class LocalHistory:
    """The finished calls of one node. Close it. Its methods block: call them off the event loop."""

    def __init__(self, calls_path: Path) -> None:
        """``calls_path`` is the node's ``calls.sqlite``."""
        self.settle_seconds = 2.0
        self._path = calls_path.with_name(INDEX_FILE)
        self._source = SqliteRecords(calls_path)
        self._dialect = SqliteDialect()
        self._engine = _engine(self._path)
        self.index = CallIndex(self._engine, self._dialect, lambda _, ids: self._source.records_of(ids))

    def catch_up(self, progress: Progress = lambda done, of: None, *, anew: bool = False, wait: bool = False) -> bool:
        """Bring the index up to date; False when another process is at it and ``wait`` is not set.

        Raises :class:`IndexUnusable`, :class:`agent.history.indexer.NewerIndex` and
        :class:`agent.history.sources.RecordsUnreadable`.
        """
        with self.told(), self._locked(wait=wait) as mine:
            if mine:
                self._catch_up(progress, anew=anew)
            elif not Indexer(self._engine, self._dialect, self._source).is_begun():
                raise IndexUnusable(f"{self._path} is being made anew by another process: ask again in a moment")
        return mine

    def take_out_deleted(self) -> None:
        """After records were deleted or words taken out of them: have nothing of that in the index or its files.

        Where there is no index there is nothing to do. Raises as :meth:`catch_up` does.
        """
        if self._path.exists():
            self.catch_up(wait=True)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _catch_up(self, progress: Progress, *, anew: bool) -> None:
        indexer = Indexer(self._engine, self._dialect, self._source)
        try:
            indexer.catch_up(progress, anew=anew)
        except DatabaseError as error:
            if isinstance(error, OperationalError) and not _unreadable(error):
                raise
            log.warning("%s is broken (%s): it is made anew", self._path, error.orig)
            self._delete()
            indexer.catch_up(progress)
        with self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Turn what SQLite raises into :class:`IndexUnusable`."""
        try:
            yield
        except BrokenPipeError:  # of whoever reads what is printed
            raise
        except (DBAPIError, OSError) as error:
            raise IndexUnusable(f"{self._path} cannot be used: {getattr(error, 'orig', error)}") from error

    def _delete(self) -> None:
        self._engine.dispose()
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _locked(self, *, wait: bool) -> Iterator[bool]:
        lock = self._path.with_name(f"{self._path.name}.lock")
        try:
            file = lock.open("w")
        except OSError as error:
            raise IndexUnusable(f"{lock} cannot be written: {error.strerror}") from error
        with file:
            if wait:
                file_lock.lock(file)
                yield True
            else:
                yield file_lock.try_lock(file)


def _engine(path: Path) -> Engine:
    def connect() -> sqlite3.Connection:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o640))
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        for pragma in (
            *("journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY", "secure_delete=ON"),
            *(f"cache_size=-{_CACHE_KIB}", f"mmap_size={_MAPPED_BYTES}"),
            *(f"wal_autocheckpoint={_LOGGED_PAGES}",),
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _unreadable(error: OperationalError) -> bool:
    """Tell a table that is missing or broken from a file that is busy, or a disk that is full."""
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
