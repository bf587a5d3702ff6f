"""CallStore: one durable row a call in SQLite, written once; a spool file when the database cannot be used.

In the same transaction goes into the outbox what others must hear of the call.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.call.records import CallRecord
from agent.common.sqlite import SqliteFile
from agent.common.tasks import cancel_and_wait, report_failure
from agent.common.untrusted import encodable
from agent.errors import OrderlineError
from agent.records import outbox_sql, sounds_sql
from agent.records.call_record import call_record
from agent.records.database import BUSY_TIMEOUT_SECONDS, RecordsUnavailable, call_database
from agent.records.earlier_calls import REPEAT_SECONDS, ContactsSince, contacts_since, earlier_call
from agent.records.outbox import Outbox
from agent.records.outbox_sql import NewOutboxEntry
from agent.records.redaction import redact_record
from agent.records.spool import Spool

__all__ = ["CallStore", "RecordExists", "RecordsUnavailable"]

log = logging.getLogger(__name__)

Redact = Callable[[Mapping[str, Any]], Mapping[str, Any]]
EventsOfRecord = Callable[[Mapping[str, Any], bool], Sequence[NewOutboxEntry]]
"""``news(record, over)``: the outbox entries that follow from a redacted record, as a call begins and as it ends."""

_INSERT = (
    "INSERT INTO calls (id, started_at, caller_number, outcome, ended_by, duration_seconds, record)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
MOST_IN_MEMORY = 1000
"""Records kept in memory while neither database nor spool takes them: some hours of a busy line."""
RETRY_SECONDS = 5.0
"""Between two tries to write what waits."""
INTERRUPTED = "the agent was stopped in the middle of this call"


class RecordExists(OrderlineError):
    """This call's record has been written before; the first one stands."""

    code = "record_exists"


