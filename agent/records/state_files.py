"""Removes a person from the other files of the state directory: spool, snapshots, attempts, changes, announcements.

Each of these files is kept for a short while only, and each row or line of one stands for itself: what holds the person
is deleted as a whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.common.sqlite import transaction
from agent.common.untrusted import parse_json
from agent.records.calls_erasure import rewrite
from agent.records.copies import Kind, Removal
from agent.records.database import RecordsUnavailable
from agent.records.person import Person
from agent.records.spool import Spool

_TABLES = {
    "state.sqlite": ("live_calls", "call_id", "snapshots of calls"),
    "attempts.sqlite": ("attempts", None, "failed verifications"),
    "changes.sqlite": ("changes", None, "answers of business systems"),
}
"""File -> its table, the column with the call's id, and what a row is."""
_BUSY_SECONDS = 10.0


class StateFiles:
    """Implements :class:`agent.records.copies.RecordCopies` on what lies beside ``calls.sqlite``."""

    place = "state directory"

    def __init__(self, directory: Path, calls_file: str) -> None:
        self._directory = directory
        self._spool = Spool(directory / f"{calls_file}.spool.jsonl")

    def calls_of(self, person: Person) -> set[str]:
        """Return the calls whose records wait in the spool and hold the person."""
        return {str(record["id"]) for record in self._spooled() if person.in_data(record)}

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Remove them from every file."""
        try:
            removed = [*self._spool_lines(person, calls, dry_run), *self._rows(person, calls, dry_run)]
            removed.append(self._whispers(calls, dry_run))
        except (OSError, sqlite3.Error) as error:
            raise RecordsUnavailable(f"{self._directory}: {error}") from error
        return removed

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Do nothing: nothing here is kept for days."""
        return []

    def follow(self) -> None:
        """Do nothing: what was removed is overwritten already."""

    def _spooled(self) -> list[dict[str, Any]]:
        return [record for line in _lines(self._spool.path) if (record := _record(line)) is not None]

    def _spool_lines(self, person: Person, calls: Collection[str], dry_run: bool) -> Iterator[Removal]:
        """Remove lines from the spool, and from the files of lines that were set aside."""

        def holds(line: bytes) -> bool:
            record = _record(line)
            if record is not None:
                return str(record["id"]) in calls or person.in_data(record)
            return person.in_text(line.decode("utf-8", "replace"))

        for file in sorted(self._directory.glob(f"{self._spool.path.name}*")):
            if file.name.endswith(".reserve"):
                continue
            count = sum(map(holds, _lines(file)))
            if count and not dry_run:
                Spool(file).rewrite(lambda line: not holds(line))
            yield Removal(file.name, "records that wait", count)

    def _rows(self, person: Person, calls: Collection[str], dry_run: bool) -> Iterator[Removal]:
        for name, (table, call_column, what) in _TABLES.items():
            file = self._directory / name
            if not file.is_file():
                continue
            with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)) as db:
                db.row_factory = sqlite3.Row
                if not db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                    continue
                rows = [
                    (row["rowid"],)
                    for row in db.execute(f"SELECT rowid, * FROM {table}")  # noqa: S608 - a name of ours
                    if (call_column is not None and row[call_column] in calls) or person.in_data(_fields(row))
                ]
                if not dry_run:
                    with transaction(db):
                        db.executemany(f"DELETE FROM {table} WHERE rowid = ?", rows)  # noqa: S608
                    rewrite(db)
            yield Removal(name, what, len(rows))

    def _whispers(self, calls: Collection[str], dry_run: bool) -> Removal:
        """Remove the announcements for staff, which are named after their calls."""
        directory = self._directory / "whispers"
        wanted = {"".join(c if c.isalnum() or c in ".-" else "-" for c in call) for call in calls}
        files = [
            file
            for file in directory.glob("orderline-whisper-*")
            if file.name.removeprefix("orderline-whisper-").rsplit(".", 1)[0] in wanted
        ]
        for file in () if dry_run else files:
            file.unlink(missing_ok=True)
        return Removal("whispers", "announcements for staff", len(files))


def remaining(directory: Path, patterns: Collection[bytes]) -> list[Path]:
    """Return the files below a directory in whose bytes one of the patterns stands, not within a longer number.

    Recordings, models and the voice's cache are sound, no text: they are not read. Raises OSError.
    """
    found: list[Path] = []
    for root, folders, names in os.walk(directory):
        folders[:] = [folder for folder in folders if folder not in ("models", "voice", "kept", "incoming")]
        for name in names:
            file = Path(root) / name
            if file.is_file() and not file.is_symlink() and _holds(file, patterns):
                found.append(file)
    return found


def _holds(file: Path, patterns: Collection[bytes], block_bytes: int = 4 * 1024 * 1024) -> bool:
    overlap = max(map(len, patterns), default=0) + 1
    tail = b" "
    with file.open("rb") as opened:
        while block := opened.read(block_bytes):
            text = tail + block
            for pattern in patterns:
                at = text.find(pattern)
                while at >= 0:
                    after = text[at + len(pattern) : at + len(pattern) + 1]
                    if not after.isdigit():
                        return True
                    at = text.find(pattern, at + 1)
            tail = text[-overlap:]
    return False


def _lines(file: Path) -> list[bytes]:
    try:
        return [line for line in file.read_bytes().split(b"\n") if line.strip()]
    except FileNotFoundError:
        return []


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = parse_json(line, most_chars=len(line))
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get("id"), str) else None


def _fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row with what is JSON in it as data."""
    fields: dict[str, Any] = {}
    for name in row.keys():  # noqa: SIM118 - a Row is no mapping
        value = row[name]
        if isinstance(value, str) and value[:1] in ("{", "["):
            with contextlib.suppress(ValueError):
                value = json.loads(value)
        fields[name] = value
    return fields
