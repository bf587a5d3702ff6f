"""Calls are recorded by a real Asterisk: caller left, agent right, on the record's clock, and only with consent."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures, stored_records

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
      - say: one oh four seven three
      - expect: /postcode|zip/
      - say: nine seven two oh one
      - expect: /order/
      - hang_up
  - name: no to recording, by keypad
    dial: "7000"
    voice: joe
    steps:
      - expect: /keep a record/
      - keys: "2"
      - say: where is my order
      - hang_up
"""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def recording(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("sound")
    settings: dict[str, Any] = {"call": {"consent": "ask"}, "sound": {"keep": "yes", "least_free_mb": "10"}}
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("kept"))


async def test_consent_decides_and_both_sides_are_on_the_records_clock(recording: CallCentre) -> None:
    result = await recording.play(SCRIPT)
    assert result.calls[0].ok, failures(result)
    records = stored_records(recording)
    agreed, refused = (records[call.call_id] for call in result.calls)
    print(agreed)
    await asyncio.sleep(6)
    for file in (recording.stack.run_dir / "state" / "sound").rglob("*"):
        print(file, file.stat().st_size)
    print((recording.stack.run_dir / "agent.log").read_text()[-3000:])
    print(list(recording.stack.run_dir.iterdir()))
    import shutil

    shutil.copytree(recording.stack.run_dir / "state" / "sound", "/tmp/sound-spike", dirs_exist_ok=True)
