"""``orderline records erase`` and ``expire``: a person, or what is too old, goes from every place at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from agent.errors import OrderlineError
from agent.records.calls_erasure import CallsFile
from agent.records.copies import Kind, RecordCopies, Removal
from agent.records.person import Person
from agent.records.state_files import remaining

_DAY = 86400.0


@dataclass
class Erasure:
    """What an erasure did, or would do."""

    calls: int = 0
    removals: list[Removal] = field(default_factory=list)
    going_on: list[str] = field(default_factory=list)
    """Calls of the person that are not over: what they will leave is not removed yet."""
    failed: list[str] = field(default_factory=list)
    """Places that could not be used, with the reason."""
    found_after: list[Path] = field(default_factory=list)
    """Files in which the number still stands."""

    @property
    def complete(self) -> bool:
        """True when nothing of the person is left in any place that was asked."""
        return not (self.going_on or self.failed or self.found_after)


def erase(
    person: Person, calls_file: CallsFile, others: Sequence[RecordCopies], state_directory: Path, *, dry_run: bool
) -> Erasure:
    """Remove a person from ``calls.sqlite`` and all other places. What one place cannot do is told; the others go on.

    Doing it again does what was not done: nothing of it depends on what an earlier run had removed.
    """
    places: list[RecordCopies] = [calls_file, *others]
    done = Erasure()
    calls: set[str] = set()
    for place in places:
        try:
            calls |= place.calls_of(person)
        except OrderlineError as error:
            done.failed.append(f"{place.place}: {error.message}")
            return done  # which calls they are must be known before anything is removed
    done.calls = len(calls)
    done.going_on = calls_file.going_on(calls)
    # calls.sqlite last: a place that failed is asked again with the same calls the next time
    for place in (*others, calls_file):
        try:
            done.removals += place.erase(person, calls, dry_run=dry_run)
        except OrderlineError as error:
            done.failed.append(f"{place.place}: {error.message}")
            if place is not calls_file:
                return done
    if not dry_run:
        for place in (*others, calls_file):
            try:
                place.follow()
            except OrderlineError as error:
                done.failed.append(f"{place.place}: what was deleted is not overwritten yet: {error.message}")
        if patterns := person.bytes_patterns():
            done.found_after = remaining(state_directory, patterns)
    return done


def expire(
    days: Mapping[Kind, int], places: Sequence[RecordCopies], *, dry_run: bool, now: float | None = None
) -> Erasure:
    """Remove what is older than its days; 0 days keep it for ever. ``now`` is seconds since 1970."""
    moment = time.time() if now is None else now
    done = Erasure()
    for kind, kept_days in days.items():
        for place in places if kept_days else ():
            try:
                done.removals += place.expire(kind, moment - kept_days * _DAY, dry_run=dry_run)
            except OrderlineError as error:
                done.failed.append(f"{place.place}: {error.message}")
    return done


def tell(done: Erasure, heading: str, *, dry_run: bool, out: TextIO) -> None:
    """Print what was removed, and what was not."""
    print(heading, file=out)
    counted: dict[tuple[str, str], int] = {}
    for removal in done.removals:
        counted[removal.place, removal.what] = counted.get((removal.place, removal.what), 0) + removal.count
    lines = [f"  {place}: {count} {what}" for (place, what), count in counted.items() if count]
    print("\n".join(lines) or "  nothing", file=out)
    for failure in done.failed:
        print(f"NOT DONE: {failure}", file=out)
    if done.going_on:
        print(
            f"NOT DONE: {len(done.going_on)} call(s) of this person are going on, or their agent was killed and "
            "has not been started again. Do this once more when they are over.",
            file=out,
        )
    for file in done.found_after:
        print(f"STILL THERE: the number stands in {file}", file=out)
    if dry_run:
        print("Nothing was removed (--dry-run).", file=out)
