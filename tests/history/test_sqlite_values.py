"""The bits of SQLite's index say what a set of calls for each value would say, after any additions and removals."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, func, select

from agent.history.dialects import sqlite_values
from agent.history.dialects.base import Conditions, ValueGroup
from agent.history.dialects.sqlite_values import add_calls, read_matches, remove_calls, value_blocks, values_metadata

_places = st.integers(1, 60)
_values = st.lists(st.integers(1, 4), max_size=4, unique=True)
_steps = st.lists(st.tuples(_places, st.none() | _values), max_size=80)
"""A place, and what its call has then: None where it is gone."""
_groups = st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True), min_size=1, max_size=3)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few calls fill several blocks, and are looked for as many calls are."""
    monkeypatch.setattr(sqlite_values, "BLOCK_SLOTS", 8)
    monkeypatch.setattr(sqlite_values, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(sqlite_values, "_FEW", 6)
    monkeypatch.setattr(sqlite_values, "_DENSE", 4)
    monkeypatch.setattr(sqlite_values, "_FIRST_PART", 2)


@given(steps=_steps, groups=_groups, first=st.none() | st.integers(0, 61), before=st.none() | st.integers(0, 61))
def test_searches_by_bits_find_what_looking_at_every_call_finds(
    steps: list[tuple[int, list[int] | None]], groups: list[list[int]], first: int | None, before: int | None
) -> None:
    wanted = Conditions(first_seq=first, before_seq=before, groups=tuple(ValueGroup(tuple(ids), 0) for ids in groups))
    held: dict[int, list[int]] = {}
    for connection in _index():
        earlier: dict[int, int] = {}
        for seq, value_ids in steps:
            if seq in held:
                earlier = remove_calls(connection, [(seq, held.pop(seq))])
            if value_ids is not None:
                add_calls(connection, [(seq, value_ids)], earlier)
                held[seq] = value_ids
        expected = [
            seq
            for seq, value_ids in sorted(held.items(), reverse=True)
            if all(set(ids) & set(value_ids) for ids in groups)
            and (first is None or seq >= first)
            and (before is None or seq < before)
        ]
        matches = read_matches(connection, wanted)
        assert list(chain.from_iterable(matches.newest(connection, wanted))) == expected
        assert matches.count >= len(expected)


def test_a_call_that_changes_keeps_its_slot_and_a_block_without_a_bit_is_deleted() -> None:
    for connection in _index():
        add_calls(connection, [(seq, [1]) for seq in range(1, 17)], {})
        earlier = remove_calls(connection, [(3, [1])])
        add_calls(connection, [(3, [2])], earlier)
        wanted = Conditions(groups=(ValueGroup((2,), 1),))
        assert list(read_matches(connection, wanted).bits) == [0]
        remove_calls(connection, [(3, [2])])
        remove_calls(connection, [(seq, [1]) for seq in range(1, 17) if seq != 3])
        assert connection.scalar(select(func.count()).select_from(value_blocks)) == 0


def _index() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        values_metadata.create_all(connection)
        yield connection
    engine.dispose()
