"""Searching the index in SQLite.

Calls that have the values that are asked for are known at once (:mod:`agent.history.dialects.sqlite_values`). For all
else SQLite is told which list a search starts from: the shortest one, where that is short; else one that is read from
the latest call on until the page is full. What is left is looked up call by call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    bindparam,
    column,
    func,
    select,
    table,
)

from agent.history.dialects.base import Conditions, WordCondition
from agent.history.dialects.conditions import caller_is, in_bounds, within
from agent.history.dialects.sqlite_values import ValueMatches, call_slots, read_matches
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
    matches = read_matches(connection, wanted) if wanted.groups else None
    if matches is not None and not matches.count:
        return []
    if wanted.among:
        return _read(connection, wanted, _EVERY_CALL, [part.looked_up for part in parts], matches, limit)
    if not parts:
        if matches is None:
            return _read(connection, wanted, _EVERY_CALL, [], None, limit)
        return list(islice(chain.from_iterable(matches.newest(connection, wanted)), limit))
    parts.append(_EVERY_CALL)
    lengths = {part: part.length(connection, wanted) for part in parts}
    start = min(parts, key=lambda part: lengths[part])
    words = next((part for part in parts if part.full_text), None)
    fewest = lengths[start] if matches is None else min(lengths[start], matches.count)
    if words is not None and lengths[words] >= SHORT and fewest > MOST_LOOKED_UP:
        start = words
    elif matches is not None and (matches.count <= lengths[start] or lengths[start] >= SHORT):
        checks = _checks(parts, lengths, None, matches.count)
        return _read_newest(connection, wanted, matches, checks, limit)
    elif lengths[start] >= SHORT:
        start = min((part for part in parts if part.in_order), key=lambda part: lengths[part])
    return _read(connection, wanted, start, _checks(parts, lengths, start, lengths[start]), matches, limit)


def _checks(parts: Sequence[_Part], lengths: Mapping[_Part, int], start: _Part | None, looked_at: int) -> list[Check]:
    """Return what is asked of each call that a search looks at, besides being in the list it starts from."""
    checks: list[Check] = []
    for part in parts:
        if part is not start:
            few = part.full_text and lengths[part] < min(SHORT, looked_at * LOOK_UP_COST)
            checks.append(part.listed if few else part.looked_up)
    return checks


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

    def length(self, connection: Connection, wanted: Conditions) -> int:
        """Return how long the list is, within the time that is asked for; :data:`SHORT` stands for all above."""
        found = self.listed_within(wanted).limit(SHORT).subquery()
        counted = connection.scalar(select(func.count()).select_from(found)) or 0
        return counted if counted < SHORT or self.condition is not None else _MANY

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


def _read(
    connection: Connection,
    wanted: Conditions,
    start: _Part,
    checks: Sequence[Check],
    matches: ValueMatches | None,
    limit: int,
) -> list[int]:
    query = start.listed_within(wanted)
    query = query.where(*(condition for check in checks if (condition := check(start.seq)) is not None))
    if matches is not None:
        driver: Any = connection.connection.driver_connection
        driver.create_function("has_values", 1, matches.has, deterministic=True)
        slot = select(call_slots.c.slot).where(call_slots.c.seq == start.seq).scalar_subquery()
        query = query.where(func.has_values(slot) == 1)
    if start.in_order:
        return list(connection.scalars(query.order_by(start.seq.desc()).limit(limit)))
    # "+ 0": else SQLite reads every call in the order of time, to save itself the sorting of a few
    return list(connection.scalars(query.distinct().order_by((start.seq + 0).desc()).limit(limit)))


def _read_newest(
    connection: Connection, wanted: Conditions, matches: ValueMatches, checks: Sequence[Check], limit: int
) -> list[int]:
    """Check the calls of which all values are true, the latest first, until there are enough."""
    places = func.json_each(bindparam("places", type_=Text)).table_valued("value")
    conditions = (condition for check in checks if (condition := check(places.c.value)) is not None)
    query = select(places.c.value).where(*conditions)
    found: list[int] = []
    for part in matches.newest(connection, wanted):
        found += sorted(connection.scalars(query, {"places": json.dumps(part)}), reverse=True)
        if len(found) >= limit:
            break
    return found[:limit]


def _parts(wanted: Conditions) -> Iterator[_Part]:
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


def _match(words: Sequence[WordCondition]) -> str:
    """Return one query of FTS5 for all. The words hold letters and digits only."""
    sides = {"any": "{caller agent}", "caller": "caller", "agent": "agent"}
    return " AND ".join(f"{sides[one.who]} : {_phrase(term)}" for one in words for term in one.terms)


def _phrase(term: Term) -> str:
    return f'"{" ".join(term.words)}"{" *" if term.prefix else ""}'
