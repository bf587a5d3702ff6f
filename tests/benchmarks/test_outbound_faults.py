"""The matrix of calls to customers covers every hard case, and its table says what failed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from agent.rehearsal.audio import level_dbfs
from agent.rehearsal.called_customer import silence, tone
from benchmarks.faults.fault_case import CaseFindings, CaseResult
from benchmarks.faults.matrix import NoSuchCase
from benchmarks.outbound_faults.matrix import CASES, outbound_faults, table_lines
from benchmarks.outbound_faults.rule_cases import _morning_after_change


def test_every_hard_case_is_there_under_a_name_of_its_own() -> None:
    assert {case.row for case in CASES} == set(range(1, 21))
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert max(map(len, names)) < 16, "it fits the table"


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(NoSuchCase, match="nothing"):
        asyncio.run(outbound_faults(None, ["nothing"], None, as_json=True))  # type: ignore[arg-type]


def test_the_table_counts_runs_and_telephones() -> None:
    case = next(case for case in CASES if case.name == "hello")
    result = CaseResult(case.name, case.what)
    for seconds in (0.5, 2.5):
        findings = CaseFindings()
        findings.reach(seconds, "says_hello", 2.0)
        result.add(findings)
    line = table_lines(result, case)
    assert line.split()[:7] == ["10", "hello", "2", "10", "1", "1.50", "2.50"]


def test_the_morning_after_the_clocks_changed_is_found() -> None:
    zone = ZoneInfo("America/Chicago")
    assert _morning_after_change(datetime(2026, 12, 1, 18, tzinfo=UTC), zone) == datetime(2027, 3, 14, 9, tzinfo=zone)
    found = _morning_after_change(datetime(2027, 3, 15, 18, tzinfo=UTC), zone)
    assert found.utcoffset() != (found - timedelta(days=1)).utcoffset()


def test_a_tone_is_as_loud_as_it_is_to_be_and_silence_is_silent() -> None:
    assert level_dbfs(tone(1000.0, 0.4, -18.0)) == pytest.approx(-18.0, abs=0.2)
    assert len(silence(0.5)) == 4000
    assert not np.any(silence(0.5))
