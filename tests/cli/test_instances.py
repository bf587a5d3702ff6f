"""Commands speak to all instances of the agent, or to the one that is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.cli import control, main, status
from agent.cli.control import AgentUnreachable
from agent.config.control import ControlSettings

PORTS = {8188: "1", 8200: "2", 8201: "3"}
HEALTH = {
    "version": "1", "live_calls": 0, "asterisk": True, "paused": None, "turned_away": {}, "draining": False,
    "procedures": {"edition": "e", "since": "now", "refused": []},
}  # fmt: skip


class Instances:
    """Three agents by the ports of their control servers; what is asked of each is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.silent: set[str] = set()

    def ask(self, settings: ControlSettings, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        number = PORTS[settings.port]
        self.asked.append((number, path))
        if number in self.silent:
            raise AgentUnreachable("nobody answers")
        if path == "/calls":
            call = {"seconds": float(number), "caller": f"555010{number}", "doing": "listening", "entry": "inbound"}
            return {"paused": None, "calls": [{**call, "flow": "", "step": "", "said": "", "heard": ""}]}
        return {**HEALTH, "live_calls": int(number), "since": "now", "not_kept": ""}


@pytest.fixture
def instances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instances:
    (tmp_path / "orderline.yaml").write_text("instances: 3\ncontrol: {token_file: token}\n", encoding="utf-8")
    found = Instances()
    for module in (control, status):
        monkeypatch.setattr(module, "ask_agent", found.ask)
    return found


def run(directory: Path, *command: str) -> int:
    return main.main([*command, "--config", str(directory)])


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_all_are_paused_and_resumed_together_and_one_alone(command: str, instances: Instances, tmp_path: Path) -> None:
    assert run(tmp_path, command) == 0
    assert instances.asked == [(number, f"/{command}") for number in "123"]
    instances.asked.clear()
    assert run(tmp_path, command, "--instance", "2") == 0
    assert instances.asked == [("2", f"/{command}")]


def test_one_that_does_not_answer_keeps_nobody_else_from_being_paused(
    instances: Instances, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    instances.silent.add("1")
    assert run(tmp_path, "pause") == 1
    assert [number for number, _ in instances.asked] == ["1", "2", "3"]
    assert "instance 1: nobody answers" in capsys.readouterr().err


def test_the_calls_of_all_stand_in_one_list(
    instances: Instances, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "calls") == 0
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["5550103", "5550102", "5550101"]
    assert run(tmp_path, "calls", "--instance", "3", "--json") == 0
    assert [call["caller"] for call in json.loads(capsys.readouterr().out)["calls"]] == ["5550103"]


def test_the_status_of_each_is_told_by_its_number(
    instances: Instances, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "status") == 0
    told = capsys.readouterr().out
    assert "Instance 2, application orderline-2:\nOrderline 1: 2 live calls" in told
    instances.silent.add("3")
    assert run(tmp_path, "status", "--json") == 1
    assert set(json.loads(capsys.readouterr().out)["instances"]) == {"1", "2"}


def test_an_instance_beyond_the_set_is_wrong_usage(instances: Instances, tmp_path: Path) -> None:
    assert run(tmp_path, "status", "--instance", "4") == main.EXIT_USAGE
    assert instances.asked == []


def test_all_are_stopped_at_the_same_time(
    instances: Instances, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is told to drain while the first still does: its calls would go to the second otherwise."""
    import threading

    from agent.control import shutdown

    together = threading.Barrier(3)
    stopped: set[str] = set()

    def stop(settings: ControlSettings, *, drain: bool, timeout_seconds: float, name: str) -> int:
        together.wait(10)
        stopped.add(name)
        return 0

    monkeypatch.setattr(shutdown, "stop_agent", stop)
    assert run(tmp_path, "stop", "--drain") == 0
    assert stopped == {"instance 1: ", "instance 2: ", "instance 3: "}
