"""Fills the index from the records and keeps it up to date. One process at a time does that, and never the agent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, inspect, select, update

from agent.errors import OrderlineError
from agent.history.dialects.base import MOST_IDS, IndexDialect, IndexedCall, direction_number, reversed_digits
from agent.history.facts import FinishedCall
from agent.history.record_reader import RecordReader, read_records, second_process_pays
from agent.history.repeats import RepeatLinker, touched_at
from agent.history.report_facts import Value
from agent.history.sources import Changes, Position, RecordSource, StoredRecord
from agent.history.sums import SumWriter, pack, timed_sums, unpack
from agent.history.tables import LAYOUT, call_values, calls, index_state

log = logging.getLogger(__name__)

FILLED_AT_ONCE = 5_000
"""Calls of one transaction while an index is made anew."""

_AHEAD = 4_096
_COUNTED = (
    *(calls.c.value_ids, calls.c.sums, calls.c.direction, calls.c.started_ms, calls.c.caller_reversed),
    *(calls.c.duration_ms, calls.c.wait_ms, calls.c.again_ms),
)
"""What is needed to take a call out of the sums."""

Progress = Callable[[int, int], None]
"""``progress(done, all)``: how many records have been read of how many."""


class NewerIndex(OrderlineError):
    """The index was made by a newer Orderline."""

    code = "index_newer"


class Indexer:
    """Brings one index up to date. Use it under the index's lock (:mod:`agent.history.opening`)."""

    def __init__(self, engine: Engine, dialect: IndexDialect, source: RecordSource) -> None:
        self._engine = engine
        self._dialect = dialect
        self._source = source
        self._values: dict[Value, int] = {}
        self._named: dict[int, Value] = {}
        self._sums = SumWriter(dialect)
        self._repeats = RepeatLinker(self._sums, self._named.__getitem__, self._value_id)

    def catch_up(self, progress: Progress = lambda done, of: None, *, anew: bool = False) -> int:
        """Take in everything that the records hold and the index does not; return how many records were read.

        ``anew`` throws the index away first. Raises :class:`NewerIndex`, :class:`RecordsUnreadable` and
        ``sqlalchemy.exc.DBAPIError``.
        """
        with self._engine.begin() as connection:
            if anew or not self._usable(connection):
                self._begin_anew(connection)
        done = 0
        with self._engine.connect() as connection:
            self._values.clear()
            self._sums.clear()
            complete = _state(connection, "complete")
        if not complete:
            done += self._fill(progress)
        while (changed := self._take_changes()) is not None:
            if not changed:
                return done
            done += changed
        log.warning("the log of changes does not go back to where the index ends: the index is made anew")
        return done + self.catch_up(progress, anew=True)

    # --- making it anew -------------------------------------------------------------------------------

    def is_begun(self) -> bool:
        """Return whether there is an index of this layout, complete or not. Raises :class:`NewerIndex`."""
        with self._engine.connect() as connection:
            return self._usable(connection)

    def _usable(self, connection: Connection) -> bool:
        if not inspect(connection).has_table(index_state.name):
            return False
        layout = _state(connection, "layout")
        if layout > LAYOUT:
            raise NewerIndex(f"the index was made by a newer Orderline (layout {layout}, ours {LAYOUT}): use that one")
        return layout == LAYOUT

    def _begin_anew(self, connection: Connection) -> None:
        position = self._source.begin_anew(connection)
        self._dialect.drop(connection)
        self._dialect.create(connection)
        self._dialect.begin_filling(connection)
        for name, value in (("layout", LAYOUT), ("complete", 0), ("filled_to", 0)):
            _set_state(connection, name, value)
        _set_position(connection, position)

    def _fill(self, progress: Progress) -> int:
        with self._engine.connect() as connection:  # one for all: what it has read of the index stays in memory
            with connection.begin():
                of = self._source.count(connection)
                records = self._source.records_from(connection, _state(connection, "filled_to"), FILLED_AT_ONCE)
            done = 0
            with RecordReader(in_process=second_process_pays(of)) as reader:
                reader.begin(records)
                while records:
                    with connection.begin():
                        further = self._fill_in(connection, reader, records[-1].place)
                    done += len(records)
                    progress(done, max(of, done))
                    records = further
            with connection.begin():
                self._learn_values(connection)
                self._dialect.begin_linking(connection)
                self._repeats.link_all(connection)
                self._write_sums(connection)
                self._dialect.end_filling(connection)
                _set_state(connection, "complete", 1)
        return done

    def _fill_in(self, connection: Connection, reader: RecordReader, last: int) -> Sequence[StoredRecord]:
        """Put in what the reader has read, up to the place ``last``; return further records, which it reads next."""
        further = self._source.records_from(connection, last, FILLED_AT_ONCE)
        read = reader.take()
        reader.begin(further)
        self._learn_values(connection)
        self._insert(connection, read)
        self._write_sums(connection)
        _set_state(connection, "filled_to", last)
        return further

    # --- keeping it up to date ------------------------------------------------------------------------

    def _take_changes(self) -> int | None:
        """Take in the next changes; return how many, or None where the log has forgotten some."""
        with self._engine.begin() as connection:
            position = Position(_state(connection, "position"), _state(connection, "mark"))
            changes = self._source.changes_since(connection, position)
            if changes is None or not changes.ids:
                return None if changes is None else 0
            self._replace(connection, changes)
            _set_position(connection, changes.until)
            self._source.done(connection, changes)
        return len(changes.ids)

    def _replace(self, connection: Connection, changes: Changes) -> None:
        """Put changed calls in the place of what is known of them; words that stay the same are left alone."""
        self._learn_values(connection)
        coming = {one.id: one for one in read_records(changes.records)}
        columns = (calls.c.seq, calls.c.id, calls.c.words_mark, *_COUNTED)
        rows = [
            row
            for ids in _parts(changes.ids)
            for row in connection.execute(select(*columns).where(calls.c.id.in_(ids)))
        ]
        same_words = {
            row.id: row.seq
            for row in rows
            if row.id in coming and (row.seq, row.words_mark) == (coming[row.id].first_seq, coming[row.id].words_mark)
        }
        for row in rows:
            self._take_away(connection, row)
        if rows:
            self._dialect.remove(connection, [row.seq for row in rows])
        if other_words := [row.seq for row in rows if row.id not in same_words]:
            self._dialect.remove_words(connection, other_words)
        kept = [coming[call_id] for call_id in same_words]  # first: nothing else gets their places
        added = self._insert(connection, kept, with_words=False)
        added += self._insert(connection, [one for one in coming.values() if one.id not in same_words])
        gone = ((row.caller_reversed, row.seq) for row in rows if row.again_ms is not None)
        came = ((reversed_digits(one.facts.caller), one.seq) for one in added if one.facts.has_matter)
        self._repeats.link(connection, touched_at(chain(gone, came)))
        self._write_sums(connection)

    def _take_away(self, connection: Connection, row: Any) -> None:
        """Take from counts and sums what a call has added to them."""
        direction = direction_number(row.direction)
        self._sums.count(direction, row.started_ms, chain(row.value_ids, unpack(row.sums)), sign=-1)
        values = [self._named[value_id] for value_id in row.value_ids]
        timed = self._timed(connection, timed_sums(values, row.duration_ms, row.wait_ms, row.again_ms))
        self._sums.add(direction, row.started_ms, timed, sign=-1)

    def _add_up(self, connection: Connection, call: IndexedCall, sum_ids: Sequence[int]) -> None:
        """Add a new call to counts and sums."""
        facts = call.facts
        direction = direction_number(facts.direction)
        self._sums.count(direction, facts.started_ms, (*call.value_ids, *sum_ids))
        timed = self._timed(connection, timed_sums(facts.values, facts.duration_ms, facts.wait_ms, None))
        self._sums.add(direction, facts.started_ms, timed)

    def _timed(self, connection: Connection, sums: Iterable[tuple[Value, int]]) -> list[tuple[int, int]]:
        return [(self._value_id(connection, value), amount) for value, amount in sums]

    def _insert(
        self, connection: Connection, facts: Sequence[FinishedCall], *, with_words: bool = True
    ) -> list[IndexedCall]:
        places = _free_places(connection, facts)
        added = []
        for seq, one in zip(places, facts, strict=True):
            value_ids = tuple(sorted(self._value_ids(connection, one.values)))
            sum_ids = self._value_ids(connection, one.sums)
            if len(one.sums) != sum(one.sums.values()):
                sum_ids = [value_id for value_id, n in zip(sum_ids, one.sums.values(), strict=True) for _ in range(n)]
            call = IndexedCall(seq, value_ids, pack(sum_ids), one)
            added.append(call)
            self._add_up(connection, call, sum_ids)
        self._dialect.insert(connection, added)
        if with_words:
            self._dialect.insert_words(connection, added)
        return added

    # --- values ---------------------------------------------------------------------------------------

    def _learn_values(self, connection: Connection) -> None:
        if not self._values:
            rows = connection.execute(select(call_values.c.kind, call_values.c.value, call_values.c.id))
            self._values.update({(row.kind, row.value): row.id for row in rows})
            self._named.clear()
            self._named.update((value_id, value) for value, value_id in self._values.items())

    def _value_ids(self, connection: Connection, values: Iterable[Value]) -> list[int]:
        """Return the ids of values, in their order."""
        try:
            return [self._values[value] for value in values]
        except KeyError:
            return [self._value_id(connection, value) for value in values]

    def _value_id(self, connection: Connection, value: Value) -> int:
        known = self._values.get(value)
        if known is None:
            known = 1 + (connection.scalar(select(func.max(call_values.c.id))) or 0)
            connection.execute(insert(call_values).values(id=known, kind=value[0], value=value[1], calls=0))
            self._values[value] = known
            self._named[known] = value
        return known

    def _write_sums(self, connection: Connection) -> None:
        """Write sums, and how many calls each value is true of; last: values of which nothing is left are gone then."""
        self._sums.write(connection)
        counted = self._sums.references.items()
        changed: list[dict[str, Any]] = [{"which": value, "more": count} for value, count in counted if count]
        self._sums.clear()
        if changed:
            add = update(call_values).where(call_values.c.id == bindparam("which"))
            connection.execute(add.values(calls=call_values.c.calls + bindparam("more")), changed)
        if any(one["more"] < 0 for one in changed):
            # a value that is true of no call any more may say something about a person who was erased
            none_left = call_values.c.calls <= 0
            for row in connection.execute(select(call_values.c.kind, call_values.c.value).where(none_left)):
                self._values.pop((row.kind, row.value), None)
            connection.execute(delete(call_values).where(none_left))


