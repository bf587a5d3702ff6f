"""Real calls to an agent whose host's clock is twenty minutes ahead of Asterisk's."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import AgentProcess, PrivateCallCentre, RehearsalHome
from agent.rehearsal.pbx_pair import running_pair
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import SCRIPTS, CallCentre, failures, records_of
from tests.live.other_clock import clock_ahead

pytestmark = pytest.mark.asyncio(loop_scope="session")

AHEAD_SECONDS = 1200


@pytest.fixture(scope="session")
def environment(home: RehearsalHome) -> dict[str, str]:
    return clock_ahead(home.directory, AHEAD_SECONDS)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ahead(
    asterisk: Asterisk, home: RehearsalHome, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("run")
    async with running_pair(asterisk, run_dir / "pbx", print) as (pbx, phones):
        agent = AgentProcess(pbx, run_dir, home.shared, environment=environment)
        await agent.start()
        try:
            stack = PrivateCallCentre(asterisk, pbx, phones, agent, run_dir)
            yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))
        finally:
            await agent.stop()


async def test_a_call_is_held_to_its_end_and_not_taken_to_the_queue_after_5_seconds(ahead: CallCentre) -> None:
    result = await ahead.play(
        """
calls:
  - name: ahead
    dial: "7000"
    voice: joe
    steps:
      - expect: /help/
      - say: where's my order
      - expect: /order number/
      - keys: "10473"
      - expect: /postcode/
      - keys: "60614"
      - expect: /arrive/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered, ended_by: agent}
"""
    )
    assert result.ok, failures(result)
    (record,) = await records_of(ahead, result)
    assert record["duration_seconds"] > 5


async def test_check_says_that_the_clocks_differ(ahead: CallCentre, environment: dict[str, str]) -> None:
    config = ahead.stack.agent.config_dir
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "check", "--config", str(config)),
        cwd=SCRIPTS.parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    told = (await process.communicate())[0].decode()
    assert f"clock of Asterisk's host is {AHEAD_SECONDS} s behind this one's" in " ".join(told.split()), told
