"""The index in PostgreSQL: full text and values by GIN. Its planner knows where a search should start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    Connection,
    Index,
    MetaData,
    SmallInteger,
    Table,
    bindparam,
    cast,
    delete,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.types import Integer

from agent.history.dialects.base import Conditions, IndexedCall, WordCondition
from agent.history.dialects.conditions import caller_conditions, in_bounds, within
from agent.history.tables import call_orders, calls, calls_by_caller, metadata, misheard, sums_by_day, sums_by_hour
from agent.history.words import TURN_END, Term

_SIDES = {"caller": "c", "agent": "a"}
"""A word is kept once for each side: its first letter tells whose it is."""

_PERSONAL = (
    ("calls", "caller"),
    ("calls", "caller_reversed"),
    ("calls", "orders"),
    ("call_orders", "number"),
    ("misheard", "heard"),
)
"""Columns of which PostgreSQL's own statistics must keep no values."""

_SUM_COLUMNS = ("ids", "directions", "starts", "amounts")
_SUM_TYPES = (Integer, SmallInteger, Integer, BigInteger)

_Columns = ReadOnlyColumnCollection[str, Any]

_NEWEST = 20_000
"""So many calls are looked through before the lists of all: a page of what is frequent is among them."""

_metadata = MetaData()
_call_words = Table(
    "call_words",
    _metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("words", TSVECTOR, nullable=False),
)
_call_words_words = Index("call_words_words", _call_words.c.words, postgresql_using="gin")
Index("calls_by_value", calls.c.value_ids, postgresql_using="gin").ddl_if(dialect="postgresql")
_put_off = (_call_words_words, *calls.indexes)


class PostgresDialect:
    """Implements :class:`agent.history.dialects.base.IndexDialect`."""

    def create(self, connection: Connection) -> None:
        """See the Protocol."""
        for tables in (metadata, _metadata):
            tables.create_all(connection)
        # long values stand beside the rows: a search that meets many rows reads few pages
        connection.execute(text("ALTER TABLE call_words SET (toast_tuple_target = 128)"))
        for table, name in _PERSONAL:
            connection.execute(text(f"ALTER TABLE {table} ALTER {name} SET STATISTICS 0"))

    def drop(self, connection: Connection) -> None:
        """See the Protocol."""
        for tables in (_metadata, metadata):
            tables.drop_all(connection)

    def begin_filling(self, connection: Connection) -> None:
        """See the Protocol."""
        for index in _put_off:
            index.drop(connection, checkfirst=True)

    def begin_linking(self, connection: Connection) -> None:
        """See the Protocol."""
        calls_by_caller.create(connection, checkfirst=True)

    def end_filling(self, connection: Connection) -> None:
        """See the Protocol."""
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        for index in _put_off:
            index.create(connection, checkfirst=True)
        for table in (calls, call_orders, misheard, sums_by_hour, sums_by_day, _call_words):
            connection.execute(text(f"ANALYZE {table.name}"))

    def insert(self, connection: Connection, calls_to_add: Sequence[IndexedCall]) -> None:
        """See the Protocol."""
        _copy(connection, calls, ((*call.row(), list(call.value_ids)) for call in calls_to_add))
        _copy(connection, misheard, (row for call in calls_to_add for row in call.misheard_rows()))
        _copy(connection, call_orders, ((number, call.seq) for call in calls_to_add for number in call.facts.orders))

    def add_sums(self, connection: Connection, into: Table, rows: Sequence[tuple[int, int, int, int]]) -> None:
        """See the Protocol."""
        if rows:
            add = text(
                f"INSERT INTO {into.name} AS old SELECT * FROM unnest(:ids, :directions, :starts, :amounts)"  # noqa: S608
                " ON CONFLICT (value_id, direction, start) DO UPDATE SET amount = old.amount + excluded.amount"
            ).bindparams(
                *(bindparam(name, type_=ARRAY(kind)) for name, kind in zip(_SUM_COLUMNS, _SUM_TYPES, strict=True))
            )
            columns = (list(column) for column in zip(*rows, strict=True))
            connection.execute(add, dict(zip(_SUM_COLUMNS, columns, strict=True)))

    def insert_words(self, connection: Connection, calls_to_add: Sequence[IndexedCall]) -> None:
        """See the Protocol."""
        _copy(connection, _call_words, ((call.seq, _vector(call)) for call in calls_to_add))

    def remove(self, connection: Connection, seqs: Sequence[int]) -> None:
        """See the Protocol."""
        for table in (call_orders, misheard, calls):
            connection.execute(delete(table).where(table.c.seq.in_(seqs)))

    def remove_words(self, connection: Connection, seqs: Sequence[int]) -> None:
        """See the Protocol. What is deleted leaves PostgreSQL's files with the next VACUUM."""
        connection.execute(delete(_call_words).where(_call_words.c.seq.in_(seqs)))

    def find(self, connection: Connection, wanted: Conditions, limit: int) -> list[int]:
        """See the Protocol.

        The planner takes values for independent of one another, and callers for evenly spread (it must not know them).
        Where a page depends on these it is looked for among the newest calls first, and then in the lists of all.
        """
        if limit > _NEWEST or wanted.among or wanted.words or not (wanted.groups or wanted.caller):
            query = select(calls.c.seq).where(*within(calls.c.seq, wanted), *_conditions(wanted))
            return list(connection.scalars(query.order_by(calls.c.seq.desc()).limit(limit)))
        newest = (
            select(calls).where(*within(calls.c.seq, wanted)).order_by(calls.c.seq.desc()).limit(_NEWEST).subquery()
        )
        query = select(newest.c.seq).where(*_conditions(wanted, newest.c)).order_by(newest.c.seq.desc())
        found = list(connection.scalars(query.limit(limit)))
        return found if len(found) == limit else _find_in_lists(connection, wanted, limit)


