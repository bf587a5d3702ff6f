"""Idempotency store: changes asked of mapped systems, by key, in SQLite, so that they survive a restart."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.common.sqlite import SqliteFile, SqliteOptions

KEEP_SECONDS = 30 * 24 * 3600.0
BUSY_TIMEOUT_SECONDS = 0.5
_LOSS = "Changes are not kept over a restart"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS changes (
    operation TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, result TEXT, PRIMARY KEY (operation, key)
);
CREATE INDEX IF NOT EXISTS changes_by_time ON changes (at);
"""


@dataclass(frozen=True)
class StoredChange:
    """What is known of a change."""

    result: str | None
    """The confirmation as JSON; None when the change was asked for and nobody knows whether it was made."""


class IdempotencyStore:
    """One file for all systems. Close it.

    When the file cannot be used, changes are made all the same and remembered until the agent ends; the log says so.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._clock = clock
        self._file = SqliteFile(
            path, SqliteOptions(BUSY_TIMEOUT_SECONDS, lambda connection: connection.executescript(_SCHEMA))
        )

    async def begin(self, operation: str, key: str) -> StoredChange | None:
        """Return what is known of a change; None, and the change stands as asked for, when it is new."""
        now = self._clock()

        def look(db: sqlite3.Connection) -> StoredChange | None:
            db.execute("DELETE FROM changes WHERE at < ?", (now - KEEP_SECONDS,))
            row = db.execute("SELECT result FROM changes WHERE operation = ? AND key = ?", (operation, key)).fetchone()
            if row is not None:
                return StoredChange(row[0])
            db.execute("INSERT INTO changes (operation, key, at) VALUES (?, ?, ?)", (operation, key, now))
            return None

        return await self._file.transaction_or(look, None, _LOSS)

    async def done(self, operation: str, key: str, result: str) -> None:
        """Keep the confirmation of a change."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE changes SET result = ? WHERE operation = ? AND key = ?", (result, operation, key))

        await self._file.transaction_or(write, None, _LOSS)

    async def forget(self, operation: str, key: str) -> None:
        """The change was certainly not made: it may be asked for again."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM changes WHERE operation = ? AND key = ?", (operation, key))

        await self._file.transaction_or(write, None, _LOSS)

    async def close(self) -> None:
        """Close the file; idempotent."""
        await self._file.close()
