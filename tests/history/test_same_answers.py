"""SQLite and PostgreSQL give the same answers to the same questions, and the right ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common.untrusted import load_json
from agent.history.dialects import postgres, sqlite_search, sqlite_values
from agent.history.filters import ANY, Bounds, CallFilter
from agent.history.local import LocalHistory
from agent.history.opening import History
from agent.history.shared import SharedHistory
from agent.rehearsal.real_postgres import RealPostgres
from agent.rehearsal.year_of_calls import year_of_calls
from tests.history.oracle import by_time, fulfilling
from tests.history.stored import record, turn, write
from tests.history.sums_oracle import KINDS, added_up, of_kinds

pytestmark = pytest.mark.slow

ODD = [
    record("odd.1", turns=[turn("René's café", "ça va, \u0661\u0662\u0663 straße ǅungla")]),
    record("odd.2", turns=[turn("yes " * 400, "no refund"), turn("", "late"), turn("", "again")]),
    record("odd.3", turns=[turn("word1", "end")], outcome="Handed_Over"),
    record("odd.4", faults=["100% of_it\\ failed", "half \ud800 character", "nul \0 here"], edition="é*?"),
    record("odd.5", caller={"number": "", "name": "", "dialled": ""}, started_at="1970-01-01T00:00:00+00:00"),
    record("odd.6", caller={"number": "anonymous"}, started_at="1969-01-01T00:00:00+00:00", duration_seconds=-3),
    record("odd.7", caller={"number": "+12025550143"}, turns=[turn("'quoted' \\ \"words\" & | ! <->", "a:b*c")]),
    record("odd.8", slots={"order_number": "ab-10 437"}, duration_seconds=1e14),
    record("odd.9", turns=[turn(" ".join(f"w{number}" for number in range(17_000)), "x")]),
]
RECORDS = [*year_of_calls(700, seed=7), *ODD]
EVERY = by_time(RECORDS)
WORDS = (
    "order",
    "refund",
    "my",
    "i",
    "yes",
    "no",
    "late",
    "again",
    "end",
    "word1",
    "café",
    "STRASSE",
    "١٢٣",
    "w15999",
    "w16999",
)
VALUES: dict[str, tuple[str, ...]] = {
    "outcome": ("answered", "handed_over", "HANDED_OVER", "caller_hung_up", "*_*", "nothing"),
    "asked": ("returns", "order_status", "*_status", "complaint"),
    "step": ("returns.sure", "identify.*", "survey.ask", "*.close"),
    "reason": ("caller_request", "verification_failed", "complaint"),
    "edition": ("0012", "002*", "é*", "É*", "*[*"),
    "fault": ("any", "*%*", "*of_it*", "*\\*", "timeout*"),
    "result": ("returns=answered", "*=hung_up"),
    "fact": ("*=delayed", "returns.create.reason=*"),
}


@dataclass(frozen=True)
class _Both:
    sqlite: History
    postgres: History


@pytest.fixture(scope="module")
def both(postgres_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Both]:
    with ExitStack() as stack:
        server = RealPostgres(postgres_programs)
        stack.callback(server.remove)
        server.make()
        server.start("fsync=off")
        calls = tmp_path_factory.mktemp("same") / "calls.sqlite"
        write(calls, RECORDS)
        local, shared = LocalHistory(calls), SharedHistory(server.url)
        stack.callback(local.close)
        stack.callback(shared.close)
        shared.prepare()
        half = len(RECORDS) // 2
        for part in (RECORDS[:half], RECORDS[half:]):  # one half by filling, the other by the log of changes
            rows = [{"id": one["id"], "node": "a", "started_at": "", "record": json.dumps(one)} for one in part]
            shared.send(rows)
            shared.catch_up()
        local.catch_up()
        yield _Both(local, shared)


_spans = st.builds(Bounds, st.none() | st.integers(0, 60_000), st.none() | st.integers(0, 120_000))
_queries = st.lists(
    st.sampled_from(WORDS)
    | st.sampled_from(WORDS).map(lambda word: word[:2] + "*")
    | st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"')
    | st.sampled_from(['"my order"', '"late again"', '"where is*"', '"no refund"', "fin*", '"yes yes"']),
    min_size=1,
    max_size=3,
).map(" ".join)
_FIRST_MS, _LAST_MS = 1_764_547_200_000, 1_796_083_200_000
_filters = st.builds(
    CallFilter,
    since_ms=st.none() | st.integers(-5, _LAST_MS),
    until_ms=st.none() | st.integers(_FIRST_MS, 2**43),
    values=st.dictionaries(st.sampled_from(sorted(VALUES)), st.just(()), max_size=3).flatmap(
        lambda kinds: st.fixed_dictionaries(
            {kind: st.lists(st.sampled_from(VALUES[kind]), min_size=1, max_size=2).map(tuple) for kind in kinds}
        )
    ),
    order=st.sampled_from(["", "", "", "AB10437", "ab 10-437", "437", "0"]),
    caller=st.sampled_from(["", "", "", "2025550143", "+1 (202) 555-0143", "0143", "12025550150", "43"]),
    length_ms=st.just(ANY) | _spans,
    score=st.just(ANY) | st.builds(Bounds, st.none() | st.integers(1, 5), st.none() | st.integers(1, 5)),
    latency_ms=st.just(ANY) | st.builds(Bounds, st.none() | st.integers(200, 1500), st.none()),
    wait_ms=st.just(ANY) | st.builds(Bounds, st.none() | st.integers(0, 90_000), st.none()),
    greeting_ms=st.just(ANY) | st.builds(Bounds, st.none(), st.none() | st.integers(0, 40)),
    misheard=st.sampled_from(["", "", "", "the blue one", "i dont have # of them"]),
    said=st.just("") | _queries,
    caller_said=st.just("") | _queries,
    agent_said=st.just("") | _queries,
)


@given(wanted=_filters)
def test_both_find_what_looking_at_every_call_finds(both: _Both, wanted: CallFilter) -> None:
    expected = fulfilling(EVERY, wanted)
    assert found(both.sqlite, wanted) == expected
    assert found(both.postgres, wanted) == expected
    assert both.sqlite.index.count(wanted, 100) == both.postgres.index.count(wanted, 100) == min(len(expected), 100)


@given(wanted=_filters)
def test_where_a_search_starts_changes_nothing_of_what_it_finds(both: _Both, wanted: CallFilter) -> None:
    """Short lists are those of a small shop; with shorter ones searches start as those of a million calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_search, "SHORT", 20)
        patch.setattr(sqlite_search, "MOST_LOOKED_UP", 5)
        patch.setattr(sqlite_values, "_FEW", 10)
        patch.setattr(sqlite_values, "_FIRST_PART", 3)
        patch.setattr(postgres, "_NEWEST", 30)
        expected = fulfilling(EVERY, wanted)
        assert found(both.sqlite, wanted) == expected
        assert [line.id for line in both.postgres.index.find(wanted, limit=20).lines] == expected[:20]


