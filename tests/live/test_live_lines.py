"""Real calls over the other ways a call can take: AudioSocket, back from the queue, an agent that is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from tests.live.conftest import CallCentre, failures, records_of, stored_records
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_audiosocket_carries_the_same_conversation_with_barge_in(by_audiosocket: CallCentre) -> None:
    result = await by_audiosocket.play_until_heard(
        """
calls:
  - name: by AudioSocket
    dial: "7000"
    voice: joe
    steps:
      - barge_in: {after_ms: 900, say: where is order one oh four seven three}
      - expect: /postcode/
      - keys: "60614"
      - expect: /arrive/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered, ended_by: agent}
"""
    )
    assert result.ok, failures(result)
    # how fast is measured by `make bench PARTS=barge-in`; that the prompt did not go on to its end is asserted here
    assert result.calls[0].barge_in_stop_ms[0] < 2000
    assert await by_audiosocket.leftovers() == []


async def test_a_terminator_after_a_whole_number_is_no_answer_to_the_next_question(call_centre: CallCentre) -> None:
    result = await call_centre.play_until_heard(
        """
calls:
  - name: with terminators
    dial: "7000"
    voice: joe
    steps:
      - say: where is my order
      - expect: /order number/
      - keys: "10473#"
      - expect: /postcode/
      - keys: "60614#"
      - expect: {says: /arrive/, never_says: /postcode/}
      - say: no thanks
      - wait: hang_up
    expect: {outcome: answered, ended_by: agent, effects: [orders.verify]}
"""
    )
    assert result.ok, failures(result)
    asked = [turn.agent for turn in result.calls[0].turns if "postcode" in turn.agent]
    assert len(asked) == 1, "it is asked once"


async def test_a_caller_whom_nobody_can_take_comes_back_and_is_told_so(by_audiosocket: CallCentre) -> None:
    pbx = by_audiosocket.stack.pbx
    await pbx.cli("queue pause member PJSIP/601 queue orderline-humans")
    try:
        result = await by_audiosocket.play(
            """
calls:
  - name: nobody there
    dial: "7000"
    voice: joe
    steps:
      - say: I want to talk to a person
      - expect: /nobody is free/
      - say: no thanks
      - wait: hang_up
    expect: {outcome: nobody_free, ended_by: agent}
"""
        )
        assert result.ok, failures(result)
        (before,) = await records_of(by_audiosocket, result)

        def came_back() -> list[dict[str, Any]]:
            return [record for record in stored_records(by_audiosocket).values() if record["continues"] == before["id"]]

        await until(came_back)
        (back,) = came_back()
        assert back["outcome"] == "nobody_free"
        assert "nobody is free" in back["turns"][0]["agent"]
    finally:
        await pbx.cli("queue unpause member PJSIP/601 queue orderline-humans")
    assert await by_audiosocket.leftovers() == []


async def test_a_caller_whose_agent_is_killed_in_mid_sentence_reaches_a_person(by_audiosocket: CallCentre) -> None:
    pid = by_audiosocket.stack.agent.pid
    assert pid is not None

    async def kill_when_greeted() -> None:
        while "0 active calls" in await by_audiosocket.stack.pbx.cli("core show channels"):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # into the greeting
        os.kill(pid, signal.SIGKILL)

    killer = asyncio.create_task(kill_when_greeted())
    result = await by_audiosocket.play_until_heard(
        """
calls:
  - name: the agent dies
    dial: "7000"
    voice: joe
    steps:
      - human: {reason: controller_down, rings_within_seconds: 8}
"""
    )
    await killer
    human = [check for check in result.calls[0].checks if "human" in check.what or "reason" in check.what]
    assert human, failures(result)
    assert all(check.ok for check in human), failures(result)
    await by_audiosocket.stack.agent.start()  # a new life cleans up after the old one
    assert await by_audiosocket.leftovers() == []
