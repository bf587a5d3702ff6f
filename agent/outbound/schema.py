"""The file ``outbound.sqlite``: its layout, how it is brought up to date, and how rows become what they mean.

A file of its own beside ``calls.sqlite``: that one's layout belongs to the records, which know nothing of calls to
customers; and a long import of jobs must not hold up the record of a call. Backups take every database of the state
directory, erasure and retention ask it through :mod:`agent.outbound.erasure`.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import secrets
import sqlite3
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from agent.call.dialling import DialEnd
from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.outbound.model import (
    Attempt,
    AttemptState,
    CallOutcome,
    GivenAnswer,
    Job,
    JobFacts,
    JobState,
    Purpose,
    Reached,
    Suppression,
    SuppressionScope,
)
from agent.outbound.ports import OutboundUnavailable

FILE_NAME = "outbound.sqlite"
LAYOUT = 1
"""``PRAGMA user_version`` of the file; a higher one belongs to a newer Orderline."""
BUSY_TIMEOUT_SECONDS = 5.0
"""How long a write waits for another process (the commands) before it is given up."""

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    key         TEXT PRIMARY KEY,
    purpose     TEXT NOT NULL,
    number      TEXT NOT NULL,          -- E.164; empty when it was forgotten
    digest      TEXT NOT NULL,          -- of the number
    facts       TEXT NOT NULL,          -- JSON: what the dialog is told
    consent     TEXT NOT NULL,
    zone        TEXT NOT NULL,
    source      TEXT NOT NULL,
    due_at      REAL NOT NULL,          -- all times: seconds since 1970
    not_after   REAL NOT NULL,
    next_at     REAL NOT NULL,
    appointment INTEGER NOT NULL DEFAULT 0,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL DEFAULT '',
    attempts    INTEGER NOT NULL DEFAULT 0,
    created_at  REAL NOT NULL,
    over_at     REAL,
    call_id     TEXT NOT NULL DEFAULT '', -- the inbound call in which it was done
    told        INTEGER NOT NULL DEFAULT 0  -- 1: others know that it is over
);
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (state, next_at);
CREATE INDEX IF NOT EXISTS jobs_untold ON jobs (over_at) WHERE told = 0;
CREATE INDEX IF NOT EXISTS jobs_by_digest ON jobs (digest);
CREATE TABLE IF NOT EXISTS attempts (
    id           TEXT PRIMARY KEY,
    job          TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    number       TEXT NOT NULL,
    digest       TEXT NOT NULL,
    dialled_at   REAL NOT NULL,
    state        TEXT NOT NULL,
    last         INTEGER NOT NULL,
    end          TEXT NOT NULL DEFAULT '',
    cause        INTEGER NOT NULL DEFAULT 0,
    tech_cause   INTEGER NOT NULL DEFAULT 0,
    rang         INTEGER NOT NULL DEFAULT 0,
    answered_at  REAL,
    ended_at     REAL,
    counted      INTEGER NOT NULL DEFAULT 1,
    reached      TEXT NOT NULL DEFAULT '',
    outcome      TEXT NOT NULL DEFAULT '',
    call_id      TEXT NOT NULL DEFAULT '',
    message_left INTEGER NOT NULL DEFAULT 0,
    case_opened  TEXT NOT NULL DEFAULT '',
    settled      INTEGER NOT NULL DEFAULT 0, -- 1: the job knows what it came to
    told         INTEGER NOT NULL DEFAULT 0  -- 1: others know it as well
);
CREATE INDEX IF NOT EXISTS attempts_by_job ON attempts (job, dialled_at);
CREATE INDEX IF NOT EXISTS attempts_by_digest ON attempts (digest, dialled_at);
CREATE INDEX IF NOT EXISTS attempts_by_time ON attempts (dialled_at);
CREATE INDEX IF NOT EXISTS attempts_open ON attempts (dialled_at) WHERE settled = 0 OR state != 'ended';
CREATE INDEX IF NOT EXISTS attempts_untold ON attempts (dialled_at) WHERE told = 0;
CREATE TABLE IF NOT EXISTS answers (
    attempt  TEXT NOT NULL,
    question TEXT NOT NULL,
    value    TEXT NOT NULL,
    scale    TEXT NOT NULL,
    at       REAL NOT NULL,
    PRIMARY KEY (attempt, question)
);
CREATE TABLE IF NOT EXISTS suppressed (
    digest TEXT NOT NULL,
    scope  TEXT NOT NULL,
    number TEXT NOT NULL,               -- empty when the person was erased: the digest still keeps them from calls
    since  REAL NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (digest, scope)
);
CREATE TABLE IF NOT EXISTS used_keys (digest TEXT PRIMARY KEY);  -- no key is used twice, also after its job is gone
CREATE TABLE IF NOT EXISTS excluded (  -- orders that a survey does not ask about
    key    TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    at     REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS notes (
    id   INTEGER PRIMARY KEY,
    at   REAL NOT NULL,
    job  TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (job, text)
);
CREATE TABLE IF NOT EXISTS control (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_DIGEST_KEY = "digest_key"


def outbound_file(state_directory: Path) -> SqliteFile:
    """Return ``outbound.sqlite``, not opened yet: what was committed is on the disk, no caller can cancel it."""
    path = state_directory / FILE_NAME
    prepare = functools.partial(_update_layout, path=path)
    options = SqliteOptions(BUSY_TIMEOUT_SECONDS, prepare, immediate=True, shielded=True, owner_only=True)
    return SqliteFile(path, options)


def _update_layout(db: sqlite3.Connection, path: Path) -> None:
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA secure_delete = ON")
    layout = db.execute("PRAGMA user_version").fetchone()[0]
    if layout > LAYOUT:
        raise OutboundUnavailable(f"{path} was written by a newer Orderline (layout {layout}, ours {LAYOUT})")
    if layout < LAYOUT:
        db.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version = {LAYOUT};COMMIT;")
        db.execute("INSERT OR IGNORE INTO control VALUES (?, ?)", (_DIGEST_KEY, secrets.token_hex(32)))


def digest_of(db: sqlite3.Connection, text: str) -> str:
    """Return what stands for a number or a key where it may not stand itself: keyed by a secret of this file."""
    (key,) = db.execute("SELECT value FROM control WHERE name = ?", (_DIGEST_KEY,)).fetchone()
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()


# --- rows -------------------------------------------------------------------------------------------


def moment(seconds: float | None) -> datetime | None:
    """Return a time of the file."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def facts_text(facts: JobFacts) -> str:
    """Return facts as they are stored."""
    return json.dumps(asdict(facts), default=str)


