"""The tables of the index, the same in SQLite and PostgreSQL. They can be thrown away: the records are the truth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

LAYOUT = 4
"""Raised whenever these tables change, or what :mod:`agent.history.facts` puts into them: the index is made anew."""

NEVER = 2**42
"""Longer than any time between two calls, in milliseconds."""

metadata = MetaData()


class _SpacedNumbers(TypeDecorator[list[int]]):
    """Whole numbers as text, for a database without lists."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: list[int] | None, dialect: Any) -> str | None:
        """Return what is stored."""
        return None if value is None else spaced(value)

    def process_result_value(self, value: str | None, dialect: Any) -> list[int] | None:
        """Return what was stored."""
        return None if value is None else [int(one) for one in value.split()]


def spaced(numbers: Iterable[int]) -> str:
    """Return numbers as SQLite keeps a list of them."""
    return " ".join(map(str, numbers))


_exact = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that both databases compare byte by byte."""

row_place = BigInteger().with_variant(Integer(), "sqlite")
"""For a key ``seq``. An INTEGER key is SQLite's own number of the row: every index ends with it, none looks it up."""

calls = Table(
    "calls",
    metadata,
    # Milliseconds since 1970, times 1024, plus a number that tells calls of one millisecond apart. One whole number
    # orders calls by time: every list goes on from the last one it showed, and full text is read in this order as well.
    Column("seq", row_place, primary_key=True, autoincrement=False),
    Column("id", _exact, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("offset_minutes", SmallInteger, nullable=False),
    Column("written_ms", BigInteger, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("caller", Text, nullable=False),
    Column("caller_reversed", _exact, nullable=False),  # its digits from the last to the first: found by their end
    Column("dialled", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("last_step", Text, nullable=False),
    Column("orders", Text, nullable=False),  # apart by spaces
    Column("score", SmallInteger),
    Column("latency_ms", BigInteger),
    Column("turns", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("words_mark", BigInteger, nullable=False),  # another number where other words were said
    Column("wait_ms", BigInteger),  # in the staff queue
    Column("greeting_ms", BigInteger),
    # How long after this call the same number called again on the same matter; NEVER where it did not, NULL where that
    # cannot be known.
    Column("again_ms", BigInteger),
    Column("sums", LargeBinary, nullable=False),  # what is added up of it besides its values (agent.history.sums)
    Column("value_ids", ARRAY(Integer).with_variant(_SpacedNumbers(), "sqlite"), nullable=False),
    UniqueConstraint("id", name="calls_id"),
)
calls_by_caller = Index("calls_by_caller", calls.c.caller_reversed, calls.c.seq)
Index("calls_by_length", calls.c.duration_ms)
Index("calls_by_latency", calls.c.latency_ms)
Index("calls_by_wait", calls.c.wait_ms)
Index("calls_by_greeting", calls.c.greeting_ms)
Index("calls_by_return", calls.c.again_ms)
Index("calls_by_writing", calls.c.written_ms, calls.c.id)

call_values = Table(
    "call_values",
    metadata,
    # What calls can be found by: outcomes, steps, editions, ... Each once, with the number of calls it is true of.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", _exact, nullable=False),
    Column("value", _exact, nullable=False),
    Column("calls", Integer, nullable=False),
    UniqueConstraint("kind", "value", name="call_values_value"),
)

call_orders = Table(
    "call_orders",
    metadata,
    Column("number", _exact, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

misheard = Table(
    "misheard",
    metadata,
    # Answers that were not understood, as they are grouped: :func:`agent.history.report_facts.report_facts`.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("number", SmallInteger, primary_key=True, autoincrement=False),
    Column("direction", SmallInteger, nullable=False),
    Column("slot", _exact, nullable=False),
    Column("heard", _exact, nullable=False),
    sqlite_with_rowid=False,
)
Index("misheard_by_words", misheard.c.heard, misheard.c.seq)


def _sums(name: str) -> Table:
    """Return a table of sums: how much of a value there is in the calls that began within one hour, or one day."""
    return Table(
        name,
        metadata,
        Column("value_id", Integer, primary_key=True, autoincrement=False),
        Column("direction", SmallInteger, primary_key=True, autoincrement=False),
        Column("start", Integer, primary_key=True, autoincrement=False),  # hours, or days, since 1970 (UTC)
        Column("amount", BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


sums_by_hour = _sums("sums_by_hour")
sums_by_day = _sums("sums_by_day")

index_state = Table(
    "index_state",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""``layout``; ``complete`` (1 when every record has been read once); ``position`` in the log of changes."""
