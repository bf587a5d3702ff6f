"""The sums by hour and day are what adding up all calls gives, after whatever happens to records."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from agent.history.bins import EDGES, RESOLUTION, bin_of, end_of_bin
from agent.history.filters import Bounds, CallFilter
from agent.history.local import INDEX_FILE, LocalHistory
from agent.history.misheard import misheard_query
from agent.history.report_facts import paired, parted
from agent.history.sums import pack, unpack
from agent.history.tables import sums_by_day, sums_by_hour
from agent.history.totals import sums_query
from agent.records.calls_erasure import without_words
from agent.rehearsal.year_of_calls import year_of_calls
from tests.history.stored import execute, record, write
from tests.history.sums_oracle import KINDS, added_up, again_ms, facts_of, of_kinds

FIRST_MS = 1_764_565_200_000  # 2025-12-01 in New York, where the year of calls begins
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
INBOUND = CallFilter(values={"direction": ("inbound",)})

_pool = list(year_of_calls(400, seed=3))
for place, one in enumerate(_pool):  # within two weeks, so that callers come back; a few are outbound or come back
    one["caller"]["number"] = f"202555{place % 25:04d}" if place % 17 else ""
    start = FIRST_MS / 1000 + (place * 3571) % (14 * 86_400)
    one |= {"started_utc": start, "started_at": "", "id": f"call.{place}"}
    if place % 19 == 0:
        one["direction"] = "outbound"
    if place % 23 == 0:
        one["continues"] = "call.1"
_changes = st.lists(
    st.tuples(st.sampled_from(["put", "put", "delete"]), st.integers(0, 399), st.integers(0, 399)),
    min_size=1,
    max_size=60,
)


@pytest.mark.slow
@given(batches=st.lists(_changes, min_size=1, max_size=4), data=st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_sums_are_what_looking_at_every_call_gives(
    tmp_path_factory: pytest.TempPathFactory, batches: list[Any], data: st.DataObject
) -> None:
    calls = tmp_path_factory.mktemp("sums") / "calls.sqlite"
    kept: dict[str, dict[str, Any]] = {one["id"]: one for one in _pool[:120]}
    write(calls, kept.values())
    history = LocalHistory(calls)
    try:
        history.catch_up()
        for batch in batches:
            for what, place, like in batch:
                call_id = f"call.{place}"
                if call_id in kept:
                    execute(calls, "DELETE FROM calls WHERE id = ?", call_id)
                    del kept[call_id]
                if what == "put":
                    kept[call_id] = {**_pool[like], "id": call_id}
                    write(calls, [kept[call_id]])
            history.catch_up()
        every = facts_of(kept.values())
        since = FIRST_MS + data.draw(st.integers(0, 10 * DAY_MS))
        cuts = sorted({since, *(since + data.draw(st.integers(1, 20 * DAY_MS)) for _ in range(3))})
        if data.draw(st.booleans()):  # hours and days of one length, with an odd one among them, as clocks make it
            first, each = -(-since // HOUR_MS), data.draw(st.sampled_from([1, 6, 24, 48]))
            odd, shift = data.draw(st.integers(0, 12)), data.draw(st.sampled_from([-1, 0, 1]))
            cuts = sorted({HOUR_MS * (first + place * each + (shift if place > odd else 0)) for place in range(14)})
        for wanted, direction in ((CallFilter(), ""), (INBOUND, "inbound")):
            expected = [of_kinds(added_up(every, *span, direction)) for span in pairwise(cuts)]
            assert [of_kinds(one) for one in history.index.totals(wanted, cuts, KINDS)] == expected
        # a filter that all calls fulfil takes the other way: the calls themselves are added up
        all_of_them = CallFilter(values={"contained": ("yes", "no"), "direction": ("inbound",)})
        assert [of_kinds(one) for one in history.index.totals(all_of_them, cuts, KINDS)] == expected
        for call in every:
            found = history.index.find(CallFilter(again_ms=_within(again_ms(every, call)))).lines
            assert (call.id in {line.id for line in found}) == (again_ms(every, call) is not None)
    finally:
        history.close()


def _within(ms: int | None) -> Bounds:
    return Bounds(ms or 0, ms if ms is not None else 7 * DAY_MS)


def test_making_the_index_anew_changes_no_sum(tmp_path: Path) -> None:
    calls = tmp_path / "calls.sqlite"
    write(calls, _pool[:200])
    history = LocalHistory(calls)
    history.catch_up()
    write(calls, _pool[200:])
    history.catch_up()
    before = _rows_of(tmp_path)
    history.catch_up(anew=True)
    history.close()
    assert _rows_of(tmp_path) == before


def test_nothing_is_left_of_calls_that_are_gone(tmp_path: Path) -> None:
    calls = tmp_path / "calls.sqlite"
    write(calls, _pool)
    history = LocalHistory(calls)
    history.catch_up()
    execute(calls, "DELETE FROM calls")
    history.catch_up()
    history.close()
    with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as db:
        for table in ("calls", "call_values", "sums_by_hour", "sums_by_day", "misheard", "call_orders"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608


def test_a_repeat_that_is_erased_is_none_any_more(tmp_path: Path) -> None:
    calls = tmp_path / "calls.sqlite"
    asked = [{"intent": "returns", "result": "answered"}]
    times = ("2026-11-02T10:00:00+00:00", "2026-11-02T12:00:00+00:00", "2026-11-05T12:00:00+00:00")
    write(calls, [record(f"call.{day}", started_at=at, intents=asked) for day, at in enumerate(times)])
    history = LocalHistory(calls)
    history.catch_up()
    cuts = [1_793_000_000_000, 1_797_000_000_000]
    (total,) = history.index.totals(CallFilter(), cuts, ("again_24h", "again_7d", "matter_solved"))
    assert total == {("matter_solved", ""): 3, ("again_24h", ""): 1, ("again_7d", ""): 2}
    execute(calls, "DELETE FROM calls WHERE id = 'call.1'")
    history.catch_up()
    (total,) = history.index.totals(CallFilter(), cuts, ("again_24h", "again_7d", "matter_solved"))
    assert +total == {("matter_solved", ""): 2, ("again_7d", ""): 1}
    history.close()


def test_a_record_that_lost_its_words_counts_as_before_and_loses_what_was_not_understood(tmp_path: Path) -> None:
    calls = tmp_path / "calls.sqlite"
    talk = [
        {"agent": "Which?", "heard": "The blue one!", "understood": "", "slot": "item", "result": "no_match"},
        {"agent": "Which?", "heard": "kettle", "understood": "item=kettle", "slot": "item", "result": "understood"},
    ]
    one = record(turns=talk)
    write(calls, [one])
    history = LocalHistory(calls)
    history.catch_up()
    cuts = [0, 2**42]
    before = history.index.totals(CallFilter(), cuts, KINDS)
    assert [group.heard for group in history.index.misheard(CallFilter())] == ["the blue one"]
    execute(calls, "UPDATE calls SET record = ? WHERE id = 'call.1'", json.dumps(without_words(one)))
    history.catch_up()
    assert history.index.totals(CallFilter(), cuts, KINDS) == before
    assert history.index.misheard(CallFilter()) == []
    history.close()


@pytest.mark.parametrize("table", [sums_by_hour, sums_by_day], ids=lambda table: table.name)
@pytest.mark.parametrize("each", [10, 2, 0], ids=["together", "in parts", "by unit"])
def test_sums_are_read_through_their_index(tmp_path: Path, table: Any, each: int) -> None:
    query = sums_query(table, 10, 20, ("outcome", "asked"), (0,), each=each)
    plan = _plan(tmp_path, query)
    assert any("SEARCH call_values USING" in line and "kind=?" in line for line in plan), plan
    assert any(f"SEARCH {table.name} USING PRIMARY KEY" in line and "start>?" in line for line in plan), plan
    assert not any(line.startswith("SCAN") for line in plan), plan


def test_what_was_not_understood_is_read_by_time(tmp_path: Path) -> None:
    plan = _plan(tmp_path, misheard_query(10, 20, (0,)))
    assert any("SEARCH misheard USING PRIMARY KEY (seq>? AND seq<?)" in line for line in plan), plan


def _plan(tmp_path: Path, query: Any) -> list[str]:
    calls = tmp_path / "calls.sqlite"
    write(calls, _pool[:50])
    history = LocalHistory(calls)
    history.catch_up()
    history.close()
    engine = create_engine(f"sqlite:///{tmp_path / INDEX_FILE}")
    statement = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        return [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]


def _rows_of(directory: Path) -> list[tuple[object, ...]]:
    query = "SELECT kind, value, direction, start, amount FROM {} JOIN call_values ON value_id = id ORDER BY 1, 2, 3, 4"
    with closing(sqlite3.connect(directory / INDEX_FILE)) as db:
        return [row for name in ("sums_by_hour", "sums_by_day") for row in db.execute(query.format(name))]


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_packed_ids_come_back(ids: list[int]) -> None:
    assert list(unpack(pack(ids))) == sorted(ids)


@given(st.text(), st.text())
def test_paired_values_come_back(first: str, second: str) -> None:
    assert parted(paired(first, second)) == (first, second)


@given(st.integers(0, EDGES[-1] - 1))
def test_a_bin_holds_its_times_and_is_not_wider_than_said(ms: int) -> None:
    edge = bin_of(ms)
    assert edge <= ms < end_of_bin(edge)
    assert end_of_bin(edge) - edge <= max(1, edge * RESOLUTION)


def test_bins_are_five_percent_wide_at_most() -> None:
    assert RESOLUTION <= 0.05
    assert bin_of(20_000) == 20_000  # the usual limit of a service level is an edge
    assert end_of_bin(EDGES[-1]) == EDGES[-1]
