"""Searching the index in SQLite.

SQLite does not know how often a value occurs, so a search is told which list it starts from: the shortest one, where
that is short; else one that is read from the latest call on until the page is full. All else is looked up call by call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    column,
    func,
    select,
    table,
)

from agent.history.dialects.base import Conditions, ValueGroup, WordCondition
from agent.history.dialects.conditions import caller_is, in_bounds, within
from agent.history.tables import call_orders, calls, misheard, row_place
from agent.history.words import Term

SHORT = 10_000
"""A list up to this long is read whole and sorted."""
_MANY = 2**62
LOOK_UP_COST = 30
"""Looking one call up in the full text takes as long as reading so many calls of a list of it: some 30 us."""
MOST_LOOKED_UP = 2_000
"""So many calls may be looked up in the full text one by one, where the words are frequent."""

sqlite_metadata = MetaData()
calls_by_value = Table(
    "calls_by_value",
    sqlite_metadata,
    Column("value_id", Integer, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
call_texts = Table(  # what the full text holds of a call: FTS5 must be told it to take a call out
    "call_texts",
    sqlite_metadata,
    Column("seq", row_place, primary_key=True, autoincrement=False),
    Column("packed", LargeBinary, nullable=False),
)
_words: Any = table("call_words", column("rowid"), column("call_words"))

_full_text: Any = table("call_words", column("rowid"), column("call_words"))


def find_in_sqlite(connection: Connection, wanted: Conditions, limit: int) -> list[int]:
    """Return the places of the latest calls that fulfil everything, the latest first."""
    parts = list(_parts(wanted))
    if not parts:
        return _read(connection, wanted, _EVERY_CALL, [], limit)
    parts.append(_EVERY_CALL)
    lengths = {part: part.length(connection, wanted) for part in parts}
    start = min(parts, key=lambda part: lengths[part])
    words = next((part for part in parts if part.full_text), None)
    if words is not None and lengths[words] >= SHORT and lengths[start] > MOST_LOOKED_UP:
        start = words
    elif lengths[start] >= SHORT:
        start = min((part for part in parts if part.in_order), key=lambda part: lengths[part])
    checks: list[Check] = []
    for part in parts:
        if part is not start:
            few = part.full_text and lengths[part] < min(SHORT, lengths[start] * LOOK_UP_COST)
            checks.append(part.listed if few else part.looked_up)
    return _read(connection, wanted, start, checks, limit)


Check = Callable[[ColumnElement[Any]], ColumnElement[bool] | None]


@dataclass(frozen=True, eq=False)
class _Part:
    """One condition: a list of calls that a search may start from, or that calls are looked up in."""

    rows: FromClause
    seq: ColumnElement[Any]
    condition: ColumnElement[bool] | None
    in_order: bool = True
    """Whether the list can be read from the latest call on without being sorted."""
    full_text: bool = False
    at_most: int | None = None
    """How long it is, where that is known."""

    def length(self, connection: Connection, wanted: Conditions) -> int:
        """Return how long the list is, within the time that is asked for; :data:`SHORT` stands for all above."""
        if self.at_most is not None and self.at_most < SHORT:
            return self.at_most
        found = self.listed_within(wanted).limit(SHORT).subquery()
        counted = connection.scalar(select(func.count()).select_from(found)) or 0
        return counted if counted < SHORT else max(SHORT, self.at_most or 0) if self.condition is not None else _MANY

    def looked_up(self, seq: ColumnElement[Any]) -> ColumnElement[bool] | None:
        """The condition, for the call at a place of another list."""
        if self.condition is None:
            return None
        return (
            select(1).select_from(self.rows).where(self.condition, self.seq == seq).correlate_except(self.rows).exists()
        )

    def listed(self, seq: ColumnElement[Any]) -> ColumnElement[bool] | None:
        """The same, by reading the whole list first."""
        return seq.in_(self.listed_within(Conditions()).correlate_except(self.rows))

    def listed_within(self, wanted: Conditions) -> Select[tuple[Any]]:
        """Return the list within the time that is asked for."""
        query = select(self.seq).select_from(self.rows).where(*within(self.seq, wanted))
        return query if self.condition is None else query.where(self.condition)


_EVERY_CALL = _Part(calls, calls.c.seq, None)


def _read(connection: Connection, wanted: Conditions, start: _Part, checks: Sequence[Check], limit: int) -> list[int]:
    query = start.listed_within(wanted)
    query = query.where(*(condition for check in checks if (condition := check(start.seq)) is not None))
    if start.in_order:
        return list(connection.scalars(query.order_by(start.seq.desc()).limit(limit)))
    # "+ 0": else SQLite reads every call in the order of time, to save itself the sorting of a few
    return list(connection.scalars(query.distinct().order_by((start.seq + 0).desc()).limit(limit)))


def _parts(wanted: Conditions) -> Iterator[_Part]:
    for group in wanted.groups:
        yield _of_group(group)
    if wanted.order:
        orders = call_orders.alias()
        yield _Part(orders, orders.c.seq, orders.c.number == wanted.order)
    if wanted.caller:
        of_caller = calls.alias()
        yield _Part(of_caller, of_caller.c.seq, caller_is(of_caller.c.caller_reversed, wanted.caller), in_order=False)
    for name, span in wanted.spans():
        measured = calls.alias()
        yield _Part(measured, measured.c.seq, in_bounds(measured.c[name], span), in_order=False)
    if wanted.misheard:
        unclear = misheard.alias()
        yield _Part(unclear, unclear.c.seq, unclear.c.heard == wanted.misheard, in_order=False)
    if wanted.words:
        yield _Part(
            _full_text, _full_text.c.rowid, _full_text.c.call_words.op("MATCH")(_match(wanted.words)), full_text=True
        )


def _of_group(group: ValueGroup) -> _Part:
    values = calls_by_value.alias()
    if len(group.ids) == 1:
        return _Part(values, values.c.seq, values.c.value_id == group.ids[0], at_most=group.calls)
    return _Part(values, values.c.seq, values.c.value_id.in_(group.ids), in_order=False, at_most=group.calls)


def _match(words: Sequence[WordCondition]) -> str:
    """Return one query of FTS5 for all. The words hold letters and digits only."""
    sides = {"any": "{caller agent}", "caller": "caller", "agent": "agent"}
    return " AND ".join(f"{sides[one.who]} : {_phrase(term)}" for one in words for term in one.terms)


def _phrase(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'
