"""`orderline status` prints what does not work, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cli import main as command
from agent.cli import status as status_command

WELL = {
    "version": "1", "live_calls": 0, "asterisk": True, "paused": None, "turned_away": {}, "draining": False,
    "procedures": {"edition": "e", "since": "now", "refused": []}, "records_waiting": 0,
    "dependencies": {"asterisk": {"state": "ok", "detail": ""}, "redis": {"state": "off", "detail": "one node alone"}},
}  # fmt: skip


def printed(
    status: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    (tmp_path / "orderline.yaml").write_text("control: {token_file: token}\n", encoding="utf-8")
    monkeypatch.setattr(status_command, "ask_agent", lambda *_: status)
    return command.main(["status", "--config", str(tmp_path)]), capsys.readouterr().out


def test_nothing_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = printed(WELL, tmp_path, monkeypatch, capsys)
    assert (code, "DOWN" in text) == (0, False)


def test_a_full_disk_and_a_refused_password_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    down = {
        "asterisk": {"state": "down", "detail": "Asterisk refuses the user or the password"},
        "records": {"state": "down", "detail": "No space left on device"},
    }
    status = {**WELL, "asterisk": False, "records_waiting": 3, "dependencies": down}
    code, text = printed(status, tmp_path, monkeypatch, capsys)
    assert code == 1
    assert "DOWN: asterisk: Asterisk refuses the user or the password" in text
    assert "DOWN: records: No space left on device" in text
    assert "3 record(s) of calls wait" in text
