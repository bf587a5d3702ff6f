"""Supervisors' phone codes on real calls: listen, whisper, barge in, take over, pause; and a caller given back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.phone import Leg
from tests.live.conftest import SCRIPTS, CallCentre, records_since, stored_records
from tests.live.phones_by_hand import PhonesByHand, heard, phones_by_hand, says
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def floor(call_centre: CallCentre, home: RehearsalHome) -> AsyncIterator[PhonesByHand]:
    async with phones_by_hand(call_centre, home) as phones:
        yield phones


def records_with(floor: PhonesByHand, outcome: str) -> int:
    return sum(record["outcome"] == outcome for record in stored_records(floor.call_centre).values())


async def command(floor: PhonesByHand, *words: str) -> str:
    """Run a command of ``orderline`` against the running agent."""
    agent, run_dir = floor.call_centre.stack.agent, floor.call_centre.stack.run_dir
    asking = run_dir / "asking-supervisor"
    asking.mkdir(exist_ok=True)
    text = f"control: {{port: {agent.control_port}, token_file: {run_dir}/config/control-token}}\n"
    (asking / "orderline.yaml").write_text(text, encoding="utf-8")
    line = (sys.executable, "-m", "agent", *words, "--config", str(asking))
    process = await asyncio.create_subprocess_exec(
        *line, cwd=SCRIPTS.parents[2], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    return output


async def test_a_supervisor_listens_and_neither_side_hears_them(floor: PhonesByHand) -> None:
    caller = await floor.phone("7000")
    supervisor = await floor.code("*732025550177")
    secret = await says(floor, supervisor, "nobody must hear what I say here")
    words = await says(floor, caller, "tell me about the autumn sale please")
    assert heard(supervisor, words) > 0.6
    assert heard(caller, secret) < 0.5
    assert "2025550177" in await command(floor, "calls")
    await caller.hang_up()
    assert await supervisor.ends_within(5), "listening ends with the call"
    await floor.over()


@pytest.mark.parametrize("delivered", ["+12025550143", "12025550143"])
async def test_a_number_finds_its_caller_in_whatever_form_the_trunk_delivers_it(
    floor: PhonesByHand, delivered: str
) -> None:
    caller = await floor.phone("7000", caller=delivered)
    await caller.ends_within(4)  # the greeting
    supervisor = await floor.code("*732025550143")
    words = await says(floor, caller, "tell me about the autumn sale please")
    assert heard(supervisor, words) > 0.6
    await supervisor.hang_up()
    taken = records_with(floor, "taken_over")
    supervisor = await floor.code("*762025550143")
    words = await says(floor, supervisor, "this is the supervisor speaking hello")
    assert heard(caller, words) > 0.5
    await floor.over()
    await until(lambda: records_with(floor, "taken_over") == taken + 1)


async def test_a_whisper_is_heard_by_the_agent_and_not_by_the_caller(floor: PhonesByHand) -> None:
    before = stored_records(floor.call_centre).keys()
    caller = await floor.phone("7000")
    await caller.ends_within(4)  # the greeting
    supervisor = await floor.code("*74")
    whisper = await says(floor, supervisor, "tell me about the autumn sale")
    assert not await caller.ends_within(6)
    assert heard(caller, whisper) < 0.5
    await caller.hang_up()
    await supervisor.ends_within(5)
    await floor.over()
    (record,) = await records_since(floor.call_centre, before)
    assert "tell me about the autumn sale" in [turn["heard"] for turn in record["turns"]]


async def test_a_barge_in_is_heard_by_the_caller(floor: PhonesByHand) -> None:
    caller = await floor.phone("7000")
    await caller.ends_within(4)  # the greeting
    await says(floor, caller, "hold on i'm looking for it")
    await caller.ends_within(3)  # now the agent waits in silence
    supervisor = await floor.code("*75")
    words = await says(floor, supervisor, "this is the supervisor speaking hello")
    assert heard(caller, words) > 0.5
    await caller.hang_up()
    await supervisor.ends_within(5)
    await floor.over()


async def test_without_a_call_there_is_nothing_to_listen_to(floor: PhonesByHand) -> None:
    for code in ("*73", "*76", "*742025550111"):
        phone = await floor.code(code)
        assert await phone.ends_within(5), code
    await floor.over()


async def test_a_call_is_taken_over_and_both_talk(floor: PhonesByHand) -> None:
    before = records_with(floor, "taken_over")
    caller = await floor.phone("7000")
    await caller.ends_within(1)
    supervisor = await floor.code("*76")
    await supervisor.ends_within(1.5)
    from_supervisor = await says(floor, supervisor, "good morning this is the supervisor")
    from_caller = await says(floor, caller, "good that I reached a person at last")
    assert heard(caller, from_supervisor) > 0.6
    assert heard(supervisor, from_caller) > 0.6
    await until(lambda: records_with(floor, "taken_over") == before + 1)
    await supervisor.hang_up()
    assert await caller.ends_within(5)
    await floor.over()


@pytest.mark.parametrize("code", ["*73", "*74"])
async def test_the_call_listened_to_is_taken_over_by_0(floor: PhonesByHand, code: str) -> None:
    before = records_with(floor, "taken_over")
    caller = await floor.phone("7000")
    await caller.ends_within(1)
    supervisor = await floor.code(code)
    await supervisor.ends_within(1)
    await supervisor.press("0")
    await supervisor.ends_within(1.5)
    from_supervisor = await says(floor, supervisor, "good morning this is the supervisor")
    assert heard(caller, from_supervisor) > 0.6
    await until(lambda: records_with(floor, "taken_over") == before + 1)
    await supervisor.hang_up()
    assert await caller.ends_within(5)
    await floor.over()


@pytest.mark.parametrize("way", ["code", "command"])
async def test_a_paused_agent_takes_no_call_until_it_is_resumed(floor: PhonesByHand, way: str) -> None:
    async def do(code: str, word: str) -> None:
        if way == "code":
            phone = await floor.code(code)
            assert await phone.ends_within(10)
        else:
            await command(floor, word)

    await do("*71", "pause")
    try:
        assert "PAUSED" in await command(floor, "status")
        caller = await floor.exchange.dial("7000", "2025550178", "Jane")
        ringing = await floor.desk.ring("601", "2025550178", 10)
        assert ringing is not None
        assert (await ringing.leg.pop())["reason"] == "paused"
        await caller.hang_up()
        await caller.close()
    finally:
        await do("*72", "resume")
    taken = await floor.phone("7000", caller="2025550179")
    listed = await command(floor, "calls")
    assert "2025550179" in listed
    assert "PAUSED" not in listed
    await taken.hang_up()
    await floor.over()


async def test_a_caller_given_back_is_not_asked_for_the_order_again(floor: PhonesByHand) -> None:
    before = stored_records(floor.call_centre).keys()
    caller = await floor.phone("7000", caller="2025550143")
    await caller.ends_within(4)
    await says(floor, caller, "where is my order one oh four seven three")
    await caller.ends_within(2.5)
    await caller.press("60614")
    await caller.ends_within(9)
    await says(floor, caller, "i want to talk to a person")
    ringing = await floor.desk.ring("601", "2025550143", 15)
    assert ringing is not None
    human = ringing.leg
    assert (await human.pop())["verified"] == "yes"
    await human.open_media()
    await human.answer()
    await human.ends_within(1)
    await floor.exchange.ari.channels.continue_in_dialplan(human.channel_id, context="transfer", extension="700")
    await caller.ends_within(5)
    await says(floor, caller, "where is my order")
    await caller.ends_within(6)
    await caller.hang_up()
    await floor.over()
    _, back = await records_since(floor.call_centre, before, calls=2)
    assert "back with me" in back["turns"][0]["agent"]
    said = " ".join(turn["agent"] for turn in back["turns"])
    assert "order number" not in said
    assert "postcode" not in said
    assert "Your order" in said


async def answered(floor: PhonesByHand) -> Leg:
    """Let the person answer the call that rings."""
    ringing = await floor.desk.ring("601", "2025550177", 20)
    assert ringing is not None
    await ringing.leg.open_media()
    await ringing.leg.answer()
    await ringing.leg.ends_within(1)
    return ringing.leg


async def both_hear(floor: PhonesByHand, caller: Leg, human: Leg, told: str, answer: str) -> None:
    from_human = await says(floor, human, told)
    from_caller = await says(floor, caller, answer)
    assert heard(caller, from_human) > 0.6
    assert heard(human, from_caller) > 0.6


async def test_both_hear_each_other_after_a_time_out_in_the_queue_and_after_being_given_back(
    floor: PhonesByHand,
) -> None:
    pbx = floor.call_centre.stack.pbx
    await pbx.cli("dialplan set global ORDERLINE_QUEUE_SECONDS 3")
    try:
        caller = await floor.phone("7000")
        await caller.ends_within(4)
        await says(floor, caller, "i want to talk to a person")
        unanswered = await floor.desk.ring("601", "2025550177", 15)
        assert unanswered is not None
        assert await unanswered.leg.ends_within(8)
    finally:
        await pbx.cli("dialplan set global ORDERLINE_QUEUE_SECONDS 300")
    await caller.ends_within(5)  # nobody is free, shall we call you back
    await says(floor, caller, "i want to talk to a person")
    human = await answered(floor)
    await both_hear(floor, caller, human, "good morning this is the first person", "good that somebody is there")

    await floor.exchange.ari.channels.continue_in_dialplan(human.channel_id, context="transfer", extension="700")
    await caller.ends_within(5)
    await says(floor, caller, "i want to talk to a person")
    again = await answered(floor)
    await both_hear(floor, caller, again, "here is another person for you", "then we can go on from here")
    await caller.hang_up()
    await floor.over()
