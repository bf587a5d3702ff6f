"""Reads what callers said that nothing took, the same words together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from agent.history.dialects.base import MOST_IDS
from agent.history.tables import misheard


@dataclass(frozen=True)
class MisheardWords:
    """Words that were not understood."""

    heard: str
    """In small letters, without signs; every number is ``#``."""
    calls: int
    answers: int
    """How often they were said: a call may hold them several times."""
    slots: tuple[str, ...]
    """What had been asked for, the most frequent first."""


def read_misheard(
    connection: Connection, first_seq: int, before_seq: int, directions: tuple[int, ...], most: int
) -> list[MisheardWords]:
    """Return the words of the calls between two places, those of most calls first; ``most`` of them."""
    rows = connection.execute(misheard_query(first_seq, before_seq, directions).limit(most)).all()
    return _with_slots(connection, rows, first_seq, before_seq, directions)


def misheard_query(first_seq: int, before_seq: int, directions: tuple[int, ...]) -> Select[Any]:
    """Return the query that groups the words between two places."""
    number = func.count(misheard.c.seq.distinct())
    return (
        select(misheard.c.heard, number.label("calls"), func.count().label("answers"))
        .where(misheard.c.seq >= first_seq, misheard.c.seq < before_seq, misheard.c.direction.in_(directions))
        .group_by(misheard.c.heard)
        .order_by(number.desc(), misheard.c.heard)
    )


def read_misheard_of(connection: Connection, seqs: Sequence[int], most: int) -> list[MisheardWords]:
    """Return the words of the calls at these places, in the same order."""
    found: dict[str, list[tuple[int, str]]] = {}
    for start in range(0, len(seqs), MOST_IDS):
        some = misheard.c.seq.in_(seqs[start : start + MOST_IDS])
        for row in connection.execute(select(misheard.c.heard, misheard.c.seq, misheard.c.slot).where(some)):
            found.setdefault(row.heard, []).append((row.seq, row.slot))
    groups = [
        MisheardWords(heard, len({seq for seq, _ in said}), len(said), _by_frequency(Counter(slot for _, slot in said)))
        for heard, said in found.items()
    ]
    return sorted(groups, key=lambda group: (-group.calls, group.heard))[:most]


def _with_slots(
    connection: Connection, rows: Sequence[Any], first_seq: int, before_seq: int, directions: tuple[int, ...]
) -> list[MisheardWords]:
    slots: dict[str, Counter[str]] = {row.heard: Counter() for row in rows}
    words = list(slots)
    for start in range(0, len(words), MOST_IDS):
        query = (
            select(misheard.c.heard, misheard.c.slot, func.count().label("answers"))
            .where(misheard.c.seq >= first_seq, misheard.c.seq < before_seq, misheard.c.direction.in_(directions))
            .where(misheard.c.heard.in_(words[start : start + MOST_IDS]))
            .group_by(misheard.c.heard, misheard.c.slot)
        )
        for row in connection.execute(query):
            slots[row.heard][row.slot] = row.answers
    return [MisheardWords(row.heard, row.calls, row.answers, _by_frequency(slots[row.heard])) for row in rows]


def _by_frequency(slots: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(slots, key=lambda slot: (-slots[slot], slot)))
