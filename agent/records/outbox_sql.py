"""The outbox as a table: what must reach other systems, in the same file as the calls. SQL and nothing else.

========== =====================================================================================
state      meaning
========== =====================================================================================
trying     a call is doing it right now; decided when it succeeds, fails, or the call ends
waiting    to be delivered from ``due_at`` on
delivering this node is at it
shared     offered to all nodes on Redis; taken back at ``due_at``
delivered  done; what it held is forgotten, the key is kept for some days
dead       given up, or refused for good; a person decides (``orderline outbox``)
========== =====================================================================================
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT NOT NULL,          -- ticket, sms, act, webhook
    lane       TEXT NOT NULL,          -- where it goes: one slow place does not hold up the others
    key        TEXT NOT NULL UNIQUE,   -- idempotency key: the same at every attempt
    call_id    TEXT NOT NULL,
    payload    TEXT NOT NULL,          -- JSON
    state      TEXT NOT NULL,
    created_at REAL NOT NULL,          -- seconds since 1970, as all times here
    due_at     REAL NOT NULL,
    settled_at REAL,                   -- delivered or dead since
    attempts   INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, lane, due_at);
CREATE INDEX IF NOT EXISTS outbox_by_call ON outbox (call_id, state);
CREATE TABLE IF NOT EXISTS node (id TEXT NOT NULL);
"""
STATES = ("trying", "waiting", "delivering", "shared", "delivered", "dead")
OPEN_STATES = ("trying", "waiting", "delivering", "shared")
MAX_ERROR_CHARS = 500


@dataclass(frozen=True)
class NewOutboxEntry:
    """Something that must reach another system at least once."""

    kind: str
    """``ticket``, ``sms``, ``act`` (another change a caller confirmed) or ``webhook``."""
    key: str
    """Idempotency key; a second entry with the same one is the same thing and is not added."""
    payload: Mapping[str, Any] = field(repr=False)
    """JSON-like; what the deliverer of this kind needs."""
    call_id: str = ""
    lane: str = ""
    """Entries of one lane share its places; ``kind`` when empty."""


@dataclass(frozen=True)
class OutboxEntry:
    """One row."""

    id: int
    kind: str
    lane: str
    key: str
    call_id: str
    payload: Mapping[str, Any] = field(repr=False)
    state: str
    created_at: float
    due_at: float
    attempts: int
    last_error: str


def add(db: sqlite3.Connection, entries: Iterable[NewOutboxEntry], now: float, state: str = "waiting") -> int:
    """Add entries whose keys are new; return how many were."""
    before = db.total_changes
    db.executemany(
        "INSERT INTO outbox (kind, lane, key, call_id, payload, state, created_at, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        [
            (
                *(entry.kind, entry.lane or entry.kind, entry.key, entry.call_id),
                *(json.dumps(entry.payload, default=str), state, now, now),
            )
            for entry in entries
        ],
    )
    return db.total_changes - before


def intend(db: sqlite3.Connection, entry: NewOutboxEntry, now: float) -> None:
    """Write down what is about to be tried; a row with this key that is not done becomes ``trying`` again."""
    add(db, [entry], now, "trying")
    db.execute("UPDATE outbox SET state = 'trying' WHERE key = ? AND state IN ('waiting', 'dead')", (entry.key,))


def release(db: sqlite3.Connection, key: str, error: str, now: float) -> bool:
    """Leave what was tried to the deliveries; False when there is no such row."""
    return (
        db.execute(
            "UPDATE outbox SET state = 'waiting', due_at = ?, last_error = ? WHERE key = ? AND state = 'trying'",
            (now, error[:MAX_ERROR_CHARS], key),
        ).rowcount
        > 0
    )


def confirm(db: sqlite3.Connection, key: str, now: float) -> None:
    """Mark as done, and forget what it held."""
    db.execute(
        "UPDATE outbox SET state = 'delivered', settled_at = ?, payload = '{}', last_error = ''"
        " WHERE key = ? AND state != 'delivered'",
        (now, key),
    )


def abandon(db: sqlite3.Connection, key: str) -> None:
    """Forget what was tried and definitely did not, or must not, happen."""
    db.execute("DELETE FROM outbox WHERE key = ? AND state = 'trying'", (key,))


def settle_call(db: sqlite3.Connection, call_id: str, told: Mapping[str, str], now: float) -> None:
    """Decide what a call that is over left ``trying``. ``told``: key -> code of the effects the caller heard of.

    Tickets and text messages are delivered. Another change whose failure the caller was told is left to the person
    who took over; one that nobody was told about (the caller hung up meanwhile) is done again with the same key.
    """
    for row in db.execute("SELECT key, kind FROM outbox WHERE call_id = ? AND state = 'trying'", (call_id,)).fetchall():
        if row["kind"] == "act" and told.get(row["key"], "ok") != "ok":
            abandon(db, row["key"])
        else:
            release(db, row["key"], "the call ended first", now)


