"""A log of which call records came, changed or went, kept by the database itself, for the index made of them."""

from __future__ import annotations

import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS call_changes (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    call_id TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS calls_came AFTER INSERT ON calls
BEGIN INSERT INTO call_changes (call_id) VALUES (new.id); END;
CREATE TRIGGER IF NOT EXISTS calls_changed AFTER UPDATE OF id, record ON calls
BEGIN
    INSERT INTO call_changes (call_id) SELECT old.id WHERE old.id IS NOT new.id;
    INSERT INTO call_changes (call_id) VALUES (new.id);
    UPDATE calls SET written_at = CURRENT_TIMESTAMP WHERE id = new.id;
END;
CREATE TRIGGER IF NOT EXISTS calls_went AFTER DELETE ON calls
BEGIN INSERT INTO call_changes (call_id) VALUES (old.id); END;
"""
KEPT = 100_000
"""Changes that are kept; an index that is further behind is made anew."""


def prune(db: sqlite3.Connection, keep: int = KEPT) -> int:
    """Forget all but the latest changes; return how many were forgotten."""
    last = db.execute("SELECT coalesce(max(number), 0) FROM call_changes").fetchone()[0]
    return db.execute("DELETE FROM call_changes WHERE number <= ?", (last - keep,)).rowcount
