"""The table of recordings, in the same file as the calls. SQL and nothing else.

===== ============================================================================================
state meaning
===== ============================================================================================
raw   Asterisk's files wait to be finished: the call has just ended, or a process died
kept  finished; the file is there
empty there was a recording, and nothing was in it
===== ============================================================================================
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS sounds (
    name    TEXT PRIMARY KEY,         -- of the file, without ending
    call_id TEXT NOT NULL,
    state   TEXT NOT NULL,
    at      REAL NOT NULL,            -- when the record was written, seconds since 1970
    seconds REAL NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS sounds_by_call ON sounds (call_id);
CREATE INDEX IF NOT EXISTS sounds_by_state ON sounds (state, at);
"""


@dataclass(frozen=True)
class UnfinishedSound:
    """A recording that waits to be finished."""

    name: str
    call_id: str
    record: Mapping[str, Any]
    """The call's record."""


def add(db: sqlite3.Connection, record: Mapping[str, Any], now: float) -> bool:
    """Note the recording that a record tells of; False where it tells of none."""
    sound = record.get("sound")
    if not isinstance(sound, Mapping) or not sound.get("name"):
        return False
    row = (str(sound["name"]), str(record["id"]), now)
    db.execute("INSERT OR IGNORE INTO sounds (name, call_id, state, at) VALUES (?, ?, 'raw', ?)", row)
    return True


def unfinished(db: sqlite3.Connection) -> list[UnfinishedSound]:
    """Return the recordings that wait to be finished, oldest first."""
    rows = db.execute(
        "SELECT sounds.name, sounds.call_id, calls.record FROM sounds JOIN calls ON calls.id = sounds.call_id"
        " WHERE sounds.state = 'raw' ORDER BY sounds.at LIMIT 1000"
    )
    return [UnfinishedSound(row["name"], row["call_id"], json.loads(row["record"])) for row in rows]


def finished(db: sqlite3.Connection, name: str, state: str, seconds: float) -> None:
    """Note what became of a recording."""
    db.execute("UPDATE sounds SET state = ?, seconds = ? WHERE name = ?", (state, seconds, name))


def states(db: sqlite3.Connection) -> dict[str, str]:
    """Return the state of every recording, by name."""
    return {row["name"]: row["state"] for row in db.execute("SELECT name, state FROM sounds")}


def names_of(db: sqlite3.Connection, call_id: str) -> list[str]:
    """Return the finished recordings of a call."""
    rows = db.execute("SELECT name FROM sounds WHERE call_id = ? AND state = 'kept' ORDER BY at", (call_id,))
    return [row["name"] for row in rows]
