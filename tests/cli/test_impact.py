"""The command ``orderline impact``."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from agent.cli.main import main

MONDAY = 1793613600  # 2026-11-02 10:00 UTC
FAST = ("--no-records", "--set", "days=5", "--set", "calls_per_week=300")


def queue_log(path: Path) -> Path:
    lines = []
    for number in range(260):
        at = MONDAY + (number % 13) * 86400 + (number // 13) * 600
        lines.append((at, f"{at}|{number}.1|shop|NONE|ENTERQUEUE||2025550101|1"))
        if number % 6 == 0:
            lines.append((at + 40, f"{at + 40}|{number}.1|shop|NONE|ABANDON|1|1|40"))
        else:
            lines.append((at + 9, f"{at + 9}|{number}.1|shop|PJSIP/201|CONNECT|9|x|1"))
            lines.append((at + 189, f"{at + 189}|{number}.1|shop|PJSIP/201|COMPLETEAGENT|9|180|1"))
    path.write_text("\n".join(line for _, line in sorted(lines)) + "\ncut", encoding="utf-8")
    return path


def test_a_queue_log_becomes_measured_inputs_and_what_was_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = queue_log(tmp_path / "queue_log")
    page = tmp_path / "page.html"
    options = ["--queue-log", str(log), "--zone", "Europe/Madrid", "--json", "--html", str(page), "--set", "days=5"]
    assert main(["impact", "--no-records", *options]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    sources = {one["name"]: one["source"] for one in data["assumptions"]}
    assert sources["week"] == sources["patience_seconds"] == sources["kinds.status.handle_seconds"] == "measured"
    assert "260 callers" in err
    assert "(queue_log:737)" in err  # the line that was cut
    assert "Europe/Madrid" in err
    assert "queue_log:737" in page.read_text(encoding="utf-8")


def test_volumes_a_sale_day_and_a_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    volumes = tmp_path / "volumes.csv"
    volumes.write_text("weekday,hour,calls\nMon,9,20\nMon,10,30\nTue,9,oops\n", encoding="utf-8")
    assert main(["impact", "--volumes", str(volumes), "--event", "200", "--claim", "50", "--no-records"]) == 0
    out = capsys.readouterr().out
    assert "volumes.csv:4" in out
    assert "A sale day of 200 calls" in out
    assert '"50 % less staff time"' in out


def test_csv_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "waits.svg"
    assert main(["impact", *FAST, "--csv", "--picture", str(picture)]) == 0
    assert capsys.readouterr().out.startswith("period,plan,day,hour")
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_answers_in_the_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("350\n" + "\n" * 12))
    assert main(["impact", "--ask", "--no-records", "--set", "days=5", "--json"]) == 0
    out, err = capsys.readouterr()
    assert "How many calls" in err
    assert json.loads(out)["inputs"]["calls_per_week"] == 350


def test_an_example_file_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["impact", "--example"]) == 0
    assert "calls_per_week: 2000" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--set", "nowhere=1"], "nowhere"),
        (["--claim", "much"], "no claim"),
        (["--queue-log", "missing"], "missing: cannot be read"),
        (["--queue-log", "a", "--cdr", "b"], "not both"),
        (["--queue-log", "missing", "--zone", "Moon/Base"], "no time zone"),
        (["--html", "nowhere/page.html"], "cannot be written"),
    ],
)
def test_mistakes_are_told(
    options: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["impact", "--no-records", *options]) in (1, 2)
    assert reason in capsys.readouterr().err
