"""What people of the console wrote about calls (``console.sqlite``): it goes with the calls, and with age."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.common.sqlite import transaction
from agent.records.calls_erasure import rewrite
from agent.records.copies import Kind, Removal
from agent.records.database import RecordsUnavailable
from agent.records.person import Person

_BUSY_SECONDS = 30.0


class NoteCopies:
    """Implements :class:`agent.records.copies.RecordCopies`, whether or not a console runs."""

    def __init__(self, path: Path, calls: Callable[[], Collection[Path]]) -> None:
        """``path`` is the ``console.sqlite``; there may be none.

        ``calls()`` gives the files of all calls that the console shows, none where it shows calls of other machines: a
        note about a call that is in none of them is about one that was removed.
        """
        self.path = path
        self._calls = calls
        self.place = path.name

    def calls_of(self, person: Person) -> set[str]:
        """See the Protocol."""
        with self._opened() as db:
            if db is None:
                return set()
            rows = db.execute("SELECT call_id, text FROM notes")
            return {str(row["call_id"]) for row in rows if person.in_text(row["text"])}

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """See the Protocol."""
        with self._opened() as db:
            if db is None:
                return []
            rows = db.execute("SELECT number, call_id, text FROM notes")
            numbers = [row["number"] for row in rows if row["call_id"] in calls or person.in_text(row["text"])]
            return self._removed(db, numbers, dry_run=dry_run)

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """See the Protocol."""
        with self._opened() as db:
            if db is None or kind != "notes":
                return []
            numbers = [row["number"] for row in db.execute("SELECT number FROM notes WHERE at < ?", (before,))]
            return self._removed(db, numbers, dry_run=dry_run)

    def follow(self) -> None:
        """Take the notes about calls out that have no record any more, and leave nothing of them in the file."""
        with self._opened() as db:
            if db is None:
                return
            if files := [file for file in self._calls() if file.is_file()]:
                numbers = [(row["number"], row["call_id"]) for row in db.execute("SELECT number, call_id FROM notes")]
                there = _call_ids(files)
                self._removed(db, [number for number, call_id in numbers if call_id not in there], dry_run=False)
            rewrite(db)

    def _removed(self, db: sqlite3.Connection, numbers: list[int], *, dry_run: bool) -> list[Removal]:
        if numbers and not dry_run:
            with transaction(db):
                db.executemany("DELETE FROM notes WHERE number = ?", [(number,) for number in numbers])
        return [Removal(self.place, "notes about calls", len(numbers))]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        if not self.path.is_file():
            yield None
            return
        try:
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA secure_delete = ON")
                there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchone()
                yield db if there else None
        except sqlite3.Error as error:
            raise RecordsUnavailable(f"{self.path} cannot be used: {error}") from error


def _call_ids(files: Collection[Path]) -> set[str]:
    """Return the ids of all calls in these files. Raises sqlite3.Error."""
    found: set[str] = set()
    for file in files:
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as db:
            found |= {call_id for (call_id,) in db.execute("SELECT id FROM calls")}
    return found
