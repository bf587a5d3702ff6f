"""The commands people type, run as they type them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.private_asterisk import Asterisk

REPOSITORY = Path(__file__).resolve().parents[2]


def orderline(*arguments: str, stdin: str | None = None, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        cwd=REPOSITORY,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def test_the_demo_places_its_five_calls_and_writes_what_came_of_them(asterisk: Asterisk, home: RehearsalHome) -> None:
    done = orderline("demo", "--home", str(home.directory), seconds=300)
    summary = json.loads((home.directory / "demo" / "summary.json").read_text(encoding="utf-8"))
    assert done.returncode == int(not all(call["ok"] for call in summary["calls"])), done.stdout + done.stderr
    assert summary["asterisk"] == asterisk.version
    assert (summary["model"], summary["voice"]) == ("vosk-model-tiny-en-us-phone", "hibari")
    wrong = [check for call in summary["calls"] for check in call["checks"] if not check["ok"]]
    assert [check for check in wrong if not check["what"].endswith(" ms")] == []  # how fast: "make bench"
    assert [call["outcome"] for call in summary["calls"]] == ["answered"] * 4 + ["handed_over"]
    turns = [turn for call in summary["calls"] for turn in call["turns"]]
    assert {turn["via"] for turn in turns if turn["said"]} == {"speech", "keypad"}
    assert summary["response_ms"]["n"] >= 15
    for call in summary["calls"]:
        assert Path(call["recording"]).stat().st_size > 100_000
        assert json.loads(Path(call["record"]).read_text(encoding="utf-8"))["outcome"] == call["outcome"]
    assert "agent" in done.stdout
    assert "heard: 10473" in done.stdout


def test_an_administrator_rehearses_a_script_of_his_own(
    asterisk: Asterisk, home: RehearsalHome, tmp_path: Path
) -> None:
    script = tmp_path / "mine.yaml"
    script.write_text(
        'calls:\n  - name: mine\n    dial: "7000"\n    voice: hibari\n    steps:\n'
        "      - say: track my order\n      - expect: /order number/\n      - hang_up\n"
        "    expect: {outcome: caller_hung_up}\n",
        encoding="utf-8",
    )
    keep = tmp_path / "keep"
    done = orderline("rehearse", "--json", "--keep", str(keep), "--home", str(home.directory), str(script), seconds=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["calls"][0]["turns"][0]["heard"] == "track my order"
    assert len(list(keep.glob("*.wav"))) == 1


SILENT_SCRIPT = """
calls:
  - name: mine
    dial: "7000"
    voice: hibari
    steps:
      - expect: /%s/
      - say: track my order
      - hang_up
    expect: {outcome: caller_hung_up}
"""


def test_an_edited_procedure_is_rehearsed_before_it_goes_live(
    asterisk: Asterisk, home: RehearsalHome, tmp_path: Path
) -> None:
    flows = tmp_path / "flows"
    shutil.copytree(REPOSITORY / "agent" / "flows" / "en", flows)
    prompts = (flows / "prompts.yaml").read_text(encoding="utf-8")
    (flows / "prompts.yaml").write_text(prompts.replace("How can I help?", "What may I do for you?"), encoding="utf-8")
    script = tmp_path / "mine.yaml"
    script.write_text(SILENT_SCRIPT % "What may I do for you", encoding="utf-8")
    done = orderline("rehearse", "--flows", str(flows), "--home", str(home.directory), str(script), seconds=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_running_call_centre_shows_its_calls_and_can_be_rehearsed_on(
    asterisk: Asterisk, home: RehearsalHome, tmp_path: Path
) -> None:
    own_home = tmp_path / "home"
    own_home.mkdir()
    for name in ("shared", "asterisk"):  # what was fetched and rendered before is used, nothing is fetched again
        if (home.directory / name).is_dir():
            (own_home / name).symlink_to(home.directory / name)
    script = tmp_path / "mine.yaml"
    script.write_text(SILENT_SCRIPT % "How can I help", encoding="utf-8")
    command = [sys.executable, "-m", "agent", "run", "--home", str(own_home)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        shown: list[str] = []
        try:
            for line in running.stdout:
                shown.append(line)
                if "Ctrl-C ends it" in line:
                    break
            assert any("SIP account" in line for line in shown)
            done = orderline("rehearse", "--running", "--home", str(own_home), str(script), seconds=120)
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            running.send_signal(signal.SIGINT)
            shown += running.stdout.readlines()
        assert running.wait(30) == 0
    assert any("agent   Thanks for calling" in line for line in shown)
    assert any("track my order" in line for line in shown)
    assert not (own_home / "running.json").exists()
    assert orderline("rehearse", "--running", "--home", str(own_home), str(script)).returncode == 1


def test_a_script_with_mistakes_is_refused_with_file_and_line(tmp_path: Path) -> None:
    script = tmp_path / "wrong.yaml"
    script.write_text('calls:\n  - name: x\n    dail: "7000"\n    steps: [hang_up]\n', encoding="utf-8")
    done = orderline("rehearse", str(script), "--home", str(tmp_path / "home"))
    assert done.returncode == 2
    assert "wrong.yaml:3" in done.stderr
    assert "dial" in done.stderr


def test_a_number_is_explained_as_json() -> None:
    done = orderline("understand", "--format", "99999", "ten four seventy three")
    assert done.returncode == 0
    assert json.loads(done.stdout)["value"] == "10473"


def test_a_conversation_is_held_by_a_program() -> None:
    lines = [{"say": "where is order one oh four seven three"}, {"keys": "60614"}, {"say": "no thanks"}]
    done = orderline("chat", "--json", stdin="".join(json.dumps(line) + "\n" for line in lines))
    assert done.returncode == 0, done.stderr
    turns = [json.loads(line) for line in done.stdout.splitlines()]
    assert "tomorrow" in json.dumps(turns[2])
    assert turns[-1]["outcome"] == "answered"


def test_the_shipped_procedures_have_no_mistakes() -> None:
    done = orderline("flows", "check")
    assert done.returncode == 0, done.stdout
    assert "no mistakes" in done.stdout


def test_serving_without_settings_says_what_is_missing(tmp_path: Path) -> None:
    done = orderline("serve", "--config", str(tmp_path))
    assert done.returncode == 2
    assert "orderline.yaml" in done.stderr


def test_status_of_an_agent_that_does_not_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "ORDERLINE_CONTROL_TOKEN", "token")
    (tmp_path / "orderline.yaml").write_text("control: {port: 9}\n", encoding="utf-8")
    done = orderline("status", "--config", str(tmp_path))
    assert done.returncode == 1
    assert "does not answer" in done.stderr
