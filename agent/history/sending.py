"""Sends to PostgreSQL what it lacks of one node's records: when it is set up, or was restored from an older backup."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from agent.common.untrusted import load_json
from agent.history.shared import SharedHistory
from agent.history.sources import RecordsUnreadable, StoredRecord
from agent.records.database import RecordsUnavailable, connect

_AT_ONCE = 500


def send_missing(calls_path: Path, url: str) -> int:
    """Send the records of ``calls.sqlite`` that are not there; return how many.

    Raises :class:`agent.history.shared.PostgresUnavailable` and :class:`agent.history.sources.RecordsUnreadable`.
    """
    if not calls_path.is_file():
        raise RecordsUnreadable(f"{calls_path}: there is none yet; the agent makes it when it starts")
    shared = SharedHistory(url)
    sent = 0
    try:
        shared.prepare()
        with closing(connect(calls_path)) as db:
            node = _node(db)
            for records in _batches(db):
                missing = shared.lacks([record.id for record in records])
                rows = [_row(record, node) for record in records if record.id in missing]
                if rows:
                    shared.send(rows)
                sent += len(rows)
    except (sqlite3.Error, RecordsUnavailable) as error:
        raise RecordsUnreadable(f"the call records in {calls_path} cannot be read: {error}") from error
    finally:
        shared.close()
    return sent


def _batches(db: sqlite3.Connection) -> Iterator[Sequence[StoredRecord]]:
    place = 0
    query = "SELECT rowid, id, record FROM calls WHERE rowid > ? ORDER BY rowid LIMIT ?"
    while rows := db.execute(query, (place, _AT_ONCE)).fetchall():
        place = rows[-1][0]
        yield [StoredRecord(row[1], row[2], 0, row[0]) for row in rows]


def _row(record: StoredRecord, node: str) -> dict[str, str]:
    try:
        data = load_json(record.text)
    except ValueError:  # what cannot be read is kept all the same
        data = None
    started_at = data.get("started_at") if isinstance(data, dict) else ""
    return {"id": record.id, "node": node, "started_at": str(started_at or ""), "record": record.text}


def _node(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT id FROM node").fetchone()
    return str(row[0]) if row else ""
