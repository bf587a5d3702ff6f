"""What the benchmarks measure beside the rehearsal's own measures: key events, lengths of calls, use of the machine."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.rehearsal.audio import FRAME_SECONDS, AudioTrack
from agent.rehearsal.result import ScriptedCallResult
from benchmarks.__main__ import PARTS, main
from benchmarks.call_centre import SCRIPTS, PlacedCall, load_call_scripts
from benchmarks.speed import _answer_after_event, _stop_after_event, lengths
from benchmarks.usage import CALLERS, UsageMeter

LOUD, QUIET = b"\x00\x20" * 160, bytes(320)


def heard(*stretches: tuple[float, bytes]) -> PlacedCall:
    """A call whose caller heard these stretches of (seconds, frame), from the moment 10 on."""
    track = AudioTrack()
    at = 10.0
    for seconds, frame in stretches:
        for _ in range(round(seconds / FRAME_SECONDS)):
            track.add(at, frame)
            at += FRAME_SECONDS
    return PlacedCall(cast(Any, None), cast(Any, SimpleNamespace(heard=track)), "2025550143")


class TestAKey:
    def test_stops_the_prompt_so_long_after_asterisk_told_of_it(self) -> None:
        placed = heard((1.0, LOUD), (1.0, QUIET))
        stop = _stop_after_event(placed, [10.9])
        assert stop is not None
        assert round(stop) == 100

    def test_that_came_when_nothing_was_said_stopped_nothing(self) -> None:
        assert _stop_after_event(heard((1.0, QUIET)), [10.5]) == 0.0

    def test_nobody_was_told_of_is_not_measured(self) -> None:
        assert _stop_after_event(heard((1.0, LOUD)), []) is None
        assert _answer_after_event(heard((1.0, LOUD)), []) is None

    def test_is_answered_so_long_after_the_last_one(self) -> None:
        answer = _answer_after_event(heard((1.0, LOUD), (1.0, QUIET), (1.0, LOUD)), [10.9, 11.9])
        assert answer is not None
        assert round(answer) == 100


def call(**changes: Any) -> ScriptedCallResult:
    good: dict[str, Any] = {
        "name": "call",
        "ok": True,
        "checks": (),
        "outcome": "answered",
        "ended_by": "agent",
        "caller": "",
        "call_id": "",
        "answered": True,
        "greeting_ms": None,
        "duration_s": 20.0,
        "turns": (),
        "barge_in_stop_ms": (),
        "key_stop_ms": (),
        "longest_silence_s": None,
        "recording": None,
        "record": None,
        "scenario": "order status",
        "ring_s": 0.5,
    }
    return ScriptedCallResult(**(good | changes))


def test_a_call_lasts_from_dialling_to_the_goodbye_and_only_whole_ones_count() -> None:
    calls = [call(), call(ok=False), call(scenario=""), call(ended_by="caller")]
    assert lengths(calls) == [20.5]


def test_the_machine_is_asked_what_a_program_uses() -> None:
    meter = UsageMeter({CALLERS: os.getpid()})
    meter.start()
    sum(range(3_000_000))
    use = meter.read()[CALLERS]
    assert use.cores > 0
    assert use.rss_mb > 10
    assert use.threads >= 1
    assert use.files >= 3


def test_every_script_of_the_benchmarks_can_be_read_and_every_caller_has_a_number() -> None:
    for path in SCRIPTS.glob("*.yaml"):
        calls = load_call_scripts(path.stem, 2)
        numbers = [one.number for one in calls]
        assert len(calls) >= 2
        assert len(set(numbers)) == len(numbers)


def test_what_is_measured_by_default_is_what_the_page_lists() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/benchmarks/README.md").read_text(encoding="utf-8")
    assert [part for part in PARTS if f"| `{part}` |" not in page] == []


def test_a_comparison_needs_something_to_compare_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "before"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "--before DIR" in capsys.readouterr().err


def test_a_report_of_nothing_is_a_table_of_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "--report", "--home", str(tmp_path), "--out", str(tmp_path / "out")])
    assert main() == 1
    assert "NOT MEASURED" in capsys.readouterr().out
