"""What a database must be able to do for the index, and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Table

from agent.history.facts import FinishedCall
from agent.history.filters import ANY, Bounds
from agent.history.tables import NEVER
from agent.history.words import Term

MOST_IDS = 500
"""Values bound to one statement; SQLite takes more, and gains nothing by it."""

DIRECTIONS = ("inbound", "outbound")


@dataclass(frozen=True, slots=True)
class IndexedCall:
    """A call with its place in the index."""

    seq: int
    value_ids: tuple[int, ...]
    sums: bytes
    """Packed (:func:`agent.history.sums.pack`)."""
    facts: FinishedCall

    def row(self) -> tuple[object, ...]:
        """Return the columns of ``tables.calls`` in their order, without ``value_ids``."""
        facts = self.facts
        return (
            *(self.seq, facts.id, facts.started_ms, facts.offset_minutes, facts.written_ms, facts.duration_ms),
            *(facts.caller, reversed_digits(facts.caller), facts.dialled, facts.direction, facts.outcome),
            *(facts.ended_by, facts.reason, facts.queue, facts.edition, facts.asked, facts.last_step),
            *(" ".join(facts.orders), facts.score, facts.latency_ms, facts.turns, facts.faults),
            *(facts.words_mark, facts.wait_ms, facts.greeting_ms, NEVER if facts.has_matter else None, self.sums),
        )

    def misheard_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the rows of ``tables.misheard``."""
        for number, (slot, heard) in enumerate(self.facts.misheard):
            yield self.seq, number, direction_number(self.facts.direction), slot, heard


@dataclass(frozen=True)
class ValueGroup:
    """Values one of which must be true of a call."""

    ids: tuple[int, ...]
    calls: int
    """How many calls that may be at most."""


@dataclass(frozen=True)
class WordCondition:
    """Words that must have been said: by the ``caller``, the ``agent``, or (``any``) by either."""

    who: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class Conditions:
    """A filter whose values have been looked up."""

    first_seq: int | None = None
    before_seq: int | None = None
    """Calls below this place."""
    among: tuple[int, ...] = ()
    """The only places that are looked at; all where it is empty."""
    groups: tuple[ValueGroup, ...] = ()
    order: str = ""
    caller: str = ""
    """Digits, the last one first."""
    length_ms: Bounds = ANY
    latency_ms: Bounds = ANY
    wait_ms: Bounds = ANY
    greeting_ms: Bounds = ANY
    again_ms: Bounds = ANY
    misheard: str = ""
    words: tuple[WordCondition, ...] = ()

    def spans(self) -> tuple[tuple[str, Bounds], ...]:
        """Return the columns of which a span is asked for, each with its span."""
        named = (
            *(("duration_ms", self.length_ms), ("latency_ms", self.latency_ms), ("wait_ms", self.wait_ms)),
            *(("greeting_ms", self.greeting_ms), ("again_ms", self.again_ms)),
        )
        return tuple((name, span) for name, span in named if span)


class IndexDialect(Protocol):
    """One of the two databases."""

    def create(self, connection: Connection) -> None:
        """Make the tables that are not there."""

    def drop(self, connection: Connection) -> None:
        """Take all tables of the index away."""

    def begin_filling(self, connection: Connection) -> None:
        """Make an empty index ready to take very many calls."""

    def begin_linking(self, connection: Connection) -> None:
        """After all calls have come: make what finding the calls of one caller needs."""

    def end_filling(self, connection: Connection) -> None:
        """Make what else was put off for that."""

    def insert(self, connection: Connection, calls: Sequence[IndexedCall]) -> None:
        """Add calls whose places and ids are free, without their words."""

    def insert_words(self, connection: Connection, calls: Sequence[IndexedCall]) -> None:
        """Add the words of calls whose words are not there."""

    def remove(self, connection: Connection, seqs: Sequence[int]) -> None:
        """Take calls out of everything but ``call_values`` and the words."""

    def remove_words(self, connection: Connection, seqs: Sequence[int]) -> None:
        """Take out the words of calls, so that they stand in no table any more."""

    def add_sums(self, connection: Connection, into: Table, rows: Sequence[tuple[int, int, int, int]]) -> None:
        """Add amounts to a table of sums: value id, direction, start, amount; each place once."""

    def find(self, connection: Connection, wanted: Conditions, limit: int) -> list[int]:
        """Return the places of the latest calls that fulfil everything, the latest first."""


def direction_number(direction: str) -> int:
    """Return how a direction is written where much is counted: 0 inbound, 1 outbound, 2 anything else."""
    return DIRECTIONS.index(direction) if direction in DIRECTIONS else len(DIRECTIONS)


def reversed_digits(number: str) -> str:
    """Return the digits of a number, the last one first."""
    return "".join(one for one in reversed(number) if "0" <= one <= "9")


def shorter_numbers(digits: str) -> list[str]:
    """Return the numbers (last digit first) that end a longer one: ``2025550143`` is the end of ``12025550143``."""
    return [digits[:length] for length in range(7, len(digits))]
