"""Callers are asked about recording on the telephone: a yes is noted, after a no nothing they said is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures, records_of, stored_records

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPT = """
calls:
  - name: yes to recording
    dial: "7000"
    voice: joe
    steps:
      - expect: /keep a record/
      - say: "yes"
      - expect: /Maple and Finch/
      - say: where is my order
      - expect: /order number/
      - hang_up
  - name: no to recording, by keypad
    dial: "7000"
    voice: joe
    steps:
      - expect: /keep a record/
      - keys: "2"
      - say: where is my order
      - say: one oh four seven three
      - hang_up
"""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def asking(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("consent")
    async with running_call_centre(asterisk, home, run_dir, print, {"call": {"consent": "ask"}}) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("kept"))


async def test_a_yes_is_noted_and_after_a_no_not_a_word_is_kept(asking: CallCentre) -> None:
    result = await asking.play(SCRIPT)
    assert result.calls[0].ok, failures(result)
    agreed, refused = await records_of(asking, result)
    assert agreed["consent"] == "given"
    assert [turn["heard"] for turn in agreed["turns"]][:2] == ["yes", "where is my order"]
    assert refused["consent"] == "refused"
    assert (refused["turns"], refused["slots"], refused["caller"]["number"]) == ([], {}, "")
    assert refused["duration_seconds"] > 1
    assert "where" not in json.dumps(refused)
    log = (asking.stack.run_dir / "agent.log").read_text(encoding="utf-8")
    assert "where is my order" not in log, "nor in the log"


async def test_the_metrics_have_counted_these_calls(asking: CallCentre) -> None:
    agent = asking.stack.agent
    headers = {"Authorization": f"Bearer {agent.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(f"{agent.control_url}/metrics") as response:
            page = await response.text()
        async with session.get(f"{agent.control_url}/status") as response:
            status = await response.json()
    answers = Counter(record["consent"] for record in stored_records(asking).values())
    assert answers["refused"] >= 1
    assert f'orderline_consents_total{{answer="refused"}} {answers["refused"]}.0' in page
    assert f'orderline_consents_total{{answer="given"}} {answers["given"]}.0' in page
    assert 'orderline_dependency_up{dependency="asterisk"} 1.0' in page
    assert "orderline_live_calls 0.0" in page
    assert status["state"] == "ok"
