"""Removes a person, or what is too old, from ``calls.sqlite`` and from the recordings that belong to it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.common.sqlite import transaction
from agent.records import outbox_sql
from agent.records.copies import Kind, Removal
from agent.records.database import RecordsUnavailable, connect, utc_seconds
from agent.records.person import Person
from agent.records.sound_files import SoundDirectory

BATCH = 500
"""Rows removed in one transaction: a call that ends meanwhile waits for no more than these."""
_ERASE_TIMEOUT_MS = 30_000
_DAY = 86400.0
_LATE_SECONDS = 7 * _DAY
"""A record may come so long after its call: from the spool of a disk that was full."""
_WORDS = ("agent", "heard", "understood")


class CallsFile:
    """Implements :class:`agent.records.copies.RecordCopies` on ``calls.sqlite``, whether or not an agent runs."""

    def __init__(self, path: Path, sound: SoundDirectory, stopped: Callable[[], bool] = lambda: False) -> None:
        """``stopped()``: what is too old may wait for the next time; it is asked between two transactions."""
        self.path = path
        self.place = path.name
        self._sound = sound
        self._stopped = stopped

    # --- a person -----------------------------------------------------------------------------------

    def calls_of(self, person: Person) -> set[str]:
        """Return the calls from a number or about an order, and those in which it was said."""
        found: set[str] = set()
        if not self.path.is_file():
            return found
        with self._opened() as db:
            for row in db.execute("SELECT id, caller_number, record FROM calls"):
                mine = not person.is_order and person.is_number(row["caller_number"])
                if mine or (person.may_be_in(row["record"]) and person.in_data(_json(row))):
                    found.add(str(row["id"]))
            for row in db.execute("SELECT id, record FROM open_calls"):
                if person.in_data(_json(row)):
                    found.add(str(row["id"]))
        return found

    def going_on(self, calls: Collection[str]) -> list[str]:
        """Return those of the calls that have begun and have no record yet."""
        if not self.path.is_file():
            return []
        with self._opened() as db:
            rows = db.execute("SELECT id FROM open_calls WHERE id NOT IN (SELECT id FROM calls)")
            return [str(row["id"]) for row in rows if row["id"] in calls]

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Remove records, outbox entries and recordings."""
        if not self.path.is_file():
            return []
        with self._opened() as db:
            recorded = [str(row["id"]) for row in db.execute("SELECT id FROM calls") if row["id"] in calls]
            entries = [
                row
                for row in db.execute("SELECT id, state, call_id, payload, last_error FROM outbox")
                if row["call_id"] in calls or person.in_data(_payload(row)) or person.in_text(row["last_error"])
            ]
            names = [
                str(row["name"]) for row in db.execute("SELECT name, call_id FROM sounds") if row["call_id"] in calls
            ]
            undelivered = sum(row["state"] in outbox_sql.OPEN_STATES for row in entries)
            removed = [
                Removal(self.place, "records", len(recorded)),
                Removal(self.place, "outbox entries", len(entries) - undelivered),
                Removal(self.place, "outbox entries that were never delivered", undelivered),
                Removal("sound", "recordings", len(names)),
            ]
            if not dry_run:
                self._delete_sound(db, names)
                self._delete(db, "DELETE FROM outbox WHERE id = ?", [(row["id"],) for row in entries])
                self._delete(db, "DELETE FROM open_calls WHERE id = ?", [(call,) for call in recorded])
                self._delete(db, "DELETE FROM calls WHERE id = ?", [(call,) for call in recorded])
        return removed

    def follow(self) -> None:
        """Write the file anew, so that nothing of what was deleted is left in it. Raises RecordsUnavailable.

        While that lasts a call that ends keeps its record in the spool.
        """
        if self.path.is_file():
            with self._opened() as db:
                rewrite(db)

    # --- age ----------------------------------------------------------------------------------------

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Remove records, words or recordings of calls that were over before a moment."""
        if not self.path.is_file():
            return []
        removals: dict[Kind, Callable[[sqlite3.Connection, float, bool], list[Removal]]] = {
            "record": self._expire_records,
            "words": self._expire_words,
            "sound": self._expire_sound,
        }
        if kind not in removals:
            return []
        with self._opened() as db:
            return removals[kind](db, before, dry_run)

    def _expire_records(self, db: sqlite3.Connection, before: float, dry_run: bool) -> list[Removal]:
        calls = _older(db, before)
        old = set(calls)
        names = [str(row["name"]) for row in db.execute("SELECT name, call_id FROM sounds") if row["call_id"] in old]
        if not dry_run:
            self._delete_sound(db, names)
            self._delete(db, "DELETE FROM calls WHERE id = ?", [(call,) for call in calls])
        return [Removal(self.place, "records", len(calls)), Removal("sound", "recordings", len(names))]

    def _expire_words(self, db: sqlite3.Connection, before: float, dry_run: bool) -> list[Removal]:
        done = db.execute("SELECT until FROM retention WHERE kind = 'words'").fetchone()
        calls = _older(db, before, since=float(done["until"]) - _LATE_SECONDS if done else 0.0)
        count = 0
        for first in range(0, len(calls), BATCH):
            if self._stopped():
                return [Removal(self.place, "records that lost their words", count)]
            with transaction(db):
                for call in calls[first : first + BATCH]:
                    count += _lose_words(db, call, dry_run=dry_run)
        if not dry_run:
            with transaction(db):
                db.execute("INSERT OR REPLACE INTO retention VALUES ('words', ?)", (before,))
        return [Removal(self.place, "records that lost their words", count)]

    def _expire_sound(self, db: sqlite3.Connection, before: float, dry_run: bool) -> list[Removal]:
        rows = db.execute("SELECT name FROM sounds WHERE at < ?", (before,))
        names = [str(row["name"]) for row in rows]
        if not dry_run:
            self._delete_sound(db, names)
        return [Removal("sound", "recordings", len(names))]

    # --- the file -----------------------------------------------------------------------------------

    def _delete_sound(self, db: sqlite3.Connection, names: list[str]) -> None:
        """Delete the files first: a row without a file is removed the next time, a file without a row is not found."""
        for name in names:
            if self._stopped():
                return
            try:
                self._sound.delete(name)
            except OSError as error:
                raise RecordsUnavailable(f"a recording cannot be deleted: {error}") from error
        self._delete(db, "DELETE FROM sounds WHERE name = ?", [(name,) for name in names])

    def _delete(self, db: sqlite3.Connection, statement: str, values: list[tuple[object, ...]]) -> None:
        for first in range(0, len(values), BATCH):
            if self._stopped():
                return
            with transaction(db):
                db.executemany(statement, values[first : first + BATCH])

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(connect(self.path)) as db:
                db.execute(f"PRAGMA busy_timeout = {_ERASE_TIMEOUT_MS}")
                yield db
        except sqlite3.Error as error:
            raise RecordsUnavailable(f"{self.path} cannot be used: {error}") from error


def rewrite(db: sqlite3.Connection) -> None:
    """Write a database anew and empty its log of changes: nothing of what was deleted is left in either.

    Raises ``sqlite3.Error``: "database is locked" when somebody is reading from it all the time.
    """
    db.execute("VACUUM")
    for _ in range(50):
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        time.sleep(0.1)  # the reader who holds the log up tells nobody when he is done
    raise sqlite3.OperationalError("database is locked")


def without_words(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without what was said: the words of the turns, what they may have meant, the summary."""
    turns = [
        {**turn, **dict.fromkeys(_WORDS, ""), "candidates": []}
        for turn in record.get("turns") or ()
        if isinstance(turn, dict)
    ]
    handover = record.get("handover")
    if isinstance(handover, dict):
        handover = {**handover, "summary": ""}
    return {**record, "turns": turns, "handover": handover, "words_expired": True}