def take_over(db: sqlite3.Connection, owner: str, now: float) -> None:
    """Make due again what a process now gone was at; what calls of ``owner`` are trying is left alone."""
    db.execute("UPDATE outbox SET state = 'waiting', due_at = ? WHERE state = 'delivering'", (now,))
    db.execute(
        "UPDATE outbox SET state = 'waiting', due_at = ? WHERE state = 'trying'"
        " AND call_id NOT IN (SELECT id FROM open_calls WHERE owner = ?)",
        (now, owner),
    )


def claim(db: sqlite3.Connection, lane: str, count: int, now: float) -> list[OutboxEntry]:
    """Take up to ``count`` due entries of a lane; each is counted as one more attempt."""
    rows = db.execute(
        "SELECT * FROM outbox WHERE lane = ? AND state IN ('waiting', 'shared') AND due_at <= ?"
        " ORDER BY due_at, id LIMIT ?",
        (lane, now, count),
    ).fetchall()
    db.executemany(
        "UPDATE outbox SET state = 'delivering', attempts = attempts + 1 WHERE id = ?", [(row["id"],) for row in rows]
    )
    return [entry_of(row) for row in rows]


def share(db: sqlite3.Connection, ids: Iterable[int], until: float) -> None:
    """Note that these are offered to all nodes until a moment."""
    db.executemany(
        "UPDATE outbox SET state = 'shared', due_at = ? WHERE id = ? AND state = 'delivering'",
        [(until, one) for one in ids],
    )


def postpone(db: sqlite3.Connection, entry_id: int, error: str, due_at: float) -> None:
    """Note a failure and when to try again."""
    db.execute(
        "UPDATE outbox SET state = 'waiting', due_at = ?, last_error = ?"
        " WHERE id = ? AND state IN ('delivering', 'shared')",
        (due_at, error[:MAX_ERROR_CHARS], entry_id),
    )


def mark_dead(db: sqlite3.Connection, entry_id: int, error: str, now: float) -> None:
    """Give up on an entry."""
    db.execute(
        "UPDATE outbox SET state = 'dead', settled_at = ?, last_error = ?"
        " WHERE id = ? AND state IN ('delivering', 'shared')",
        (now, error[:MAX_ERROR_CHARS], entry_id),
    )


def requeue(db: sqlite3.Connection, now: float, entry_id: int | None = None) -> int:
    """Make dead entries (or one that waits) due now, as if new; return how many."""
    if entry_id is None:
        where, values = "state = 'dead'", tuple[int, ...]()
    else:
        where, values = "state IN ('dead', 'waiting') AND id = ?", (entry_id,)
    change = "UPDATE outbox SET state = 'waiting', due_at = ?, created_at = ?, attempts = 0, settled_at = NULL WHERE "
    return db.execute(change + where, (now, now, *values)).rowcount


def drop(db: sqlite3.Connection, entry_id: int | None = None) -> int:
    """Delete an entry that waits or is dead, or all dead ones; return how many."""
    if entry_id is None:
        return db.execute("DELETE FROM outbox WHERE state = 'dead'").rowcount
    return db.execute("DELETE FROM outbox WHERE id = ? AND state IN ('dead', 'waiting')", (entry_id,)).rowcount


def mark_unserved_dead(db: sqlite3.Connection, lanes: Iterable[str], before: float, now: float) -> int:
    """Give up on what has waited since before a moment for a place nobody delivers to; return how many."""
    known = tuple(lanes)
    marks = ", ".join("?" * len(known))
    change = "UPDATE outbox SET state = 'dead', settled_at = ?, last_error = 'nothing here delivers to ' || lane"
    where = " WHERE state = 'waiting' AND created_at < ? AND lane NOT IN "
    return db.execute(f"{change}{where}({marks})", (now, before, *known)).rowcount


def delete_delivered(db: sqlite3.Connection, before: float) -> int:
    """Delete what was delivered before a moment; return how many."""
    return db.execute("DELETE FROM outbox WHERE state = 'delivered' AND settled_at < ?", (before,)).rowcount


def rows(db: sqlite3.Connection, states: Iterable[str], limit: int = 1000) -> list[OutboxEntry]:
    """Return entries in these states, oldest first."""
    wanted = tuple(states)
    marks = ", ".join("?" * len(wanted))
    found = db.execute(
        f"SELECT * FROM outbox WHERE state IN ({marks}) ORDER BY id LIMIT ?",  # noqa: S608 - question marks
        (*wanted, limit),
    )
    return [entry_of(row) for row in found]


def counts(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Return how many there are, by lane and state."""
    found: dict[str, dict[str, int]] = {}
    for row in db.execute(
        "SELECT lane, state, count(*) AS number FROM outbox GROUP BY lane, state ORDER BY lane, state"
    ):
        found.setdefault(row["lane"], {})[row["state"]] = row["number"]
    return found


def entry_of(row: sqlite3.Row) -> OutboxEntry:
    """Return a row as an entry."""
    names = ("id", "kind", "lane", "key", "call_id", "state", "created_at", "due_at", "attempts", "last_error")
    return OutboxEntry(**{name: row[name] for name in names}, payload=json.loads(row["payload"]))
