"""Hard cases of calls to customers in small, on real calls (``make outbound-faults`` runs all of them)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import Asterisk
from benchmarks.faults.fault_case import CaseResult
from benchmarks.outbound_faults.matrix import CASES, run_outbound_case
from benchmarks.outbound_faults.testbed import OutboundTestbed, outbound_testbed

pytestmark = pytest.mark.asyncio(loop_scope="session")

SUBSET = ("stop-key", "rings-in", "killed")
PATIENCE = 5.0
"""Whether it works, not how fast: that is measured by ``make outbound-faults``."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OutboundTestbed]:
    async with outbound_testbed(asterisk, home, tmp_path_factory.mktemp("outbound"), print) as opened:
        yield opened


@pytest.mark.parametrize("name", SUBSET)
async def test_a_customer_is_called_once_and_treated_well_whatever_happens(rig: OutboundTestbed, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    result = CaseResult(case.name, case.what)
    await run_outbound_case(rig, case, result, print, PATIENCE)
    assert result.problems == []
    assert result.passed == 1
