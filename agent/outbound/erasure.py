"""Removes a person, or what is too old, from ``outbound.sqlite``; the do-not-call list keeps a digest of the number.

Blocking, for the commands ``orderline records`` and the agent's own retention; ``agent.app`` joins it to the others.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agent.common.sqlite import connect, transaction
from agent.outbound.model import JobState
from agent.outbound.ports import OutboundUnavailable
from agent.outbound.schema import FILE_NAME, outbound_file

NOTE = "order "
"""Begins a note about an order of which there is no job."""
Is = Callable[[str], bool]
"""Whether a text is the number, or the order number, of the person."""


def calls_of(state_directory: Path, is_number: Is, is_order: Is) -> set[str]:
    """Return the ids of the calls made for jobs of a person. Raises OutboundUnavailable."""
    if not (state_directory / FILE_NAME).is_file():
        return set()
    with closing(_open(state_directory)) as db:
        keys = _keys(db, is_number, is_order)
        rows = db.execute(
            "SELECT call_id FROM attempts WHERE job IN (SELECT value FROM json_each(?)) AND call_id != ''"
            " UNION SELECT call_id FROM jobs WHERE key IN (SELECT value FROM json_each(?)) AND call_id != ''",
            (json.dumps(keys), json.dumps(keys)),
        )
        return {str(row["call_id"]) for row in rows}


def erase(state_directory: Path, is_number: Is, is_order: Is, *, dry_run: bool) -> dict[str, int]:
    """Remove jobs, attempts, answers and notes of a person, and their number from the do-not-call list.

    Returns what was removed, how often. Their jobs' keys stay used, and the list's digest still keeps them from being
    called. Raises OutboundUnavailable.
    """
    if not (state_directory / FILE_NAME).is_file():
        return {}
    with closing(_open(state_directory)) as db, transaction(db):
        keys = _keys(db, is_number, is_order)
        listed = [row["digest"] for row in db.execute("SELECT * FROM suppressed") if is_number(row["number"])]
        orders = [row["job"] for row in db.execute("SELECT job FROM notes") if is_order(row["job"].removeprefix(NOTE))]
        surveys = [
            row["key"] for row in db.execute("SELECT key FROM excluded") if is_order(row["key"].partition(":")[2])
        ]
        count = {"jobs": len(keys), "numbers of the do-not-call list": len(set(listed))}
        if not dry_run:
            _remove(db, [*keys, *orders, *surveys])
            db.executemany("UPDATE suppressed SET number = '' WHERE digest = ?", [(one,) for one in listed])
        return count


def expire(state_directory: Path, before: float, *, dry_run: bool) -> dict[str, int]:
    """Remove jobs that were over before a moment (seconds since 1970), with all that hangs on them."""
    if not (state_directory / FILE_NAME).is_file():
        return {}
    with closing(_open(state_directory)) as db, transaction(db):
        over = (JobState.DONE, JobState.DROPPED, before)
        keys = [row["key"] for row in db.execute("SELECT key FROM jobs WHERE state IN (?, ?) AND over_at < ?", over)]
        if not dry_run:
            _remove(db, keys)
        return {"jobs": len(keys)}


def follow(state_directory: Path) -> None:
    """Leave nothing of what was removed in the file's log. Raises OutboundUnavailable."""
    if (state_directory / FILE_NAME).is_file():
        with closing(_open(state_directory)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _open(state_directory: Path) -> sqlite3.Connection:
    file = outbound_file(state_directory)
    try:
        return connect(file.path, file.options)
    except (sqlite3.Error, OSError) as error:
        raise OutboundUnavailable(f"{file.path} cannot be used: {error}") from error


def _keys(db: sqlite3.Connection, is_number: Is, is_order: Is) -> list[str]:
    rows = db.execute("SELECT key, number, facts FROM jobs")
    return [
        row["key"] for row in rows if is_number(row["number"]) or is_order(json.loads(row["facts"])["order_number"])
    ]


def _remove(db: sqlite3.Connection, keys: list[str]) -> None:
    gone = json.dumps(keys)
    db.execute(
        "DELETE FROM answers WHERE attempt IN (SELECT id FROM attempts WHERE job IN (SELECT value FROM json_each(?)))",
        (gone,),
    )
    db.execute("DELETE FROM attempts WHERE job IN (SELECT value FROM json_each(?))", (gone,))
    db.execute("DELETE FROM notes WHERE job IN (SELECT value FROM json_each(?))", (gone,))
    db.execute("DELETE FROM excluded WHERE key IN (SELECT value FROM json_each(?))", (gone,))
    db.execute("DELETE FROM jobs WHERE key IN (SELECT value FROM json_each(?))", (gone,))
