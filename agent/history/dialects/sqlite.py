"""The index in SQLite: how its tables are made and filled."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from sqlalchemy import Connection, Table, select, text

from agent.history.dialects.base import Conditions, IndexedCall
from agent.history.dialects.sqlite_search import call_texts, find_in_sqlite, sqlite_metadata
from agent.history.dialects.sqlite_values import add_calls, remove_calls, values_metadata
from agent.history.tables import call_orders, calls, calls_by_caller, metadata, misheard, spaced

_FULL_TEXT = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS call_words USING fts5"
    "(caller, agent, content='', columnsize=0, tokenize=\"ascii tokenchars '|'\")"
)
_OF_EARLIER_LAYOUTS = ("calls_by_value",)
"""Tables that an index of an older Orderline has, and no one of ours."""
_PENDING_BYTES = 64 * 1024 * 1024
"""What FTS5 gathers in memory before it writes a piece."""


class SqliteDialect:
    """Implements :class:`agent.history.dialects.base.IndexDialect`."""

    def __init__(self) -> None:
        self._earlier: dict[int, int] = {}
        """Place -> slot of the calls that were removed last: a call that only changed gets its slot again."""

    def create(self, connection: Connection) -> None:
        """See the Protocol."""
        for tables in (metadata, sqlite_metadata, values_metadata):
            tables.create_all(connection)
        connection.execute(text(_FULL_TEXT))
        connection.execute(
            text("INSERT INTO call_words(call_words, rank) VALUES('hashsize', :bytes)"), {"bytes": _PENDING_BYTES}
        )

    def drop(self, connection: Connection) -> None:
        """See the Protocol."""
        for name in ("call_words", *_OF_EARLIER_LAYOUTS):
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        for tables in (values_metadata, sqlite_metadata, metadata):
            tables.drop_all(connection)

    def begin_filling(self, connection: Connection) -> None:
        """See the Protocol. An index that is made of all rows at once is sorted once, and written once."""
        for index in calls.indexes:
            index.drop(connection, checkfirst=True)

    def begin_linking(self, connection: Connection) -> None:
        """See the Protocol."""
        calls_by_caller.create(connection, checkfirst=True)

    def end_filling(self, connection: Connection) -> None:
        """See the Protocol."""
        for index in sorted(calls.indexes, key=lambda index: str(index.name)):
            index.create(connection, checkfirst=True)

    def insert(self, connection: Connection, calls_to_add: Sequence[IndexedCall]) -> None:
        """See the Protocol."""
        ordered = sorted(calls_to_add, key=lambda call: call.seq)
        _many(connection, calls, [(*call.row(), spaced(call.value_ids)) for call in ordered])
        add_calls(connection, [(call.seq, call.value_ids) for call in ordered], self._earlier)
        _many(connection, misheard, [row for call in ordered for row in call.misheard_rows()])
        _many(connection, call_orders, [(number, call.seq) for call in ordered for number in call.facts.orders])

    def insert_words(self, connection: Connection, calls_to_add: Sequence[IndexedCall]) -> None:
        """See the Protocol."""
        ordered = sorted(calls_to_add, key=lambda call: call.seq)  # FTS5 writes a piece of its own for each step back
        sides = [(call.seq, " ".join(call.facts.caller_words), " ".join(call.facts.agent_words)) for call in ordered]
        if sides:
            connection.exec_driver_sql("INSERT INTO call_words(rowid, caller, agent) VALUES (?, ?, ?)", sides)
        _many(
            connection,
            call_texts,
            [(seq, zlib.compress(f"{caller}\n{agent}".encode(), 1)) for seq, caller, agent in sides],
        )

    def remove(self, connection: Connection, seqs: Sequence[int]) -> None:
        """See the Protocol."""
        values, orders = list[tuple[int, list[int]]](), list[tuple[str, int]]()
        for seq, value_ids, numbers in connection.execute(
            select(calls.c.seq, calls.c.value_ids, calls.c.orders).where(calls.c.seq.in_(seqs))
        ):
            values.append((seq, value_ids))
            orders += [(number, seq) for number in numbers.split()]
        self._earlier = remove_calls(connection, values)
        _each(connection, "DELETE FROM call_orders WHERE number = ? AND seq = ?", orders)
        for name in ("misheard", "calls"):
            _each(connection, f"DELETE FROM {name} WHERE seq = ?", [(seq,) for seq in seqs])  # noqa: S608 - our names

    def add_sums(self, connection: Connection, into: Table, rows: Sequence[tuple[int, int, int, int]]) -> None:
        """See the Protocol."""
        add = "ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"
        _each(connection, f"INSERT INTO {into.name} VALUES (?, ?, ?, ?) {add}", rows)  # noqa: S608 - our own name

    def remove_words(self, connection: Connection, seqs: Sequence[int]) -> None:
        """See the Protocol. The whole full text is written anew: FTS5 only marks words as gone until then."""
        sides = []
        for seq, packed in connection.execute(select(call_texts).where(call_texts.c.seq.in_(seqs))):
            caller, _, agent = zlib.decompress(packed).decode().partition("\n")
            sides.append((seq, caller, agent))
        delete_words = "INSERT INTO call_words(call_words, rowid, caller, agent) VALUES ('delete', ?, ?, ?)"
        _each(connection, delete_words, sides)
        _each(connection, "DELETE FROM call_texts WHERE seq = ?", [(seq,) for seq in seqs])
        connection.execute(text("INSERT INTO call_words(call_words) VALUES ('optimize')"))

    def find(self, connection: Connection, wanted: Conditions, limit: int) -> list[int]:
        """See the Protocol."""
        return find_in_sqlite(connection, wanted, limit)


def _many(connection: Connection, into: Table, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(into.columns))
        connection.exec_driver_sql(f"INSERT INTO {into.name} VALUES ({marks})", list(rows))  # noqa: S608 - our own name


def _each(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, list(rows))
