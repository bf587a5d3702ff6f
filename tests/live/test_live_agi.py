"""A real dialplan asks the agent by FastAGI, leaves it a value, and sends it the call."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.flows import english_pack
from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.port_block import reserve_ports
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALL = """
calls:
  - name: comes by way of a dialplan that asks
    dial: "8100"
    caller: "2025550143"
    voice: joe
    steps:
      - expect: /winter boots/
      - say: tell me about the autumn sale
      - expect: /twenty percent/
      - say: no thanks
      - wait: hang_up
    expect: {ended_by: agent}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def asked(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    """A call centre whose greeting repeats what the dialplan left."""
    run_dir = tmp_path_factory.mktemp("run")
    shutil.copytree(english_pack(), run_dir / "flows")
    prompts = run_dir / "flows" / "prompts.yaml"
    text = prompts.read_text(encoding="utf-8")
    assert "How can I help?" in text
    prompts.write_text(
        text.replace("How can I help?", "How can I help{% if left.topic %} with your {{ left.topic }}{% endif %}?"),
        encoding="utf-8",
    )
    ports = reserve_ports()
    port = ports.ami
    ports.release()
    settings: dict[str, object] = {
        "flows_directory": str(run_dir / "flows"),
        "fastagi": {"host": "127.0.0.1", "port": str(port)},
    }
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        await stack.pbx.cli(f"dialplan set global ORDERLINE_AGI_ADDRESS agi://127.0.0.1:{port}")
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


async def test_the_dialplan_gets_its_answers_and_the_agent_what_was_left(asked: CallCentre) -> None:
    result = await asked.play(CALL)
    assert result.ok, failures(result)
    full_log = (asked.stack.pbx.log_dir / "full.log").read_text(encoding="utf-8")
    for told in (r"tier: ok (none|silver|gold) \d+", "order: ok [a-z_]+", "no order: not_found", "left: ok"):
        assert re.search(rf'NoOp\("[^"]+", "{told}"\)', full_log), told
    assert await asked.leftovers() == []
    assert asked.problems() == []
