"""Who may do what in the console: rights, the roles that hold them, and the calls a person may see. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from agent.errors import OrderlineError


class UnknownRight(OrderlineError):
    """A role, right or scope that there is not."""

    code = "console_right"


class Right(enum.StrEnum):
    """One thing a person may do. The server asks for it at every page and answer; hidden buttons are courtesy."""

    ACCOUNT = "account"
    """One's own password, sessions and second factor: everybody who is signed in."""
    LIVE = "live"
    """Calls that go on, with their words."""
    CALLS = "calls"
    """Finished calls: lists, searches, transcripts."""
    REPORTS = "reports"
    HEALTH = "health"
    """Queues, and how the agents are."""
    SOUND = "sound"
    """Recordings of finished calls."""
    NUMBERS = "numbers"
    """Callers' numbers as they are; without it they are cut to the last two digits."""
    EXPORT = "export"
    PAUSE = "pause"
    TAKE_OVER = "take_over"
    """Takes a caller from the agent: to the staff queue, or to one's own phone."""
    LISTEN = "listen"
    """Listens to a call that goes on, by one's own phone."""
    NOTES = "notes"
    """Writes notes about calls."""
    MISHEARD = "misheard"
    PROCEDURES = "procedures"
    """Reads procedures."""
    DRAFTS = "drafts"
    """Opens drafts of procedures; what may be changed in them is said by the rights below."""
    EDIT = "edit"
    TEST = "test"
    PUBLISH = "publish"
    FORMULAS = "formulas"
    """Edits services, queues and formulas of procedures."""
    PROMOTIONS = "promotions"
    ANSWERS = "answers"
    """What the agent knows: opening hours, delivery times, and the like."""
    JOBS = "jobs"
    """Outbound jobs."""
    DEAD_LETTERS = "dead_letters"
    PEOPLE = "people"
    SETTINGS = "settings"
    AUDIT = "audit"


_VIEWER = frozenset({Right.ACCOUNT, Right.LIVE, Right.CALLS, Right.REPORTS, Right.HEALTH, Right.PROCEDURES})
_SUPERVISOR = _VIEWER | {
    *(Right.SOUND, Right.NUMBERS, Right.EXPORT, Right.PAUSE, Right.TAKE_OVER, Right.LISTEN, Right.NOTES),
    *(Right.MISHEARD, Right.DRAFTS, Right.EDIT, Right.TEST, Right.PROMOTIONS, Right.ANSWERS, Right.JOBS),
}

ROLES: dict[str, frozenset[Right]] = {
    "shop": frozenset({Right.ACCOUNT, Right.DRAFTS, Right.PROMOTIONS, Right.ANSWERS}),
    "viewer": _VIEWER,
    "supervisor": _SUPERVISOR,
    "admin": frozenset(Right),
}
"""The rights of each role. Single rights can be granted besides (``publish`` to a supervisor)."""

ROLE_HELP = {
    "shop": "shop staff: promotions and answers, nothing of calls",
    "viewer": "live calls, call log and reports; no sound, numbers cut to the last two digits",
    "supervisor": "also sound, whole numbers, pause, take over, export, editing",
    "admin": "everything, with people, settings and audit",
}


@dataclass(frozen=True)
class Scope:
    """Calls that a person may see: those handed to a queue, or those that dialled a number."""

    kind: str
    """``queue`` or ``dialled``."""
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read ``queue:NAME`` or ``dialled:NUMBER``. Raises :class:`UnknownRight`."""
        kind, _, value = text.partition(":")
        if kind not in ("queue", "dialled") or not value.strip():
            raise UnknownRight(f"{text!r} is no scope: write queue:NAME or dialled:NUMBER")
        return cls(kind, value.strip())


@dataclass(frozen=True)
class ConsolePerson:
    """Somebody who is signed in."""

    id: int
    name: str
    role: str
    rights: frozenset[Right]
    scopes: tuple[Scope, ...] = ()
    """Empty: all calls."""

    def may(self, right: Right | str) -> bool:
        """Return whether this person has a right; for templates by its name as well."""
        return right in self.rights

    def sees(self, *, queue: str, dialled: str) -> bool:
        """Return whether a call is one of those this person may see."""
        return not self.scopes or any(
            (scope.kind == "queue" and scope.value == queue) or (scope.kind == "dialled" and scope.value == dialled)
            for scope in self.scopes
        )


def rights_of(role: str, granted: Iterable[str] = ()) -> frozenset[Right]:
    """Return the rights of a role and those granted besides. Raises :class:`UnknownRight`."""
    if role not in ROLES:
        raise UnknownRight(f"There is no role {role!r}, but {', '.join(ROLES)}.")
    try:
        return ROLES[role] | {Right(name) for name in granted}
    except ValueError as error:
        raise UnknownRight(f"{error}: rights are {', '.join(Right)}.") from error
