"""Call snapshots in one SQLite file beside the call records: the default, and the fallback without Redis."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.recovery.snapshot import CallSnapshot, call_was_on_channel

log = logging.getLogger(__name__)

LONGEST_SECONDS = 24 * 3600.0
"""What is older than this belongs to no call that is still on the line."""
BUSY_TIMEOUT_SECONDS = 1.0
WRITTEN_SECONDS = 0.1
"""A write takes a millisecond or two. A disk that needs longer than this must not hold up the caller."""
_LOSS = "live state cannot be read"
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
        options = SqliteOptions(BUSY_TIMEOUT_SECONDS, _prepare, synchronous="OFF", owner_only=True)
        self._file = SqliteFile(path, options)
        self._holder = holder
        self._clock = clock
        self._waiting: dict[str, CallSnapshot | None] = {}
        """Latest state a call that is not written yet; None forgets it. The writer takes them together."""
        self._handing = threading.Lock()
        """Held for an instant while the writer takes them: what comes in then must ask for another round."""

    @classmethod
    async def open(cls, path: Path, holder: str, clock: Callable[[], float] = time.time) -> SqliteSnapshotStore:
        """Open or make the file. A file that cannot be used is told in the log and costs resuming, nothing else."""
        keeper = cls(path, holder, clock)
        await keeper._file.transaction_or(lambda db: None, None, _LOSS)
        return keeper

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Keep a call; see :class:`agent.recovery.snapshot.SnapshotStore`."""
        self._later(call_id, CallSnapshot(call_id, self._holder, self._clock(), state))

    async def written(self) -> None:
        """Return when everything kept so far is written, at the latest after :data:`WRITTEN_SECONDS`."""
        if self._file.closed:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WRITTEN_SECONDS):
                await self._file.run(_nothing)

    def forget(self, call_id: str, holder: str = "") -> None:
        """Forget a call, whoever held it: the file is this node's own."""
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

        return await self._file.transaction_or(job, [], _LOSS)

    async def of_channel(self, channel_id: str) -> Sequence[CallSnapshot]:
        """Return what other processes left here of the calls on a channel."""
        return [kept for kept in await self.left_behind() if call_was_on_channel(kept.call_id, channel_id)]

    async def close(self) -> None:
        """Write what is waiting and close the file; idempotent."""
        await self._file.close()  # the writes stand in the line before it

    # --- on the thread ----------------------------------------------------------------------------

    def _later(self, call_id: str, kept: CallSnapshot | None) -> None:
        if self._file.closed:
            return
        with self._handing:
            first = not self._waiting
            self._waiting[call_id] = kept
        if first:
            self._file.submit(self._write)

    def _write(self) -> None:
        with self._handing:
            waiting, self._waiting = self._waiting, {}
        try:
            with self._file.begin() as db:
                for call_id, kept in waiting.items():
                    if kept is None:
                        db.execute("DELETE FROM live_calls WHERE call_id = ?", (call_id,))
                    else:
                        row = (call_id, kept.at, kept.to_text())
                        db.execute("INSERT OR REPLACE INTO live_calls VALUES (?, ?, ?)", row)
        except (sqlite3.Error, OSError) as error:
            log.warning("live calls are not kept: %s: %s", self._file.path, error)


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA secure_delete=ON")
    connection.executescript(_SCHEMA)


def _nothing() -> None:
    """Stand in the writer's line behind everything that was asked of it before."""
