"""``orderline serve`` ends at once when it is told to, whether it has its Asterisk or still waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from agent.app import run
from agent.config.settings import Settings


class Start:
    """A start that goes on when the test lets it."""

    def __init__(self) -> None:
        self.waits, self.goes_on = asyncio.Event(), asyncio.Event()
        self.ended: list[str] = []

    @contextlib.asynccontextmanager
    async def running_application(self, _: Settings, *, takeover: bool) -> AsyncIterator[Any]:
        try:
            self.waits.set()
            await self.goes_on.wait()
            asked = SimpleNamespace(asked=asyncio.Event(), request=SimpleNamespace(drain_seconds=0))
            yield SimpleNamespace(control_port=1, status=dict, stop_endpoint=asked, replaced=asyncio.Event())
        finally:
            await asyncio.sleep(0)  # whatever is closed is closed to its end
            self.ended.append("closed")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    start = Start()
    monkeypatch.setattr(run, "running_application", start.running_application)
    return start


async def test_an_agent_that_waits_for_its_asterisk_heeds_the_signal_to_stop(start: Start) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(run.serve(Settings(), stop, on_ready=ready.set))
    await start.waits.wait()
    stop.set()
    assert await asyncio.wait_for(serving, 10) == 0
    assert start.ended == ["closed"]
    assert not ready.is_set()


async def test_an_agent_that_is_ready_ends_in_order(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    start.goes_on.set()
    serving = asyncio.create_task(run.serve(Settings(), stop, on_ready=ready.set))
    await ready.wait()
    assert not serving.done()
    stop.set()
    assert await asyncio.wait_for(serving, 10) == 0
    assert start.ended == ["closed"]
    assert '"ready": true' in capsys.readouterr().out


async def test_a_start_that_fails_says_why(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.asynccontextmanager
    async def refused(_: Settings, *, takeover: bool) -> AsyncIterator[Any]:
        raise OSError("the port is taken")
        yield

    monkeypatch.setattr(run, "running_application", refused)
    with pytest.raises(OSError, match="the port is taken"):
        await run.serve(Settings(), asyncio.Event())
