"""Which instance has a call that was taken from another one: in one SQLite file that all instances share.

An instance that was killed or hung still has such a call in its own files, or in its memory. What stands here keeps it
from recording a call that goes on elsewhere, so that there is one record of each.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Collection
from pathlib import Path

from agent.call.ports import CallRecordWriter
from agent.call.records import CallRecord
from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.records.begun_calls import forget_begun
from agent.records.call_store import CallStore

FILE_NAME = "taken-calls.sqlite"
"""Below the directory that all instances share."""
KEPT_SECONDS = 30 * 24 * 3600.0
"""An instance that is down longer than this may record a call that another one has taken."""
BUSY_TIMEOUT_SECONDS = 1.0
TAKING_SECONDS = 1.0
"""A call that the dialplan has taken from us is with another instance, or with none, after this long."""
_LOSS = "Which instance has a call is not known to the others"
_SCHEMA = "CREATE TABLE IF NOT EXISTS taken (call_id TEXT PRIMARY KEY, instance INTEGER NOT NULL, at REAL NOT NULL);"


class TakenCalls:
    """The file, as one instance sees it. Close it. A file that cannot be used costs double records, nothing else."""

    def __init__(self, path: Path, instance: int, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        options = SqliteOptions(BUSY_TIMEOUT_SECONDS, lambda connection: connection.executescript(_SCHEMA))
        self._file = SqliteFile(path, options)
        self._instance = instance
        self._clock = clock

    async def take(self, call_id: str) -> None:
        """Note that this instance has the call from now on."""
        now = self._clock()

        def job(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM taken WHERE at < ?", (now - KEPT_SECONDS,))
            db.execute("INSERT OR REPLACE INTO taken VALUES (?, ?, ?)", (call_id, self._instance, now))

        await self._file.transaction_or(job, None, _LOSS)

    async def with_others(self, call_ids: Collection[str]) -> frozenset[str]:
        """Return those of these calls that another instance has taken."""
        wanted = frozenset(call_ids)

        def job(db: sqlite3.Connection) -> frozenset[str]:
            rows = db.execute("SELECT call_id FROM taken WHERE instance != ?", (self._instance,))
            return wanted & {row[0] for row in rows}

        return await self._file.transaction_or(job, frozenset(), _LOSS) if wanted else frozenset()

    async def close(self) -> None:
        """Close the file; idempotent."""
        await self._file.close()


class RecordsOfOwnCalls:
    """Implements :class:`agent.call.ports.CallRecordWriter`: writes no record of a call that another instance has."""

    def __init__(self, records: CallStore, taken: TakenCalls) -> None:
        self._records = records
        self._taken = taken

    async def begin(self, record: CallRecord) -> str:
        """Note that a call has begun; see :meth:`agent.call.ports.CallRecordWriter.begin`."""
        return await self._records.begin(record)

    async def write(self, record: CallRecord) -> None:
        """Store the record, or forget the call's beginning where another instance has the call.

        Raises what :meth:`CallStore.write` raises.
        """
        if await self._is_with_another(record):
            await forget_begun(self._records.database, [record.id])
            return
        await self._records.write(record)

    async def _is_with_another(self, record: CallRecord) -> bool:
        if await self._taken.with_others([record.id]):
            return True
        if record.outcome != "rescued":
            return False
        await asyncio.sleep(
            TAKING_SECONDS
        )  # it has left us this moment: nobody tells whether another instance takes it
        return bool(await self._taken.with_others([record.id]))


def own_records(records: CallStore, taken: TakenCalls | None) -> CallRecordWriter:
    """Return where calls go; ``taken`` is None for an agent alone."""
    return records if taken is None else RecordsOfOwnCalls(records, taken)