def _free_places(connection: Connection, facts: Sequence[FinishedCall]) -> list[int]:
    """Return a free place for each call: the one its beginning gives it, or the next one that is free."""
    wanted = [one.first_seq for one in facts]
    taken: set[int] = set()
    for some in _parts(wanted):
        taken.update(connection.scalars(select(calls.c.seq).where(calls.c.seq.in_(some))))
    free, further = set(wanted) - taken, dict[int, int]()
    return [_first_free(connection, seq, free, further) for seq in wanted]


def _first_free(connection: Connection, seq: int, free: set[int], further: dict[int, int]) -> int:
    """Return the first free place from ``seq`` on, and take it.

    ``further`` leads from a place that is taken to one where looking goes on: many calls without a known beginning have
    the same one, and are not counted past one by one.
    """
    passed = []
    while seq not in free:
        if seq in further:
            passed.append(seq)
            seq = further[seq]
            continue
        ahead = connection.scalars(
            select(calls.c.seq).where(calls.c.seq >= seq).order_by(calls.c.seq).limit(_AHEAD)
        ).all()
        end = seq
        for one in ahead:
            if one != end:
                break
            end += 1
        further.update(dict.fromkeys(range(seq, end), end))
        if end - seq < _AHEAD and end not in further:
            free.add(end)
    free.discard(seq)
    further.update(dict.fromkeys((*passed, seq), seq + 1))
    return seq


def _parts(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + MOST_IDS] for start in range(0, len(items), MOST_IDS))


def _state(connection: Connection, name: str) -> int:
    return connection.scalar(select(index_state.c.value).where(index_state.c.name == name)) or 0


def _set_state(connection: Connection, name: str, value: int) -> None:
    connection.execute(delete(index_state).where(index_state.c.name == name))
    connection.execute(insert(index_state).values(name=name, value=value))


def _set_position(connection: Connection, position: Position) -> None:
    _set_state(connection, "position", position.number)
    _set_state(connection, "mark", position.mark)
