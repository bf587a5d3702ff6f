"""The one SQLite file of calls and outbox: its layout, how it is brought up to date, and what it promises."""

from __future__ import annotations

import datetime as dt
import functools
import sqlite3
from pathlib import Path

from agent.common import sqlite
from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.errors import OrderlineError
from agent.records import change_log, outbox_sql, sounds_sql

BUSY_TIMEOUT_SECONDS = 2.0
"""How long a write waits for another process before it is given up."""

LAYOUT = 5
"""``PRAGMA user_version`` of the database; a higher one belongs to a newer Orderline.

2 added outbox and open calls, 3 the index by caller, 4 the log of changed records, 5 recordings and retention. An
update rewrites no record: what older ones lack is read as "not known".
"""

_CALLS = """
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
CREATE INDEX IF NOT EXISTS calls_by_caller ON calls (caller_number, started_at);
CREATE TABLE IF NOT EXISTS open_calls (
    id     TEXT PRIMARY KEY,
    owner  TEXT NOT NULL,             -- the process that holds the call
    record TEXT NOT NULL              -- what its record would be if that process died now
);
CREATE TABLE IF NOT EXISTS retention (
    kind  TEXT PRIMARY KEY,
    until REAL NOT NULL               -- what began before this (seconds since 1970) has lost it
);
"""


class RecordsUnavailable(OrderlineError):
    """Neither the database nor the spool file can be used."""

    code = "records_unavailable"
    retryable = True


def call_database(path: Path, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> SqliteFile:
    """Return ``calls.sqlite``, not opened yet: a committed transaction is on the disk, and no caller can cancel it."""
    return SqliteFile(path, _options(path, busy_timeout_seconds))


def connect(path: Path) -> sqlite3.Connection:
    """Open the file and bring its layout up to date; old data stays. The connection begins no transactions by itself.

    Raises ``sqlite3.Error``, and :class:`RecordsUnavailable` for a file of a newer Orderline.
    """
    return sqlite.connect(path, _options(path, BUSY_TIMEOUT_SECONDS))


def _options(path: Path, busy_timeout_seconds: float) -> SqliteOptions:
    prepare = functools.partial(_update_layout, path=path)
    return SqliteOptions(busy_timeout_seconds, prepare, synchronous="FULL", immediate=True, shielded=True)


def _update_layout(connection: sqlite3.Connection, path: Path) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA secure_delete = ON")
    layout = connection.execute("PRAGMA user_version").fetchone()[0]
    if layout > LAYOUT:
        raise RecordsUnavailable(f"{path} was written by a newer Orderline (layout {layout}, ours {LAYOUT})")
    if layout < LAYOUT:
        connection.executescript(
            f"BEGIN;{_CALLS}{outbox_sql.SCHEMA}{change_log.SCHEMA}{sounds_sql.SCHEMA}"
            f"PRAGMA user_version = {LAYOUT};COMMIT;"
        )


def utc_seconds(started_at: object) -> float:
    """Return a record's ``started_at`` as seconds since 1970; 0 for what is no time with an offset."""
    try:
        moment = dt.datetime.fromisoformat(str(started_at))
    except ValueError:
        return 0.0
    return round(moment.timestamp(), 3) if moment.tzinfo is not None else 0.0
