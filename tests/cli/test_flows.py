import io
import json
import sys
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.shipped_pack import scored_pack

CALLS = Path(__file__).parents[1] / "flows"


@pytest.fixture(autouse=True)
def loaded_and_fitted(shipped_pack_loaded_once: None) -> None:
    scored_pack()


def talk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: bytes, *arguments: str
) -> list[str]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="ascii"))
    assert main(["chat", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_known_caller_is_greeted_by_name_and_its_orders_help_to_understand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = b'{"say": "where is my order"}\n{"keys": "10473"}\n{"keys": "60614"}\n'
    arguments = ("--json", "--caller", "2025550143", "--now", "2026-11-23T10:00")
    lines = [json.loads(line) for line in talk(monkeypatch, capsys, typed, *arguments)]
    assert "Hello Maria" in lines[0]["agent"][0]
    assert lines[3]["effects"][0]["arguments"]["caller"] == "2025550143"
    assert lines[3]["effects"][0]["result"]["order"]["expected_on"] == "2026-11-24"
    assert "tomorrow" in lines[3]["agent"][0]
    stranger = talk(monkeypatch, capsys, b"", "--json")
    assert "Hello" not in json.loads(stranger[0])["agent"][0]


def test_a_call_may_come_back_from_the_queue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = talk(monkeypatch, capsys, b"", "--json", "--entry", "queue_failed")
    assert json.loads(lines[0])["flow"] == "nobody_free"


def test_bytes_that_are_no_text_end_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [json.loads(line) for line in talk(monkeypatch, capsys, b'\xff\xfe\n{"say": "agent"}\n', "--json")]
    assert "error" in lines[1]
    assert lines[2]["outcome"] == "handed_over"


@pytest.mark.parametrize(
    "arguments",
    [
        ["chat", "--caller", "abc"],
        ["chat", "--now", "tomorrow"],
        ["flows"],
        ["flows", "show"],
        ["flows", "show", "--all"],
        ["flows", "show", "main", "--all", "-o", "x"],
        ["flows", "schema", "orders"],
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: orderline" in capsys.readouterr().err


def test_the_shipped_pack_is_checked_shown_and_tested(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flows", "check"]) == 0
    assert "no mistakes, 0 warnings" in capsys.readouterr().out
    assert main(["flows", "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usable"] is True
    assert main(["flows", "show", "main"]) == 0
    assert capsys.readouterr().out.startswith("flowchart TD\n")
    assert main(["flows", "show", "main", "-o", str(tmp_path / "main.svg")]) == 0
    assert (tmp_path / "main.svg").read_text(encoding="utf-8").startswith("<svg ")
    assert main(["flows", "show", "--all", "--format", "svg", "-o", str(tmp_path / "all")]) == 0
    assert str(tmp_path / "all" / "returns.svg") in capsys.readouterr().out.split()
    assert main(["flows", "schema", "calls"]) == 0
    assert json.loads(capsys.readouterr().out)["title"].startswith("Calls in text")
    assert main(["flows", "test", str(CALLS / "coming_back.yaml")]) == 0


def test_a_mistake_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text("start: nowhere\n", encoding="utf-8")
    assert main(["flows", "check", "--flows", str(tmp_path)]) == 1
    assert "a.yaml:1: start: there is no flow 'nowhere'" in capsys.readouterr().out
    assert main(["flows", "show", "nowhere"]) == 1
    assert "there is no flow 'nowhere'" in capsys.readouterr().err
    assert main(["flows", "show", "main", "-o", str(tmp_path / "no" / "x.svg")]) == 1
    assert "cannot be written" in capsys.readouterr().err
