"""``console.sqlite``: accounts, sessions, audit, notes and drafts. Whoever deletes it deletes the accounts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.builder import draft_tables
from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.errors import OrderlineError

T = TypeVar("T")

FILE = "console.sqlite"
BUSY_SECONDS = 2.0
_FIRST_SCHEMA = """
CREATE TABLE people (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role        TEXT NOT NULL,
    granted     TEXT NOT NULL DEFAULT '[]',  -- JSON: rights besides those of the role
    scopes      TEXT NOT NULL DEFAULT '[]',  -- JSON: queue:NAME, dialled:NUMBER; empty: all calls
    password    TEXT NOT NULL,               -- argon2id
    totp        TEXT NOT NULL DEFAULT '',    -- secret of the second factor; empty: none
    totp_step   INTEGER NOT NULL DEFAULT 0,  -- of the last code that was used: none counts twice
    preferences TEXT NOT NULL DEFAULT '{}',  -- JSON: colours, time format
    made_at     REAL NOT NULL,
    changed_at  REAL NOT NULL                -- of the password
);
CREATE TABLE sessions (
    hash      TEXT PRIMARY KEY,              -- SHA-256 of the cookie
    number    TEXT NOT NULL UNIQUE,          -- by which its owner ends it
    person    INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    made_at   REAL NOT NULL,
    seen_at   REAL NOT NULL,
    address   TEXT NOT NULL,
    browser   TEXT NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person);
CREATE TABLE known_addresses (
    person  INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    address TEXT NOT NULL,
    at      REAL NOT NULL,
    PRIMARY KEY (person, address)
);
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,                   -- ISO 8601, UTC
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    about   TEXT NOT NULL,                   -- JSON
    address TEXT NOT NULL,
    hash    TEXT NOT NULL                    -- of this entry and the hash before it
);
CREATE INDEX audit_by_who ON audit (who, number);
CREATE INDEX audit_by_what ON audit (what, number);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TABLE notes (
    number  INTEGER PRIMARY KEY,
    call_id TEXT NOT NULL,
    who     TEXT NOT NULL,
    at      REAL NOT NULL,
    text    TEXT NOT NULL
);
CREATE INDEX notes_by_call ON notes (call_id, number);
"""
_STEPS = (_FIRST_SCHEMA, draft_tables.SCHEMA, draft_tables.IN_FILES)
"""What makes each layout of the one before it; a step that was released is never changed."""
LAYOUT = len(_STEPS)
"""``PRAGMA user_version``; a higher one belongs to a newer Orderline."""


class ConsoleFileNewer(OrderlineError):
    """``console.sqlite`` was written by a newer Orderline."""

    code = "console_file"


def console_file(path: Path) -> SqliteFile:
    """Return ``console.sqlite``, not opened yet, for its owner alone. Jobs raise ``sqlite3.Error``, ``OSError``."""
    return SqliteFile(path, SqliteOptions(BUSY_SECONDS, _prepare, immediate=True, owner_only=True))


async def read(database: SqliteFile, job: Callable[[sqlite3.Connection], T]) -> T:
    """Do one SELECT: another program that writes, or a full disk, holds up nobody who only reads."""
    return await database.run(lambda: job(database.open()))


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    layout = connection.execute("PRAGMA user_version").fetchone()[0]
    if layout > LAYOUT:
        raise ConsoleFileNewer(f"console.sqlite was written by a newer Orderline (layout {layout}, ours {LAYOUT})")
    if layout < LAYOUT:
        connection.executescript(f"BEGIN IMMEDIATE;{''.join(_STEPS[layout:])}PRAGMA user_version = {LAYOUT};COMMIT;")
