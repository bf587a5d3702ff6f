"""The live feed: who may read it, what is read, and that nobody waits for readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from agent.control.server import ControlServer, LiveFeed
from agent.telemetry.metrics import Metrics


@pytest.fixture
async def door() -> AsyncIterator[tuple[LiveFeed, str]]:
    feed = LiveFeed()
    server = ControlServer(feed, "the-token", lambda: {"live_calls": 3})
    await server.start("127.0.0.1", 0)
    yield feed, f"http://127.0.0.1:{server.port}"
    await server.close()


def headers(token: str = "the-token") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("wrong", [{}, headers("another"), {"Authorization": "the-token"}])
async def test_nobody_reads_without_the_token(door: tuple[LiveFeed, str], wrong: dict[str, str]) -> None:
    async with aiohttp.ClientSession(headers=wrong) as session:
        for path in ("/live", "/health"):
            async with session.get(door[1] + path) as response:
                assert response.status == 401


async def test_health_tells_the_status(door: tuple[LiveFeed, str]) -> None:
    async with aiohttp.ClientSession(headers=headers()) as session, session.get(door[1] + "/health") as response:
        health = await response.json()
        assert health["live_calls"] == 3
        assert health["tasks"] >= 1


async def test_every_reader_gets_every_event_in_order(door: tuple[LiveFeed, str]) -> None:
    feed, url = door
    async with (
        aiohttp.ClientSession(headers=headers()) as session,
        session.ws_connect(f"{url}/live") as one,
        session.ws_connect(f"{url}/live") as two,
    ):
        for number in range(20):
            feed.notify("agent_said", "call-1", {"text": f"número {number}"})
        for socket in (one, two):
            got: list[dict[str, Any]] = [await socket.receive_json() for _ in range(20)]
            assert [message["data"]["text"] for message in got] == [f"número {number}" for number in range(20)]
            assert {message["call_id"] for message in got} == {"call-1"}


async def test_a_reader_that_does_not_read_is_cut_off_and_holds_nobody_up() -> None:
    feed = LiveFeed()
    slow = feed.subscribe()
    for _ in range(1100):
        feed.notify("agent_said", "call-1", {})
    quick = feed.subscribe()
    feed.notify("call_ended", "call-1", {})
    assert "call_ended" in str(await quick.get())
    messages = [slow.get_nowait() for _ in range(slow.qsize())]
    assert messages[-1] is None
    assert len(messages) == 1001


async def test_closing_ends_the_readers(door: tuple[LiveFeed, str]) -> None:
    feed, url = door
    async with aiohttp.ClientSession(headers=headers()) as session, session.ws_connect(f"{url}/live") as socket:
        feed.notify("call_started", "call-1", {})
        assert (await socket.receive_json())["event"] == "call_started"
        feed.close()
        async with asyncio.timeout(5):
            assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING)


async def test_healthz_needs_no_token_and_tells_no_more_than_that_it_lives(door: tuple[LiveFeed, str]) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{door[1]}/healthz") as response:
        assert (response.status, await response.text()) == (200, "orderline: alive\n")


async def test_status_and_metrics_are_for_holders_of_the_token() -> None:
    async def dependencies() -> dict[str, Any]:
        return {"state": "ok", "dependencies": {"asterisk": {"state": "ok", "detail": ""}}}

    metrics = Metrics()
    server = ControlServer(LiveFeed(), "the-token", dict, dependencies=dependencies, metrics=metrics.text)
    await server.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}"
    try:
        async with aiohttp.ClientSession() as stranger:
            for path in ("/status", "/metrics"):
                async with stranger.get(url + path) as response:
                    assert response.status == 401
        async with aiohttp.ClientSession(headers=headers()) as session:
            async with session.get(f"{url}/status") as response:
                assert (await response.json())["state"] == "ok"
            async with session.get(f"{url}/metrics") as response:
                assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
                assert 'orderline_dependency_up{dependency="asterisk"} 1.0' in await response.text()
    finally:
        await server.close()
