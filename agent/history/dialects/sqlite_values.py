"""Which calls a value is true of, in SQLite: a bit for each call, in blocks.

A call has a *slot*, a number of its own in the order in which calls came; a block has the bits of
:data:`BLOCK_SLOTS` slots that follow one another, and there is a row for each value and block in which a bit is set.
Calls of which several values are true are found by joining the bits of these values, a block at a time: a year of a
million calls has 500 blocks, however frequent the values are.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, MetaData, Table, select

from agent.history.dialects.base import MOST_IDS, Conditions, ValueGroup
from agent.history.tables import row_place

BLOCK_SLOTS = 2048
_BLOCK_BYTES = BLOCK_SLOTS // 8
_FIRST_PART = 200
_LARGEST_PART = 20_000
_FEW = 2_000
"""So many calls are looked up at once, wherever they are."""
_DENSE = BLOCK_SLOTS // 8
"""Of a block with so many calls all slots are read, one after another."""

values_metadata = MetaData()
call_slots = Table(
    "call_slots",
    values_metadata,
    Column("slot", row_place, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False, unique=True),
)
slot_blocks = Table(
    "slot_blocks",
    values_metadata,
    # Between which places the calls of a block lie; wider than needed where calls are gone.
    Column("block", row_place, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
)
value_blocks = Table(
    "value_blocks",
    values_metadata,
    Column("value_id", Integer, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("bits", LargeBinary, nullable=False),  # the first slot is the lowest bit of the first byte
    sqlite_with_rowid=False,
)

_Bits = dict[tuple[int, int], int]
"""Value and block -> the bits of the block as one number."""


# --- writing ------------------------------------------------------------------------------------------


PlacedValues = tuple[int, Sequence[int]]
"""Where a call stands in the order of time, and the ids of its values."""


def add_calls(connection: Connection, calls: Sequence[PlacedValues], earlier: Mapping[int, int]) -> None:
    """Give calls slots and set the bits of their values. ``earlier``: place -> slot that a call had and gets again."""
    slots = _slots_for(connection, [seq for seq, _ in calls], earlier)
    if not slots:
        return
    places = sorted((slot, seq) for seq, slot in slots.items())
    connection.exec_driver_sql("INSERT INTO call_slots(slot, seq) VALUES (?, ?)", places)
    bounds: dict[int, tuple[int, int]] = {}
    for slot, seq in places:
        first, last = bounds.get(slot // BLOCK_SLOTS, (seq, seq))
        bounds[slot // BLOCK_SLOTS] = (min(first, seq), max(last, seq))
    connection.exec_driver_sql(
        "INSERT INTO slot_blocks(block, first_seq, last_seq) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
        " first_seq = min(first_seq, excluded.first_seq), last_seq = max(last_seq, excluded.last_seq)",
        [(block, *span) for block, span in bounds.items()],
    )
    _change(connection, _gathered((slots[seq], value_ids) for seq, value_ids in calls), add=True)


def remove_calls(connection: Connection, calls: Sequence[PlacedValues]) -> dict[int, int]:
    """Take calls out, with the values they were added with; return place -> the slot that it had."""
    slots: dict[int, int] = {}
    for start in range(0, len(calls), MOST_IDS):
        seqs = [seq for seq, _ in calls[start : start + MOST_IDS]]
        rows = connection.execute(select(call_slots.c.seq, call_slots.c.slot).where(call_slots.c.seq.in_(seqs)))
        slots.update((row.seq, row.slot) for row in rows)
    _change(connection, _gathered((slots[seq], ids) for seq, ids in calls if seq in slots), add=False)
    if slots:
        connection.exec_driver_sql("DELETE FROM call_slots WHERE slot = ?", [(slot,) for slot in slots.values()])
    return slots


def _slots_for(connection: Connection, seqs: Sequence[int], earlier: Mapping[int, int]) -> dict[int, int]:
    again = {seq: earlier[seq] for seq in seqs if seq in earlier}
    if again:
        query = "SELECT slot FROM json_each(?) CROSS JOIN call_slots ON slot = value"
        taken = {row[0] for row in connection.exec_driver_sql(query, (json.dumps(list(again.values())),))}
        again = {seq: slot for seq, slot in again.items() if slot not in taken}
    following = 1 + (connection.scalar(select(call_slots.c.slot).order_by(call_slots.c.slot.desc()).limit(1)) or 0)
    following = max(following, 1 + max(again.values(), default=0))
    fresh = (seq for seq in sorted(seqs) if seq not in again)
    return again | {seq: following + number for number, seq in enumerate(fresh)}


def _gathered(calls: Iterable[tuple[int, Sequence[int]]]) -> _Bits:
    gathered: dict[tuple[int, int], bytearray] = defaultdict(lambda: bytearray(_BLOCK_BYTES))
    for slot, value_ids in calls:
        block, place = divmod(slot, BLOCK_SLOTS)
        byte, bit = place >> 3, 1 << (place & 7)
        for value_id in value_ids:
            gathered[value_id, block][byte] |= bit
    return {key: int.from_bytes(bits, "little") for key, bits in gathered.items()}


def _change(connection: Connection, changed: _Bits, *, add: bool) -> None:
    """Set bits, or clear them; a row without one goes."""
    kept: list[tuple[int, int, bytes]] = []
    gone: list[tuple[int, int]] = []
    for block in sorted({block for _, block in changed}):
        own = {value_id: bits for (value_id, of_block), bits in changed.items() if of_block == block}
        for value_id, held in _held(connection, block, sorted(own)):
            own[value_id] = held | own[value_id] if add else held & ~own[value_id]
        for value_id, bits in own.items():
            if bits:
                kept.append((value_id, block, bits.to_bytes(_BLOCK_BYTES, "little")))
            else:
                gone.append((value_id, block))
    if gone:
        connection.exec_driver_sql("DELETE FROM value_blocks WHERE value_id = ? AND block = ?", sorted(gone))
    if kept:
        connection.exec_driver_sql("INSERT OR REPLACE INTO value_blocks VALUES (?, ?, ?)", sorted(kept))


def _held(connection: Connection, block: int, value_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    rows = connection.exec_driver_sql(
        "SELECT value_id, bits FROM json_each(?) CROSS JOIN value_blocks ON value_id = value WHERE block = ?",
        (json.dumps(value_ids), block),
    )
    return ((row[0], int.from_bytes(row[1], "little")) for row in rows)


# --- reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ValueMatches:
    """The calls of which all values are true that are asked for."""

    bits: Mapping[int, int]
    """Block -> bits; blocks without one are not there."""
    spans: Mapping[int, tuple[int, int]]
    """Block -> the first and the last place of its calls."""

    @cached_property
    def count(self) -> int:
        """How many calls there are at most within the time that is asked for."""
        return sum(bits.bit_count() for bits in self.bits.values())

    def has(self, slot: int | None) -> int:
        """Whether a slot is among them (1 or 0)."""
        return 0 if slot is None else self.bits.get(slot // BLOCK_SLOTS, 0) >> (slot % BLOCK_SLOTS) & 1

    def newest(self, connection: Connection, wanted: Conditions) -> Iterator[list[int]]:
        """Yield places in the time that is asked for, the latest first, some at a time."""
        least = 0 if wanted.first_seq is None else wanted.first_seq
        below = 2**63 if wanted.before_seq is None else wanted.before_seq
        parts = self._at_once(connection) if self.count <= _FEW else self._block_by_block(connection)
        size = _FIRST_PART
        for part in parts:
            within = [seq for seq in part if least <= seq < below]
            while within:
                yield within[:size]
                within, size = within[size:], min(size * 4, _LARGEST_PART)

    def _at_once(self, connection: Connection) -> Iterator[list[int]]:
        slots = [block * BLOCK_SLOTS + place for block, bits in self.bits.items() for place in _set_bits(bits)]
        yield sorted(_places_of(connection, slots), reverse=True)

    def _block_by_block(self, connection: Connection) -> Iterator[list[int]]:
        """Yield all places, the latest first. Blocks may overlap in time: each waits until all later ones are known."""
        order = sorted(self.bits, key=lambda block: self.spans[block][1], reverse=True)
        further = [*(self.spans[block][1] for block in order[1:]), -1]
        found: list[int] = []
        for block, latest_further in zip(order, further, strict=True):
            found += self._places(connection, block)
            found.sort()
            sure = bisect_right(found, latest_further)
            yield found[sure:][::-1]
            del found[sure:]

    def _places(self, connection: Connection, block: int) -> Iterator[int]:
        first, bits = block * BLOCK_SLOTS, self.bits[block]
        if bits.bit_count() < _DENSE:
            return _places_of(connection, [first + place for place in _set_bits(bits)])
        query = "SELECT slot, seq FROM call_slots WHERE slot BETWEEN ? AND ?"
        marks = f"{bits:0{BLOCK_SLOTS}b}"[::-1]
        rows = connection.exec_driver_sql(query, (first, first + BLOCK_SLOTS - 1))
        return (seq for slot, seq in rows if marks[slot - first] == "1")


def read_matches(connection: Connection, wanted: Conditions) -> ValueMatches:
    """Return the calls that have a value of every group, of all blocks that reach into the time that is asked for."""
    spans = _spans(connection, wanted)
    bits: dict[int, int] | None = None
    for group in sorted(wanted.groups, key=lambda group: group.calls):
        own = _bits_of(connection, group, spans)
        bits = own if bits is None else {block: both for block in bits if (both := bits[block] & own.get(block, 0))}
        if not bits:
            break
    return ValueMatches({block: one for block, one in (bits or {}).items() if one}, spans)


def _spans(connection: Connection, wanted: Conditions) -> dict[int, tuple[int, int]]:
    query = select(slot_blocks)
    if wanted.first_seq is not None:
        query = query.where(slot_blocks.c.last_seq >= wanted.first_seq)
    if wanted.before_seq is not None:
        query = query.where(slot_blocks.c.first_seq < wanted.before_seq)
    return {block: (first, last) for block, first, last in connection.execute(query)}


def _bits_of(connection: Connection, group: ValueGroup, spans: Mapping[int, tuple[int, int]]) -> dict[int, int]:
    if not spans:
        return {}
    rows = connection.exec_driver_sql(
        "SELECT block, bits FROM json_each(?) CROSS JOIN value_blocks ON value_id = value WHERE block BETWEEN ? AND ?",
        (json.dumps(group.ids), min(spans), max(spans)),
    )
    found: dict[int, int] = {}
    for block, bits in rows:
        if block in spans:
            found[block] = found.get(block, 0) | int.from_bytes(bits, "little")
    return found


def _places_of(connection: Connection, slots: Sequence[int]) -> Iterator[int]:
    query = "SELECT seq FROM json_each(?) CROSS JOIN call_slots ON slot = value"
    return (row[0] for row in connection.exec_driver_sql(query, (json.dumps(slots),)))


def _set_bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
