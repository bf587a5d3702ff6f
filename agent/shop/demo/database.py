"""One SQLite file used from the event loop: every statement runs on one worker thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from agent.common.service_error import ServiceError

T = TypeVar("T")

BUSY_TIMEOUT_MS = 1000
"""How long a statement waits for another process that holds the file."""


class DemoDatabase:
    """A connection and the thread it lives on. Close it."""

    def __init__(self, path: Path, kept: Path) -> None:
        """``kept`` is a second file, attached under that name."""
        self._path = path
        self._kept = kept
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``job(connection)`` on the worker thread, in a transaction, and return its result.

        A caller that stops waiting does not stop the job: what changes something must be repeatable by key.
        Raises ``ServiceError`` with code ``unavailable`` when the file cannot be used.
        """
        if self._closed:
            raise ServiceError("unavailable", f"the demo shop's database {self._path} has been closed")
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._worker, self._run, job))

    async def close(self) -> None:
        """Finish what is under way and close the file; idempotent."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._worker, self._close)
        self._worker.shutdown(wait=True)

    def _run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = connect(self._path)
                self._connection.execute("ATTACH ? AS kept", (str(self._kept),))
                self._connection.execute("PRAGMA kept.journal_mode=WAL")
            with self._connection as connection:
                return job(connection)
        except sqlite3.Error as error:
            raise ServiceError(
                "unavailable", f"the demo shop's database {self._path}: {error}", retryable=True
            ) from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect(path: Path) -> sqlite3.Connection:
    """Open the file in WAL mode with rows that know their column names. Raises ``sqlite3.Error``."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection
