"""Call snapshots in one SQLite file beside the call records: the default, and the fallback without Redis."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from agent.recovery.snapshot import CallSnapshot

log = logging.getLogger(__name__)
T = TypeVar("T")

LONGEST_SECONDS = 24 * 3600.0
"""What is older than this belongs to no call that is still on the line."""
BUSY_TIMEOUT_SECONDS = 1.0
WRITTEN_SECONDS = 0.1
"""A write takes a millisecond or two. A disk that needs longer than this must not hold up the caller."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS live_calls (
    call_id TEXT PRIMARY KEY,
    at      REAL NOT NULL,   -- seconds since 1970
    kept    TEXT NOT NULL    -- agent.recovery.snapshot.CallSnapshot.to_text
);
"""


class SqliteSnapshotStore:
    """A :class:`agent.recovery.snapshot.SnapshotStore` on ``state.sqlite``. Make it with :meth:`open`, and close it.

    What a caller said and has not been redacted is in this file for as long as the call lasts, so only its owner may
    read it. Nothing is flushed to the disk: a killed process loses nothing, and a machine that loses its power loses
    the calls too.
    """

    def __init__(self, path: Path, holder: str, clock: Callable[[], float] = time.time) -> None:
        """``holder`` names this process; ``clock`` gives seconds since 1970."""
        self._path = path
        self._holder = holder
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._waiting: dict[str, CallSnapshot | None] = {}
        """Latest state a call that is not written yet; None forgets it. The writer takes them together."""
        self._handing = threading.Lock()
        """Held for an instant while the writer takes them: what comes in then must ask for another round."""

    @classmethod
    async def open(cls, path: Path, holder: str, clock: Callable[[], float] = time.time) -> SqliteSnapshotStore:
        """Open or make the file. A file that cannot be used is told in the log and costs resuming, nothing else."""
        keeper = cls(path, holder, clock)
        await keeper._ask(lambda db: None, None)
        return keeper

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Keep a call; see :class:`agent.recovery.snapshot.SnapshotStore`."""
        self._later(call_id, CallSnapshot(call_id, self._holder, self._clock(), state))

    async def written(self) -> None:
        """Return when everything kept so far is written, at the latest after :data:`WRITTEN_SECONDS`."""
        if self._closed:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WRITTEN_SECONDS):
                await asyncio.get_running_loop().run_in_executor(self._worker, _nothing)

    def forget(self, call_id: str) -> None:
        """Forget a call."""
        self._later(call_id, None)

    async def left_behind(self) -> Sequence[CallSnapshot]:
        """Return what other processes left; a file that cannot be read gives nothing."""
        since = self._clock() - LONGEST_SECONDS

        def job(db: sqlite3.Connection) -> list[CallSnapshot]:
            db.execute("DELETE FROM live_calls WHERE at < ?", (since,))
            found = []
            for (text,) in db.execute("SELECT kept FROM live_calls ORDER BY at"):
                with contextlib.suppress(ValueError, TypeError):
                    found.append(CallSnapshot.from_text(text))
            return [kept for kept in found if kept.holder != self._holder]

        return await self._ask(job, [])

    async def close(self) -> None:
        """Write what is waiting and close the file; idempotent."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._worker, self._close)
        self._worker.shutdown(wait=True)

    # --- on the thread ----------------------------------------------------------------------------

    def _later(self, call_id: str, kept: CallSnapshot | None) -> None:
        if self._closed:
            return
        with self._handing:
            first = not self._waiting
            self._waiting[call_id] = kept
        if first:
            self._worker.submit(self._write)

    def _write(self) -> None:
        with self._handing:
            waiting, self._waiting = self._waiting, {}

        def job(db: sqlite3.Connection) -> None:
            for call_id, kept in waiting.items():
                if kept is None:
                    db.execute("DELETE FROM live_calls WHERE call_id = ?", (call_id,))
                else:
                    row = (call_id, kept.at, kept.to_text())
                    db.execute("INSERT OR REPLACE INTO live_calls VALUES (?, ?, ?)", row)

        try:
            self._in_transaction(job)
        except (sqlite3.Error, OSError) as error:
            log.warning("live calls are not kept: %s: %s", self._path, error)

    async def _ask(self, job: Callable[[sqlite3.Connection], T], otherwise: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._in_transaction, job)
        except (sqlite3.Error, OSError) as error:
            log.error("live state cannot be read: %s: %s", self._path, error)
            result: T = otherwise
            return result

    def _in_transaction(self, job: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA secure_delete=ON")
            connection.executescript(_SCHEMA)
            self._connection = connection
        with self._connection as db:
            return job(db)

    def _close(self) -> None:
        if self._waiting:
            self._write()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _nothing() -> None:
    """Stand in the writer's line behind everything that was asked of it before."""
