"""What keeps copies of call records, or parts of them, besides ``calls.sqlite``: all are asked when data must go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.records.person import Person

Kind = Literal["record", "words", "sound", "notes"]
"""What is kept for days of its own."""


@dataclass(frozen=True)
class Removal:
    """Something that was removed, or would be."""

    place: str
    """Where it was: ``calls.sqlite``, ``Redis``, ..."""
    what: str
    """In plain words: ``records``, ``recordings``, ``outbox entries``."""
    count: int


class RecordCopies(Protocol):
    """One place that keeps copies. Its methods block; they raise OrderlineError when the place cannot be used."""

    place: str

    def calls_of(self, person: Person) -> set[str]:
        """Return the ids of the calls that hold a person, as far as this place knows."""

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Remove these calls and everything else that holds the person; ``dry_run`` only counts."""

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Remove what is older than a moment (seconds since 1970) of one kind; ``dry_run`` only counts."""

    def follow(self) -> None:
        """Follow ``calls.sqlite``, which has lost the records by now, and leave nothing of them in any file."""