def _older(db: sqlite3.Connection, before: float, since: float = 0.0) -> list[str]:
    """Return the calls that began before a moment. The index sorts by local time: a day to either side is looked at."""
    low, high = (_day(moment) for moment in (since - _DAY, before + _DAY))
    rows = db.execute("SELECT id, started_at FROM calls WHERE started_at >= ? AND started_at < ?", (low, high))
    return [str(row["id"]) for row in rows if since <= utc_seconds(row["started_at"]) < before]


def _day(moment: float) -> str:
    return datetime.fromtimestamp(max(moment, 0.0), UTC).isoformat() if moment > 0 else ""


def _lose_words(db: sqlite3.Connection, call: str, *, dry_run: bool) -> bool:
    """Take the words out of one record; False when it has none any more."""
    row = db.execute("SELECT record FROM calls WHERE id = ?", (call,)).fetchone()
    record = _json(row) if row is not None else None
    if not isinstance(record, dict) or record.get("words_expired"):
        return False
    if not dry_run:
        db.execute("UPDATE calls SET record = ? WHERE id = ?", (json.dumps(without_words(record)), call))
    return True


def _json(row: sqlite3.Row) -> Any:
    try:
        return json.loads(row["record"])
    except ValueError:
        return row["record"]


def _payload(row: sqlite3.Row) -> Any:
    try:
        return json.loads(row["payload"])
    except ValueError:
        return row["payload"]
