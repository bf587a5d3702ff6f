"""Who did what: an append-only table in which each entry's hash covers the entry and the hash before it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from agent.common.sqlite import SqliteFile
from agent.common.untrusted import storable
from agent.console.store import read

log = logging.getLogger(__name__)

BEGINNING = "0" * 64
"""What stands in the place of the hash before the first entry."""
MOST_CHARS = 4_000
_PAGE = 500


@dataclass(frozen=True)
class AuditEntry:
    """One thing somebody did."""

    number: int
    """1 for the first, one more for each that follows."""
    at: str
    """ISO 8601, UTC."""
    who: str
    """Name of the account; ``(machine)`` for commands on the machine, with the user who ran them in ``about``."""
    what: str
    """``sign_in``, ``sign_in_failed``, ``sound``, ``export``, ``pause``, ``take_over``, ``people.add``, ..."""
    about: Mapping[str, Any]
    address: str
    hash: str


@dataclass(frozen=True)
class AuditVerdict:
    """What a look at the whole chain found."""

    entries: int
    last_hash: str
    broken: str = ""
    """The first thing that is wrong; ``""`` where all is as it was written."""


class AuditLog:
    """The audit of ``console.sqlite``. Methods that end in ``_in`` belong to a transaction of the caller's."""

    def __init__(self, database: SqliteFile, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._wall = wall

    async def note(self, who: str, what: str, about: Mapping[str, Any] | None = None, address: str = "") -> int:
        """Write one entry and return its number. Raises ``sqlite3.Error`` or ``OSError`` where it cannot be kept."""
        return await self._database.transaction(lambda db: self.note_in(db, who, what, about, address))

    def note_in(
        self, db: sqlite3.Connection, who: str, what: str, about: Mapping[str, Any] | None = None, address: str = ""
    ) -> int:
        """Write one entry within a transaction: what it tells of is done and told, or neither."""
        last = db.execute("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1").fetchone()
        number, before = (1, BEGINNING) if last is None else (last["number"] + 1, last["hash"])
        at = self._wall().astimezone(UTC).isoformat(timespec="milliseconds")
        text = _about_text(about or {})
        row = (number, at, storable(who), what, text, storable(address))
        digest = _digest(before, row)
        db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, digest))
        log.info("audit %d %s %s by %s", number, digest[:16], what, who)  # a copy of the chain outside the file
        return number

    async def page(
        self, *, before: int | None = None, who: str = "", what: str = "", limit: int = 50
    ) -> list[AuditEntry]:
        """Return entries, the latest first, those before a number. Raises ``sqlite3.Error``, ``OSError``."""
        query = "SELECT * FROM audit WHERE number < ? AND (? = '' OR who = ? COLLATE NOCASE) AND (? = '' OR what = ?)"
        values = (2**62 if before is None else before, who, who, what, what, limit)
        query += " ORDER BY number DESC LIMIT ?"
        return await read(self._database, lambda db: [_entry(row) for row in db.execute(query, values)])

    async def verify(self) -> AuditVerdict:
        """Read the whole chain and recompute it. Raises ``sqlite3.Error``, ``OSError``."""
        return await asyncio.to_thread(verify_file, self._database.path)


def verify_file(path: Path) -> AuditVerdict:
    """Recompute the chain in a file, beside whoever writes to it: it may be long. Raises ``sqlite3.Error``."""
    if not path.exists():
        return AuditVerdict(0, BEGINNING)
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        return verify_chain(db)


def verify_chain(db: sqlite3.Connection) -> AuditVerdict:
    """Recompute the chain of a database; says at which entry it stops being what was written."""
    before, expected = BEGINNING, 1
    for row in db.execute("SELECT * FROM audit ORDER BY number"):
        fields = tuple(row[name] for name in ("number", "at", "who", "what", "about", "address"))
        if row["number"] != expected:
            return AuditVerdict(expected - 1, before, f"entry {expected} is missing")
        if _digest(before, fields) != row["hash"]:
            return AuditVerdict(expected - 1, before, f"entry {expected} is not as it was written")
        before, expected = row["hash"], expected + 1
    return AuditVerdict(expected - 1, before)


def _digest(before: str, row: tuple[Any, ...]) -> str:
    return hashlib.sha256(f"{before}\n{json.dumps(row, ensure_ascii=False)}".encode()).hexdigest()


def _about_text(about: Mapping[str, Any]) -> str:
    text = storable(json.dumps(about, ensure_ascii=False, sort_keys=True, default=str))
    return text if len(text) <= MOST_CHARS else json.dumps({"cut": text[: MOST_CHARS // 2]}, ensure_ascii=False)


def _entry(row: sqlite3.Row) -> AuditEntry:
    return AuditEntry(
        row["number"], row["at"], row["who"], row["what"], json.loads(row["about"]), row["address"], row["hash"]
    )


def rows_for_csv(entries: list[AuditEntry]) -> Iterator[list[object]]:
    """Yield an entry's cells for a spreadsheet."""
    for entry in entries:
        about = json.dumps(entry.about, ensure_ascii=False, sort_keys=True)
        yield [entry.number, entry.at, entry.who, entry.what, about, entry.address, entry.hash]
