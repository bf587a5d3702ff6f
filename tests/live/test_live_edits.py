"""Edited while calls go on: an edit counts from the next call on, a broken one changes nothing and is told."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from agent.flows import english_pack
from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import SCRIPTS, CallCentre, failures

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED_TWICE = """
calls:
  - name: asks before and after the edit
    dial: "7000"
    voice: joe
    steps:
      - say: tell me about the autumn sale
      - expect: /twenty percent/
      - keys: "#"
      - expect: /twenty percent/
      - keys: "#"
      - expect: /twenty percent/
      - keys: "#"
      - expect: /twenty percent/
      - say: tell me about the autumn sale
      - expect: {says: /twenty percent/, never_says: /thirty/}
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered}
"""
ASKED_ONCE = """
calls:
  - name: asks after the edit
    dial: "7000"
    voice: joe
    steps:
      - say: tell me about the autumn sale
      - expect: {says: /thirty percent/, never_says: /twenty/}
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edited(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    """A call centre of its own whose procedures can be edited: ``run_dir/flows``."""
    run_dir = tmp_path_factory.mktemp("run")
    shutil.copytree(english_pack(), run_dir / "flows")
    settings: dict[str, object] = {"flows_directory": str(run_dir / "flows")}
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


async def health_when(call_centre: CallCentre, ready: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Ask the agent how it is until ``ready`` says so."""
    agent = call_centre.stack.agent
    headers = {"Authorization": f"Bearer {agent.token}"}
    async with aiohttp.ClientSession(headers=headers) as session, asyncio.timeout(30):
        while True:
            async with session.get(f"{agent.control_url}/health") as answer:
                health: dict[str, Any] = await answer.json()
            if ready(health):
                return health
            await asyncio.sleep(0.05)


def edit(call_centre: CallCentre, old: str, new: str) -> None:
    path: Path = call_centre.stack.run_dir / "flows" / "knowledge.yaml"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")


async def test_an_edited_promotion_changes_the_next_calls_answer_and_not_the_present_ones(edited: CallCentre) -> None:
    call = asyncio.create_task(edited.play(ASKED_TWICE))
    before = await health_when(edited, lambda health: health["live_calls"] == 1)
    edit(edited, "all jackets are twenty percent off", "all jackets are thirty percent off")
    edition = before["procedures"]["edition"]
    during = await health_when(edited, lambda health: health["procedures"]["edition"] != edition)
    assert during["live_calls"] == 1, "the edit must be in force while the call goes on"
    result = await call
    assert result.ok, failures(result)
    result = await edited.play(ASKED_ONCE)
    assert result.ok, failures(result)


async def test_a_broken_edit_is_refused_and_status_says_why(edited: CallCentre) -> None:
    edit(edited, "thirty percent off", "thirty percent {{ off")
    health = await health_when(edited, lambda health: bool(health["procedures"]["refused"]))
    assert "knowledge.yaml:" in health["procedures"]["refused"][0]
    result = await edited.play(ASKED_ONCE)
    assert result.ok, failures(result)
    agent = edited.stack.agent
    settings = f"control: {{port: {agent.control_port}, token_file: {edited.stack.run_dir}/config/control-token}}\n"
    config = edited.stack.run_dir / "asking"
    config.mkdir()
    (config / "orderline.yaml").write_text(settings, encoding="utf-8")
    command = (sys.executable, "-m", "agent", "status", "--config", str(config))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=SCRIPTS.parents[2], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    assert "REFUSED" in output
    assert "knowledge.yaml:" in output
    assert [line for line in agent.problems() if "refused" not in line] == []
