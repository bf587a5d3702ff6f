"""``orderline flows hear``: one line for each sentence, as its contract says."""

import io
import json
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.understanding.small_pack import PACK, small_pack


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the score is kept: it is fitted by the first test that needs it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def flows(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ORDERLINE_HOME", str(home))
    small_pack(tmp_path / "flows", PACK)
    return tmp_path / "flows"


def heard(flows: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    capsys.readouterr()
    assert main(["flows", "hear", "--flows", str(flows), "--json", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_every_sentence_of_a_file_gets_one_line_with_decision_meaning_score_and_candidates(
    flows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "said.txt"
    file.write_text("where is my order\n\na human please\nwhere has my parcel got to\n", encoding="utf-8")
    lines = heard(flows, capsys, str(file))
    assert [line["text"] for line in lines] == ["where is my order", "a human please", "where has my parcel got to"]
    assert all(set(line) == {"text", "decision", "meaning", "score", "candidates"} for line in lines)
    assert (lines[0]["decision"], lines[0]["meaning"], lines[0]["score"]) == ("act", "track", 1.0)
    assert (lines[1]["decision"], lines[1]["meaning"]) == ("person", "command:agent")
    assert lines[2]["candidates"][0][0] == "track"
    assert 0 < lines[2]["score"] <= 1


def test_sentences_are_read_from_standard_input(
    flows: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("where is my order\nzzz qqq\n"))
    lines = heard(flows, capsys)
    assert [line["decision"] for line in lines] == ["act", "again"]
    assert lines[1]["meaning"] == ""


def test_without_json_a_line_is_for_reading(flows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "said.txt"
    file.write_text("where is my order\n", encoding="utf-8")
    assert main(["flows", "hear", "--flows", str(flows), str(file)]) == 0
    printed = capsys.readouterr()
    assert printed.out.split()[:2] == ["act", "track"]
    assert "open requests: by a score" in printed.err


def test_a_file_that_is_not_there_is_told(flows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flows", "hear", "--flows", str(flows), "missing.txt"]) == 1
    assert "missing.txt cannot be read" in capsys.readouterr().err


def test_the_check_says_how_open_requests_are_told(flows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["flows", "check", "--flows", str(flows)])
    assert "open requests: by a score over phrases" in capsys.readouterr().out
