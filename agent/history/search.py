"""Finding calls: lists a page at a time, how many there are, whole records by id."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, or_, select

from agent.common.untrusted import load_json
from agent.errors import OrderlineError
from agent.history.dialects.base import MOST_IDS, Conditions, IndexDialect, ValueGroup, WordCondition, reversed_digits
from agent.history.facts import order_key
from agent.history.filters import VALUE_KINDS, CallFilter
from agent.history.misheard import MisheardWords, read_misheard, read_misheard_of
from agent.history.report_facts import Value
from agent.history.tables import call_values, calls
from agent.history.totals import only_direction, read_totals
from agent.history.words import search_terms

MOST_LINES = 1_000
"""Calls of one page."""
_EVERY_CALL = 2**31
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
RecordsOf = Callable[[Connection, Sequence[str]], Mapping[str, str]]
"""``records_of(connection, ids)``: id -> the whole record as JSON; without those that are gone."""


class InvalidSearch(OrderlineError):
    """A search cannot be done as it was asked for."""

    code = "search"


@dataclass(frozen=True)
class CallLine:
    """One call in a list."""

    id: str
    started_at: dt.datetime
    """By the shop's clock."""
    duration_seconds: float
    caller: str
    dialled: str
    direction: str
    outcome: str
    ended_by: str
    reason: str
    """Why it was handed over."""
    queue: str
    edition: str
    asked: str
    """The first thing that was asked for."""
    last_step: str
    orders: tuple[str, ...]
    score: int | None
    latency_ms: int | None
    """The slowest response of the call."""
    turns: int
    faults: int


@dataclass(frozen=True)
class CallPage:
    """Calls, the latest first."""

    lines: tuple[CallLine, ...]
    next: str
    """Where the next page begins; ``""`` where there is none."""


