"""A reader who comes late or comes back has every event once and in order, or is told how many are gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from agent.control.live_feed import BadFeedPosition, FeedPosition, LiveFeed
from agent.control.server import ControlServer
from agent.records.event_redaction import redact_event
from agent.telemetry.event_bus import EventBus
from agent.telemetry.event_history import EventHistory
from agent.telemetry.events import CallRequest, ConsentAnswered, QueueWaitEnded
from agent.telemetry.published_event import PublishedEvent
from tests.call_events import agent_said, call_began, call_finished, caller_said

TOKEN = {"Authorization": "Bearer the-token"}


@dataclass
class RunningFeed:
    """An agent's feed behind a real HTTP server."""

    events: EventBus = field(default_factory=EventBus)
    url: str = ""


@contextlib.asynccontextmanager
async def running_feed(**options: Any) -> AsyncIterator[RunningFeed]:
    running = RunningFeed()
    feed = LiveFeed(epoch=running.events.epoch, **options)
    running.events.subscribe(feed.send)
    server = ControlServer(feed, "the-token", dict)
    await server.start("127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{server.port}/live"
    try:
        yield running
    finally:
        await server.close()


async def read(session: aiohttp.ClientSession, address: str, count: int) -> list[dict[str, Any]]:
    """Connect, take so many messages, and be cut off."""
    async with session.ws_connect(address) as socket:
        async with asyncio.timeout(20):
            return [await socket.receive_json() for _ in range(count)]


async def test_a_reader_cut_off_twenty_times_in_a_call_has_every_event_once_and_in_order() -> None:
    async with running_feed() as running, aiohttp.ClientSession(headers=TOKEN) as session:
        running.events.publish(call_began())
        got: list[dict[str, Any]] = []
        for cut in range(20):
            place = f"?after={got[-1]['seq']}&epoch={got[-1]['epoch']}" if got else "?after=0"
            for number in range(5):  # some while nobody reads ...
                running.events.publish(agent_said(f"{cut}.{number}"))
            async with session.ws_connect(running.url + place) as socket:
                async with asyncio.timeout(20):
                    greeting = await socket.receive_json()
                    assert (greeting["event"], greeting["lost"], greeting["restarted"]) == ("replay", 0, False)
                    for number in range(5, 9):  # ... some while somebody does, of which not all are read
                        running.events.publish(agent_said(f"{cut}.{number}"))
                    got += [await socket.receive_json() for _ in range(3 + cut % 3)]
        running.events.publish(call_finished())
        last = running.events.publish(call_began("call-2")).seq
        place = f"?after={got[-1]['seq']}&epoch={running.events.epoch}"
        got += (await read(session, running.url + place, 1 + last - got[-1]["seq"]))[1:]
        assert [one["seq"] for one in got] == list(range(1, last + 1))
        assert [one["call_seq"] for one in got if one["call_id"] == "call-1"] == list(range(1, last))


async def test_who_opens_a_call_in_the_middle_gets_it_from_its_beginning_and_no_other() -> None:
    async with running_feed() as running, aiohttp.ClientSession(headers=TOKEN) as session:
        for call_id in ("call-1", "call-2", "call-1", "call-2"):
            running.events.publish(call_began(call_id))
            running.events.publish(agent_said(call_id=call_id))
        async with session.ws_connect(f"{running.url}?call=call-2") as socket:
            await asyncio.wait_for(socket.receive_json(), 20)
            running.events.publish(agent_said("later", call_id="call-1"))
            running.events.publish(agent_said("later", call_id="call-2"))
            async with asyncio.timeout(20):
                got = [await socket.receive_json() for _ in range(5)]
        assert {one["call_id"] for one in got} == {"call-2"}
        assert [one["call_seq"] for one in got] == [1, 2, 3, 4, 5]


async def test_a_reader_of_the_process_before_is_told_that_it_was_started_anew() -> None:
    async with running_feed() as running, aiohttp.ClientSession(headers=TOKEN) as session:
        running.events.publish(call_began())
        for place in ("?after=1&epoch=another", "?after=900"):
            greeting, first = await read(session, running.url + place, 2)
            assert (greeting["restarted"], greeting["epoch"]) == (True, running.events.epoch)
            assert first["seq"] == 1


@pytest.mark.parametrize("place", ["?after=", "?after=-1", "?after=1.5", "?after=x", "?after=" + "9" * 40, "?after=٣"])
async def test_a_place_that_is_none_is_refused_with_what_to_write(place: str) -> None:
    async with (
        running_feed() as running,
        aiohttp.ClientSession(headers=TOKEN) as session,
        session.get(running.url + place) as response,
    ):
        assert response.status == 400
        assert "'seq'" in await response.text()
    with pytest.raises(BadFeedPosition):
        FeedPosition.of_query({"after": place.removeprefix("?after=")})


async def test_what_is_sent_again_is_redacted_like_the_first_time() -> None:
    secret = CallRequest("call-1", 0, "where", "", {"postcode": "60614", "why": "ring +1 202 555 0143"}, 1.0)
    async with running_feed(redact=redact_event) as running, aiohttp.ClientSession(headers=TOKEN) as session:
        running.events.publish(caller_said("six oh six one four", slot="postcode"))
        running.events.publish(secret)
        _, said, request = await read(session, f"{running.url}?after=0", 3)
        assert said["data"]["heard"] == "[postcode]"
        assert "60614" not in json.dumps(request)
        assert "555" not in json.dumps(request)


async def test_after_a_refusal_nothing_that_was_said_before_is_sent_again() -> None:
    async with running_feed() as running, aiohttp.ClientSession(headers=TOKEN) as session:
        for call_id in ("call-1", "call-2"):
            running.events.publish(agent_said("May we record this?", call_id=call_id))
        running.events.publish(ConsentAnswered("call-1", "refused"))
        _, refused, other, *_ = await read(session, f"{running.url}?after=0", 4)
        assert "text" not in refused["data"]
        assert other["data"]["text"] == "May we record this?"


# --- what is kept ---------------------------------------------------------------------------------------


def history_of(*calls: str, most_recent: int = 5, most_of_one_call: int = 100) -> EventHistory:
    """Events of these calls in turn; a call in capitals ends."""
    bus, history = EventBus(), EventHistory(most_recent, most_of_one_call)
    bus.subscribe(history.keep)
    for call in calls:
        bus.publish(call_finished(call.lower()) if call.isupper() else agent_said(call_id=call))
    return history


def numbers(kept: list[Any]) -> list[int]:
    return [one.published.seq for one in kept]


def test_events_of_calls_that_go_on_are_kept_longer_than_the_latest() -> None:
    history = history_of("a", "b", "a", "B", "c", "c", "c", "c", "c")
    missed = history.after(0)
    assert numbers(missed.events) == [1, 3, 5, 6, 7, 8, 9]
    assert missed.lost == 2
    assert numbers(history.after(6).events) == [7, 8, 9]
    assert history.after(9) == ([], 0)


def test_how_many_events_of_one_call_are_gone_is_told() -> None:
    history = history_of("a", "a", "a", "a", most_of_one_call=3)
    missed = history.of_call("a")
    assert (numbers(missed.events), missed.lost) == ([2, 3, 4], 1)
    assert history.of_call("a", after=3).lost == 0
    assert history.of_call("nobody") == ([], 0)


def test_a_call_that_is_over_can_be_read_while_it_is_among_the_latest() -> None:
    history = history_of("a", "a", "A", "b")
    assert numbers(history.of_call("a").events) == [1, 2, 3]


def test_a_call_that_goes_on_in_another_process_counts_on() -> None:
    bus = EventBus()
    seen: list[PublishedEvent] = []
    bus.subscribe(seen.append)
    bus.go_on("call-1", 1040)
    bus.publish(call_began())
    bus.publish(call_began("call-2"))
    bus.publish(call_finished())
    bus.publish(QueueWaitEnded("call-1", 12.0, "answered"))
    assert [(one.event.call_id, one.call_seq) for one in seen] == [
        ("call-1", 1041), ("call-2", 1), ("call-1", 1042), ("call-1", 1043),
    ]  # fmt: skip
    assert (bus.count("call-1"), bus.count("call-2")) == (0, 1)
