"""Every number of every report leads to exactly its calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.history.filter_text import filter_of, filter_options
from agent.history.filters import Bounds, CallFilter
from agent.history.local import LocalHistory
from agent.rehearsal.year_of_calls import year_of_calls
from agent.reports.model import Report
from agent.reports.periods import By, Period
from agent.reports.registry import REPORTS, build_report
from tests.history.stored import record, turn, write

pytestmark = pytest.mark.slow

FIRST = dt.date(2026, 3, 1)
ODD = [
    record("odd.1", started_at="2026-03-08T06:59:59.999+00:00", outcome="Handed_Over", edition="A*"),
    record("odd.2", started_at="2026-03-08T07:00:00.000+00:00", outcome="handed_over", edition="a*b"),
    record("odd.3", started_at="2026-03-09T03:59:59.999+00:00", direction="outbound", purpose="delivery", edition="=x"),
    record("odd.4", started_at="2026-03-09T04:00:00.000+00:00", direction="outbound", purpose="survey"),
    record(
        "odd.5",
        started_at="2026-03-10T12:00:00.000+00:00",
        turns=[turn("Which?", "The blue one!", slot="item", result="no_match"), turn("Which?", "", slot="item")],
        handover={"reason": "caller_request", "queue": "support"},
        outcome="handed_over",
        queue_wait={"standing": "closed", "waited_seconds": 3.0, "ended": "hung_up"},
        intents=[{"intent": "returns", "result": "handed_over"}, {"intent": "returns", "result": "cancelled"}],
        trail=[{"flow": "returns", "step": "item", "kind": "collect", "way": "person.no_match"}],
        edition="0009",
        slots={"survey_score": "2"},
        caller={"number": "", "dialled": "7000"},
    ),
]


def _records() -> list[dict[str, object]]:
    """Two weeks round the night on which the clocks change, by a few callers who come back."""
    calls = list(year_of_calls(4_000, seed=5, start=dt.date(2025, 12, 1)))
    chosen = [one for one in calls if "2026-03-01" <= one["started_at"][:10] <= "2026-03-14"]
    for place, one in enumerate(chosen):
        if one["caller"]["number"]:
            one["caller"]["number"] = f"202555{place % 20:04d}"
    return [*chosen, *ODD]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHistory]:
    calls = tmp_path_factory.mktemp("numbers") / "calls.sqlite"
    write(calls, _records())
    local = LocalHistory(calls)
    local.catch_up()
    yield local
    local.close()


_zones = st.sampled_from(["America/New_York", "UTC", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu"])
_periods = st.builds(
    lambda first, days, zone: Period.days(
        FIRST + dt.timedelta(days=first), FIRST + dt.timedelta(days=first + days), ZoneInfo(zone)
    ),
    st.integers(0, 12),
    st.integers(0, 12),
    _zones,
)
_filters = st.sampled_from(
    [
        CallFilter(),
        CallFilter(),
        CallFilter(values={"asked": ("returns",)}),
        CallFilter(values={"outcome": ("answered", "handed_over")}, length_ms=Bounds(20_000)),
        CallFilter(values={"direction": ("inbound", "outbound")}),
        CallFilter(values={"edition": ("*",), "contained": ("yes",)}, score=Bounds(2)),
        CallFilter(latency_ms=Bounds(300), said="order"),
    ]
)
NOW_MS = 1_773_500_000_000  # 2026-03-14: the last days' windows are still open


@pytest.mark.parametrize("name", REPORTS)
@given(period=_periods, by=st.sampled_from([None, "day", "week", "hour"]), wanted=_filters)
@settings(max_examples=6, deadline=None)
def test_a_number_is_how_many_calls_its_filter_finds(
    history: LocalHistory, name: str, period: Period, by: By | None, wanted: CallFilter
) -> None:
    if by == "hour" and period.until_ms - period.since_ms > 3 * 86_400_000:
        by = "day"
    report = build_report(name, history.index, period, by, wanted, now_ms=NOW_MS)
    for where, calls, found in _numbers(report):
        assert history.index.count(found, 10_000) == calls, where


@pytest.mark.parametrize("name", REPORTS)
def test_a_filter_survives_being_written_as_options(history: LocalHistory, name: str) -> None:
    period = Period.days(FIRST, FIRST + dt.timedelta(days=13), ZoneInfo("America/New_York"))
    report = build_report(name, history.index, period, "day", CallFilter(values={"asked": ("returns",)}))
    for where, _, found in _numbers(report):
        assert filter_of(filter_options(found, period.zone)) == found, where


def test_plain_counts_are_their_calls(history: LocalHistory) -> None:
    period = Period.days(FIRST, FIRST + dt.timedelta(days=13), ZoneInfo("America/New_York"))
    report = build_report("volume", history.index, period, "day")
    table = report.table("calls")
    assert all(cell.value == cell.calls for cell in table.column("calls"))
    assert sum(int(cell.value or 0) for cell in table.column("calls")) == report.n


def test_single_callers_are_flagged(history: LocalHistory) -> None:
    period = Period.days(FIRST, FIRST + dt.timedelta(days=13), ZoneInfo("America/New_York"))
    report = build_report("transfers", history.index, period)
    cells = [cell for table in report.tables for row in table.rows for cell in row if cell.calls is not None]
    assert {cell.small for cell in cells} == {True, False}
    assert all(cell.small == (0 < (cell.calls or 0) < 5) for cell in cells)


def _numbers(report: Report) -> Iterator[tuple[str, int | None, CallFilter]]:
    for column, cell in report.figures:
        if cell.filter is not None:
            yield f"{report.name}: {column.title}", cell.calls, cell.filter
    for table in report.tables:
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                assert column.kind == "text" or cell.value is None or cell.filter or table.name == "formulas"
                if cell.filter is not None:
                    yield f"{report.name}:{table.name}:{row[0].value}:{column.name}", cell.calls, cell.filter
