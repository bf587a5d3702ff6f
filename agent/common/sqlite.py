"""One small SQLite file behind one thread, for data the agent can do without."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

log = logging.getLogger(__name__)
T = TypeVar("T")


class SqliteFile:
    """Opened with its first job. Close it."""

    def __init__(self, path: Path, schema: str, *, busy_timeout_seconds: float, loss: str) -> None:
        """``loss`` tells the log what it means when the file cannot be used ("Attempts are not counted")."""
        self._path = path
        self._schema = schema
        self._busy_timeout_seconds = busy_timeout_seconds
        self._loss = loss
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)
        self._connection: sqlite3.Connection | None = None

    async def run(self, job: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Do a job in a transaction of its own; return ``otherwise`` when the file cannot be used."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._in_transaction, job)
        except sqlite3.Error as error:
            log.error("%s: %s: %s", self._loss, self._path, error)
            return otherwise

    async def close(self) -> None:
        """Close the file; idempotent."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._connection.close)
            self._connection = None
        self._worker.shutdown(wait=True)

    def _in_transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=self._busy_timeout_seconds, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(self._schema)
            self._connection = connection
        with self._connection as db:
            return job(db)
