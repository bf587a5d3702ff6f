"""``orderline console``: accounts and audit from the machine, and a console that is killed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.preflight.machine import console_finding
from tests.console.console_client import PASSWORD, console_settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "orderline.yaml").write_text(f"state_directory: {tmp_path}/state\nconsole: {{port: 0}}\n")
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("ORDERLINE_CONTROL_TOKEN", "the-token")
    return ["--config", str(tmp_path)]


def typed(monkeypatch: pytest.MonkeyPatch, password: str = PASSWORD) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))


def test_accounts_are_made_listed_changed_and_removed_and_all_of_it_is_in_the_audit(
    config: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    people = ["console", "people"]
    assert main([*people, "list", *config]) == 0
    assert "Nobody can sign in" in capsys.readouterr().err
    typed(monkeypatch)
    assert main([*people, "add", "maria", "--role", "admin", *config]) == 0
    assert main([*people, "add", "anna", "--role", "supervisor", "--grant", "publish", "--generate", *config]) == 0
    assert "Password: " in capsys.readouterr().out
    assert main([*people, "role", "anna", "viewer", "--scope", "queue:returns", *config]) == 0
    assert main([*people, "passwd", "anna", "--generate", *config]) == 0
    capsys.readouterr()
    assert main([*people, "list", "--json", *config]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert (listed["anna"]["role"], listed["anna"]["scopes"]) == ("viewer", ["queue:returns"])
    assert main([*people, "remove", "anna", *config]) == 0
    capsys.readouterr()
    assert main(["console", "audit", "verify", *config]) == 0
    assert capsys.readouterr().out.startswith("5 entries, all as they were written")
    assert main(["console", "audit", "list", *config]) == 0
    assert "people.remove" in capsys.readouterr().out


def test_what_cannot_be_is_told_and_nothing_is_made(
    config: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, password, more, why in (
        ("maria", "too short", (), "12 characters"),
        ("maria", "password1234", (), "first that are tried"),
        ("ma ria", PASSWORD, (), "letters, digits"),
        ("maria", PASSWORD, ("--grant", "everything"), "everything"),
        ("maria", PASSWORD, ("--scope", "all"), "no scope"),
    ):
        typed(monkeypatch, password)
        assert main(["console", "people", "add", name, "--role", "admin", *more, *config]) == 1
        assert why in capsys.readouterr().err
    assert main(["console", "people", "remove", "maria", *config]) == 1
    assert main(["console", "people", "list", *config]) == 0
    assert capsys.readouterr().out == ""


def test_an_audit_that_was_changed_ends_the_command_with_1(
    config: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import sqlite3

    typed(monkeypatch)
    assert main(["console", "people", "add", "maria", "--role", "admin", *config]) == 0
    with sqlite3.connect(tmp_path / "state" / "console.sqlite") as db:
        db.executescript("DROP TRIGGER audit_is_never_changed; UPDATE audit SET who = 'nobody';")
    assert main(["console", "audit", "verify", *config]) == 1
    assert "BROKEN" in capsys.readouterr().out


def test_a_served_console_announces_itself_and_ends_in_order(config: list[str]) -> None:
    command = [sys.executable, "-m", "agent", "console", *config]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("orderline console: http://127.0.0.1:")
        os.kill(process.pid, signal.SIGTERM)
        _, log = process.communicate(timeout=60)
        assert process.returncode == 0, log
    assert "Nobody can sign in yet" in log
    assert "Traceback" not in log


def test_the_check_looks_at_the_console(tmp_path: Path) -> None:
    off = console_finding(console_settings(tmp_path), lambda unit: False)
    assert (off.verdict, "switched off" in off.detail) == ("ok", True)
    empty = console_finding(console_settings(tmp_path), lambda unit: True)
    assert (empty.verdict, "people add" in empty.fix) == ("warning", True)
    (tmp_path / "console.sqlite").touch()
    assert console_finding(console_settings(tmp_path), lambda unit: True).verdict == "ok"
    open_door = console_finding(console_settings(tmp_path, console={"host": "192.0.2.1"}), lambda unit: True)
    assert (open_door.verdict, "console.host" in open_door.fix) == ("failed", True)
