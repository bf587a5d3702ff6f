"""The demo shop's two SQLite files, used as one; what cannot be done with them is a ServiceError."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.common import sqlite
from agent.common.service_error import ServiceError
from agent.common.sqlite import SqliteFile, SqliteOptions

T = TypeVar("T")

BUSY_TIMEOUT_SECONDS = 1.0
"""How long a statement waits for another process that holds the file."""


class DemoDatabase:
    """The orders, which may be made again every day, and beside them what is kept. Close it."""

    def __init__(self, path: Path, kept: Path) -> None:
        """``kept`` is a second file, attached under that name."""

        def prepare(connection: sqlite3.Connection) -> None:
            _prepare(connection)
            connection.execute("ATTACH ? AS kept", (str(kept),))
            connection.execute("PRAGMA kept.journal_mode=WAL")

        self._file = SqliteFile(path, SqliteOptions(BUSY_TIMEOUT_SECONDS, prepare, shielded=True))

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``job(connection)`` in a transaction and return its result.

        A caller that stops waiting does not stop the job: what changes something must be repeatable by key.
        Raises ``ServiceError`` with code ``unavailable`` when the file cannot be used.
        """
        if self._file.closed:
            raise ServiceError("unavailable", f"the demo shop's database {self._file.path} has been closed")
        try:
            return await self._file.transaction(job)
        except sqlite3.Error as error:
            raise ServiceError(
                "unavailable", f"the demo shop's database {self._file.path}: {error}", retryable=True
            ) from error

    async def close(self) -> None:
        """Finish what is under way and close the file; idempotent."""
        await self._file.close()


def connect(path: Path) -> sqlite3.Connection:
    """Open the file in WAL mode with rows that know their column names. Raises ``sqlite3.Error``."""
    return sqlite.connect(path, SqliteOptions(BUSY_TIMEOUT_SECONDS, _prepare))


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys=ON")
