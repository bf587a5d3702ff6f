"""New calls are let in unless there are too many or nobody should come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from agent.control.admission import Admission
from agent.control.pause import PauseSwitch


def wall() -> datetime:
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def pause_switch(directory: Path) -> PauseSwitch:
    return PauseSwitch(directory / "paused.json", wall)


def test_as_many_calls_are_taken_as_are_allowed_at_once(tmp_path: Path) -> None:
    admission = Admission(pause_switch(tmp_path), max_calls=2)
    assert [admission.rejection_reason(live) for live in (0, 1, 2, 9)] == ["", "", "overload", "overload"]


def test_without_a_limit_any_number_is_taken(tmp_path: Path) -> None:
    assert Admission(pause_switch(tmp_path), max_calls=0).rejection_reason(10_000) == ""


def test_while_paused_none_is_taken(tmp_path: Path) -> None:
    pause = pause_switch(tmp_path)
    admission = Admission(pause, max_calls=2)
    pause.begin("alice")
    assert admission.rejection_reason(0) == "paused"
    pause.end("alice")
    assert admission.rejection_reason(0) == ""


def test_an_agent_about_to_stop_takes_none(tmp_path: Path) -> None:
    admission = Admission(pause_switch(tmp_path), max_calls=2)
    assert not admission.draining
    admission.start_draining()
    assert admission.draining
    assert admission.rejection_reason(0) == "draining"
