"""Where a private call centre keeps its things: no run takes another one's files away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent.rehearsal.call_centre import RehearsalHome, RunDirectoryTaken

_HOLD = """
import sys
from pathlib import Path
from agent.rehearsal.call_centre import RehearsalHome

(RehearsalHome(Path(sys.argv[1])).run("bench") / "agent.log").write_text("mine")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_begins_with_an_empty_directory(tmp_path: Path) -> None:
    first = RehearsalHome(tmp_path).run("demo")
    (first / "deeper").mkdir()
    (first / "deeper" / "call.wav").touch()
    (first / "summary.json").touch()
    second = RehearsalHome(tmp_path).run("demo")
    assert second == first
    assert list(second.iterdir()) == []


def test_the_directory_of_a_run_under_way_in_another_process_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunDirectoryTaken, match="Wait until it is over"):
            RehearsalHome(tmp_path).run("bench")
        assert (tmp_path / "bench" / "agent.log").read_text() == "mine"
        other.stdin.close()
        assert other.wait() == 0
    assert list(RehearsalHome(tmp_path).run("bench").iterdir()) == []
