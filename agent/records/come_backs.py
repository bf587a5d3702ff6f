"""What is remembered of calls that are with people, in SQLite, until they come back or the time is over."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS come_backs (channel_id TEXT PRIMARY KEY, at REAL NOT NULL, snapshot TEXT NOT NULL)"
)
_BUSY_TIMEOUT_SECONDS = 1.0


class ComeBackStore:
    """Implements :class:`agent.call.protocols.ComeBacks`. Close it.

    What is too old is deleted with every access: it holds what callers said. When the file cannot be used a caller who
    comes back is asked again, and the log says why.
    """

    def __init__(self, path: Path, keep_seconds: float, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._path = path
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="come-backs")
        self._connection: sqlite3.Connection | None = None

    async def keep(self, channel_id: str, snapshot: Mapping[str, Any]) -> None:
        """Remember a conversation; a later one of the same channel takes its place."""
        if self._keep_seconds <= 0:
            return
        text = json.dumps(snapshot, default=str)
        await self._do(
            lambda db: db.execute("REPLACE INTO come_backs VALUES (?, ?, ?)", (channel_id, self._clock(), text))
        )

    async def take(self, channel_id: str) -> Mapping[str, Any] | None:
        """Return the conversation of this channel, None when there is none or it is too old. It stays there."""
        rows = await self._do(
            lambda db: db.execute("SELECT snapshot FROM come_backs WHERE channel_id = ?", (channel_id,))
        )
        if not rows:
            return None
        snapshot: Mapping[str, Any] = json.loads(rows[0][0])
        return snapshot

    async def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._worker, self._connection.close)
        self._worker.shutdown(wait=False)

    async def _do(self, work: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> list[Any]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._in_thread, work)
        except sqlite3.Error as error:
            log.warning("%s: %s; callers who come back are asked again", self._path, error)
            return []

    def _in_thread(self, work: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> list[Any]:
        if self._connection is None:
            self._path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                self._path, timeout=_BUSY_TIMEOUT_SECONDS, check_same_thread=False, isolation_level=None
            )
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.execute(_SCHEMA)
        self._connection.execute("DELETE FROM come_backs WHERE at < ?", (self._clock() - self._keep_seconds,))
        return work(self._connection).fetchall()
