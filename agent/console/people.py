"""The accounts of the console: made on the machine first, by an admin later; there is none from the start."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.common.sqlite import SqliteFile
from agent.console.audit import AuditLog
from agent.console.passwords import PasswordChecker, check_password
from agent.console.rights import Scope, rights_of
from agent.console.store import read
from agent.console.totp import accepted_step
from agent.errors import OrderlineError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
MACHINE = "(machine)"
"""Who does what is done by commands on the machine; no account can have this name."""
_MOST_PREFERENCES_CHARS = 4_000


class PeopleError(OrderlineError):
    """An account that cannot be made, found or changed."""

    code = "console_people"


@dataclass(frozen=True)
class Doer:
    """Who changes something, for the audit."""

    name: str
    address: str = ""


@dataclass(frozen=True)
class Account:
    """One account as it is listed."""

    id: int
    name: str
    role: str
    granted: tuple[str, ...]
    """Rights besides those of the role."""
    scopes: tuple[str, ...]
    second_factor: bool
    made_at: float
    """Seconds since 1970."""
    password_changed_at: float


class Accounts:
    """The table of people. Methods raise :class:`PeopleError`, and ``sqlite3.Error`` or ``OSError`` of the file."""

    def __init__(
        self,
        database: SqliteFile,
        audit: AuditLog,
        passwords: PasswordChecker,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` gives seconds since 1970."""
        self._database = database
        self._audit = audit
        self._passwords = passwords
        self._clock = clock

    async def add(
        self, name: str, role: str, password: str, *, granted: Sequence[str], scopes: Sequence[str], by: Doer
    ) -> Account:
        """Make an account. Also raises :class:`WeakPassword` and :class:`UnknownRight`."""
        if not _NAME.fullmatch(name):
            raise PeopleError(
                "A name has letters, digits and . _ @ + - (64 at most) and begins with a letter or digit."
            )
        kept = _checked(role, granted, scopes)
        check_password(password, name)
        stored = await self._passwords.hash(password)
        now = self._clock()

        def write(db: sqlite3.Connection) -> Account:
            query = "INSERT INTO people (name, role, granted, scopes, password, made_at, changed_at)"
            try:
                db.execute(f"{query} VALUES (?, ?, ?, ?, ?, ?, ?)", (name, *kept, stored, now, now))
            except sqlite3.IntegrityError as error:
                raise PeopleError(f"There is an account {name!r} already.") from error
            told = {"name": name, "role": role, "granted": list(granted), "scopes": list(scopes)}
            self._audit.note_in(db, by.name, "people.add", told, by.address)
            return _account(_row(db, name))

        return await self._database.transaction(write)

    async def list(self) -> list[Account]:
        """Return all accounts by name."""
        query = "SELECT * FROM people ORDER BY name"
        return await read(self._database, lambda db: [_account(row) for row in db.execute(query)])

    async def find(self, name: str) -> Account | None:
        """Return an account by name, in whatever case it is written; None where there is none."""
        row = await read(self._database, lambda db: _row_or_none(db, name))
        return None if row is None else _account(row)

    async def password_hash(self, name: str) -> str | None:
        """Return what is stored of a password, None where there is no such account."""
        row = await read(self._database, lambda db: _row_or_none(db, name))
        return None if row is None else str(row["password"])

    async def change(
        self,
        name: str,
        *,
        role: str | None = None,
        granted: Sequence[str] | None = None,
        scopes: Sequence[str] | None = None,
        by: Doer,
    ) -> Account:
        """Change what somebody may do; all sessions of the account end, so that the next one has the new rights."""

        def write(db: sqlite3.Connection) -> Account:
            before = _account(_row(db, name))
            after = _checked(
                role or before.role,
                before.granted if granted is None else granted,
                before.scopes if scopes is None else scopes,
            )
            if before.role == "admin" and after[0] != "admin":
                _keep_an_admin(db, before.id)
            db.execute("UPDATE people SET role = ?, granted = ?, scopes = ? WHERE id = ?", (*after, before.id))
            db.execute("DELETE FROM sessions WHERE person = ?", (before.id,))
            account = _account(_row(db, name))
            told = {
                "name": account.name,
                "before": [before.role, list(before.granted), list(before.scopes)],
                "after": [account.role, list(account.granted), list(account.scopes)],
            }
            self._audit.note_in(db, by.name, "people.change", told, by.address)
            return account

        return await self._database.transaction(write)

    async def set_password(self, name: str, password: str, *, by: Doer, keep_session: str = "") -> None:
        """Set a password; the account's sessions end, but for the one with the hash ``keep_session``."""
        check_password(password, name)
        stored = await self._passwords.hash(password)

        def write(db: sqlite3.Connection) -> None:
            row = _row(db, name)
            db.execute(
                "UPDATE people SET password = ?, changed_at = ? WHERE id = ?", (stored, self._clock(), row["id"])
            )
            db.execute("DELETE FROM sessions WHERE person = ? AND hash <> ?", (row["id"], keep_session))
            self._audit.note_in(db, by.name, "people.password", {"name": row["name"]}, by.address)

        await self._database.transaction(write)

    async def renew_hash(self, name: str, password: str) -> None:
        """Store a password with the parameters of now; it stays the same, and so do sessions."""
        stored = await self._passwords.hash(password)
        await self._database.transaction(
            lambda db: db.execute("UPDATE people SET password = ? WHERE name = ?", (stored, name))
        )

    async def set_second_factor(self, name: str, secret: str, *, by: Doer, step: int = 0) -> None:
        """Switch the second factor on (``secret``; ``step`` is that of the code that proved it), or off (``""``)."""

        def write(db: sqlite3.Connection) -> None:
            row = _row(db, name)
            db.execute("UPDATE people SET totp = ?, totp_step = ? WHERE id = ?", (secret, step, row["id"]))
            told = {"name": row["name"], "second_factor": bool(secret)}
            self._audit.note_in(db, by.name, "people.second_factor", told, by.address)

        await self._database.transaction(write)

    async def accepts_code(self, name: str, code: str) -> bool:
        """Return whether a code of the second factor is right and was not used before; from now on it was used."""
        now = self._clock()

        def use(db: sqlite3.Connection) -> bool:
            row = _row(db, name)
            step = accepted_step(row["totp"], code, now, row["totp_step"])
            if step is not None:
                db.execute("UPDATE people SET totp_step = ? WHERE id = ?", (step, row["id"]))
            return step is not None

        return await self._database.transaction(use)

    async def remove(self, name: str, *, by: Doer) -> None:
        """Delete an account with its sessions; what it did stays in the audit."""

        def write(db: sqlite3.Connection) -> None:
            row = _row(db, name)
            if row["role"] == "admin":
                _keep_an_admin(db, row["id"])
            db.execute("DELETE FROM people WHERE id = ?", (row["id"],))
            self._audit.note_in(db, by.name, "people.remove", {"name": row["name"]}, by.address)

        await self._database.transaction(write)

    async def preferences(self, person_id: int) -> dict[str, Any]:
        """Return what somebody has chosen for himself (colours, time format)."""
        query = "SELECT preferences FROM people WHERE id = ?"
        row = await read(self._database, lambda db: db.execute(query, (person_id,)).fetchone())
        return dict(json.loads(row["preferences"])) if row is not None else {}

    async def set_preferences(self, person_id: int, chosen: dict[str, Any]) -> None:
        """Keep what somebody has chosen for himself."""
        text = json.dumps(chosen)
        if len(text) > _MOST_PREFERENCES_CHARS:
            raise PeopleError("These are too many preferences.")
        await self._database.transaction(
            lambda db: db.execute("UPDATE people SET preferences = ? WHERE id = ?", (text, person_id))
        )


def _checked(role: str, granted: Sequence[str], scopes: Sequence[str]) -> tuple[str, str, str]:
    rights_of(role, granted)
    kept = [str(Scope.parse(scope)) for scope in scopes]
    return role, json.dumps(sorted(set(granted))), json.dumps(sorted(set(kept)))


def _keep_an_admin(db: sqlite3.Connection, person_id: int) -> None:
    others = db.execute("SELECT count(*) FROM people WHERE role = 'admin' AND id <> ?", (person_id,)).fetchone()[0]
    if not others:
        raise PeopleError("This is the last admin: make another one first.")


def _row_or_none(db: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = db.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()
    return found


def _row(db: sqlite3.Connection, name: str) -> sqlite3.Row:
    row = _row_or_none(db, name)
    if row is None:
        raise PeopleError(f"There is no account {name!r}.")
    return row


def _account(row: sqlite3.Row) -> Account:
    return Account(
        row["id"],
        row["name"],
        row["role"],
        tuple(json.loads(row["granted"])),
        tuple(json.loads(row["scopes"])),
        bool(row["totp"]),
        row["made_at"],
        row["changed_at"],
    )
