"""A report as text, JSON, CSV and a page; the command behind a number."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.history.stored import record, write

CALLS = [
    record(
        f"call.{place}",
        started_at=f"2026-11-{2 + place % 3:02d}T12:00:0{place % 10}.000-05:00",
        outcome=outcome,
        intents=[{"intent": "returns", "result": outcome}],
        handover={"reason": "=HYPERLINK(1)"} if outcome == "handed_over" else None,
    )
    for place, outcome in enumerate(["answered"] * 6 + ["handed_over"] * 2 + ["caller_hung_up"])
]


@pytest.fixture
def config(tmp_path: Path) -> str:
    text = f"state_directory: {tmp_path}\ncontrol: {{token_file: token}}\nshop: {{timezone: America/New_York}}\n"
    (tmp_path / "orderline.yaml").write_text(text, encoding="utf-8")
    write(tmp_path / "calls.sqlite", CALLS)
    return str(tmp_path)


def printed(capsys: pytest.CaptureFixture[str], config: str, *options: str) -> str:
    period = ("--from", "2026-11-01", "--to", "2026-11-05", "--config", config)
    assert main(["report", *options, *period]) == 0
    return capsys.readouterr().out


def test_the_list_of_reports_needs_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 0
    assert "contained    Containment" in capsys.readouterr().out


def test_text_has_definition_n_interval_and_the_command_of_its_calls(
    capsys: pytest.CaptureFixture[str], config: str
) -> None:
    text = printed(capsys, config, "contained")
    assert text.startswith("Containment, 2026-11-01 to 2026-11-05  (n=9)")
    assert "without a person wanted or reached" in text
    assert "77.8 % [45.3-93.7, n=9]" in text  # 7 of 9
    assert "orderline calls find --from=2026-11-01T00:00-04:00 --to=2026-11-06T00:00-05:00 --direction=inbound" in text


def test_the_command_of_a_number_finds_as_many_calls(capsys: pytest.CaptureFixture[str], config: str) -> None:
    lines = list(csv.DictReader(io.StringIO(printed(capsys, config, "volume", "--csv", "--by", "day"))))
    (line,) = (one for one in lines if one["row"] == "2026-11-03" and one["column"] == "answered")
    assert line["value"] == "2"
    command = line["find"].split()
    assert command[:3] == ["orderline", "calls", "find"]
    assert main([*command[1:], "--config", config]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_calls_behind_a_number_are_listed(capsys: pytest.CaptureFixture[str], config: str) -> None:
    listed = printed(capsys, config, "volume", "--calls", "outcomes:handed_over:calls")
    assert sorted(re.findall(r"call\.\d", listed)) == ["call.6", "call.7"]
    assert main(["report", "volume", "--calls", "outcomes:nothing:calls", "--config", config]) == 2
    assert "There is no number at 'outcomes:nothing:calls'" in capsys.readouterr().err


def test_no_cell_of_a_csv_is_a_formula(capsys: pytest.CaptureFixture[str], config: str) -> None:
    rows = list(csv.reader(io.StringIO(printed(capsys, config, "transfers", "--csv"))))
    assert any("HYPERLINK" in cell for row in rows for cell in row)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_json_has_the_filter_of_each_number(capsys: pytest.CaptureFixture[str], config: str) -> None:
    report = json.loads(printed(capsys, config, "asked", "--json"))
    assert (report["report"], report["n"], report["from"]) == ("asked", 9, "2026-11-01T00:00:00-04:00")
    (row,) = report["tables"][0]["rows"]
    assert row[1] == {
        "value": 9,
        "calls": 9,
        "find": [
            ["from", "2026-11-01T00:00-04:00"],
            ["to", "2026-11-06T00:00-05:00"],
            ["direction", "inbound"],
            ["asked", "returns"],
        ],
        "small": False,
    }


def test_a_page_of_all_reports_needs_no_network(
    capsys: pytest.CaptureFixture[str], config: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    printed(capsys, config, "all", "--html", "--by", "day", "-o", str(page))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.count("<section") == 15
    assert "<svg" in text
    assert not re.search(r"<script|<link|<img|@import|src=|https?://(?!www\.w3\.org/2000/svg)", text)
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("options", [["nothing"], ["volume", "--from", "2026-11-05", "--to", "2026-11-01"]])
def test_what_cannot_be_made_is_refused(capsys: pytest.CaptureFixture[str], config: str, options: list[str]) -> None:
    assert main(["report", *options, "--config", config]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("orderline: ")
