"""A process of ours runs our code, also where somebody has left a package of the same name."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from agent.common.own_processes import module_command, program_command

TOLD = "import json, agent; print(json.dumps(agent.__file__))"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A directory with things that Python would import from the current directory."""
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "__init__.py").write_text("raise SystemExit('foreign code ran')")
    (tmp_path / "json.py").write_text("raise SystemExit('foreign code ran')")
    return tmp_path


def test_a_program_imports_our_packages(foreign: Path) -> None:
    done = subprocess.run(program_command(TOLD), cwd=foreign, capture_output=True, text=True, check=True)
    assert Path(json.loads(done.stdout)).resolve().parents[1] == Path(__file__).resolve().parents[2]


def test_a_module_is_run_with_its_arguments(foreign: Path) -> None:
    command = module_command("agent", "flows", "check", "--help")
    done = subprocess.run(command, cwd=foreign, capture_output=True, text=True, check=True)
    assert "flows check" in done.stdout
