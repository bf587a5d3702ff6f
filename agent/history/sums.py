"""Sums by hour and by day, kept beside the calls so that a report of a year reads no calls.

A sum is kept for each value that calls can be found by (how many calls), for each pair and bin that
:mod:`agent.history.report_facts` counts, and for the times of :func:`timed_sums`. It is added to when a call comes, and
taken from when a call goes or becomes another one: after every step it is what adding up all calls would give.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, Table, bindparam, delete

from agent.history.dialects.base import IndexDialect
from agent.history.report_facts import Value
from agent.history.tables import sums_by_day, sums_by_hour

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
REPEAT_WINDOWS: Mapping[str, int] = {"24h": DAY_MS, "7d": 7 * DAY_MS}
"""Within which another call of the same number on the same matter counts, by name, in milliseconds."""


def pack(ids: Iterable[int]) -> bytes:
    """Return ids of values, each as often as it counts, as they are stored with a call."""
    numbers = array("I", sorted(ids))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpack(packed: bytes) -> array[int]:
    """Return what was packed."""
    numbers = array("I")
    numbers.frombytes(packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def timed_sums(
    values: Iterable[Value], duration_ms: int, wait_ms: int | None, again_ms: int | None
) -> Iterator[tuple[Value, int]]:
    """Yield what is added up of a call's times; ``values`` is what it can be found by."""
    solved, asked, ended = False, list[str](), ""
    for kind, value in values:
        if kind == "asked":
            asked.append(value)
        elif kind == "solved":
            solved = True
        elif kind == "wait_ended":
            ended = value
    yield ("length_ms", ""), duration_ms
    for intent in asked:
        yield ("length_ms_asked", intent), duration_ms
    if wait_ms is not None and ended:
        yield ("wait_ms", ended), wait_ms
    if solved and again_ms is not None:
        yield from repeat_sums(asked, again_ms)


def repeat_sums(asked: Iterable[str], again_ms: int) -> Iterator[tuple[Value, int]]:
    """Yield what is added up of a call whose task was done, where the same number called again on the same matter."""
    asked = tuple(asked)
    for window, ms in REPEAT_WINDOWS.items():
        if again_ms < ms:
            yield (f"again_{window}", ""), 1
            for intent in asked:
                yield (f"again_{window}_asked", intent), 1


class SumWriter:
    """Gathers what calls add to the sums or take from them, and writes it at once."""

    def __init__(self, dialect: IndexDialect) -> None:
        self.references = Counter[int]()
        """How many calls more (or fewer) each id is true of, since the last :meth:`clear`."""
        self._dialect = dialect
        self._hours: dict[tuple[int, int], Counter[int]] = {}
        self._came: dict[tuple[int, int], list[int]] = {}
        """Ids that calls have added 1 to, not counted yet."""

    def count(self, direction: int, started_ms: int, ids: Iterable[int], *, sign: int = 1) -> None:
        """Add 1 for each id; -1 with ``sign`` -1."""
        if sign > 0:
            self._came.setdefault((direction, started_ms // HOUR_MS), []).extend(ids)
            return
        ids = tuple(ids)
        self._hour(direction, started_ms).subtract(ids)
        self.references.subtract(ids)

    def add(self, direction: int, started_ms: int, amounts: Iterable[tuple[int, int]], *, sign: int = 1) -> None:
        """Add amounts by id; ``sign`` -1 takes them away."""
        hour = self._hour(direction, started_ms)
        for value_id, amount in amounts:
            hour[value_id] += sign * amount
            self.references[value_id] += sign

    def clear(self) -> None:
        """Forget what was gathered."""
        self._hours.clear()
        self._came.clear()
        self.references.clear()

    def write(self, connection: Connection) -> None:
        """Write the sums of all that was gathered. To be done in the transaction of the calls."""
        for place, ids in self._came.items():
            self._hours.setdefault(place, Counter()).update(ids)
            self.references.update(ids)
        self._came.clear()
        days: dict[tuple[int, int], Counter[int]] = {}
        for (direction, hour), counted in self._hours.items():
            days.setdefault((direction, hour // 24), Counter()).update(counted)
        self._write(connection, sums_by_hour, self._hours)
        self._write(connection, sums_by_day, days)

    def _hour(self, direction: int, started_ms: int) -> Counter[int]:
        return self._hours.setdefault((direction, started_ms // HOUR_MS), Counter())

    def _write(self, connection: Connection, into: Table, counted: Mapping[tuple[int, int], Counter[int]]) -> None:
        rows = sorted(
            (value_id, direction, start, amount)
            for (direction, start), amounts in counted.items()
            for value_id, amount in amounts.items()
            if amount
        )
        self._dialect.add_sums(connection, into, rows)
        if taken := [{"v": row[0], "d": row[1], "s": row[2]} for row in rows if row[3] < 0]:
            place = (
                into.c.value_id == bindparam("v"),
                into.c.direction == bindparam("d"),
                into.c.start == bindparam("s"),
            )
            connection.execute(delete(into).where(*place, into.c.amount == 0), taken)