@given(wanted=_filters, limit=st.integers(1, 300))
def test_pages_together_hold_every_call_once(both: _Both, wanted: CallFilter, limit: int) -> None:
    for history in (both.sqlite, both.postgres):
        ids: list[str] = []
        page = history.index.find(wanted, limit=limit)
        while True:
            ids += [line.id for line in page.lines]
            if not page.next:
                break
            page = history.index.find(wanted, limit=limit, after=page.next)
        assert ids == fulfilling(EVERY, wanted)


_cuts = st.lists(st.integers(_FIRST_MS, _LAST_MS), min_size=2, max_size=4, unique=True).map(sorted)


@given(cuts=_cuts, direction=st.sampled_from(["", "inbound"]))
def test_both_add_up_what_looking_at_every_call_gives(both: _Both, cuts: list[int], direction: str) -> None:
    wanted = CallFilter(values={"direction": (direction,)} if direction else {})
    expected = [of_kinds(added_up(EVERY, *span, direction)) for span in pairwise(cuts)]
    for history in (both.sqlite, both.postgres):
        assert [of_kinds(one) for one in history.index.totals(wanted, cuts, KINDS)] == expected


@given(cuts=_cuts, wanted=_filters)
def test_both_add_up_the_same_calls_and_group_the_same_words(both: _Both, cuts: list[int], wanted: CallFilter) -> None:
    local, shared = both.sqlite.index, both.postgres.index
    assert [of_kinds(one) for one in local.totals(wanted, cuts, KINDS)] == [
        of_kinds(one) for one in shared.totals(wanted, cuts, KINDS)
    ]
    assert local.misheard(wanted) == shared.misheard(wanted)


def test_lines_values_and_records_are_the_same(both: _Both) -> None:
    local, shared = both.sqlite.index, both.postgres.index
    assert list(local.every(CallFilter())) == list(shared.every(CallFilter()))
    for kind in VALUES:
        assert dict(local.values(kind)) == dict(shared.values(kind))
    by_id: Mapping[str, Any] = {one["id"]: load_json(json.dumps(one)) for one in RECORDS}
    assert local.records(list(by_id)) == shared.records(list(by_id)) == by_id


def found(history: History, wanted: CallFilter) -> list[str]:
    return [line.id for line in history.index.every(wanted)]
