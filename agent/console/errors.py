"""What went wrong, as people and programs are told: a status, and what to do. No trace, no path of the browser's."""

from __future__ import annotations

import http
import sqlite3
from dataclasses import dataclass

from aiohttp import web

from agent.errors import OrderlineError

_BAD_REQUEST = frozenset(
    {
        *("query", "search", "words", "note", "outbound", "weak_password", "console_people", "console_right"),
        *("flow_pack", "pack_tests", "teaching", "file_name"),
    }
)
_CONFLICT = frozenset(
    {
        *("agent_refuses", "simulation", "unusable_pack", "not_playable", "hand_edited", "pack_tests_changed"),
        *("draft_not_open", "edit", "edit_conflict", "dialog"),
    }
)
_FORBIDDEN = frozenset({"edit_not_allowed"})
_NOT_FOUND = frozenset({"no_edition", "no_simulation", "draft_missing"})
_FULL, _BUSY, _LOCKED, _READONLY = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
)


@dataclass(frozen=True)
class Problem:
    """One failure."""

    status: int
    detail: str
    code: str

    @property
    def title(self) -> str:
        """The status in words."""
        return http.HTTPStatus(self.status).phrase

    def json(self) -> dict[str, object]:
        """Return it as ``application/problem+json`` (RFC 9457)."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }


def problem_of(error: BaseException) -> Problem:
    """Return a failure as it is told; the details of what nobody foresaw stay in the log."""
    match error:
        case web.HTTPException():
            detail = (error.text or "").strip() or error.reason
            return Problem(error.status, detail, http.HTTPStatus(error.status).name.lower())
        case OrderlineError() if error.code in _BAD_REQUEST:
            return Problem(400, error.message, error.code)
        case OrderlineError() if error.code in _FORBIDDEN:
            return Problem(403, error.message, error.code)
        case OrderlineError() if error.code in _NOT_FOUND:
            return Problem(404, error.message, error.code)
        case OrderlineError() if error.code in _CONFLICT:
            return Problem(409, error.message, error.code)
        case OrderlineError():
            return Problem(503, error.message, error.code)
        case sqlite3.Error():
            return Problem(503, _database_trouble(error), "console_database")
        case OSError():
            return Problem(503, f"A file of the console cannot be used: {error.strerror or error}.", "console_file")
    return Problem(500, "Something went wrong that nobody foresaw; the console's log has more.", "internal")


def _database_trouble(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL:
        return "The disk is full: the console cannot write. Make room on its machine (df -h), then try again."
    if code in (_BUSY, _LOCKED):
        return "Another program holds the console's file just now. Try again in a moment."
    if code == _READONLY:
        return "The console may not write its file: see who owns console.sqlite in the state directory."
    return f"The console's file cannot be used ({error}): see orderline check on its machine."
