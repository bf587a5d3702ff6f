"""``outbound.sqlite`` as one of the places that erasure and retention ask."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from agent.outbound import erasure
from agent.outbound.schema import FILE_NAME
from agent.records.copies import Kind, Removal
from agent.records.person import Person


class OutboundCopies:
    """Implements :class:`agent.records.copies.RecordCopies`."""

    place = FILE_NAME

    def __init__(self, state_directory: Path) -> None:
        self._directory = state_directory

    def calls_of(self, person: Person) -> set[str]:
        """Return the ids of the calls made for jobs of a person."""
        return erasure.calls_of(self._directory, *_which(person))

    def erase(self, person: Person, calls: Collection[str], *, dry_run: bool) -> list[Removal]:
        """Remove the person's jobs and attempts; the do-not-call list keeps a digest of the number."""
        done = erasure.erase(self._directory, *_which(person), dry_run=dry_run)
        return [Removal(self.place, what, count) for what, count in done.items()]

    def expire(self, kind: Kind, before: float, *, dry_run: bool) -> list[Removal]:
        """Remove jobs that were over before a moment; they go when the records of calls go."""
        if kind != "record":
            return []
        done = erasure.expire(self._directory, before, dry_run=dry_run)
        return [Removal(self.place, what, count) for what, count in done.items()]

    def follow(self) -> None:
        """Leave nothing of what was removed in the file's log."""
        erasure.follow(self._directory)


def _which(person: Person) -> tuple[erasure.Is, erasure.Is]:
    def is_it(text: str) -> bool:
        return bool(text) and person.is_number(text)

    def never(text: str) -> bool:
        return False

    return (never, is_it) if person.is_order else (is_it, never)
