"""Which commit was measured."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.machine import RESULTS, commit_of


def git(where: Path, *arguments: str) -> str:
    own = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *arguments]
    return subprocess.run(own, cwd=where, capture_output=True, text=True, check=True).stdout.strip()


def test_a_commit_is_marked_when_its_code_was_changed_and_not_for_new_results(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    git(tmp_path, "init", "-q")
    (tmp_path / RESULTS).mkdir(parents=True)
    result, code = tmp_path / RESULTS / "results.json", tmp_path / "agent.py"
    result.write_text("{}")
    code.write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    commit = git(tmp_path, "describe", "--always")
    result.write_text('{"p50": 1}')
    (tmp_path / "var.json").write_text("not part of it")
    assert commit_of(tmp_path) == commit
    code.write_text("slower = True")
    assert commit_of(tmp_path) == commit + "+"
