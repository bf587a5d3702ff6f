"""The changes mapped systems were asked for, by idempotency key, in SQLite: a restart does not make them twice."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")

KEEP_SECONDS = 30 * 24 * 3600.0
BUSY_TIMEOUT_SECONDS = 0.5
_SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (
    operation TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, result TEXT, PRIMARY KEY (operation, key)
);
CREATE INDEX IF NOT EXISTS changes_by_time ON changes (at);
"""


@dataclass(frozen=True)
class Kept:
    """What is known of a change."""

    result: str | None
    """The confirmation as JSON; None when the change was asked for and nobody knows whether it was made."""


class KeptChanges:
    """One file for all systems. Close it.

    When the file cannot be used, changes are made all the same and remembered until the agent ends; the log says so.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._path = path
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kept-changes")
        self._connection: sqlite3.Connection | None = None

    async def begin(self, operation: str, key: str) -> Kept | None:
        """Return what is known of a change; None, and the change stands as asked for, when it is new."""
        now = self._clock()

        def look(db: sqlite3.Connection) -> Kept | None:
            db.execute("DELETE FROM changes WHERE at < ?", (now - KEEP_SECONDS,))
            row = db.execute("SELECT result FROM changes WHERE operation = ? AND key = ?", (operation, key)).fetchone()
            if row is not None:
                return Kept(row[0])
            db.execute("INSERT INTO changes (operation, key, at) VALUES (?, ?, ?)", (operation, key, now))
            return None

        return await self._run(look, None)

    async def done(self, operation: str, key: str, result: str) -> None:
        """Keep the confirmation of a change."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE changes SET result = ? WHERE operation = ? AND key = ?", (result, operation, key))

        await self._run(write, None)

    async def forget(self, operation: str, key: str) -> None:
        """The change was certainly not made: it may be asked for again."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM changes WHERE operation = ? AND key = ?", (operation, key))

        await self._run(write, None)

    async def close(self) -> None:
        """Close the file; idempotent."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._connection.close)
            self._connection = None
        self._worker.shutdown(wait=True)

    async def _run(self, job: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._in_transaction, job)
        except sqlite3.Error as error:
            log.error("Changes are not kept over a restart: %s: %s", self._path, error)
            return otherwise

    def _in_transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
            self._connection = connection
        with self._connection as db:
            return job(db)
