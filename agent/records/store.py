"""Where finished calls go: one row a call in SQLite, durable, written once; a spool file when the database cannot."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from agent.call.protocols import CallRecord
from agent.errors import OrderlineError
from agent.records.call_record import call_record
from agent.records.redaction import redact_record
from agent.records.spool import Spool

log = logging.getLogger(__name__)

T = TypeVar("T")
Redact = Callable[[Mapping[str, Any]], Mapping[str, Any]]

BUSY_TIMEOUT_SECONDS = 2.0
"""How long a write waits for another process before the record goes to the spool."""

LAYOUT = 1
"""``PRAGMA user_version`` of the database; a higher one belongs to a newer Orderline."""

_SCHEMA = f"""
BEGIN;
CREATE TABLE IF NOT EXISTS calls (
    id               TEXT PRIMARY KEY,
    started_at       TEXT NOT NULL,   -- ISO 8601 with offset
    caller_number    TEXT NOT NULL,
    outcome          TEXT NOT NULL,
    ended_by         TEXT NOT NULL,
    duration_seconds REAL NOT NULL,
    record           TEXT NOT NULL,   -- the whole record as JSON
    written_at       TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX IF NOT EXISTS calls_by_start ON calls (started_at);
PRAGMA user_version = {LAYOUT};
COMMIT;
"""
_INSERT = (
    "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class RecordExists(OrderlineError):
    """This call's record has been written before; the first one stands."""

    code = "record_exists"


class RecordsUnavailable(OrderlineError):
    """Neither the database nor the spool file can be used."""

    code = "records_unavailable"
    retryable = True


class CallStore:
    """Implements :class:`agent.call.protocols.Records`. Make it with :meth:`open`, and close it."""

    def __init__(
        self, path: Path, *, redact: Redact = redact_record, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS
    ) -> None:
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds
        self._redact = redact
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="records")
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._spool = Spool(path.with_name(path.name + ".spool.jsonl"))
        self._spooled: frozenset[str] = frozenset()

    @classmethod
    async def open(
        cls, path: Path, *, redact: Redact = redact_record, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS
    ) -> CallStore:
        """Open or make the database at ``path`` and take in what waits in ``<path>.spool.jsonl``.

        ``redact`` is given every record before it is written; the default takes out card and phone numbers and
        postcodes. Raises :class:`RecordsUnavailable` when the database cannot be made or is not one of ours.
        """
        store = cls(path, redact=redact, busy_timeout_seconds=busy_timeout_seconds)
        try:
            await store._on_worker(store._open)
        except (OSError, sqlite3.Error) as error:
            await store.close()
            raise RecordsUnavailable(f"the call records in {path} cannot be opened: {error}") from error
        except RecordsUnavailable:
            await store.close()
            raise
        return store

    async def write(self, record: CallRecord) -> None:
        """Store the record; on the disk when this returns, in the database or, failing that, in the spool.

        A cancelled caller does not cancel the write. Raises :class:`RecordExists` for an id that has been written,
        :class:`RecordsUnavailable` when the spool failed too.
        """
        if self._closed:
            raise RecordsUnavailable(f"the record of call {record.id} came after {self._path} was closed")
        data = call_record(record)
        await self._on_worker(lambda: self._write(data))

    async def get(self, call_id: str) -> dict[str, Any] | None:
        """Return one record from the database, None when there is none. Raises :class:`RecordsUnavailable`."""
        rows = await self._read("SELECT record FROM calls WHERE id = ?", (call_id,))
        return json.loads(rows[0]) if rows else None

    async def recent(self, count: int) -> list[dict[str, Any]]:
        """Return the latest ``count`` records, newest first. Raises :class:`RecordsUnavailable`."""
        rows = await self._read("SELECT record FROM calls ORDER BY started_at DESC, rowid DESC LIMIT ?", (count,))
        return [json.loads(row) for row in rows]

    async def export(self, path: Path) -> int:
        """Write all records to ``path`` as JSON lines, oldest first, whole or not at all; return how many.

        Raises :class:`RecordsUnavailable` when they cannot be read or the file not be written.
        """
        try:
            return await asyncio.to_thread(self._export, path)
        except (OSError, sqlite3.Error) as error:
            raise RecordsUnavailable(f"the call records cannot be exported to {path}: {error}") from error

    async def close(self) -> None:
        """Finish the writes under way and close the database; idempotent."""
        if self._closed:
            return
        self._closed = True
        await self._on_worker(self._close)
        self._worker.shutdown(wait=True)

    async def _on_worker(self, job: Callable[[], T]) -> T:
        # Shielded: a job that has not started would vanish with its caller.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._worker, job))

    # --- on the worker thread ---------------------------------------------------------------------

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=self._busy_timeout_seconds, isolation_level=None)
        self._connection = connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise RecordsUnavailable(f"{self._path} was written by a newer Orderline (layout {layout}, ours {LAYOUT})")
        connection.executescript(_SCHEMA)
        self._take_in()

    def _write(self, data: dict[str, Any]) -> None:
        redacted = dict(self._redact(data))
        call_id = str(redacted["id"])
        if call_id in self._spooled:
            raise RecordExists(f"call {call_id} has been recorded already (it waits in {self._spool.path})")
        try:
            self._database().execute(_INSERT, _row(redacted))
        except sqlite3.IntegrityError as error:
            raise RecordExists(f"call {call_id} has been recorded already") from error
        except sqlite3.Error as error:
            self._spool_instead(call_id, redacted, error)
            return
        if self._spooled:
            self._try_take_in()

    def _spool_instead(self, call_id: str, redacted: dict[str, Any], why: sqlite3.Error) -> None:
        try:
            self._spool.append(redacted)
        except OSError as error:
            raise RecordsUnavailable(
                f"the record of call {call_id} could not be written: database {self._path}: {why};"
                f" spool {self._spool.path}: {error}"
            ) from error
        self._spooled |= {call_id}
        log.warning("record of call %s went to %s: database: %s", call_id, self._spool.path, why)

    def _try_take_in(self) -> None:
        try:
            self._take_in()
        except (OSError, sqlite3.Error) as error:
            log.warning("the records in %s stay there for now: %s", self._spool.path, error)

    def _take_in(self) -> None:
        self._spooled = self._spool.ids()
        count = self._spool.drain(self._insert_spooled)
        self._spooled = frozenset()
        if count:
            log.info("%d record(s) taken in from %s", count, self._spool.path)

    def _insert_spooled(self, records: list[dict[str, Any]]) -> None:
        connection = self._database()
        refused: list[bytes] = []
        connection.execute("BEGIN IMMEDIATE")
        try:
            for record in records:
                row = _row(record)
                known = connection.execute("SELECT record FROM calls WHERE id = ?", row[:1]).fetchone()
                if known is None:
                    connection.execute(_INSERT, row)
                elif known[0] != row[-1]:
                    refused.append(str(row[-1]).encode("ascii"))
            connection.execute("COMMIT")
        except sqlite3.Error:
            connection.rollback()
            raise
        if refused:
            self._spool.set_aside("refused", refused)

    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the store is closed")
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # --- reading, on connections of their own so that it never holds up a write ---------------------

    async def _read(self, query: str, values: tuple[object, ...]) -> list[str]:
        try:
            return await asyncio.to_thread(lambda: list(self._rows(query, values)))
        except sqlite3.Error as error:
            raise RecordsUnavailable(f"the call records in {self._path} cannot be read: {error}") from error

    def _rows(self, query: str, values: tuple[object, ...]) -> Iterator[str]:
        with closing(sqlite3.connect(self._path, timeout=self._busy_timeout_seconds)) as connection:
            for (record,) in connection.execute(query, values):
                yield record

    def _export(self, path: Path) -> int:
        count = 0
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                for record in self._rows("SELECT record FROM calls ORDER BY started_at, rowid", ()):
                    file.write(record + "\n")
                    count += 1
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
        return count


def _row(record: Mapping[str, Any]) -> tuple[object, ...]:
    caller = record.get("caller")
    number = caller.get("number", "") if isinstance(caller, Mapping) else ""
    duration = record.get("duration_seconds")
    return (
        *(_storable(record.get(name)) for name in ("id", "started_at")),
        _storable(number),
        *(_storable(record.get(name)) for name in ("outcome", "ended_by")),
        float(duration) if isinstance(duration, int | float) else 0.0,
        json.dumps(record),
    )


def _storable(value: object) -> str:
    """Text that SQLite takes: half characters from badly decoded names are replaced."""
    return str(value or "").encode("utf-8", "replace").decode("utf-8")
