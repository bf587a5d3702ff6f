"""What supervisors see of the live calls, and the agent's door for pausing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from agent.live import ControlServer, LiveFeed
from agent.live_calls import LiveCalls, table
from agent.records.pause_file import PauseFile
from tests.call.parts import TestObserver


def test_a_call_is_seen_to_speak_listen_look_things_up_and_end() -> None:
    other, now = TestObserver(), [100.0]
    live = LiveCalls(other, redact=lambda event, data: {**data, "heard": "***"}, clock=lambda: now[0])
    live.notify("call_started", "c1", {})
    now[0] = 165.0
    live.notify("agent_said", "c1", {"text": "And the postcode?", "flow": "identify", "step": "postcode"})
    assert live.row("c1")["doing"] == "speaks"
    live.notify("listening", "c1", {"slot": "postcode"})
    assert live.row("c1")["doing"] == "listens for postcode"
    live.notify("caller_said", "c1", {"heard": "60614"})
    live.notify("effect", "c1", {"name": "orders.verify", "code": "ok"})
    row = live.row("c1")
    assert (row["doing"], row["seconds"], row["heard"]) == ("got orders.verify: ok", 65, "***")
    shown = table([{"number": 12, "caller": "2025550143", **row}])
    assert "12  2025550143" in shown
    assert "1:05" in shown
    assert "identify.postcode" in shown
    live.notify("call_ended", "c1", {})
    assert live.row("c1")["doing"] == "begins"
    assert [name for name, _ in other.events][-1] == "call_ended"
    assert table([]) == "No live calls."


async def test_pausing_by_command_is_kept_and_needs_the_token(tmp_path: Path) -> None:
    pause = PauseFile(tmp_path / "pause.json")
    calls: list[dict[str, Any]] = [{"number": 1}]
    server = ControlServer(LiveFeed(), "token", dict, lambda: calls, pause)
    await server.start("127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.port}"
    try:
        async with aiohttp.ClientSession() as stranger:
            for path in ("/pause", "/resume"):
                async with stranger.post(url + path) as answer:
                    assert answer.status == 401
        async with aiohttp.ClientSession(headers={"Authorization": "Bearer token"}) as session:
            async with session.post(f"{url}/pause", json={"reason": "  new\nprices "}) as answer:
                assert (await answer.json())["paused"] == "new prices"
            assert PauseFile(tmp_path / "pause.json").pause.reason == "new prices"
            async with session.post(f"{url}/pause", data="nonsense") as answer:
                assert answer.status == 400
            async with session.post(f"{url}/pause") as answer:
                assert (await answer.json())["paused"] == "by command"
            async with session.post(f"{url}/resume") as answer:
                assert (await answer.json())["paused"] == ""
            async with session.get(f"{url}/calls") as answer:
                assert await answer.json() == calls
    finally:
        await server.close()
    assert not PauseFile(tmp_path / "pause.json").pause.is_on
