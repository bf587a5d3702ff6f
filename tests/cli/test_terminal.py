"""What commands print cannot steer the terminal, and a reader who leaves early is no error."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli import control
from agent.cli.main import main
from agent.cli.terminal import PrintableOutput

EVIL = "\x1b]0;owned\x07\x1b[2J\r\x9b1A"
CALL = {"seconds": 3.0, "caller": EVIL, "doing": EVIL, "flow": EVIL, "step": EVIL, "entry": "inbound"}


def printed_by(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, *words: str) -> str:
    (tmp_path / "orderline.yaml").write_text("control: {token_file: token}\n", encoding="utf-8")
    found = {"paused": {"since": EVIL, "by": EVIL}, "calls": [{**CALL, "said": EVIL, "heard": EVIL}], "since": EVIL}
    monkeypatch.setattr(control, "ask_agent", lambda *_: {**found, "not_kept": EVIL})
    assert main([*words, "--config", str(tmp_path)]) == 0
    told = capsys.readouterr()
    return told.out + told.err


@pytest.mark.parametrize("words", [("calls",), ("calls", "--json"), ("pause",), ("resume",)])
def test_what_a_call_or_another_node_says_cannot_steer_the_terminal(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = printed_by(monkeypatch, capsys, tmp_path, *words)
    assert r"\u001b[2J" in text
    assert not any(sign in text for sign in "\x1b\x07\r\x9b")


def test_json_stays_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = json.loads(printed_by(monkeypatch, capsys, tmp_path, "calls", "--json"))
    assert told["calls"][0]["heard"] == EVIL


def test_our_own_colours_stay() -> None:
    screen = io.StringIO()
    print("\x1b[36magent\x1b[0m\x1b[8m", file=PrintableOutput(screen))
    assert screen.getvalue() == "\x1b[36magent\x1b[0m\\u001b[8m\n"


@pytest.mark.parametrize("words", [["events"], ["shop", "mappings"], ["--help"]])
def test_a_reader_who_has_seen_enough_is_no_error(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "agent", *words], stdout=write, stderr=subprocess.PIPE, env=environment, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
