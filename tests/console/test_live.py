"""Live calls in browsers: nothing lost, nothing that somebody may not see, and what happens when the agent is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.call.queue_rules import QueueState
from agent.console.api import live as live_api
from agent.telemetry.events import ConsentAnswered, HandedOver
from tests.call_events import agent_said, call_began, call_finished, caller_said
from tests.console.console_client import Browser, RunningConsole, running_console
from tests.console.made_up_agent import MadeUpAgent, made_up_agent
from tests.waiting import until

SECONDS = 20.0
"""A busy machine may be slow; a test that waits longer has failed."""


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[MadeUpAgent]:
    async with made_up_agent(tmp_path) as agent:
        yield agent


@pytest.fixture
async def console(tmp_path: Path, agent: MadeUpAgent) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path, [agent.address]) as console:
        await node_is(console, "connected")
        yield console


async def node_is(console: RunningConsole, state: str, name: str = "here") -> None:
    await until(lambda: console.context.live.nodes[name].state == state)


class Stream:
    """One browser's connection, read event by event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event that is no sign of life."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(SECONDS):
            async for raw in self.response.content:
                line = raw.decode().rstrip("\n")
                if not line and "event" in fields:
                    self.last_id = fields.get("id", self.last_id)
                    return fields["event"], json.loads(fields["data"])
                name, colon, value = line.partition(": ")
                if colon and name:
                    fields[name] = value
        raise AssertionError("the stream has ended")

    async def until(self, *names: str) -> list[Any]:
        """Calls' events up to and with the last one of these names."""
        found: list[Any] = []
        while not found or found[-1]["event"] not in names:
            kind, data = await self.next()
            if kind == "call":
                found.append(data)
        return found

    def close(self) -> None:
        self.response.close()


async def stream(browser: Browser, last_id: str = "") -> Stream:
    sent = {**browser.headers, "Cookie": f"__Host-orderline={browser.cookie}"}
    if last_id:
        sent["Last-Event-ID"] = last_id
    response = await browser.session.get(f"{browser.base}/api/v1/events", headers=sent)
    assert response.status == 200, await response.text()
    assert response.content_type == "text/event-stream"
    return Stream(response)


def handed_over(queue: str, call_id: str = "call-1") -> HandedOver:
    return HandedOver(call_id, "caller_asked", queue, 0, "Wants a person.", "T-1", {})


async def test_words_come_as_they_are_said_after_a_snapshot(agent: MadeUpAgent, console: RunningConsole) -> None:
    agent.bus.publish(call_began())
    agent.bus.publish(agent_said("Good day."))
    browser = await console.signed_in("supervisor")
    await until(lambda: console.context.live.nodes["here"].last_seq == 2)
    events = await stream(browser)
    kind, snapshot = await events.next()
    assert kind == "snapshot"
    assert [(call["call_id"], call["caller"], call["said"]) for call in snapshot["calls"]] == [
        ("call-1", "2025550143", "Good day.")
    ]
    assert [event["event"] for event in snapshot["calls"][0]["events"]] == ["call_started", "agent_said"]
    agent.bus.publish(caller_said("Where is my order?"))
    agent.bus.publish(call_finished(record={"secret": "60614"}))
    said, ended = await events.until("call_ended")
    assert said["data"]["heard"] == "Where is my order?"
    assert "record" not in ended["data"]
    assert (await browser.json("/api/v1/live"))["calls"] == []


async def test_who_comes_back_misses_nothing_and_gets_nothing_twice(
    agent: MadeUpAgent, console: RunningConsole
) -> None:
    events = await stream(await console.signed_in("supervisor"))
    agent.bus.publish(call_began())
    for number in range(5):
        agent.bus.publish(agent_said(f"words {number}"))
    seen = [event["data"].get("text") for event in (await events.until("call_started"))]
    while "words 2" not in seen:
        seen += [event["data"].get("text") for event in await events.until("agent_said")]
    events.close()
    for number in range(5, 10):
        agent.bus.publish(agent_said(f"words {number}"))
    again = await stream(await console.signed_in("viewer"), events.last_id)
    last = int(seen[-1].split()[1])
    while seen[-1] != "words 9":
        seen += [event["data"]["text"] for event in await again.until("agent_said")]
    assert seen[1:] == [f"words {number}" for number in range(10)]
    assert last < 5


