"""Reads what reports add up: from the sums where these have it, from the calls themselves where they do not.

Sums are kept by whole hours and days of UTC. A period is put together of the largest pieces that fit: days, hours, and
at its ends single calls (a shop's day may begin at half past an hour of UTC). Where a filter picks some calls out, all
is added up from these calls.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, Select, Table, func, literal, select, text

from agent.history.dialects.base import MOST_IDS, direction_number
from agent.history.filters import CallFilter
from agent.history.report_facts import Value
from agent.history.sums import DAY_MS, HOUR_MS, timed_sums, unpack
from agent.history.tables import call_values, calls, sums_by_day, sums_by_hour

SeqsBetween = Callable[[Connection, int, int], Sequence[int]]
"""``seqs_between(connection, since_ms, until_ms)``: the places of the calls that a filter picks out."""
_TIMED_KINDS = ("length_ms", "length_ms_asked", "wait_ms", "again_24h", "again_24h_asked", "again_7d", "again_7d_asked")
_FEWEST_EVEN = 4
"""Fewer parts of one length than these are read unit by unit, together with their neighbours."""
_FOR_TIMES = ("asked", "solved", "wait_ended")
_ROW = (calls.c.seq, calls.c.started_ms, calls.c.value_ids, calls.c.sums, calls.c.duration_ms, calls.c.wait_ms)


@dataclass(frozen=True)
class _Piece:
    """A part of a period, in units of ``of_ms`` since 1970, or (1) in milliseconds, for calls."""

    of_ms: int
    begin: int
    end: int


@dataclass(frozen=True)
class _Run:
    """A span of a table of sums that one query reads, in units since 1970, for parts that follow one another."""

    begin: int
    end: int
    first_part: int
    each: int
    """How many units each of its parts has; 0 where they differ."""
    parts: Mapping[int, int] = field(default_factory=dict)
    """Unit -> part, where they differ."""


def only_direction(wanted: CallFilter) -> tuple[int, ...] | None:
    """Return the directions whose sums answer a filter; None where it picks out calls by anything else."""
    others = {kind: values for kind, values in wanted.values.items() if kind != "direction" and values}
    if others or CallFilter(wanted.since_ms, wanted.until_ms, wanted.values) != wanted:
        return None
    directions = wanted.values.get("direction", ())
    if not directions:
        return 0, 1, 2
    return (direction_number(directions[0]),) if directions in (("inbound",), ("outbound",)) else None


def read_totals(
    connection: Connection,
    cuts: Sequence[int],
    kinds: Collection[str],
    directions: tuple[int, ...] | None,
    seqs_between: SeqsBetween,
) -> list[Counter[Value]]:
    """Return, for each part between two cuts (milliseconds since 1970), the amounts of all values of these kinds.

    Without ``directions`` all is added up from the calls that ``seqs_between`` picks out.
    """
    names = _names(connection, kinds)
    totals = [Counter[Value]() for _ in cuts[1:]]
    if directions is None:
        _add_calls(connection, seqs_between(connection, cuts[0], cuts[-1]), cuts, names, kinds, totals)
        return totals
    for table, of_ms in ((sums_by_day, DAY_MS), (sums_by_hour, HOUR_MS)):
        for run in _runs(cuts, of_ms):
            _add_sums(connection, table, run, names, (kinds, directions), totals)
    for part, (since, until) in enumerate(pairwise(cuts)):
        for piece in _pieces(since, until):
            if piece.of_ms == 1:
                seqs = seqs_between(connection, piece.begin, piece.end)
                _add_calls(connection, seqs, (piece.begin, piece.end), names, kinds, totals[part : part + 1])
    return totals


def _names(connection: Connection, kinds: Collection[str]) -> Mapping[int, Value]:
    query = select(call_values.c.id, call_values.c.kind, call_values.c.value).where(call_values.c.kind.in_(kinds))
    return {row.id: (row.kind, row.value) for row in connection.execute(query)}


# --- pieces of a period --------------------------------------------------------------------------------


def _pieces(since_ms: int, until_ms: int) -> Iterator[_Piece]:
    """Yield the largest pieces that make up a span."""
    first_hour, end_hour = -(-since_ms // HOUR_MS), until_ms // HOUR_MS
    if first_hour >= end_hour:
        yield _Piece(1, since_ms, until_ms)
        return
    first_day, end_day = -(-first_hour // 24), end_hour // 24
    whole_days = first_day < end_day
    hours = ((first_hour, first_day * 24), (end_day * 24, end_hour)) if whole_days else ((first_hour, end_hour),)
    pieces = [_Piece(1, since_ms, first_hour * HOUR_MS), _Piece(1, end_hour * HOUR_MS, until_ms)]
    pieces += [_Piece(HOUR_MS, begin, end) for begin, end in hours]
    if whole_days:
        pieces.append(_Piece(DAY_MS, first_day, end_day))
    yield from (piece for piece in pieces if piece.begin < piece.end)


def _runs(cuts: Sequence[int], of_ms: int) -> Iterator[_Run]:
    """Yield spans of a table of sums that follow one another."""
    pieces = [
        (piece, part)
        for part, (since, until) in enumerate(pairwise(cuts))
        for piece in sorted(_pieces(since, until), key=lambda piece: piece.begin)
        if piece.of_ms == of_ms
    ]
    place = 0
    while place < len(pieces):
        last = place
        while last + 1 < len(pieces) and pieces[last + 1][0].begin == pieces[last][0].end:
            last += 1
        yield from _even_runs(pieces[place : last + 1])
        place = last + 1


def _even_runs(pieces: Sequence[tuple[_Piece, int]]) -> Iterator[_Run]:
    """Yield a span as it can be read: many parts of one length are added up by the database, a few odd ones here."""
    odd: list[tuple[_Piece, int]] = []
    numbered = enumerate(pieces)
    for (each, _), group in groupby(numbered, key=lambda one: (one[1][0].end - one[1][0].begin, one[1][1] - one[0])):
        even = [one for _, one in group]
        if len(even) < _FEWEST_EVEN and len(pieces) > 1:
            odd += even
            continue
        if odd:
            yield _odd_run(odd)
        odd = []
        yield _Run(even[0][0].begin, even[-1][0].end, even[0][1], each)
    if odd:
        yield _odd_run(odd)


def _odd_run(pieces: Sequence[tuple[_Piece, int]]) -> _Run:
    parts = {unit: part for piece, part in pieces for unit in range(piece.begin, piece.end)}
    return _Run(pieces[0][0].begin, pieces[-1][0].end, pieces[0][1], 0, parts)


# --- reading -------------------------------------------------------------------------------------------


def sums_query(
    table: Table, begin: int, end: int, kinds: Collection[str], directions: tuple[int, ...], *, each: int
) -> Select[Any]:
    """Return the query that reads a span of a table of sums: value id, amount, and where in the span that is.

    That is a number of parts of ``each`` units, added up; where ``each`` is 0 the unit, as it is stored.
    """
    amount, place = func.sum(table.c.amount), (table.c.start - begin) // each if each else table.c.start
    if each >= end - begin:
        place = literal(0)
    query = (
        select(table.c.value_id, amount if each else table.c.amount, place)
        .select_from(call_values.join(table, call_values.c.id == table.c.value_id))
        .where(call_values.c.kind.in_(sorted(kinds)), table.c.direction.in_(directions))
        .where(table.c.start >= begin, table.c.start < end)
    )
    if each >= end - begin:
        return query.group_by(table.c.value_id)
    return query.group_by(table.c.value_id, text("3")) if each else query


def _add_sums(
    connection: Connection,
    table: Table,
    run: _Run,
    names: Mapping[int, Value],
    wanted: tuple[Collection[str], tuple[int, ...]],
    totals: Sequence[Counter[Value]],
) -> None:
    rows = connection.execute(sums_query(table, run.begin, run.end, *wanted, each=run.each))
    for value_id, amount, place in rows:
        part = run.first_part + place if run.each else run.parts[place]
        totals[part][names[value_id]] += int(amount)


def _add_calls(
    connection: Connection,
    seqs: Sequence[int],
    cuts: Sequence[int],
    names: Mapping[int, Value],
    kinds: Collection[str],
    totals: Sequence[Counter[Value]],
) -> None:
    timed = [kind for kind in _TIMED_KINDS if kind in kinds]
    told = _names(connection, _FOR_TIMES) if timed else {}
    counted = [Counter[int]() for _ in totals]
    for row in _rows(connection, seqs):
        part = bisect.bisect_right(cuts, row.started_ms) - 1
        counted[part].update(row.value_ids)
        counted[part].update(unpack(row.sums))
        if timed:
            values = [told[value_id] for value_id in row.value_ids if value_id in told]
            for value, amount in timed_sums(values, row.duration_ms, row.wait_ms, row.again_ms):
                if value[0] in timed:
                    totals[part][value] += amount
    for total, by_id in zip(totals, counted, strict=True):
        for value_id, amount in by_id.items():
            if value_id in names:
                total[names[value_id]] += amount


def _rows(connection: Connection, seqs: Sequence[int]) -> Iterable[Any]:
    for start in range(0, len(seqs), MOST_IDS):
        some = seqs[start : start + MOST_IDS]
        yield from connection.execute(select(*_ROW, calls.c.again_ms).where(calls.c.seq.in_(some)))