class CallIndex:
    """One index, for reading. Made by :mod:`agent.history.opening`. Methods block, and raise ``DBAPIError``."""

    def __init__(self, engine: Engine, dialect: IndexDialect, records_of: RecordsOf) -> None:
        self._engine = engine
        self._dialect = dialect
        self._records_of = records_of

    def find(self, wanted: CallFilter, *, limit: int = 50, after: str = "") -> CallPage:
        """Return a page of the calls that fulfil a filter, the latest first.

        ``after`` is ``next`` of the page before. Raises :class:`InvalidSearch` and
        :class:`agent.history.words.InvalidWords` for what cannot be asked.
        """
        if not 1 <= limit <= MOST_LINES:
            raise InvalidSearch(f"A page has 1 to {MOST_LINES} calls, not {limit}.")
        before = _place(after) if after else None
        with self._engine.connect() as connection:
            seqs = self._seqs(connection, wanted, before, limit + 1)
            lines = tuple(_lines(connection, seqs[:limit]))
        return CallPage(lines, _cursor(seqs[limit - 1]) if len(seqs) > limit else "")

    def count(self, wanted: CallFilter, most: int = 1_000) -> int:
        """Return how many calls fulfil a filter, ``most`` where there are as many or more."""
        with self._engine.connect() as connection:
            return len(self._seqs(connection, wanted, None, most))

    def every(self, wanted: CallFilter) -> Iterator[CallLine]:
        """Yield all calls that fulfil a filter, the latest first; those that come meanwhile are not among them."""
        before: int | None = None
        while True:
            with self._engine.connect() as connection:
                seqs = self._seqs(connection, wanted, before, MOST_LINES)
                lines = list(_lines(connection, seqs))
            yield from lines
            if len(seqs) < MOST_LINES:
                return
            before = seqs[-1]

    def record(self, call_id: str) -> dict[str, Any] | None:
        """Return one whole record, None where there is none."""
        return next(iter(self.records([call_id]).values()), None)

    def records(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return whole records by id, in the order asked for, without those that are gone."""
        with self._engine.connect() as connection:
            found: dict[str, str] = {}
            for start in range(0, len(ids), MOST_IDS):
                found.update(self._records_of(connection, ids[start : start + MOST_IDS]))
        return {call_id: load_json(found[call_id]) for call_id in ids if call_id in found}

    def values(self, kind: str) -> list[tuple[str, int]]:
        """Return all values of a kind (:data:`VALUE_KINDS`) with the number of their calls, the most frequent first."""
        query = select(call_values.c.value, call_values.c.calls).where(call_values.c.kind == kind)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(call_values.c.calls.desc(), call_values.c.value)).all()
        return [(row.value, row.calls) for row in rows]

    def totals(self, wanted: CallFilter, cuts: Sequence[int], kinds: Collection[str]) -> list[Counter[Value]]:
        """Return what is added up of the calls that fulfil a filter, for each part between two cuts.

        ``cuts`` are milliseconds since 1970, in order; the times of the filter itself are not used. ``kinds`` are those
        of values and sums (:mod:`agent.history.report_facts`). Fast where the filter names a direction at most.
        """
        with self._engine.connect() as connection:
            return read_totals(connection, cuts, kinds, only_direction(wanted), partial(self._seqs_between, wanted))

    def misheard(self, wanted: CallFilter, most: int = 100) -> list[MisheardWords]:
        """Return answers that were not understood in the calls that fulfil a filter, those of most calls first."""
        directions = only_direction(wanted)
        since, until = wanted.since_ms or 0, 2**42 if wanted.until_ms is None else wanted.until_ms
        with self._engine.connect() as connection:
            if directions is None:
                return read_misheard_of(connection, self._seqs_between(wanted, connection, since, until), most)
            return read_misheard(connection, _first_seq(since), _first_seq(until), directions, most)

    def stored_between(self, wanted: CallFilter, since_ms: int, until_ms: int) -> Iterator[CallLine]:
        """Yield calls in the order in which their records were stored: from a moment on, and before another.

        Both in milliseconds since 1970.
        """
        written_ms, call_id = since_ms, ""
        while True:
            behind = or_(calls.c.written_ms > written_ms, and_(calls.c.written_ms == written_ms, calls.c.id > call_id))
            query = select(calls.c.seq, calls.c.id, calls.c.written_ms).where(behind, calls.c.written_ms < until_ms)
            with self._engine.connect() as connection:
                rows = connection.execute(query.order_by(calls.c.written_ms, calls.c.id).limit(MOST_LINES)).all()
                fulfil = self._among(connection, wanted, [row.seq for row in rows])
                lines = {line.id: line for line in _lines(connection, fulfil)}
            yield from (lines[row.id] for row in rows if row.id in lines)
            if len(rows) < MOST_LINES:
                return
            written_ms, call_id = rows[-1].written_ms, rows[-1].id

    # --- parts ----------------------------------------------------------------------------------------

    def _seqs(self, connection: Connection, wanted: CallFilter, before: int | None, limit: int) -> list[int]:
        conditions = _conditions(connection, wanted)
        if conditions is None:
            return []
        if before is not None:
            most = conditions.before_seq
            conditions = dataclasses.replace(conditions, before_seq=before if most is None else min(before, most))
        return self._dialect.find(connection, conditions, limit)

    def _seqs_between(self, wanted: CallFilter, connection: Connection, since_ms: int, until_ms: int) -> list[int]:
        return self._seqs(
            connection, dataclasses.replace(wanted, since_ms=since_ms, until_ms=until_ms), None, _EVERY_CALL
        )

    def _among(self, connection: Connection, wanted: CallFilter, seqs: Sequence[int]) -> list[int]:
        """Return those of the calls at these places that fulfil a filter."""
        conditions = _conditions(connection, wanted)
        if conditions is None or not seqs:
            return []
        if conditions == Conditions():
            return list(seqs)
        return self._dialect.find(connection, dataclasses.replace(conditions, among=tuple(seqs)), len(seqs))


def _conditions(connection: Connection, wanted: CallFilter) -> Conditions | None:
    """Look the values of a filter up; None where one of them is true of no call."""
    groups = []
    for kind, values in (*wanted.values.items(), *wanted.also):
        if kind not in VALUE_KINDS:
            raise InvalidSearch(f"Calls are not found by {kind!r}, but by {', '.join(VALUE_KINDS)}.")
        if values:
            groups.append(_group(connection, kind, values))
    if wanted.score:
        groups.append(_score_group(connection, wanted))
    if any(not group.ids for group in groups):
        return None
    if wanted.caller and not reversed_digits(wanted.caller):
        raise InvalidSearch(f"There is no digit in the caller's number {wanted.caller!r}.")
    if wanted.order and not order_key(wanted.order):
        raise InvalidSearch(f"There is no letter or digit in the order number {wanted.order!r}.")
    said = (("any", wanted.said), ("caller", wanted.caller_said), ("agent", wanted.agent_said))
    return Conditions(
        first_seq=None if wanted.since_ms is None else _first_seq(wanted.since_ms),
        before_seq=None if wanted.until_ms is None else _first_seq(wanted.until_ms),
        groups=tuple(groups),
        order=order_key(wanted.order),
        caller=reversed_digits(wanted.caller),
        length_ms=wanted.length_ms,
        latency_ms=wanted.latency_ms,
        wait_ms=wanted.wait_ms,
        greeting_ms=wanted.greeting_ms,
        again_ms=wanted.again_ms,
        misheard=wanted.misheard,
        words=tuple(WordCondition(who, search_terms(query)) for who, query in said if query),
    )


def _first_seq(ms: int) -> int:
    return max(0, min(ms, 2**42)) << 10


def _group(connection: Connection, kind: str, values: Sequence[str]) -> ValueGroup:
    query = select(call_values.c.value, call_values.c.id, call_values.c.calls).where(call_values.c.kind == kind)
    matches = [_pattern(value).fullmatch for value in values]  # here: the databases do not agree on LIKE
    rows = [row for row in connection.execute(query) if any(match(row.value) for match in matches)]
    return ValueGroup(tuple(row.id for row in rows), sum(row.calls for row in rows))


def _pattern(value: str) -> re.Pattern[str]:
    if value.startswith("="):
        return re.compile(re.escape(value[1:]))
    return re.compile(".*".join(map(re.escape, value.split("*"))), re.IGNORECASE | re.DOTALL)


def _score_group(connection: Connection, wanted: CallFilter) -> ValueGroup:
    least, most = wanted.score.least, wanted.score.most
    scores = [
        str(score) for score in range(100) if (least is None or score >= least) and (most is None or score <= most)
    ]
    return _group(connection, "score", scores) if scores else ValueGroup((), 0)


def _lines(connection: Connection, seqs: Sequence[int]) -> Iterator[CallLine]:
    for start in range(0, len(seqs), MOST_IDS):
        some = seqs[start : start + MOST_IDS]
        rows = {row.seq: row for row in connection.execute(select(calls).where(calls.c.seq.in_(some)))}
        yield from (_line(rows[seq]) for seq in some if seq in rows)


def _line(row: Row[Any]) -> CallLine:
    zone = dt.timezone(dt.timedelta(minutes=row.offset_minutes))
    names: tuple[str, ...] = (
        "id",
        "caller",
        "dialled",
        "direction",
        "outcome",
        "ended_by",
        "reason",
        "queue",
        "edition",
        "asked",
    )
    names += ("last_step", "score", "latency_ms", "turns", "faults")
    return CallLine(
        started_at=(_EPOCH + dt.timedelta(milliseconds=row.started_ms)).astimezone(zone),
        duration_seconds=row.duration_ms / 1000,
        orders=tuple(row.orders.split()),
        **{name: getattr(row, name) for name in names},
    )


def _cursor(seq: int) -> str:
    return base64.urlsafe_b64encode(seq.to_bytes(8, "big")).decode().rstrip("=")


def _place(cursor: str) -> int:
    try:
        place = int.from_bytes(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), "big")
    except (ValueError, binascii.Error):
        place = -1
    if not (0 <= place < 2**63 and _cursor(place) == cursor):
        raise InvalidSearch(f"{cursor!r} is not where a page begins: give what the page before said.")
    return place
