"""What the console is measured with."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter

import pytest

from agent.reports.registry import REPORTS
from benchmarks.console import addresses, slower_percent
from benchmarks.live_readers import server_sent_events


def test_every_report_is_asked_for_over_a_month_and_a_year_up_to_the_last_call() -> None:
    asked = list(addresses(dt.date(2026, 11, 30)))
    assert len({path for _, path in asked}) == len(asked)
    kinds = Counter(kind for kind, _ in asked)
    assert kinds["report"] == kinds["year"] == len(REPORTS)
    assert ("report", "/reports/volume?from=2026-11-01&to=2026-11-30") in asked
    assert ("year", "/reports/volume?from=2025-12-01&to=2026-11-30") in asked


@pytest.mark.parametrize(
    ("alone", "watched", "percent"),
    [(500.0, 525.0, 5.0), (500.0, 490.0, -2.0), (None, 490.0, None), (500.0, None, None)],
)
def test_how_much_slower_calls_are_while_somebody_watches(
    alone: float | None, watched: float | None, percent: float | None
) -> None:
    assert slower_percent(alone, watched) == percent


async def test_events_are_told_apart_by_their_names() -> None:
    stream = asyncio.StreamReader()
    stream.feed_data(b'retry: 1000\n\nid: a\nevent: snapshot\ndata: {"calls": []}\n\n: still here\n\n')
    stream.feed_data(b'id: b\nevent: call\ndata: {"at": "2026-12-01T00:00:00.000+00:00"}\n\n')
    stream.feed_eof()
    found = [(name, data) async for name, data in server_sent_events(stream)]
    assert found == [("snapshot", {"calls": []}), ("call", {"at": "2026-12-01T00:00:00.000+00:00"})]
