"""The pause: it holds over a restart, counts from the next call on, and can be asked for from outside."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from agent.call.reject import PAUSED, reject_to_queue
from agent.control.active_calls import ActiveCalls
from agent.control.live_feed import LiveFeed
from agent.control.pause import PauseSwitch
from agent.control.routes import control_routes
from agent.control.server import ControlServer
from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import EffectStarted, ListeningStarted
from tests.call.fakes import FakeCallerLine, FakeEvents, FakeRecords
from tests.call_events import agent_said, call_began, call_finished


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


@pytest.mark.parametrize(
    "kept", ["[" * 100_000, '{"since": ["x"], "by": 1}', "null", '{"since": "", "by": "x"', "\udcff", "1e999"]
)
def test_whatever_stands_in_its_file_is_a_pause_that_can_be_ended(kept: str, tmp_path: Path) -> None:
    (tmp_path / "paused.json").write_text(kept, encoding="utf-8", errors="surrogateescape")
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    assert pause.now is not None
    pause.end("alice")
    assert PauseSwitch(tmp_path / "paused.json", wall).now is None


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be synchronised any more."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_on_a_full_disk_a_pause_holds_at_once_and_says_that_it_will_not_outlive_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    with monkeypatch.context() as disk:
        full_disk(disk)
        pause.begin("alice")
        assert pause.now is not None
        assert "will not outlive a restart" in pause.not_kept
        assert "No space left on device" in pause.not_kept
    pause.begin("alice")
    assert pause.not_kept == "", "asked for once more when there is room, it is kept"
    assert PauseSwitch(tmp_path / "paused.json", wall).now is not None


def test_a_pause_in_a_directory_that_cannot_be_written_can_be_ended_too(tmp_path: Path) -> None:
    pause = PauseSwitch(tmp_path / "nosuch" / "paused.json", wall)
    pause.begin("alice")
    assert pause.now is not None
    pause.end("alice")
    assert pause.now is None


def test_a_pause_from_the_future_can_be_ended(tmp_path: Path) -> None:
    (tmp_path / "paused.json").write_text('{"since": "2099-01-01T00:00:00+00:00", "by": "x"}', encoding="utf-8")
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    begun_at = pause.changed_at
    pause.end("alice")
    assert pause.now is None
    assert pause.changed_at > begun_at, "and the end counts as the later change"


def test_who_paused_cannot_steer_a_terminal(tmp_path: Path) -> None:
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    assert pause.begin("\x1b[2Jalice\n").by == r"\u001b[2Jalice\u000a"


async def test_a_call_is_passed_on_unanswered_and_recorded_once() -> None:
    line, records, events = FakeCallerLine(), FakeRecords(), FakeEvents()
    await reject_to_queue(line, PAUSED, records, events, wall)
    assert line.log == ["hand_over paused"]
    (record,) = records.written
    assert record.outcome == "handed_over"
    assert record.handover is not None
    assert record.handover["reason"] == "paused"
    assert [event.event for event in events.published] == ["call_refused", "call_started", "call_ended"]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[tuple[PauseSwitch, EventBus, str]]:
    events, calls = EventBus(), ActiveCalls(lambda event: event, lambda: 5.0)
    events.subscribe(calls.update)
    pause = PauseSwitch(tmp_path / "paused.json", wall)
    server = ControlServer(LiveFeed(), "the-token", dict, control_routes(pause, calls.list))
    await server.start("127.0.0.1", 0)
    yield pause, events, f"http://127.0.0.1:{server.port}"
    await server.close()


async def test_the_door_pauses_resumes_and_lists_the_calls_for_who_has_the_token(
    door: tuple[PauseSwitch, EventBus, str],
) -> None:
    pause, events, url = door
    async with aiohttp.ClientSession() as stranger:
        for method, path in (("POST", "/pause"), ("POST", "/resume"), ("GET", "/calls")):
            assert (await stranger.request(method, url + path)).status == 401
    assert pause.now is None
    for event in (call_began(), agent_said("How can I help?"), ListeningStarted("call-1", "request")):
        events.publish(event)
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
        for nonsense in (b"[" * 60_000, b"\xff", b'{"by": 1e999}', b"[]", b"x" * 70_000):
            assert (await session.post(f"{url}/pause", data=nonsense)).status == 400
        await session.post(f"{url}/resume")
        assert pause.now is None
        events.publish(call_finished())
        assert (await (await session.get(f"{url}/calls")).json())["calls"] == []


def test_an_unknown_call_and_an_event_that_says_nothing_of_it_change_nothing() -> None:
    events, calls = EventBus(), ActiveCalls(lambda event: event, lambda: 0.0)
    events.subscribe(calls.update)
    events.publish(ListeningStarted("never-begun", ""))
    events.publish(call_began(number=""))
    events.publish(EffectStarted("call-1", "orders.find"))
    (call,) = json.loads(json.dumps(calls.list()))
    assert (call["call_id"], call["doing"]) == ("call-1", "answering")
