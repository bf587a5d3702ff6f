"""`orderline calls`: find, show, export, values, index, send."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from agent.cli import calls as calls_command
from agent.cli.main import main
from tests.history.stored import record, turn, write

STEPS = [{"flow": "main", "step": "greet", "kind": "collect", "at_seconds": 0.0, "way": "answered"}]


@pytest.fixture
def config(tmp_path: Path) -> str:
    text = f"state_directory: {tmp_path}\ncontrol: {{token_file: token}}\nshop: {{timezone: America/New_York}}\n"
    (tmp_path / "orderline.yaml").write_text(text, encoding="utf-8")
    write(
        tmp_path / "calls.sqlite",
        [
            record("call.1", started_at="2026-11-29T23:30:00.000-05:00", outcome="handed_over", faults=["slow 3 s"]),
            record("call.2", started_at="2026-11-30T00:30:00.000-05:00", turns=[turn("Hello", "my \x1b[2J refund")]),
            record("call.3", started_at="2026-11-30T23:59:00.000-05:00", duration_seconds=200.0, trail=STEPS),
        ],
    )
    return str(tmp_path)


def ids(text: str) -> list[str]:
    return re.findall(r"call\.\d", text)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), ["call.3", "call.2", "call.1"]),
        (("--from", "2026-11-30"), ["call.3", "call.2"]),
        (("--to", "2026-11-29"), ["call.1"]),
        (("--from", "2026-11-30", "--to", "2026-11-30"), ["call.3", "call.2"]),
        (("--from", "2026-11-30T00:00", "--to", "2026-11-30T12:00"), ["call.2"]),
        (("--from", "2026-11-30T05:00:00+00:00", "--to", "2026-11-30T06:00:00+00:00"), ["call.2"]),
        (("--outcome", "handed_over", "--outcome", "nothing"), ["call.1"]),
        (("--length", "100-"), ["call.3"]),
        (("--length", "-20.5"), ["call.2", "call.1"]),
        (("--said", "refu*"), ["call.2"]),
        (("--agent-said", "refund"), []),
        (("--fault",), ["call.1"]),
        (("--fault", "SLOW"), ["call.1"]),
        (("--step", "main.*"), ["call.3"]),
        (("--caller", "0143"), ["call.3", "call.2", "call.1"]),
        (("--limit", "1"), ["call.3"]),
    ],
)
def test_calls_are_found(
    options: tuple[str, ...], found: list[str], config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calls", "find", "--config", config, *options]) == 0
    assert ids(capsys.readouterr().out) == found


def test_pages_go_on_where_the_one_before_ended(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["calls", "find", "--config", config, "--limit", "2"])
    page = capsys.readouterr()
    after = page.err.split("--after ")[1].strip()
    main(["calls", "--config", config, "find", "--limit", "2", "--after", after])
    assert ids(page.out) + ids(capsys.readouterr().out) == ["call.3", "call.2", "call.1"]


def test_json_count_and_values(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["calls", "find", "--config", config, "--json", "--limit", "1"])
    line = json.loads(capsys.readouterr().out)
    assert (line["id"], line["started_at"]) == ("call.3", "2026-11-30T23:59:00.000-05:00")
    main(["calls", "find", "--config", config, "--count"])
    assert capsys.readouterr().out == "3\n"
    main(["calls", "values", "outcome", "--config", config])
    assert capsys.readouterr().out.split() == ["2", "answered", "1", "handed_over"]


def test_a_call_is_shown_and_its_words_do_not_steer_the_terminal(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calls", "show", "call.2", "--config", config]) == 0
    shown = capsys.readouterr().out
    assert "caller: my \\u001b[2J refund" in shown
    assert main(["calls", "show", "call.2", "--config", config, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "call.2"
    assert main(["calls", "show", "call.9", "--config", config]) == 1
    assert "no finished call call.9" in capsys.readouterr().err


def test_calls_are_exported_to_a_file_or_the_screen(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "calls.csv"
    assert main(["calls", "export", "--config", config, "-o", str(target)]) == 0
    rows = list(csv.DictReader(io.StringIO(target.read_text(encoding="utf-8"))))
    assert [row["id"] for row in rows] == ["call.3", "call.2", "call.1"]
    assert main(["calls", "export", "--config", config, "--outcome", "handed_over"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "call.1"
    assert main(["calls", "export", "--config", config, "-o", str(tmp_path / "none" / "x.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("find", "--from", "tomorrow"), "2026-11-01"),
        (("find", "--after", "nowhere"), "where a page begins"),
        (("find", "--limit", "0"), "1 to 1000"),
        (("find", "--said", "?!"), "no word"),
        (("find", "--order", "-"), "order number"),
        (("find", "--caller", "anonymous"), "no digit"),
        (("send",), "records.url"),
    ],
)
def test_what_cannot_be_asked_is_told_with_what_to_do(
    options: tuple[str, ...], told: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calls", options[0], "--config", config, *options[1:]]) != 0
    assert told in capsys.readouterr().err


def test_without_its_postgresql_a_node_still_finds_its_own_calls(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORDERLINE_RECORDS_URL", "postgresql://a:secret@127.0.0.1:1/calls")
    assert main(["calls", "find", "--config", config]) == 1
    told = capsys.readouterr().err
    assert "--here" in told
    assert "a@127.0.0.1:1/calls" in told
    assert "secret" not in told
    assert main(["calls", "find", "--config", config, "--here"]) == 0
    assert ids(capsys.readouterr().out) == ["call.3", "call.2", "call.1"]


def test_the_index_is_brought_up_to_date_or_made_anew(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calls", "index", "--config", config]) == 0
    assert "3 calls" in capsys.readouterr().out
    assert main(["calls", "index", "--config", config]) == 0
    assert capsys.readouterr().out == "The index is up to date.\n"
    assert main(["calls", "index", "--config", config, "--anew"]) == 0
    assert "3 calls" in capsys.readouterr().out


def test_without_a_word_behind_it_the_calls_in_progress_are_listed(
    config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(calls_command, "list_live_calls", lambda options: asked.append(options.json) or 0)
    assert main(["calls", "--config", config]) == 0
    assert main(["calls", "--json", "--config", config]) == 0
    assert asked == [False, True]
