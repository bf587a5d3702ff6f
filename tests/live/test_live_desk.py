"""People and supervisors on real calls: screen-pop, whisper, coming back, feature codes, pause, closed queues, AGI."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from agent.rehearse.audio import read_wav
from agent.rehearse.private_asterisk import Asterisk
from agent.rehearse.script import Speech
from agent.rehearse.stack import Home, running_stack
from tests.live.desk_rig import HEARD, NOT_HEARD, Floor, likeness_of, open_floor, speak

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(asterisk: Asterisk, home: Home, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    run_dir = tmp_path_factory.mktemp("run")
    (run_dir / "holidays").write_text("# none yet\n", encoding="utf-8")
    settings: dict[str, object] = {
        "queues": {
            "orderline-humans": {
                "timezone": "UTC",
                "holidays_file": str(run_dir / "holidays"),
                "screen_pop_url": "https://crm.example/pop?ticket={ticket}&order={order}&why={reason}",
                "whisper": "yes",
            }
        },
        "agi": {"port": "0", "values": ["language"]},
    }
    async with running_stack(asterisk, home, run_dir, print, settings) as stack, open_floor(stack, home) as floor:
        yield floor
        assert stack.agent.problems() == []


async def test_the_human_sees_the_story_is_told_it_beforehand_talks_and_gives_the_caller_back(floor: Floor) -> None:
    talk = await floor.call(caller="2025550143")
    await talk.agent_says("How can I help")
    number = await floor.number_of(talk)
    await talk.says("where is order one oh four seven three")
    await talk.agent_says("postcode")
    await talk.leg.press("60614")
    await talk.agent_says("Anything else")
    await talk.says("i want to talk to a person")
    handed = await talk.happens("handed_over")

    ringing = await floor.rings(talk)
    shown = await ringing.leg.pop()
    url = f"https://crm.example/pop?ticket={handed['ticket']}&order=10473&why=caller_asked"
    assert shown["url"] == url
    assert shown["call_info"] == f"<{url}>;purpose=info"
    assert (shown["ticket"], shown["order"], shown["verified"]) == (handed["ticket"], "10473", "yes")

    began = time.monotonic()
    human = ringing.leg
    await human.open_media()
    await human.answer()
    (file,) = (floor.stack.run_dir / "state" / "whisper").glob("*.wav")
    whisper = await asyncio.to_thread(read_wav, Path(file))
    await asyncio.sleep(len(whisper) / 8000 + 1.0)
    assert likeness_of(whisper, human, began) > HEARD
    assert likeness_of(whisper, talk.leg, began) < NOT_HEARD
    assert (await speak(floor.sound("vm-nobodyavail"), human, talk.leg))[0] > HEARD
    assert (await speak(floor.sound("please-try-call-later"), talk.leg, human))[0] > HEARD

    whisperer = await floor.supervisor(f"*102{number}")
    await asyncio.sleep(0.5)
    told, untold = await speak(floor.sound("vm-nobodyavail"), whisperer, human, talk.leg)
    assert told > HEARD
    assert untold < NOT_HEARD
    assert (await speak(floor.sound("please-try-call-later"), talk.leg, whisperer))[0] > HEARD
    await whisperer.close()

    talk.feed.events.clear()
    await floor.exchange.ari.channels.continue_in_dialplan(human.channel_id, context="transfer", extension="700")
    await talk.agent_says("You're back with me")
    await talk.says("where is my order")
    await talk.agent_says("Anything else")
    said = " ".join(str(event.data["text"]) for event in talk.feed.named("agent_said"))
    assert "order number" not in said
    assert "postcode" not in said
    await talk.close()


async def test_after_a_time_out_in_the_queue_the_caller_is_back_and_a_supervisor_whispers_the_agent_what_to_do(
    floor: Floor,
) -> None:
    pbx = floor.stack.pbx
    await pbx.cli("dialplan set global ORDERLINE_QUEUE_SECONDS 3")
    try:
        talk = await floor.call()
        await talk.agent_says("How can I help")
        await talk.says("i want to talk to a person")
        await floor.rings(talk)  # and nobody answers
        await talk.agent_says("nobody is free", 20)
    finally:
        await pbx.cli("dialplan set global ORDERLINE_QUEUE_SECONDS 300")
    talk.feed.events.clear()
    whisperer = await floor.supervisor(f"*102{await floor.number_of(talk)}")
    await asyncio.sleep(0.5)
    request = await floor.voices.render(Speech("", "i want to talk to a person", "joe"), -20.0)
    assert (await speak(request, whisperer, talk.leg))[0] < NOT_HEARD
    assert (await talk.happens("handed_over"))["reason"] == "caller_asked"
    await whisperer.close()
    human = await floor.answered(talk)
    await asyncio.sleep(5)  # the whisper
    assert (await speak(floor.sound("vm-nobodyavail"), human, talk.leg))[0] > HEARD
    assert (await speak(floor.sound("please-try-call-later"), talk.leg, human))[0] > HEARD
    await talk.close()


async def test_a_supervisor_listens_whispers_barges_in_and_takes_the_call_over(floor: Floor) -> None:
    talk = await floor.call()
    await talk.agent_says("How can I help")
    number = await floor.number_of(talk)
    here, there = floor.sound("vm-nobodyavail"), floor.sound("please-try-call-later")

    listener = await floor.supervisor(f"*101{number}")
    await asyncio.sleep(0.5)
    began = time.monotonic()
    assert (await speak(there, talk.leg, listener))[0] > HEARD
    await talk.agent_says("Sorry")
    assert listener.heard.samples(began, time.monotonic()).any()
    await listener.close()

    whisperer = await floor.supervisor(f"*102{number}")
    await asyncio.sleep(0.5)
    assert (await speak(here, whisperer, talk.leg))[0] < NOT_HEARD
    await whisperer.close()

    barging = await floor.supervisor(f"*103{number}")
    await asyncio.sleep(0.5)
    assert (await speak(here, barging, talk.leg))[0] > HEARD
    await barging.close()

    taker = await floor.supervisor(f"*101{number}")
    await asyncio.sleep(0.5)
    await taker.press("0")
    ended = await talk.happens("call_ended")
    assert (ended["outcome"], ended["ended_by"]) == ("taken_over", "supervisor")
    await asyncio.sleep(1)
    assert (await speak(here, taker, talk.leg))[0] > HEARD
    assert (await speak(there, talk.leg, taker))[0] > HEARD
    assert await floor.http("GET", "/calls") == []
    await taker.hang_up()
    assert await talk.leg.ends_within(5)
    await taker.close()
    await talk.close()


async def test_a_paused_agent_sends_calls_straight_to_people_until_it_is_resumed_by_phone(floor: Floor) -> None:
    assert (await floor.http("POST", "/pause", {"reason": "new prices"}))["paused"] == "new prices"
    leg = await floor.exchange.dial("7000", "3125550171", "Caller")
    ringing = await floor.rings("3125550171", 5)
    assert (await ringing.leg.pop())["reason"] == "paused"
    await leg.hang_up()
    await leg.close()

    phone = await floor.supervisor("*106")
    assert await phone.ends_within(8)
    await phone.close()
    assert (await floor.http("GET", "/health"))["paused"] == ""
    phone = await floor.supervisor("*105")
    assert await phone.ends_within(8)
    await phone.close()
    assert (await floor.http("GET", "/health"))["paused"] == "by phone 2025550188"
    assert (await floor.http("POST", "/resume"))["paused"] == ""
    talk = await floor.call()
    await talk.agent_says("How can I help")
    await talk.close()


async def test_on_a_holiday_and_with_nobody_logged_in_the_caller_is_told_so_and_called_back(floor: Floor) -> None:
    holidays = floor.stack.run_dir / "holidays"
    holidays.write_text(f"{datetime.now(UTC).date()}\n", encoding="utf-8")
    talk = await floor.call(caller="2025550143")
    await talk.agent_says("How can I help")
    await talk.says("i want to talk to a person")
    await talk.agent_says("closed for the holiday")
    await talk.leg.press("1")
    await talk.agent_says("We'll call you back")
    ticket = [event.data for event in talk.feed.named("effect") if event.data["name"] == "tickets.create"]
    assert [effect["code"] for effect in ticket] == ["ok"]
    await talk.close()
    holidays.write_text("", encoding="utf-8")

    await floor.stack.phones.cli("pjsip send unregister phone-601")
    await asyncio.sleep(1.5)  # figures are kept for a second
    try:
        talk = await floor.call()
        await talk.agent_says("How can I help")
        await talk.says("i want to talk to a person")
        await talk.agent_says("nobody is free")
        (asked,) = [event.data for event in talk.feed.named("effect") if event.data["name"] == "queue.state"]
        assert asked["code"] == "empty"
        await talk.close()
    finally:
        await floor.stack.phones.cli("pjsip send register phone-601")


async def test_a_dialplan_asks_for_an_order_and_leaves_a_value(floor: Floor) -> None:
    pbx = floor.stack.pbx
    port = (await floor.http("GET", "/health"))["agi_port"]
    agi = f"agi://127.0.0.1:{port}"
    steps = [
        f"AGI({agi}/order_status,10473,60614)",
        "NoOp(first:${ORDERLINE_RESULT}:${ORDERLINE_STATUS}:)",
        f"AGI({agi}/order_status,10473,99999)",
        "NoOp(second:${ORDERLINE_RESULT}:${ORDERLINE_STATUS}:)",
        f"AGI({agi}/customer_tier)",
        "NoOp(third:${ORDERLINE_RESULT}:${ORDERLINE_TIER}:)",
        f"AGI({agi}/accepting)",
        "NoOp(fourth:${ORDERLINE_ACCEPTING}:)",
        f"AGI({agi}/leave_value,language,spanish)",
        "NoOp(fifth:${ORDERLINE_RESULT}:)",
        f"AGI({agi}/leave_value,verified,yes)",
        "NoOp(sixth:${ORDERLINE_RESULT}:)",
        "Goto(orderline,7000,1)",
    ]
    for priority, step in enumerate(steps, 1):
        answer = await pbx.cli(f"dialplan add extension 8100,{priority},{step} into from-carrier")
        assert "added" in answer, answer
    talk = await floor.call("8100", caller="2025550143")
    await talk.agent_says("How can I help")
    log = (pbx.log_dir / "full.log").read_text(encoding="utf-8")
    answers = "first:ok:in_transit: second:not_found:: third:ok:gold: fourth:yes: fifth:ok: sixth:not_allowed:"
    for line in answers.split():
        assert re.search(rf'NoOp\("[^"]+", "{line}"\)', log), line
    await talk.close()
