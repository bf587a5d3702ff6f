"""The live feed: who may read it, what is read, and that nobody waits for readers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from agent.common.log_rate import MOST_OF_ONE
from agent.control import request_body
from agent.control import server as control_server
from agent.control.live_feed import LiveFeed
from agent.control.server import ControlServer
from agent.control.shutdown import StopEndpoint
from agent.telemetry.event_bus import EventBus
from agent.telemetry.metrics import Metrics
from tests.call_events import agent_said, call_began, call_finished


@pytest.fixture
async def door() -> AsyncIterator[tuple[EventBus, str]]:
    events, feed = EventBus(), LiveFeed()
    events.subscribe(feed.send)
    server = ControlServer(feed, "the-token", lambda: {"live_calls": 3})
    await server.start("127.0.0.1", 0)
    yield events, f"http://127.0.0.1:{server.port}"
    await server.close()


def headers(token: str = "the-token") -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("wrong", [{}, headers("another"), {"Authorization": "the-token"}])
async def test_nobody_reads_without_the_token(door: tuple[EventBus, str], wrong: dict[str, str]) -> None:
    async with aiohttp.ClientSession(headers=wrong) as session:
        for path in ("/live", "/health"):
            async with session.get(door[1] + path) as response:
                assert response.status == 401


async def test_health_tells_the_status(door: tuple[EventBus, str]) -> None:
    async with aiohttp.ClientSession(headers=headers()) as session, session.get(door[1] + "/health") as response:
        health = await response.json()
        assert health["live_calls"] == 3
        assert health["tasks"] >= 1


async def test_every_reader_gets_every_event_in_order(door: tuple[EventBus, str]) -> None:
    events, url = door
    async with (
        aiohttp.ClientSession(headers=headers()) as session,
        session.ws_connect(f"{url}/live") as one,
        session.ws_connect(f"{url}/live") as two,
    ):
        for number in range(20):
            events.publish(agent_said(f"número {number}"))
        for socket in (one, two):
            got: list[dict[str, Any]] = [await socket.receive_json() for _ in range(20)]
            assert [message["data"]["text"] for message in got] == [f"número {number}" for number in range(20)]
            assert {message["call_id"] for message in got} == {"call-1"}
            assert [message["seq"] for message in got] == list(range(1, 21))
            assert {message["epoch"] for message in got} == {events.epoch}


async def test_a_reader_that_does_not_read_is_cut_off_and_holds_nobody_up() -> None:
    events, feed = EventBus(), LiveFeed()
    events.subscribe(feed.send)
    slow = feed.follow().queue
    for _ in range(1100):
        events.publish(agent_said())
    quick = feed.follow().queue
    events.publish(call_finished())
    assert "call_ended" in str(await quick.get())
    messages = [slow.get_nowait() for _ in range(slow.qsize())]
    assert messages[-1] is None
    assert len(messages) == 1001


async def test_closing_ends_the_readers() -> None:
    events, feed = EventBus(), LiveFeed()
    events.subscribe(feed.send)
    server = ControlServer(feed, "the-token", dict)
    await server.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}"
    async with aiohttp.ClientSession(headers=headers()) as session, session.ws_connect(f"{url}/live") as socket:
        events.publish(call_began())
        assert (await socket.receive_json())["event"] == "call_started"
        feed.close()
        async with asyncio.timeout(5):
            assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING)
    await server.close()


async def test_healthz_needs_no_token_and_tells_no_more_than_that_it_lives(door: tuple[EventBus, str]) -> None:
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


async def answer_to(url: str, request: bytes) -> bytes:
    """What the server answers to these bytes before it closes the connection, or has nothing more to say."""
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    answer = b""
    async with asyncio.timeout(10):
        with contextlib.suppress(ConnectionError):
            answer = await reader.read()
    writer.close()
    return answer


HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "token", [b"Bearer \xff", b"Bearer \xc3\x28", b"\xff\xfe", b"Bearer the-token\xff", b"Bearer \xed\xa0\x80"]
)
async def test_a_token_that_is_no_utf8_is_a_wrong_one_and_fail2ban_sees_it(
    token: bytes, door: tuple[EventBus, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await answer_to(door[1], HEAD + b"Authorization: " + token + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401")
    assert "Authentication failure from 127.0.0.1" in caplog.messages


async def test_half_a_head_does_not_hold_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_server, "HEAD_SECONDS", 0.3)
    server = ControlServer(LiveFeed(), "the-token", dict)
    await server.start("127.0.0.1", 0)
    for half in (b"", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: x\r\n"):
        assert await answer_to(f"http://127.0.0.1:{server.port}", half) == b""
    await server.close()


async def test_half_a_body_does_not_hold_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "_BODY_SECONDS", 0.2)
    endpoint = StopEndpoint()
    server = ControlServer(LiveFeed(), "the-token", dict, [endpoint.route()])
    await server.start("127.0.0.1", 0)
    head = b"POST /stop HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer the-token\r\nContent-Length: 100\r\n\r\n{"
    assert (await answer_to(f"http://127.0.0.1:{server.port}", head)).startswith(b"HTTP/1.1 408")
    assert not endpoint.asked.is_set()
    await server.close()


async def test_strangers_make_the_log_write_so_many_lines_a_minute_and_no_more(
    door: tuple[EventBus, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with aiohttp.ClientSession() as stranger:
        for _ in range(60):
            async with stranger.get(f"{door[1]}/health") as response:
                assert response.status == 401
    failures = [line for line in caplog.messages if line.startswith("Authentication failure from")]
    assert 5 < len(failures) <= MOST_OF_ONE, "enough for fail2ban, which bans at five"


async def test_a_broken_head_is_one_line_without_a_trace(
    door: tuple[EventBus, str], caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(60):
        await answer_to(door[1], b"GET / HTTP/1.1\r\nBad Header\r\n\r\n")
    assert 0 < len(caplog.records) <= MOST_OF_ONE
    assert not any(record.exc_info for record in caplog.records)