def _facts(text: str) -> JobFacts:
    data = json.loads(text)
    delivered = data.pop("delivered_on", None)
    return JobFacts(**data, delivered_on=date.fromisoformat(delivered) if delivered else None)


def job_of(row: sqlite3.Row) -> Job:
    """Return a row of ``jobs``."""
    return Job(
        key=row["key"],
        purpose=Purpose(row["purpose"]),
        number=row["number"],
        facts=_facts(row["facts"]),
        consent=row["consent"],
        due_at=_known(row["due_at"]),
        not_after=_known(row["not_after"]),
        zone=row["zone"],
        source=row["source"],
        state=JobState(row["state"]),
        reason=row["reason"],
        attempts=row["attempts"],
        next_at=moment(row["next_at"]),
        appointment=bool(row["appointment"]),
        created_at=moment(row["created_at"]),
    )


def attempt_of(row: sqlite3.Row) -> Attempt:
    """Return a row of ``attempts``."""
    return Attempt(
        id=row["id"],
        job=row["job"],
        purpose=Purpose(row["purpose"]),
        number=row["number"],
        dialled_at=_known(row["dialled_at"]),
        state=AttemptState(row["state"]),
        last=bool(row["last"]),
        end=DialEnd(row["end"]) if row["end"] else None,
        cause=row["cause"],
        tech_cause=row["tech_cause"],
        rang=bool(row["rang"]),
        answered_at=moment(row["answered_at"]),
        ended_at=moment(row["ended_at"]),
        counted=bool(row["counted"]),
        reached=Reached(row["reached"]) if row["reached"] else None,
        outcome=CallOutcome(row["outcome"]) if row["outcome"] else None,
        call_id=row["call_id"],
        message_left=bool(row["message_left"]),
        case=row["case_opened"],
    )


def answer_of(row: sqlite3.Row) -> GivenAnswer:
    """Return a row of ``answers``."""
    return GivenAnswer(row["question"], row["value"], row["scale"])


def suppression_of(row: sqlite3.Row) -> Suppression:
    """Return a row of ``suppressed``."""
    return Suppression(
        row["number"], SuppressionScope(row["scope"]), _known(row["since"]), row["source"], row["digest"]
    )


def _known(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