def _find_in_lists(connection: Connection, wanted: Conditions, limit: int) -> list[int]:
    """Find calls by reading the lists of all that fulfil each condition, whatever the planner expects of them."""
    every = select(calls.c.seq).where(*within(calls.c.seq, wanted), *_conditions(wanted))
    every_cte = every.cte("every").prefix_with("MATERIALIZED", dialect="postgresql")
    _let_planner_scan(connection, "off")
    found = list(connection.scalars(select(every_cte.c.seq).order_by(every_cte.c.seq.desc()).limit(limit)))
    _let_planner_scan(connection, "on")
    return found


def _let_planner_scan(connection: Connection, allowed: str) -> None:
    """Let the planner go through a table, or one of its keys, row by row (``on``), or not (``off``)."""
    scans = "set_config('enable_seqscan', :allowed, true), set_config('enable_indexscan', :allowed, true)"
    connection.execute(text(f"SELECT {scans}"), {"allowed": allowed})


def _conditions(wanted: Conditions, of: _Columns = calls.c) -> Iterator[ColumnElement[bool]]:
    """Yield what must be true of a call, but for its time."""
    if single := [group.ids[0] for group in wanted.groups if len(group.ids) == 1]:
        yield of.value_ids.op("@>", is_comparison=True)(cast(single, ARRAY(Integer)))  # one reading of the GIN for all
    for group in wanted.groups:
        if len(group.ids) > 1:
            yield of.value_ids.op("&&", is_comparison=True)(cast(list(group.ids), ARRAY(Integer)))
    if wanted.order:
        yield of.seq.in_(select(call_orders.c.seq).where(call_orders.c.number == wanted.order))
    if wanted.caller:
        yield of.seq.in_(_of_caller(wanted.caller))
    for name, span in wanted.spans():
        yield in_bounds(of[name], span)
    if wanted.misheard:
        yield of.seq.in_(select(misheard.c.seq).where(misheard.c.heard == wanted.misheard))
    for words in wanted.words:
        said = _call_words.c.words.op("@@", is_comparison=True)(cast(_query(words), TSQUERY))
        yield of.seq.in_(select(_call_words.c.seq).where(said, *within(_call_words.c.seq, wanted)))


def _of_caller(digits: str) -> CompoundSelect[Any]:
    """The places of a number's calls; each condition by itself, as it is read from the index."""
    one_by_one = caller_conditions(calls.c.caller_reversed, digits)
    return union_all(*(select(calls.c.seq).where(condition) for condition in one_by_one))


def _query(words: WordCondition) -> str:
    """Return the text of a tsquery. The words hold letters and digits only."""
    return " & ".join(f"({_by_side(term, words.who)})" for term in words.terms)


def _by_side(term: Term, who: str) -> str:
    sides = _SIDES.values() if who == "any" else (_SIDES[who],)
    phrases = (" <-> ".join(f"'{side}{word}'" for word in term.words) for side in sides)
    return " | ".join(f"({phrase}{':*' if term.prefix else ''})" for phrase in phrases)


def _vector(call: IndexedCall) -> str:
    """Return the text of a tsvector: the words of both sides with their places."""
    caller = _places(_SIDES["caller"], call.facts.caller_words)
    agent = _places(_SIDES["agent"], call.facts.agent_words)
    return " ".join(
        f"'{word}':{','.join(map(str, places))}" for part in (caller, agent) for word, places in part.items()
    )


def _places(side: str, words: Iterable[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, word in enumerate(words, 1):
        if word != TURN_END:
            places[side + word].append(place)
    return places


def _copy(connection: Connection, into: Table, rows: Iterable[Sequence[object]]) -> None:
    """Put rows in by COPY, five times as fast as INSERT."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {into.name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
