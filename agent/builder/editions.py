"""Every published edition of the procedures with its author and reason; texts are kept once, compressed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from agent.common.sqlite import SqliteFile, SqliteOptions
from agent.common.untrusted import storable
from agent.errors import OrderlineError

FILE = "editions.sqlite"
LAYOUT = 1
"""``PRAGMA user_version``; a higher one belongs to a newer Orderline."""
_BUSY_SECONDS = 2.0
_SCHEMA = """
CREATE TABLE texts (
    sha256 TEXT PRIMARY KEY,
    text   BLOB NOT NULL                     -- zlib
);
CREATE TABLE editions (
    number   INTEGER PRIMARY KEY,
    edition  TEXT NOT NULL,                  -- the agents' fingerprint
    at       TEXT NOT NULL,                  -- ISO 8601, UTC
    who      TEXT NOT NULL,
    reason   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL,
    restores INTEGER,                        -- number of the edition whose contents it has again
    files    TEXT NOT NULL                   -- JSON: name -> sha256
);
"""
EditionKind = Literal["published", "restored", "found"]
"""``found``: what the files held before a publication, edited by hand or installed."""
EditionState = Literal["writing", "confirmed", "unconfirmed", "taken_back"]


class NoSuchEdition(OrderlineError):
    """An edition that is not kept."""

    code = "no_edition"


class EditionsFileNewer(OrderlineError):
    """``editions.sqlite`` was written by a newer Orderline."""

    code = "editions_file"


@dataclass(frozen=True)
class EditionLine:
    """One edition, without its texts."""

    number: int
    edition: str
    at: str
    who: str
    reason: str
    kind: str
    state: str
    restores: int | None
    names: tuple[str, ...]

    def to_json(self, in_force: int | None) -> dict[str, Any]:
        """Return JSON-like data; ``in_force`` is the number of the edition that the files hold now."""
        told = {name: value for name, value in asdict(self).items() if name != "names"}
        if self.state != "taken_back":
            told["state"] = "in_force" if self.number == in_force else "earlier"
        return {**told, "files": len(self.names)}


@dataclass(frozen=True)
class NewEdition:
    """What is to be kept of an edition."""

    edition: str
    files: Mapping[str, str]
    who: str
    reason: str
    kind: EditionKind = "published"
    restores: int | None = None


def editions_file(path: Path) -> SqliteFile:
    """Return ``editions.sqlite``, not opened yet, for its owner alone. Jobs raise ``sqlite3.Error``, ``OSError``."""
    return SqliteFile(path, SqliteOptions(_BUSY_SECONDS, _prepare, immediate=True, owner_only=True))


class EditionStore:
    """All editions, the latest last. Methods raise ``sqlite3.Error`` or ``OSError`` where the file cannot be used."""

    def __init__(self, database: SqliteFile, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._wall = wall

    async def add(self, new: NewEdition, state: EditionState) -> int:
        """Keep one and return its number."""
        return await self._database.transaction(lambda db: self._add(db, new, state))

    def _add(self, db: sqlite3.Connection, new: NewEdition, state: EditionState) -> int:
        sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in new.files.items()}
        rows = ((sums[name], zlib.compress(text.encode())) for name, text in new.files.items())
        db.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?)", rows)
        at = self._wall().astimezone(UTC).isoformat(timespec="milliseconds")
        told = (new.edition, at, storable(new.who), storable(new.reason), new.kind, state, new.restores)
        added = db.execute(
            "INSERT INTO editions (edition, at, who, reason, kind, state, restores, files) VALUES (?,?,?,?,?,?,?,?)",
            (*told, json.dumps(sums)),
        )
        return int(added.lastrowid or 0)

    async def mark(self, number: int, state: EditionState) -> None:
        """Note how its publication ended."""
        await self._database.transaction(
            lambda db: db.execute("UPDATE editions SET state = ? WHERE number = ?", (state, number))
        )

    async def settle_writing(self, in_files: str) -> None:
        """Note how the publications ended in which the console was killed; for its start.

        ``in_files`` is the edition that the files hold.
        """
        query = (
            "UPDATE editions SET state = CASE WHEN edition = ? THEN 'unconfirmed' ELSE 'taken_back' END "
            "WHERE state = 'writing'"
        )
        await self._database.transaction(lambda db: db.execute(query, (in_files,)))

    async def published(self) -> frozenset[str]:
        """Return the editions (the agents' fingerprints) that were published and not taken back."""
        query = "SELECT DISTINCT edition FROM editions WHERE kind != 'found' AND state IN ('confirmed', 'unconfirmed')"
        rows = await self._database.transaction(lambda db: db.execute(query).fetchall())
        return frozenset(str(row["edition"]) for row in rows)

    async def lines(self, *, before: int | None = None, limit: int = 100) -> list[EditionLine]:
        """Return editions, the latest first, those before a number."""
        query = "SELECT * FROM editions WHERE number < ? ORDER BY number DESC LIMIT ?"
        values = (2**62 if before is None else before, limit)
        return await self._database.transaction(lambda db: [_line(row) for row in db.execute(query, values)])

    async def latest(self) -> EditionLine | None:
        """Return the latest that was not taken back; None before the first."""
        query = "SELECT * FROM editions WHERE state != 'taken_back' ORDER BY number DESC LIMIT 1"
        row = await self._database.transaction(lambda db: db.execute(query).fetchone())
        return _line(row) if row is not None else None

    async def line(self, number: int) -> EditionLine:
        """Return one. Raises :class:`NoSuchEdition`."""
        query = "SELECT * FROM editions WHERE number = ?"
        row = await self._database.transaction(lambda db: db.execute(query, (number,)).fetchone())
        if row is None:
            raise NoSuchEdition(f"There is no edition {number}.")
        return _line(row)

    async def files_of(self, edition: str) -> dict[str, str] | None:
        """Return the texts that have a fingerprint of the agents'; None where no such edition is kept."""
        query = "SELECT max(number) AS number FROM editions WHERE edition = ?"
        row = await self._database.transaction(lambda db: db.execute(query, (edition,)).fetchone())
        return None if row["number"] is None else await self.files(row["number"])

    async def files(self, number: int) -> dict[str, str]:
        """Return the texts of one by name. Raises :class:`NoSuchEdition`."""
        await self.line(number)
        query = "SELECT files FROM editions WHERE number = ?"

        def read(db: sqlite3.Connection) -> dict[str, str]:
            sums = json.loads(db.execute(query, (number,)).fetchone()["files"])
            found = {}
            for name, digest in sums.items():
                row = db.execute("SELECT text FROM texts WHERE sha256 = ?", (digest,)).fetchone()
                found[name] = zlib.decompress(row["text"]).decode()
            return found

        return await self._database.transaction(read)


def _line(row: sqlite3.Row) -> EditionLine:
    return EditionLine(
        row["number"], row["edition"], row["at"], row["who"], row["reason"], row["kind"], row["state"],
        row["restores"], tuple(json.loads(row["files"])),
    )  # fmt: skip


def _prepare(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    layout = connection.execute("PRAGMA user_version").fetchone()[0]
    if layout > LAYOUT:
        raise EditionsFileNewer(f"editions.sqlite was written by a newer Orderline (layout {layout}, ours {LAYOUT})")
    if layout < LAYOUT:
        connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version = {LAYOUT};COMMIT;")
