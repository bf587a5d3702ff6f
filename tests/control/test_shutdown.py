"""``orderline stop``: the agent is asked through its control server; the command waits until it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from agent.config.control import ControlSettings
from agent.control.live_feed import LiveFeed
from agent.control.server import ControlServer
from agent.control.shutdown import DRAIN_SECONDS, StopEndpoint, stop_agent

HEADERS = {"Authorization": "Bearer the-token"}


@pytest.fixture
async def running() -> AsyncIterator[tuple[StopEndpoint, ControlServer]]:
    door = StopEndpoint()
    server = ControlServer(LiveFeed(), "the-token", lambda: {"live_calls": 2}, [door.route()])
    await server.start("127.0.0.1", 0)
    yield door, server
    await server.close()


@pytest.mark.parametrize(
    ("body", "seconds"),
    [({}, 0.0), ({"drain": True}, DRAIN_SECONDS), ({"drain": True, "timeout": 7}, 7.0), ({"timeout": 7}, 0.0)],
)
async def test_the_door_tells_the_agent_how_to_stop(
    running: tuple[StopEndpoint, ControlServer], body: dict[str, object], seconds: float
) -> None:
    door, server = running
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        assert (await session.post(f"http://127.0.0.1:{server.port}/stop", json=body)).status == 200
    assert door.asked.is_set()
    assert door.request.drain_seconds == seconds


async def test_nonsense_and_strangers_stop_nothing(running: tuple[StopEndpoint, ControlServer]) -> None:
    door, server = running
    url = f"http://127.0.0.1:{server.port}/stop"
    async with aiohttp.ClientSession(headers=HEADERS) as session:
        for nonsense in (b"{", b"[]", b'{"drain": true, "timeout": "soon"}'):
            assert (await session.post(url, data=nonsense)).status == 400
    async with aiohttp.ClientSession() as stranger:
        assert (await stranger.post(url, json={})).status == 401
    assert not door.asked.is_set()


async def test_the_command_waits_until_the_agent_has_gone(
    running: tuple[StopEndpoint, ControlServer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    door, server = running
    monkeypatch.setenv("ORDERLINE_CONTROL_TOKEN", "the-token")
    control = ControlSettings(port=server.port)
    waiting = asyncio.create_task(asyncio.to_thread(stop_agent, control, drain=False, timeout_seconds=5.0))
    await door.asked.wait()
    assert not waiting.done()
    await server.close()
    assert await waiting == 0
    assert capsys.readouterr().out.endswith("stopped\n")


async def test_where_nobody_runs_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERLINE_CONTROL_TOKEN", "the-token")
    control = ControlSettings(port=1)
    assert await asyncio.to_thread(stop_agent, control, drain=True, timeout_seconds=5.0) == 1
    assert "does not answer" in capsys.readouterr().err
