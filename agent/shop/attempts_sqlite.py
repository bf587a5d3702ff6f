"""Failed verifications of the last hour, in SQLite, so that neither a restart nor a second agent forgets them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.common.untrusted import CLOCK_SKEW_SECONDS
from agent.shop.protocols import Lock

WINDOW_SECONDS = 3600.0
PER_CALLER = 5
PER_NUMBER = 5
HIDDEN_CALLERS = 20
"""All callers who hide their number share one allowance: nobody knows how many they are."""
BUSY_TIMEOUT_SECONDS = 1.0
_LOSS = "Attempts to verify are not counted"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (at REAL NOT NULL, caller TEXT NOT NULL, number TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempts_by_time ON attempts (at);
"""


class SqliteAttemptLimits:
    """Implements :class:`agent.shop.protocols.AttemptLimits`. Close it.

    When the file cannot be used, nobody is locked out: the tries per call still hold, and the log says so.
    """

    def __init__(
        self,
        path: Path,
        *,
        per_caller: int = PER_CALLER,
        per_number: int = PER_NUMBER,
        hidden: int = HIDDEN_CALLERS,
        window_seconds: float = WINDOW_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives seconds since 1970; the counts are failures within ``window_seconds``."""
        self._per_caller = per_caller
        self._per_number = per_number
        self._hidden = hidden
        self._window_seconds = window_seconds
        self._clock = clock
        self._file = SqliteFile(
            path, SqliteOptions(BUSY_TIMEOUT_SECONDS, lambda connection: connection.executescript(_SCHEMA))
        )

    async def locked(self, caller: str, number: str) -> Lock:
        """Return who has failed too often: this caller (``""`` is a hidden number), or this order number by anybody."""
        now = self._clock()
        since, latest = now - self._window_seconds, now + CLOCK_SKEW_SECONDS

        def count(db: sqlite3.Connection) -> tuple[int, int]:
            row = db.execute(
                "SELECT coalesce(sum(caller = ?), 0), coalesce(sum(number = ?), 0) FROM attempts "
                "WHERE at > ? AND at <= ?",
                (caller, number, since, latest),
            ).fetchone()
            return row[0], row[1]

        of_caller, of_number = await self._file.transaction_or(count, (0, 0), _LOSS)
        if of_caller >= (self._per_caller if caller else self._hidden):
            return "caller"
        return "number" if of_number >= self._per_number else ""

    async def failed(self, caller: str, number: str) -> None:
        """Count one failed verification; what is older than the window is forgotten."""
        now = self._clock()

        def write(db: sqlite3.Connection) -> None:
            oldest, latest = now - self._window_seconds, now + CLOCK_SKEW_SECONDS  # later: of a clock that was wrong
            db.execute("DELETE FROM attempts WHERE at <= ? OR at > ?", (oldest, latest))
            db.execute("INSERT INTO attempts VALUES (?, ?, ?)", (now, caller, number))

        await self._file.transaction_or(write, None, _LOSS)

    async def close(self) -> None:
        """Close the file; idempotent."""
        await self._file.close()
