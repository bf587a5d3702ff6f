"""The pause: it holds over a restart, counts from the next call on, and can be asked for from outside."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from agent.call.reject import PAUSED, reject_to_queue
from agent.control.active_calls import ActiveCalls
from agent.control.pause import PauseError, PauseSwitch
from agent.control.routes import control_routes
from agent.control.server import ControlServer, LiveFeed
from tests.call.fakes import FakeCallerLine, FakeObserver, FakeRecords


def wall() -> datetime:
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_a_pause_outlives_a_restart_and_keeps_who_began_it(tmp_path: Path) -> None:
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    assert pause.now is None
    pause.begin("alice")
    pause.begin("bob")
    again = PauseSwitch(tmp_path / "paused.json", wall)
    assert again.now is not None
    assert (again.now.since, again.now.by) == ("2026-03-02T09:30:00+00:00", "alice")
    again.end("bob")
    assert again.now is None
    assert PauseSwitch(tmp_path / "paused.json", wall).now is None


def test_a_pause_that_cannot_be_read_is_a_pause(tmp_path: Path) -> None:
    (tmp_path / "paused.json").write_text("{", encoding="utf-8")
    assert PauseSwitch(tmp_path / "paused.json", wall).now is not None


def test_a_pause_that_cannot_be_kept_is_no_pause(tmp_path: Path) -> None:
    pause = PauseSwitch(tmp_path / "nosuch" / "paused.json", wall)
    with pytest.raises(PauseError):
        pause.begin("alice")
    assert pause.now is None


async def test_a_call_is_passed_on_unanswered_and_recorded_once() -> None:
    line, records = FakeCallerLine(), FakeRecords()
    await reject_to_queue(line, PAUSED, records, FakeObserver(), wall)
    assert line.log == ["hand_over paused"]
    (record,) = records.written
    assert record.outcome == "handed_over"
    assert record.handover is not None
    assert record.handover["reason"] == "paused"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[tuple[PauseSwitch, ActiveCalls, str]]:
    feed = LiveFeed()
    calls = ActiveCalls(feed, lambda event, data: data, lambda: 5.0)
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    server = ControlServer(feed, "the-token", dict, control_routes(pause, calls.list))
    await server.start("127.0.0.1", 0)
    yield pause, calls, f"http://127.0.0.1:{server.port}"
    await server.close()


async def test_the_door_pauses_resumes_and_lists_the_calls_for_who_has_the_token(
    door: tuple[PauseSwitch, ActiveCalls, str],
) -> None:
    pause, calls, url = door
    async with aiohttp.ClientSession() as stranger:
        for method, path in (("POST", "/pause"), ("POST", "/resume"), ("GET", "/calls")):
            assert (await stranger.request(method, url + path)).status == 401
    assert pause.now is None
    calls.notify("call_started", "c-1", {"caller": {"number": "2025550143"}, "dialled": "7000", "entry": "inbound"})
    calls.notify("agent_said", "c-1", {"text": "How can I help?", "flow": "main", "step": "hello"})
    calls.notify("listening", "c-1", {"slot": "request"})
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer the-token"}) as session:
        await session.post(f"{url}/pause", json={"by": "alice"})
        assert pause.now is not None
        answer = await (await session.get(f"{url}/calls")).json()
        assert answer["paused"]["by"] == "alice"
        (call,) = answer["calls"]
        assert (call["caller"], call["doing"], call["flow"], call["said"]) == (
            "2025550143",
            "listening",
            "main",
            "How can I help?",
        )
        assert (await session.post(f"{url}/pause", data=b"{")).status == 400
        await session.post(f"{url}/resume")
        assert pause.now is None
        calls.notify("call_ended", "c-1", {})
        assert (await (await session.get(f"{url}/calls")).json())["calls"] == []


def test_an_unknown_call_and_an_unknown_event_change_nothing() -> None:
    calls = ActiveCalls(FakeObserver(), lambda event, data: data, lambda: 0.0)
    calls.notify("listening", "never-begun", {})
    calls.notify("call_started", "c-1", {"caller": {"number": ""}})
    calls.notify("something_new", "c-1", {})
    assert json.loads(json.dumps(calls.list()))[0]["doing"] == "answering"
