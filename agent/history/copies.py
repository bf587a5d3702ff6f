"""The index of this node and the records of all nodes in PostgreSQL, as places from which a person can be removed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.history.local import INDEX_FILE, IndexUnusable, LocalHistory
from agent.history.shared import SharedHistory
from agent.records.calls_erasure import rewrite, without_words
from agent.records.copies import Kind, Removal
from agent.records.database import utc_seconds
from agent.records.person import Person

_AT_ONCE = 500
_BUSY_SECONDS = 30.0


class IndexCopies:
    """Implements :class:`agent.records.copies.RecordCopies` on ``index.sqlite``, which follows ``calls.sqlite``."""

    place = INDEX_FILE

    def __init__(self, calls_path: Path) -> None:
        self._calls_path = calls_path
        self._path = calls_path.with_name(INDEX_FILE)

    def calls_of(self, person: Person) -> set[str]:
        """Return nothing: what is here is made of the records."""
        return set()

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Say how many of the calls are here; :meth:`follow` removes them."""
        if not self._path.is_file():
            return []
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as db:
                count = sum(
                    db.execute("SELECT count(*) FROM calls WHERE id = ?", (call,)).fetchone()[0] for call in calls
                )
        except sqlite3.Error:
            return []  # it is made anew the next time it is used
        return [Removal(self.place, "calls", count)]

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Do nothing: it follows the records the next time it is used."""
        return []

    def follow(self) -> None:
        """Take out what the records have lost, and write the file anew. Raises :class:`IndexUnusable`."""
        if not self._path.is_file():
            return
        history = LocalHistory(self._calls_path)
        try:
            history.take_out_deleted()
        finally:
            history.close()
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as db:
                rewrite(db)
        except sqlite3.Error as error:
            raise IndexUnusable(f"{self._path} cannot be written anew: {error}") from error


class SharedCopies:
    """Implements :class:`agent.records.copies.RecordCopies` on PostgreSQL."""

    place = "PostgreSQL"

    def __init__(self, url: str) -> None:
        self._url = url

    def calls_of(self, person: Person) -> set[str]:
        """Return the calls of all nodes that hold the person."""
        return {call_id for call_id, record in self._records() if person.in_data(record)}

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Remove records and what the index knows of them."""
        return [Removal(self.place, "records", self._delete(list(calls), dry_run=dry_run))]

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Remove old records, or their words."""
        if kind not in ("record", "words"):
            return []
        old = [(call, record) for call, record in self._records() if utc_seconds(record.get("started_at")) < before]
        if kind == "record":
            return [Removal(self.place, "records", self._delete([call for call, _ in old], dry_run=dry_run))]
        wordy = [(call, record) for call, record in old if not record.get("words_expired")]
        if not dry_run:
            self._store([without_words(record) for _, record in wordy])
        return [Removal(self.place, "records that lost their words", len(wordy))]

    def follow(self) -> None:
        """Have the server write its tables anew."""
        history = SharedHistory(self._url)
        try:
            history.scrub()
        finally:
            history.close()

    def _records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        history = SharedHistory(self._url)
        try:
            history.prepare()
            for call_id, text in history.all_records():
                try:
                    record = json.loads(text)
                except ValueError:
                    record = {"text": text}
                yield call_id, record if isinstance(record, dict) else {"text": text}
        finally:
            history.close()

    def _delete(self, calls: Sequence[str], *, dry_run: bool) -> int:
        history = SharedHistory(self._url)
        count = 0
        try:
            history.prepare()
            for first in range(0, len(calls), _AT_ONCE):
                some = calls[first : first + _AT_ONCE]
                count += len(some) - len(history.lacks(some)) if dry_run else history.erase(some)
        finally:
            history.close()
        return count

    def _store(self, records: Sequence[dict[str, Any]]) -> None:
        history = SharedHistory(self._url)
        try:
            for first in range(0, len(records), _AT_ONCE):
                history.replace([(str(one["id"]), json.dumps(one)) for one in records[first : first + _AT_ONCE]])
        finally:
            history.close()
