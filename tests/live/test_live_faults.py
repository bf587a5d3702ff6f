"""The fault matrix in small: one of each kind that matters, on real calls (``make faults`` runs all of it)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import Asterisk
from benchmarks.faults.case_runner import run_case_once
from benchmarks.faults.fault_case import CaseResult
from benchmarks.faults.matrix import CASES, fault_testbed
from benchmarks.faults.testbed import FaultTestbed

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUBSET = (
    "killed", "resumed", "second", "media-cut", "events-cut", "ears", "voice", "overload", "hang-up", "drain", "hold",
    "transfer-caller", "transfer-party", "transfer-desk", "transfer-staff",
)  # fmt: skip
PATIENCE = 5.0
"""Whether it works, not how fast: that is measured by ``make faults``."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FaultTestbed]:
    async with fault_testbed(asterisk, home, tmp_path_factory.mktemp("faults"), print) as opened:
        yield opened


@pytest.mark.parametrize("name", SUBSET)
async def test_every_caller_reaches_a_person_or_an_honest_end(place: FaultTestbed, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    result = CaseResult(case.name, case.what)
    await run_case_once(place, case, result, print, PATIENCE)
    assert result.problems == []
    assert result.passed == 1
