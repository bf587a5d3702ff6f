"""Reports count real calls: two scripted callers, whose calls are told apart from all others by their number."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from agent.history.filters import CallFilter
from agent.history.local import LocalHistory
from agent.reports.periods import Period
from agent.reports.registry import REPORTS, build_report
from tests.live.conftest import CallCentre, failures, records_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
CALLS = """
calls:
  - name: order status
    dial: "7000"
    caller: Maria Lopez <202-555-0143>
    voice: joe
    steps:
      - expect: /how can i help/
      - keys: "10473"
      - expect: /(zip|post) ?code|postcode/
      - keys: "60614"
      - expect: /on its way|arrive|deliver|shipped/
      - say: no thanks
      - wait: hang_up
  - name: hangs up at the postcode
    dial: "7000"
    caller: Maria Lopez <202-555-0143>
    voice: joe
    steps:
      - expect: /how can i help/
      - keys: "10473"
      - expect: /(zip|post) ?code|postcode/
      - hang_up
"""


async def test_two_calls_are_counted_as_they_were(call_centre: CallCentre, tmp_path: Path) -> None:
    result = await call_centre.play(CALLS)
    assert result.ok, failures(result)
    records = await records_of(call_centre, result)
    assert len(records) == 2
    history = LocalHistory(call_centre.stack.run_dir / "state" / "calls.sqlite")
    try:
        await asyncio.to_thread(history.catch_up, wait=True)
        first = min(one["started_utc"] for one in records)
        last = max(one["started_utc"] for one in records)
        period = Period(int(first * 1000), int(last * 1000) + 1000, dt.UTC)
        reports = {name: build_report(name, history.index, period) for name in REPORTS}
    finally:
        history.close()
    assert reports["volume"].n == 2
    assert dict(_column(reports["volume"].table("outcomes"))) == {"answered": 1, "caller_hung_up": 1}
    assert dict(_column(reports["asked"].table("requests"))) == {"order_status": 2}
    assert sum(count for _, count in _column(reports["orders"].table("by_status"))) == 1
    left = {str(row[1].value): row[3].value for row in reports["dropoff"].table("steps").rows if row[3].value}
    assert left == {"identify.postcode": 1}
    responses = sum(turn["response_ms"] is not None for one in records for turn in one["turns"])
    assert reports["latency"].table("latency").column("responses")[0].value == responses
    for report in reports.values():
        for table in report.tables:
            for row in table.rows:
                for cell in row:
                    assert cell.filter is None or _count(call_centre, cell.filter) == cell.calls, table.name


def _column(table: object) -> list[tuple[str, int]]:
    from agent.reports.model import Table

    assert isinstance(table, Table)
    return [(str(row[0].value), int(row[1].value or 0)) for row in table.rows]


def _count(call_centre: CallCentre, wanted: CallFilter) -> int:
    history = LocalHistory(call_centre.stack.run_dir / "state" / "calls.sqlite")
    try:
        return history.index.count(wanted)
    finally:
        history.close()
