"""Real calls: a real Asterisk, real audio, real recognition, measured at the caller's end of the line."""

from __future__ import annotations

import asyncio
import json
import sys

import pytest

from tests.live.conftest import SCRIPTS, CallCentre, failures, records_of
from tests.live.spare_capacity import callers_at_once

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_calls_that_go_wrong_on_purpose_end_well(call_centre: CallCentre) -> None:
    result = await call_centre.play_until_heard(SCRIPTS / "hard.yaml", at_once=2)
    assert result.ok, failures(result)
    assert await call_centre.leftovers() == []


async def test_a_caller_who_hangs_up_at_any_moment_leaves_one_record_and_nothing_else(call_centre: CallCentre) -> None:
    result = await call_centre.play(SCRIPTS / "hangups.yaml", at_once=await callers_at_once(4))
    assert len(result.calls) >= 10
    assert result.ok, failures(result)
    assert await call_centre.leftovers() == []
    reached = [call.call_id for call in result.calls if call.call_id]
    assert len(reached) >= len(result.calls) - 3, "only calls hung up while they ring may never reach the agent"
    assert [record["id"] for record in await records_of(call_centre, result)] == reached


async def test_as_many_callers_as_the_machine_can_hear_are_answered_talked_through_and_ended_at_once(
    call_centre: CallCentre,
) -> None:
    callers = await callers_at_once(20)
    script = """
calls:
  - name: order status
    dial: "7000"
    voice: joe
    steps:
      - say: where is my order
      - expect: /order number/
      - say: one oh four seven three
      - expect: /postcode/
      - keys: "60614"
      - expect: /arrive/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered, ended_by: agent}
"""
    result = await call_centre.play_until_heard(script, at_once=callers, repeat=20)
    assert len(result.calls) == 20
    assert result.ok, failures(result)
    assert await call_centre.leftovers() == []
    records = await records_of(call_centre, result)
    assert [record["outcome"] for record in records] == ["answered"] * 20


async def test_the_record_holds_the_conversation_without_the_second_fact(call_centre: CallCentre) -> None:
    script = """
calls:
  - name: order status by keypad
    dial: "7000"
    voice: hibari
    steps:
      - say: track my order
      - expect: /order number/
      - keys: "10473"
      - expect: /postcode/
      - keys: "60614"
      - expect: /arrive/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered}
"""
    result = await call_centre.play_until_heard(script)
    assert result.ok, failures(result)
    (record,) = await records_of(call_centre, result)
    assert [turn["heard"] for turn in record["turns"]][:2] == ["track my order", "10473"]
    assert "60614" not in json.dumps(record)
    assert [effect["name"] for effect in record["effects"]] == ["orders.verify"]
    assert record["greeting_ms"] > 0  # how fast it comes is measured by "make bench"


async def test_the_preflight_finds_nothing_wrong_with_a_call_centre_that_works(call_centre: CallCentre) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent",
        "check",
        "--config",
        str(call_centre.stack.run_dir / "config"),
        cwd=SCRIPTS.parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    assert "an audio connection was opened and closed" in output
    assert "Calls can be sent to this agent." in output


async def test_nothing_was_logged_that_is_not_explained(call_centre: CallCentre) -> None:
    """Runs after the other calls of this file: their logs are what is looked at."""
    assert call_centre.problems() == []
