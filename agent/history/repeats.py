"""Finds, for each call, the next one of the same number on the same matter, and keeps how long after it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, Text, bindparam, select, tuple_, update

from agent.history.dialects.base import direction_number
from agent.history.report_facts import Value
from agent.history.sums import REPEAT_WINDOWS, SumWriter, repeat_sums
from agent.history.tables import NEVER, calls

WINDOW_MS = max(REPEAT_WINDOWS.values())
"""Longer after a call nothing is a repeat of it."""
_AT_ONCE = 20_000
_COLUMNS = (
    *(calls.c.seq, calls.c.caller_reversed, calls.c.started_ms, calls.c.direction, calls.c.value_ids, calls.c.orders),
    calls.c.again_ms,
)
_PLACE = (Text, BigInteger)
_SOLVED: Value = ("solved", "yes")

Touched = dict[str, tuple[int, int]]
"""Caller (``calls.caller_reversed``) -> the first and last place at which calls came or went."""


class RepeatLinker:
    """Keeps ``calls.again_ms`` true, and with it the sums of repeated calls."""

    def __init__(self, sums: SumWriter, value_of: Callable[[int], Value], id_of: Callable[[Connection, Value], int]):
        self._sums = sums
        self._value_of = value_of
        self._id_of = id_of

    def link(self, connection: Connection, touched: Touched) -> None:
        """Look again at the calls of these callers, as far as calls that came or went can matter to them."""
        span = WINDOW_MS << 10
        for caller, (first, last) in touched.items():
            rows = connection.execute(
                _linkable()
                .where(calls.c.caller_reversed == caller, calls.c.seq.between(first - span, last + span))
                .order_by(calls.c.seq)
            ).all()
            self._update(connection, [pair for pair in _again(rows, self._value_of) if pair[0].seq <= last])

    def link_all(self, connection: Connection) -> None:
        """Look at all calls."""
        caller, seq = "", -1
        kept: list[Row[Any]] = []
        while True:
            rows = connection.execute(
                _linkable()
                .where(tuple_(calls.c.caller_reversed, calls.c.seq) > tuple_(caller, seq, types=_PLACE))
                .order_by(calls.c.caller_reversed, calls.c.seq)
                .limit(_AT_ONCE)
            ).all()
            if not rows:
                break
            caller, seq = rows[-1].caller_reversed, rows[-1].seq
            kept += rows
            whole = [row for row in kept if row.caller_reversed != caller]  # of the last caller more may come
            kept = kept[len(whole) :]
            self._update(connection, _again_by_caller(whole, self._value_of))
        self._update(connection, _again_by_caller(kept, self._value_of))

    def _update(self, connection: Connection, found: Iterable[tuple[Row[Any], int]]) -> None:
        changed = []
        for row, again_ms in found:
            if again_ms == row.again_ms:
                continue
            changed.append({"place": row.seq, "again": again_ms})
            values = [self._value_of(value_id) for value_id in row.value_ids]
            if _SOLVED not in values:
                continue
            asked = [value for kind, value in values if kind == "asked"]
            for ms, sign in ((row.again_ms, -1), (again_ms, 1)):
                amounts = [(self._id_of(connection, value), amount) for value, amount in repeat_sums(asked, ms)]
                self._sums.add(direction_number(row.direction), row.started_ms, amounts, sign=sign)
        if changed:
            place = calls.c.seq == bindparam("place")
            connection.execute(update(calls).where(place).values(again_ms=bindparam("again")), changed)


def touched_at(calls_at: Iterable[tuple[str, int]]) -> Touched:
    """Return the first and the last place for each caller, of callers with places."""
    touched: Touched = {}
    for caller, seq in calls_at:
        first, last = touched.get(caller, (seq, seq))
        touched[caller] = (min(first, seq), max(last, seq))
    return touched


def _linkable() -> Select[Any]:
    return select(*_COLUMNS).where(calls.c.again_ms.is_not(None))


def _again_by_caller(rows: Sequence[Row[Any]], value_of: Callable[[int], Value]) -> Iterator[tuple[Row[Any], int]]:
    begin = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end].caller_reversed != rows[begin].caller_reversed:
            yield from _again(rows[begin:end], value_of)
            begin = end


def _again(rows: Sequence[Row[Any]], value_of: Callable[[int], Value]) -> Iterator[tuple[Row[Any], int]]:
    """Yield each call of one caller with how long after it the next one on the same matter came, the latest first."""
    following: dict[object, int] = {}
    for row in reversed(rows):
        matters: list[object] = [value_id for value_id in row.value_ids if value_of(value_id)[0] == "asked"]
        matters += row.orders.split()
        later = [following[matter] for matter in matters if matter in following]
        again_ms = min(later) - row.started_ms if later else NEVER
        yield row, again_ms if again_ms < WINDOW_MS else NEVER
        following.update(dict.fromkeys(matters, row.started_ms))
