"""Every number of every report is the one that is counted call by call from the records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.history.local import LocalHistory
from agent.rehearsal.year_of_calls import year_of_calls
from agent.reports.periods import Period
from agent.reports.registry import REPORTS, build_report
from tests.history.stored import write
from tests.reports.hand_count import assert_counted, count

PERIOD = Period.days(dt.date(2026, 1, 1), dt.date(2027, 1, 1), dt.UTC)
NOW_MS = PERIOD.until_ms + 8 * 86_400_000


def _records() -> list[dict[str, Any]]:
    """Calls of a year without those of its first months, whose records lack fields; some callers come back."""
    chosen = [one for one in year_of_calls(2_500, seed=11, start=dt.date(2026, 1, 1)) if "trail" in one]
    for place, one in enumerate(chosen):
        if one["caller"]["number"]:
            one["caller"]["number"] = f"202555{place % 300:04d}"
        if place % 40 == 0:
            one.update(direction="outbound", purpose=("delivery", "survey")[place % 80 == 0])
        for turn in one["turns"]:
            turn["result"] = "understood" if turn["understood"] else "no_match" if turn["heard"] else "no_input"
    return chosen


RECORDS = _records()
COUNTED = count(RECORDS)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHistory]:
    calls: Path = tmp_path_factory.mktemp("twice") / "calls.sqlite"
    write(calls, RECORDS)
    local = LocalHistory(calls)
    local.catch_up()
    yield local
    local.close()


def test_there_is_a_count_of_each_report() -> None:
    assert list(COUNTED) == list(REPORTS)


@pytest.mark.parametrize("name", REPORTS)
def test_both_counts_agree(history: LocalHistory, name: str) -> None:
    assert_counted(build_report(name, history.index, PERIOD, now_ms=NOW_MS), COUNTED[name])
