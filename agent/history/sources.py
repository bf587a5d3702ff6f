"""Where the index is made from: the records that are stored, and what has changed of them since."""

from __future__ import annotations

import datetime as dt
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from agent.errors import OrderlineError
from agent.records.database import RecordsUnavailable, connect

CHANGES_AT_ONCE = 2_000


class RecordsUnreadable(OrderlineError):
    """The records that an index is made from cannot be read."""

    code = "records_unreadable"
    retryable = True


@dataclass(frozen=True)
class StoredRecord:
    """A record as it is stored."""

    id: str
    text: str
    """JSON."""
    written_ms: int
    place: int
    """Where it stands in the order in which records came."""


@dataclass(frozen=True)
class Position:
    """How far the log of changes has been read, and a mark by which a log that is another one is noticed."""

    number: int = 0
    mark: int = 0


@dataclass(frozen=True)
class Changes:
    """What has changed: records that are new or others than before, and the ids of those that are gone."""

    ids: tuple[str, ...]
    """All of them."""
    records: tuple[StoredRecord, ...]
    until: Position
    numbers: tuple[int, ...] = ()
    """Of the entries of the log, where they are deleted once they are taken in."""


class RecordSource(Protocol):
    """Records and their changes. Methods raise :class:`RecordsUnreadable`."""

    def begin_anew(self, index: Connection) -> Position:
        """Return where the log of changes ends now; what was logged before need not be kept: all is read anew."""

    def records_from(self, index: Connection, place: int, limit: int) -> Sequence[StoredRecord]:
        """Return the next records behind a place, in order."""

    def changes_since(self, index: Connection, position: Position) -> Changes | None:
        """Return the next changes (none at the end of the log); None when the log does not go back so far."""

    def done(self, index: Connection, changes: Changes) -> None:
        """Forget changes that are in the index now; within its transaction."""

    def count(self, index: Connection) -> int:
        """Return how many records there are, for telling how far it is."""


class SqliteRecords:
    """The ``calls.sqlite`` of one node. It is only read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin_anew(self, index: Connection) -> Position:
        """See :class:`RecordSource`."""
        with self._opened() as db:
            last = db.execute("SELECT number, call_id FROM call_changes ORDER BY number DESC LIMIT 1").fetchone()
        return Position() if last is None else Position(last[0], _mark(last[1]))

    def records_from(self, index: Connection, place: int, limit: int) -> Sequence[StoredRecord]:
        """See :class:`RecordSource`."""
        query = "SELECT id, record, written_at, rowid FROM calls WHERE rowid > ? ORDER BY rowid LIMIT ?"
        with self._opened() as db:
            return [_stored(row) for row in db.execute(query, (place, limit))]

    def changes_since(self, index: Connection, position: Position) -> Changes | None:
        """See :class:`RecordSource`."""
        with self._opened() as db:
            db.execute("BEGIN")
            query = "SELECT number, call_id FROM call_changes WHERE number >= ? ORDER BY number LIMIT ?"
            log = db.execute(query, (position.number, CHANGES_AT_ONCE)).fetchall()
            if position.number == 0:
                if log and log[0][0] != 1:
                    return None
            elif not log or log[0][0] != position.number or _mark(log[0][1]) != position.mark:
                return None
            else:
                log = log[1:]
            if not log:
                return Changes((), (), position)
            ids = tuple(dict.fromkeys(row[1] for row in log))
            return Changes(ids, tuple(_by_id(db, ids)), Position(log[-1][0], _mark(log[-1][1])))

    def done(self, index: Connection, changes: Changes) -> None:
        """See :class:`RecordSource`: the agent itself forgets what is old."""

    def count(self, index: Connection) -> int:
        """See :class:`RecordSource`."""
        with self._opened() as db:
            return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])

    def records_of(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the records with these ids, as JSON."""
        with self._opened() as db:
            return {record.id: record.text for record in _by_id(db, ids)}

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        if not self._path.is_file():
            raise RecordsUnreadable(f"{self._path}: there is none yet; the agent makes it when it starts")
        try:
            with closing(connect(self._path)) as db:
                yield db
        except (sqlite3.Error, RecordsUnavailable) as error:
            raise RecordsUnreadable(f"the call records in {self._path} cannot be read: {error}") from error


def _by_id(db: sqlite3.Connection, ids: Sequence[str]) -> Iterator[StoredRecord]:
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        marks = ", ".join("?" * len(some))
        query = f"SELECT id, record, written_at, rowid FROM calls WHERE id IN ({marks})"  # noqa: S608 - question marks
        yield from map(_stored, db.execute(query, some))


def _stored(row: sqlite3.Row) -> StoredRecord:
    return StoredRecord(row[0], row[1], _written_ms(row[2]), row[3])


def _written_ms(text: str) -> int:
    """Return SQLite's CURRENT_TIMESTAMP in milliseconds since 1970."""
    try:
        moment = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    except ValueError:
        return 0
    return int(moment.timestamp() * 1000)


def _mark(call_id: str) -> int:
    return zlib.crc32(call_id.encode())