async def test_who_comes_back_after_the_console_was_started_anew_misses_nothing(
    agent: MadeUpAgent, tmp_path: Path
) -> None:
    async with running_console(tmp_path, [agent.address]) as console:
        await node_is(console, "connected")
        events = await stream(await console.signed_in("supervisor"))
        agent.bus.publish(call_began())
        agent.bus.publish(agent_said("before"))
        await events.until("agent_said")
        last_id = events.last_id
    agent.bus.publish(agent_said("meanwhile"))
    async with running_console(tmp_path, [agent.address]) as console:
        await node_is(console, "connected")
        await until(lambda: console.context.live.nodes["here"].last_seq == 3)
        browser = console.browser()
        assert (await browser.sign_in("supervisor")).status == 303
        events = await stream(browser, last_id)
        [missed] = await events.until("agent_said")
        assert missed["data"]["text"] == "meanwhile"


@pytest.mark.parametrize(
    "last_id", ["here=another:1", "nonsense", "here=:", "other=x:1", "here=x:99999999999999999999"]
)
async def test_an_unknown_place_gets_a_snapshot(console: RunningConsole, last_id: str) -> None:
    events = await stream(await console.signed_in("viewer"), last_id)
    assert (await events.next())[0] == "snapshot"


async def test_an_agent_that_is_gone_is_told_and_followed_again(agent: MadeUpAgent, console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    events = await stream(browser)
    agent.bus.publish(call_began())
    await events.until("call_started")
    await agent.stop()
    kind, node = await events.next()
    assert (kind, node["state"]) == ("node", "away")
    health = (await browser.json("/api/v1/health"))["nodes"][0]
    assert health["status"] is None
    assert "does not answer" in health["problem"]
    await agent.start()  # another process: it knows nothing of the call
    await node_is(console, "connected")
    agent.bus.publish(call_began("call-2"))
    while True:
        kind, data = await events.next()
        if kind == "call":
            break
    assert data["call_id"] == "call-2"
    assert [call["call_id"] for call in (await browser.json("/api/v1/live"))["calls"]] == ["call-2"]


async def test_a_viewer_sees_no_number(agent: MadeUpAgent, console: RunningConsole) -> None:
    events = await stream(await console.signed_in("viewer"))
    agent.bus.publish(call_began())
    agent.bus.publish(agent_said("I call you back at 202 555 0143."))
    seen = await events.until("agent_said")
    assert "0143" not in json.dumps(seen)
    assert seen[0]["data"]["caller"]["number"] == "…43"
    assert seen[0]["data"]["dialled"] == "7000"


async def test_a_scope_by_queue_shows_a_call_with_all_its_words_once_it_is_handed_over(
    agent: MadeUpAgent, console: RunningConsole
) -> None:
    returns = await stream(await console.signed_in("supervisor", "anna", scopes=("queue:returns",)))
    number = await stream(await console.signed_in("supervisor", "berta", scopes=("dialled:7001",)))
    agent.bus.publish(call_began())
    agent.bus.publish(agent_said("Good day."))
    agent.bus.publish(handed_over("returns"))
    other = call_began("call-2")
    agent.bus.publish(replace(other, dialled="7001"))
    assert [event["event"] for event in await returns.until("handed_over")] == [
        *("call_started", "agent_said", "handed_over")
    ]
    assert [event["call_id"] for event in await number.until("call_started")] == ["call-2"]


async def test_after_a_refusal_of_recording_no_word_is_kept(agent: MadeUpAgent, console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    events = await stream(browser)
    agent.bus.publish(call_began())
    agent.bus.publish(agent_said("a secret word"))
    agent.bus.publish(ConsentAnswered("call-1", "refused"))
    await events.until("consent")
    assert "secret word" not in json.dumps(await browser.json("/api/v1/live"))
    again = await stream(browser, f"here={agent.bus.epoch}:1")
    assert "secret word" not in json.dumps(await again.until("consent"))


async def test_fifty_browsers_and_twelve_tabs_get_every_event(agent: MadeUpAgent, console: RunningConsole) -> None:
    browsers = [await console.signed_in("supervisor", f"person{number}") for number in range(38)]
    streams = [await stream(browser) for browser in browsers]
    streams += [await stream(browsers[0]) for _ in range(12)]
    agent.bus.publish(call_began())
    for number in range(100):
        agent.bus.publish(agent_said(f"words {number}"))
    agent.bus.publish(call_finished())
    for events in streams:
        seen = await events.until("call_ended")
        assert [event["data"].get("text") for event in seen[1:-1]] == [f"words {number}" for number in range(100)]


async def test_a_stream_ends_with_its_session(
    agent: MadeUpAgent, console: RunningConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_api, "ALIVE_SECONDS", 0.1)
    browser = await console.signed_in("supervisor")
    events = await stream(browser)
    await browser.ask("POST", "/logout")
    while (kind := (await events.next())[0]) != "over":
        assert kind in ("snapshot", "node", "call")


async def test_several_nodes_are_one_list(tmp_path: Path, agent: MadeUpAgent) -> None:
    async with (
        made_up_agent(tmp_path, "second") as second,
        running_console(tmp_path, [agent.address, second.address]) as console,
    ):
        await node_is(console, "connected")
        await node_is(console, "connected", "second")
        browser = await console.signed_in("supervisor")
        events = await stream(browser)
        agent.bus.publish(call_began("call-a"))
        await events.until("call_started")
        second.bus.publish(call_began("call-b"))
        [begun] = await events.until("call_started")
        assert (begun["node"], begun["call_id"]) == ("second", "call-b")
        last_id = events.last_id
        events.close()
        agent.bus.publish(agent_said("from the first", call_id="call-a"))
        again = await stream(browser, last_id)
        [missed] = await again.until("agent_said")
        assert missed["node"] == "here"


async def test_the_page_of_queues_tells_how_many_wait_now(tmp_path: Path, agent: MadeUpAgent) -> None:
    agent.figures.states["support"] = QueueState(logged_in=2, available=0, callers=5)
    settings = {"queues": {"support": {"max_callers": 5}}}
    async with running_console(tmp_path, [agent.address], **settings) as console:
        browser = await console.signed_in("viewer")
        text = await (await browser.get("/queues")).text()
        assert '<b data-field="callers">5</b>' in text
        assert "Full" in text
        await agent.stop()
        assert (await browser.json("/api/v1/queues"))["problem"]
        text = await (await browser.get("/queues")).text()
        assert "How many wait is not known" in text
        assert "Open" in text


async def test_the_health_of_several_nodes_stands_side_by_side(tmp_path: Path, agent: MadeUpAgent) -> None:
    async with (
        made_up_agent(tmp_path, "second") as second,
        running_console(tmp_path, [agent.address, second.address]) as console,
    ):
        browser = await console.signed_in("viewer")
        text = await (await browser.get("/health")).text()
        assert text.count('<a href="#node-') == 2
        await second.stop()
        text = await (await browser.get("/health")).text()
        assert text.count("Does not answer") == 2
        assert text.count('<a href="#node-') == 2


# --- pause ---------------------------------------------------------------------------------------------


async def test_a_pause_reaches_the_agent_and_the_audit(agent: MadeUpAgent, console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    assert (await browser.ask("POST", "/api/v1/pause", json={})).status == 200
    assert agent.pause is not None
    assert agent.pause.now is not None
    assert agent.pause.now.by == "supervisor"
    assert (await browser.ask("POST", "/api/v1/resume", json={})).status == 200
    assert agent.pause.now is None
    assert [what for _, what, _ in await console.audited()][-2:] == ["pause", "resume"]


async def test_a_pause_that_does_not_reach_the_agent_says_so(agent: MadeUpAgent, console: RunningConsole) -> None:
    browser = await console.signed_in("supervisor")
    await agent.stop()
    response = await browser.ask("POST", "/api/v1/pause", json={})
    assert response.status == 503
    told = (await response.json())["nodes"]["here"]
    assert told["done"] is False
    assert "does not answer" in told["detail"]
