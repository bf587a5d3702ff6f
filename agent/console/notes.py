"""What people write about calls."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.common.sqlite import SqliteFile
from agent.common.untrusted import storable
from agent.console.store import read
from agent.errors import OrderlineError

MOST_CHARS = 4_000


class InvalidNote(OrderlineError):
    """A note that is empty or too long."""

    code = "note"


@dataclass(frozen=True)
class CallNote:
    """What somebody wrote about a call."""

    number: int
    call_id: str
    who: str
    at: float
    """Seconds since 1970."""
    text: str


class Notes:
    """The table of notes. Methods raise ``sqlite3.Error`` or ``OSError`` of the file."""

    def __init__(self, database: SqliteFile, clock: Callable[[], float] = time.time) -> None:
        """``clock`` gives seconds since 1970."""
        self._database = database
        self._clock = clock

    async def add(self, call_id: str, who: str, text: str) -> CallNote:
        """Keep a note. Raises :class:`InvalidNote`."""
        text = storable(text.strip())
        if not 0 < len(text) <= MOST_CHARS:
            raise InvalidNote(f"A note has 1 to {MOST_CHARS} characters.")
        row = (call_id, who, self._clock(), text)

        def write(db: sqlite3.Connection) -> CallNote:
            number = db.execute("INSERT INTO notes (call_id, who, at, text) VALUES (?, ?, ?, ?)", row).lastrowid
            return CallNote(int(number or 0), *row)

        return await self._database.transaction(write)

    async def of_call(self, call_id: str) -> list[CallNote]:
        """Return the notes about a call, the oldest first."""
        query = "SELECT number, call_id, who, at, text FROM notes WHERE call_id = ? ORDER BY number"
        return await read(self._database, lambda db: [CallNote(*row) for row in db.execute(query, (call_id,))])