class CallStore:
    """Implements :class:`agent.call.ports.CallRecordWriter`. Make it with :meth:`open`, and close it."""

    def __init__(self, database: SqliteFile, redact: Redact, news: EventsOfRecord, repeat_seconds: float) -> None:
        self.database = self._database = database
        """For what else is kept in the same file."""
        self._path = database.path
        self._redact = redact
        self._news = news
        self._repeat_seconds = repeat_seconds
        self.owner = self._owner = uuid.uuid4().hex
        """Names this process among those that have begun calls in the file."""
        self._closed = False
        self._spool = Spool(self._path.with_name(self._path.name + ".spool.jsonl"))
        self._spooled: frozenset[str] = frozenset()
        self._in_memory: dict[str, dict[str, Any]] = {}
        """Redacted records that neither database nor spool would take, by call id. Changed on the thread."""
        self._problem = ""
        self._retrying: asyncio.Task[None] | None = None
        self.outbox = Outbox(database)
        self.sound_news = asyncio.Event()
        """Set when a record that tells of sound has been written."""

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        redact: Redact = redact_record,
        news: EventsOfRecord = lambda record, over: (),
        repeat_seconds: float = REPEAT_SECONDS,
        busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS,
    ) -> CallStore:
        """Open or make the database at ``path`` and take in what waits in ``<path>.spool.jsonl``.

        ``redact`` is given every record before it is written; the default takes out card and phone numbers and
        postcodes. ``news(record, over)`` says what goes into the outbox with it. A call from a number that called
        within ``repeat_seconds`` before is a repeat; 0: none is. Raises :class:`RecordsUnavailable` when the database
        cannot be made or is not one of ours.
        """
        store = cls(call_database(path, busy_timeout_seconds), redact, news, repeat_seconds)
        try:
            await store._database.run(store._open)
        except (OSError, sqlite3.Error) as error:
            await store.close()
            raise RecordsUnavailable(f"the call records in {path} cannot be opened: {error}") from error
        except RecordsUnavailable:
            await store.close()
            raise
        return store

    async def begin(self, record: CallRecord) -> str:
        """Note that a call has begun: if this process dies, the next one still writes its record.

        Never raises: a call goes on without the note, and :meth:`write` makes up for it. Returns the id of the latest
        earlier call from the same number, ``""`` for none.
        """
        if self._closed:
            return ""
        data = dict(self._redact({**call_record(record), "outcome": "failed", "ended_by": "fault"}))
        entries = self._news(data, False)

        def job(db: sqlite3.Connection) -> str:
            data["repeat_of"] = data.get("repeat_of") or earlier_call(db, data, self._repeat_seconds)
            # a call that outlived its process is begun a second time: it is ours from now on
            row = (data["id"], self._owner, json.dumps(data))
            db.execute("INSERT OR REPLACE INTO open_calls VALUES (?, ?, ?)", row)
            outbox_sql.add(db, entries, self.outbox.clock())
            return str(data["repeat_of"])

        try:
            repeat_of = await self._database.transaction(job)
        except sqlite3.Error as error:
            log.warning("the beginning of call %s was not noted: %s", record.id, error)
            return ""
        self.outbox.news.set()
        return repeat_of

    async def write(self, record: CallRecord) -> None:
        """Store the record: in the database or, failing that, in the spool; on the disk when this returns.

        Where neither takes it, it stays in memory and is tried again until there is room: see :attr:`waiting`. A
        cancelled caller does not cancel the write. Raises :class:`RecordExists` for an id that has been written, and
        :class:`RecordsUnavailable` when even the memory for it is full.
        """
        if self._closed:
            raise RecordsUnavailable(f"the record of call {record.id} came after {self._path} was closed")
        data = call_record(record)
        await self._database.run(lambda: self._write(data))
        self.outbox.news.set()
        if record.sound is not None:
            self.sound_news.set()
        if self.waiting and (self._retrying is None or self._retrying.done()):
            self._retrying = asyncio.create_task(self._retry(), name="records-retry")
            self._retrying.add_done_callback(report_failure)

    async def note_wait(self, call_id: str, seconds: float, how: str) -> bool:
        """Put into the record of a call that was handed over how long the caller waited, and how that ended.

        The one thing that is written after the record, once. False where there is no such record in the database, or
        the wait stands there. Never raises.
        """
        if self._closed:
            return False
        try:
            return await self._database.transaction(lambda db: self._note_wait(db, call_id, seconds, how))
        except sqlite3.Error as error:
            log.warning("how long the caller of call %s waited was not noted: %s", call_id, error)
            return False

    @property
    def problem(self) -> str:
        """Why records do not reach the database just now, ``""`` while they do."""
        return self._problem

    @property
    def waiting(self) -> int:
        """How many records are not in the database yet: they are in the spool, or in memory where that is full too."""
        return len(self._spooled) + len(self._in_memory)

    async def take_over(
        self, latest: Mapping[str, Mapping[str, Any]] | None = None, going_on: Collection[str] = ()
    ) -> int:
        """Write the records of calls whose process is gone, and make due again what it was delivering.

        ``latest`` holds what is known better than at the call's beginning: call id -> its record as far as it came.
        Calls that are ``going_on`` belong to this process from now on.
        Only one process at a time may do this for one file. Returns how many such calls there were.
        Raises ``sqlite3.Error``.
        """
        known = {call_id: dict(self._redact(data)) for call_id, data in (latest or {}).items()}
        return await self._database.transaction(lambda db: self._take_over(db, known, going_on))

    async def get(self, call_id: str) -> dict[str, Any] | None:
        """Return one record from the database, None when there is none. Raises :class:`RecordsUnavailable`."""
        rows = await self._read("SELECT record FROM calls WHERE id = ?", (call_id,))
        return json.loads(rows[0]) if rows else None

    async def recent(self, count: int) -> list[dict[str, Any]]:
        """Return the latest ``count`` records, newest first. Raises :class:`RecordsUnavailable`."""
        rows = await self._read("SELECT record FROM calls ORDER BY started_at DESC, rowid DESC LIMIT ?", (count,))
        return [json.loads(row) for row in rows]

    async def contacts_since(self, numbers: Collection[str], order: str, since: float) -> ContactsSince:
        """Return what is known by telephone about an order; see :func:`agent.records.earlier_calls.contacts_since`.

        Raises :class:`RecordsUnavailable`.
        """
        seconds = self._database.options.busy_timeout_seconds
        try:
            return await asyncio.to_thread(contacts_since, self._path, seconds, numbers, order, since)
        except (sqlite3.Error, ValueError) as error:
            raise RecordsUnavailable(f"the call records in {self._path} cannot be read: {error}") from error

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
        if self._retrying is not None:
            await cancel_and_wait(self._retrying)
        if self.waiting:
            await self._database.run(self._try_take_in)
        for record in self._in_memory.values():  # the log is the last place it can go to; it is redacted already
            log.critical("The record of call %s was kept nowhere else: %s", record["id"], json.dumps(record))
        await self._database.close()

    async def _retry(self) -> None:
        """Try again what could not be written, until it is."""
        while self.waiting:
            await asyncio.sleep(RETRY_SECONDS)  # a full disk tells nobody when it has room again
            await self._database.run(self._try_take_in)

    # --- on the database's thread -----------------------------------------------------------------

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._database.open()
        self._take_in()
        self._spool.keep_reserve()

    def _write(self, data: dict[str, Any]) -> None:
        redacted = dict(self._redact(data))
        call_id = str(redacted["id"])
        if call_id in self._spooled or call_id in self._in_memory:
            raise RecordExists(f"call {call_id} has been recorded already (it waits in {self._spool.path})")
        try:
            with self._database.begin() as db:
                self._insert(db, redacted)
        except sqlite3.IntegrityError as error:
            raise RecordExists(f"call {call_id} has been recorded already") from error
        except sqlite3.Error as error:
            self._problem = f"{self._path}: {error}"
            self._spool_instead(call_id, redacted, error)
            return
        self._problem = ""
        if self.waiting:
            self._try_take_in()

    def _insert(self, db: sqlite3.Connection, record: Mapping[str, Any]) -> None:
        """Write one record with all that hangs on it, within the transaction that is open."""
        if not record.get("repeat_of"):  # its beginning was not noted
            record = {**record, "repeat_of": earlier_call(db, record, self._repeat_seconds)}
        db.execute(_INSERT, _row(record))
        now = self.outbox.clock()
        sounds_sql.add(db, record, now)
        told = {str(effect["key"]): str(effect["code"]) for effect in record.get("effects") or () if "key" in effect}
        outbox_sql.settle_call(db, str(record["id"]), told, now)
        outbox_sql.add(db, self._news(record, True), now)
        db.execute("DELETE FROM open_calls WHERE id = ?", (record["id"],))

    def _note_wait(self, db: sqlite3.Connection, call_id: str, seconds: float, how: str) -> bool:
        row = db.execute("SELECT record FROM calls WHERE id = ?", (call_id,)).fetchone()
        record = json.loads(row["record"]) if row is not None else {}
        wait = record.get("queue_wait")
        if not isinstance(wait, dict) or wait.get("ended"):
            return False
        record["queue_wait"] = {**wait, "waited_seconds": seconds, "ended": how}
        db.execute(
            "UPDATE calls SET record = ?, written_at = CURRENT_TIMESTAMP WHERE id = ?", (json.dumps(record), call_id)
        )
        again = [entry for entry in self._news(record, True) if entry.kind == "record"]  # webhooks have been told
        outbox_sql.add(db, again, self.outbox.clock())
        return True

    def _take_over(
        self, db: sqlite3.Connection, latest: Mapping[str, Mapping[str, Any]], going_on: Collection[str]
    ) -> int:
        db.executemany("UPDATE open_calls SET owner = ? WHERE id = ?", [(self._owner, call) for call in going_on])
        left = db.execute("SELECT id, record FROM open_calls WHERE owner != ?", (self._owner,)).fetchall()
        for row in left:
            begun = json.loads(row["record"])
            record = {**begun, **latest.get(row["id"], {})}
            record["repeat_of"] = record.get("repeat_of") or begun.get("repeat_of", "")
            record["faults"] = [*record.get("faults", ()), INTERRUPTED]
            if db.execute("SELECT 1 FROM calls WHERE id = ?", (row["id"],)).fetchone() is None:
                self._insert(db, record)
        db.execute("DELETE FROM open_calls WHERE owner != ?", (self._owner,))
        outbox_sql.take_over(db, self._owner, self.outbox.clock())
        if left:
            log.warning("%d call(s) were cut off when the agent stopped; their records are written now", len(left))
        return len(left)

    def _spool_instead(self, call_id: str, redacted: dict[str, Any], why: sqlite3.Error) -> None:
        try:
            self._spool.append(redacted)
        except OSError as error:
            place = f"database {self._path}: {why}; spool {self._spool.path}: {error}"
            if len(self._in_memory) >= MOST_IN_MEMORY:
                raise RecordsUnavailable(f"the record of call {call_id} could not be written: {place}") from error
            self._in_memory[call_id] = redacted
            log.error("The record of call %s is in memory alone, and is tried again: %s", call_id, place)
            return
        self._spooled |= {call_id}
        log.warning("record of call %s went to %s: database: %s", call_id, self._spool.path, why)

    def _try_take_in(self) -> None:
        try:
            if self._in_memory:
                self._insert_spooled(list(self._in_memory.values()))
                log.warning("%d record(s) that were in memory alone are in %s", len(self._in_memory), self._path)
                self._in_memory.clear()
            self._take_in()
        except (OSError, sqlite3.Error) as error:
            self._problem = f"{self._path}: {error}"
            log.warning("the records in %s stay there for now: %s", self._spool.path, error)
        else:
            self._problem = ""
            self._spool.keep_reserve()

    def _take_in(self) -> None:
        self._spooled = self._spool.ids()
        count = self._spool.drain(self._insert_spooled)
        self._spooled = frozenset()
        if count:
            log.info("%d record(s) taken in from %s", count, self._spool.path)

    def _insert_spooled(self, records: list[dict[str, Any]]) -> None:
        refused: list[bytes] = []
        with self._database.begin() as db:
            for record in records:
                known = db.execute("SELECT record FROM calls WHERE id = ?", (str(record["id"]),)).fetchone()
                if known is None:
                    self._insert(db, record)
                elif known[0] != json.dumps(record):
                    refused.append(json.dumps(record).encode("ascii"))
        if refused:
            self._spool.set_aside("refused", refused)

    # --- reading, on connections of their own so that it never holds up a write ---------------------

    async def _read(self, query: str, values: tuple[object, ...]) -> list[str]:
        try:
            return await asyncio.to_thread(lambda: list(self._rows(query, values)))
        except sqlite3.Error as error:
            raise RecordsUnavailable(f"the call records in {self._path} cannot be read: {error}") from error

    def _rows(self, query: str, values: tuple[object, ...]) -> Iterator[str]:
        with closing(sqlite3.connect(self._path, timeout=self._database.options.busy_timeout_seconds)) as connection:
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
    return encodable(str(value or ""))
