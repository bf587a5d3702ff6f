"""The console beside real calls: words as they are said, pause, hand-over, taking over, and a console that dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.console_process import ConsoleSignIn, running_console_of
from tests.console.console_client import Browser
from tests.live.conftest import CallCentre, record_of
from tests.live.phones_by_hand import PhonesByHand, heard, phones_by_hand, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = "2025550177"


@pytest_asyncio.fixture(loop_scope="session")
async def floor(call_centre: CallCentre, home: RehearsalHome) -> AsyncIterator[PhonesByHand]:
    async with phones_by_hand(call_centre, home) as phones:
        yield phones


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(call_centre: CallCentre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ConsoleSignIn]:
    async with running_console_of(call_centre.stack, tmp_path_factory.mktemp("console")) as console:
        yield console


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(console: ConsoleSignIn) -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        browser = Browser(console.url, http)
        response = await browser.sign_in(console.name, console.password)
        assert response.status == 303, await response.text()
        yield browser


async def live_call(browser: Browser) -> dict[str, Any]:
    """The call that goes on, once the console knows it and what was said first."""
    async with asyncio.timeout(20):
        while True:
            calls = (await browser.json("/api/v1/live"))["calls"]
            if calls and calls[0]["said"]:
                return dict(calls[0])
            await asyncio.sleep(0.1)


def said_by_caller(calls: list[dict[str, Any]]) -> str:
    """What was heard of the caller in the first call that goes on."""
    events = calls[0]["events"] if calls else []
    return " ".join(str(event["data"]["heard"]) for event in events if event["event"] == "caller_said")


async def test_a_call_runs_ends_and_is_found_by_its_words(floor: PhonesByHand, browser: Browser) -> None:
    caller = await floor.phone("7000")
    call = await live_call(browser)
    assert call["caller"].endswith(CALLER)
    await caller.ends_within(4)
    await says(floor, caller, "tell me about the autumn sale please")
    await caller.ends_within(6)
    async with asyncio.timeout(20):
        while not (heard_words := said_by_caller((await browser.json("/api/v1/live"))["calls"])):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    word = max(heard_words.split(), key=len)  # whatever of it was heard
    await caller.hang_up()
    await floor.over()
    await record_of(floor.call_centre, call["call_id"])
    found: list[str] = []
    async with asyncio.timeout(20):
        while call["call_id"] not in found:  # other calls may have had the word
            await asyncio.sleep(0.2)
            found = [one["id"] for one in (await browser.json(f"/api/v1/calls?caller_said={word}"))["calls"]]


async def test_a_pause_in_the_browser_sends_the_next_call_to_the_queue(floor: PhonesByHand, browser: Browser) -> None:
    assert (await browser.ask("POST", "/api/v1/pause", json={})).status == 200
    try:
        caller = await floor.exchange.dial("7000", "2025550178", "Jane")
        ringing = await floor.desk.ring("601", "2025550178", 15)
        assert ringing is not None
        assert (await ringing.leg.pop())["reason"] == "paused"
        await caller.hang_up()
        await caller.close()
    finally:
        assert (await browser.ask("POST", "/api/v1/resume", json={})).status == 200
    await floor.over()


async def test_a_call_is_sent_to_the_queue_from_the_browser(floor: PhonesByHand, browser: Browser) -> None:
    caller = await floor.phone("7000")
    call = await live_call(browser)
    response = await browser.ask("POST", f"/api/v1/calls/{call['call_id']}/hand-over")
    assert response.status == 200, await response.text()
    ringing = await floor.desk.ring("601", CALLER, 15)
    assert ringing is not None
    assert (await ringing.leg.pop())["reason"] == "supervisor_asked"
    await caller.hang_up()
    await floor.over()
    gone = await browser.ask("POST", f"/api/v1/calls/{call['call_id']}/hand-over")
    assert gone.status == 404


@pytest.mark.parametrize("what", ["take-over", "listen"])
async def test_a_supervisors_phone_rings_and_is_joined(floor: PhonesByHand, browser: Browser, what: str) -> None:
    caller = await floor.phone("7000")
    call = await live_call(browser)
    response = await browser.ask("POST", f"/api/v1/calls/{call['call_id']}/{what}", json={"phone": "601"})
    assert response.status == 200, await response.text()
    ringing = await floor.desk.ring("601", "601", 15)
    assert ringing is not None
    supervisor = ringing.leg
    await supervisor.open_media()
    await supervisor.answer()
    await supervisor.ends_within(2)
    words = await says(floor, caller, "tell me about the autumn sale please")
    assert heard(supervisor, words) > 0.6
    if what == "take-over":
        answer = await says(floor, supervisor, "good morning this is the supervisor")
        assert heard(caller, answer) > 0.6
    await caller.hang_up()
    assert await supervisor.ends_within(5)
    await floor.over()


async def test_no_call_notices_that_the_console_is_killed(
    floor: PhonesByHand, console: ConsoleSignIn, browser: Browser
) -> None:
    caller = await floor.phone("7000")
    call = await live_call(browser)
    os.kill(console.pid, signal.SIGKILL)
    await caller.ends_within(4)
    words = await floor.speech("tell me about the autumn sale please")
    await caller.say(words)
    await caller.ends_within(8)
    await caller.hang_up()
    await floor.over()
    record = await record_of(floor.call_centre, call["call_id"])
    assert len(record["turns"]) >= 2
    assert record["faults"] == []
