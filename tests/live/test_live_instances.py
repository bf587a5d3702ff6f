"""Several instances of the agent on one Asterisk, each case once (``make instance-faults`` runs each twenty times)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import Asterisk
from benchmarks.faults.case_runner import run_case_once
from benchmarks.faults.fault_case import CaseResult
from benchmarks.instance_faults.cases import CASES
from benchmarks.instance_faults.testbed import InstanceTestbed, open_instances

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE = 5.0
"""Whether it works, not how fast: that is measured by ``make instance-faults``."""
ALONE = ("spread", "neighbours", "codes", "killed-alone")
WITH_REDIS = ("killed", "hung")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alone(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[InstanceTestbed]:
    async with open_instances(asterisk, home, tmp_path_factory.mktemp("two"), print, with_redis=False) as place:
        yield place


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def with_redis(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[InstanceTestbed]:
    async with open_instances(asterisk, home, tmp_path_factory.mktemp("two-redis"), print, with_redis=True) as place:
        yield place


@pytest.mark.parametrize("name", ALONE)
async def test_nobody_is_lost_and_the_others_notice_nothing(alone: InstanceTestbed, name: str) -> None:
    await play(alone, name)


@pytest.mark.parametrize("name", WITH_REDIS)
async def test_a_conversation_goes_on_at_the_other_instance(with_redis: InstanceTestbed, name: str) -> None:
    await play(with_redis, name)


async def play(place: InstanceTestbed, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    result = CaseResult(case.name, case.what)
    await run_case_once(place, case, result, print, PATIENCE)
    assert result.problems == []
    assert result.passed == 1
