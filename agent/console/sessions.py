"""Who is signed in: 256 random bits in a cookie, of which only a hash is stored."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from agent.common.sqlite import SqliteFile
from agent.common.untrusted import printable, storable
from agent.console.rights import ConsolePerson, Scope, rights_of
from agent.console.store import read

log = logging.getLogger(__name__)

COOKIE = "__Host-orderline"
IDLE_SECONDS = 30 * 60.0
WHOLE_SECONDS = 12 * 3600.0
_TOUCHED_SECONDS = 30.0
"""A session's last use is written at most this often."""
_BROWSER_CHARS = 200
_KNOWN_SECONDS = 90 * 86400.0
_MOST_OF_ONE = 20
"""Sessions of one person; another one ends the oldest."""


@dataclass(frozen=True)
class ConsoleSession:
    """One sign-in."""

    hash: str
    number: str
    """By which its owner ends it; it opens nothing."""
    person: ConsolePerson
    made_at: float
    """Seconds since 1970."""
    seen_at: float
    address: str
    browser: str


class Sessions:
    """The table of sessions. Methods raise ``sqlite3.Error`` or ``OSError`` of the file."""

    def __init__(
        self,
        database: SqliteFile,
        clock: Callable[[], float] = time.time,
        *,
        idle_seconds: float = IDLE_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
    ) -> None:
        """``clock`` gives seconds since 1970."""
        self._database = database
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._whole_seconds = whole_seconds

    async def begin(self, person_id: int, address: str, browser: str, *, instead_of: str = "") -> str:
        """Begin a session and return its token, for the cookie; the one with the token ``instead_of`` ends."""
        token = secrets.token_urlsafe(32)
        now = self._clock()
        row = (token_hash(token), secrets.token_hex(8), person_id, now, now, address, _browser_name(browser))

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM sessions WHERE hash = ?", (token_hash(instead_of),))
            db.execute(
                "DELETE FROM sessions WHERE seen_at < ? OR made_at < ?",
                (now - self._idle_seconds, now - self._whole_seconds),
            )
            db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            db.execute(
                "DELETE FROM sessions WHERE person = ? AND hash NOT IN"
                " (SELECT hash FROM sessions WHERE person = ? ORDER BY made_at DESC LIMIT ?)",
                (person_id, person_id, _MOST_OF_ONE),
            )
            db.execute("INSERT OR REPLACE INTO known_addresses VALUES (?, ?, ?)", (person_id, address, now))
            db.execute("DELETE FROM known_addresses WHERE at < ?", (now - _KNOWN_SECONDS,))

        await self._database.transaction(write)
        return token

    async def find(self, token: str, *, used: bool = True) -> ConsoleSession | None:
        """Return the session of a token, None where there is none or it is over.

        ``used``: this is something its owner does, which keeps it from going idle.
        """
        digest, now = token_hash(token), self._clock()
        row = await read(self._database, lambda db: _found(db, digest))
        if row is None:
            return None
        if now - row["seen_at"] > self._idle_seconds or now - row["made_at"] > self._whole_seconds:
            return None
        if used and now - row["seen_at"] > _TOUCHED_SECONDS:
            await self._touch(digest, now)
        return _session(row)

    async def known_address(self, name: str, address: str) -> bool:
        """Return whether somebody of this name has signed in from this address lately."""
        query = (
            "SELECT 1 FROM known_addresses JOIN people ON people.id = known_addresses.person"
            " WHERE people.name = ? AND address = ? AND at > ?"
        )
        values = (name, address, self._clock() - _KNOWN_SECONDS)
        return await read(self._database, lambda db: db.execute(query, values).fetchone()) is not None

    async def of_person(self, person_id: int) -> list[ConsoleSession]:
        """Return somebody's sessions, the latest first."""
        now = self._clock()
        query = (
            f"{_SELECT} WHERE sessions.person = ? AND sessions.seen_at >= ? AND sessions.made_at >= ?"
            " ORDER BY sessions.made_at DESC"
        )
        values = (person_id, now - self._idle_seconds, now - self._whole_seconds)
        return await read(self._database, lambda db: [_session(row) for row in db.execute(query, values)])

    async def end(self, token: str) -> None:
        """End the session of a token; idempotent."""
        digest = token_hash(token)
        await self._database.transaction(lambda db: db.execute("DELETE FROM sessions WHERE hash = ?", (digest,)))

    async def end_number(self, person_id: int, number: str) -> bool:
        """End one of somebody's own sessions by its number; False where there is none."""
        query = "DELETE FROM sessions WHERE person = ? AND number = ?"
        done = await self._database.transaction(lambda db: db.execute(query, (person_id, number)).rowcount)
        return bool(done)

    async def _touch(self, digest: str, now: float) -> None:
        try:
            await self._database.transaction(
                lambda db: db.execute("UPDATE sessions SET seen_at = ? WHERE hash = ?", (now, digest))
            )
        except (sqlite3.Error, OSError) as error:  # a full disk signs nobody out at once
            log.warning("The use of a session could not be noted: %s", error)


_SELECT = (
    "SELECT sessions.*, people.name, people.role, people.granted, people.scopes"
    " FROM sessions JOIN people ON people.id = sessions.person"
)


def token_hash(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def set_cookie(response: web.StreamResponse, token: str) -> None:
    """Give the browser a session. The name's beginning makes it demand ``Secure``, ``Path=/`` and no domain."""
    response.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Strict")


def delete_cookie(response: web.StreamResponse) -> None:
    """Take it back."""
    response.set_cookie(COOKIE, "", path="/", secure=True, httponly=True, samesite="Strict", max_age=0)


def _found(db: sqlite3.Connection, digest: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(f"{_SELECT} WHERE sessions.hash = ?", (digest,)).fetchone()
    return row


def _session(row: sqlite3.Row) -> ConsoleSession:
    scopes = tuple(Scope.parse(scope) for scope in json.loads(row["scopes"]))
    rights = rights_of(row["role"], json.loads(row["granted"]))
    person = ConsolePerson(row["person"], row["name"], row["role"], rights, scopes)
    return ConsoleSession(
        row["hash"], row["number"], person, row["made_at"], row["seen_at"], row["address"], row["browser"]
    )


def _browser_name(browser: str) -> str:
    return printable(storable(browser[:_BROWSER_CHARS]), keep="")
