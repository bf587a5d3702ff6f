import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.dialog.call_script import read_scripts
from agent.dialog.chat import chat, chat_json
from agent.dialog.commands import check_flows, explain_numbers, play_flow_tests
from agent.dialog.engine import CallFacts, Conversation
from agent.dialog.errors import FlowError
from agent.dialog.loader import FlowPack
from agent.dialog.number_format import NumberFormat
from agent.dialog.rendering import SandboxRenderer
from agent.dialog.turns import Done, Effect, Failed
from agent.flows import english_pack
from agent.speech.wording import filters

RENDER = SandboxRenderer(filters)
PACK = FlowPack.load(english_pack(), RENDER.filters)


def shop(effect: Effect) -> Done | Failed:
    if effect.arguments["number"] == "10473" and effect.arguments["postcode"] == "60614":
        return Done(effect.id, {"order": {"status": "packed", "parcels": []}})
    return Failed(effect.id, "not_found")


def conversation() -> Conversation:
    return Conversation(PACK, CallFacts(now=datetime.fromisoformat("2026-11-23T10:00:00"), shop_name="S"), RENDER)


def test_a_chat_shows_what_was_understood_done_and_said() -> None:
    out = io.StringIO()
    end = chat(conversation(), shop, ["Where's my order?", "#10473", "6 0 6 1 4", "", "No, thanks."], out)
    shown = out.getvalue()
    assert end.outcome == "answered"
    for part in (
        *("(order_number=10473)", "[orders.verify(number=10473, postcode=60614, caller=) done]", "packed and ready"),
        *("<identify.postcode>", "(silence)", "[call over: answered]"),
    ):
        assert part in shown


def test_json_lines_go_both_ways() -> None:
    out = io.StringIO()
    lines = [
        {"say": "where is order one oh four seven three"},
        {"keys": "60615"},
        {"silence": 5},
        {"wrong": 1},
        {"keys": "ab"},
        {"say": "agent"},
        {"say": "too late"},
    ]
    chat_json(conversation(), shop, ["", "nonsense", *map(json.dumps, lines)], out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(answers) == 8
    assert answers[0]["agent"] == ["Thanks for calling S. How can I help?"]
    assert "error" in answers[1]
    assert answers[2]["slots"]["order_number"] == "10473"
    assert answers[3]["effects"][0]["failed"] == "not_found"
    assert (answers[4]["understood"], answers[4]["outcome"]) == ("silence", None)
    assert "error" in answers[5]
    assert "error" in answers[6]
    assert (answers[7]["outcome"], answers[7]["handover"]["reason"]) == ("handed_over", "caller_asked")


def test_checking_flows_tells_words_the_recogniser_does_not_know() -> None:
    out = io.StringIO()
    words = set(PACK.vocabulary()) - {"parcel"}
    assert check_flows(english_pack(), out, RENDER, words) == 0
    assert "does not know 'parcel'" in out.getvalue()
    assert "1 warnings" in out.getvalue()


def test_checking_a_broken_pack_fails_and_lists_the_mistakes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("start: nowhere\nflws: {}\n", encoding="utf-8")
    out = io.StringIO()
    assert check_flows(tmp_path, out, RENDER) == 1
    assert "a.yaml:2: flws: there is no key 'flws' here; did you mean 'flows'?" in out.getvalue()


def test_a_call_in_text_that_goes_wrong_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text(
        "calls:\n  - call: wrong hopes\n    lines:\n      - user: where is my order\n        agent: banana\n"
        "      - effect: {orders.verify: not_found}\n      - user: agent\n        handover: anger\n"
        "      - user: hello\n",
        encoding="utf-8",
    )
    out = io.StringIO()
    assert play_flow_tests(english_pack(), [tmp_path], out, RENDER) == 1
    report = out.getvalue()
    assert "FAILED  calls.yaml:2  wrong hopes" in report
    assert "line 4: expected the agent to say 'banana'" in report
    assert "line 6: expected a call to orders.verify, but no service was called" in report
    assert "line 7: expected a hand-over for anger, it is a hand-over for caller_asked" in report
    assert "line 9: the call is already over" in report
    assert "never reached: identify.check" in report


def test_a_test_file_with_unknown_keys_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "calls.yaml"
    file.write_text("calls:\n  - call: x\n    lines:\n      - usr: hello\n", encoding="utf-8")
    with pytest.raises(FlowError, match=r"calls\.yaml:4: .*no key 'usr' here; did you mean 'user'"):
        read_scripts([file])


def test_a_number_is_explained_as_json_like_data() -> None:
    explained = list(
        explain_numbers(NumberFormat("99999"), ["10473", "10437"], ["ten four seventy three", "one oh four"])
    )
    assert [entry["value"] for entry in explained] == ["10473", None]
    assert explained[0]["must_confirm"] is False
    assert explained[1]["partial"] == "104"
    assert {"value", "confidence", "alternatives", "must_confirm"} <= explained[0].keys()
    assert json.dumps(explained)


def _understood(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    code = main(["understand", *arguments])
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_the_command_prints_value_confidence_alternatives_and_whether_to_confirm(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said, _ = _understood(capsys, "--known", "10473,10437", "ten four seventy three")
    assert (code, said[0]["value"], said[0]["must_confirm"], said[0]["confidence"]) == (0, "10473", False, 1.0)
    _, said, _ = _understood(capsys, "twenty four fifty three")
    assert (said[0]["must_confirm"], {said[0]["value"], *said[0]["alternatives"]} >= {"20453", "24503"}) == (True, True)


def test_the_command_takes_a_file_of_lines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "said.txt"
    file.write_text("one oh four seven three\n\nten four\n", encoding="utf-8")
    code, said, _ = _understood(capsys, str(file))
    assert (code, [entry["value"] for entry in said]) == (0, ["10473", None])
    file.write_bytes(b"\xff\xfe\xba")
    code, said, error = _understood(capsys, str(file))
    assert (code, said) == (1, [])
    assert "cannot read" in error


def test_the_command_takes_a_check_and_what_was_said_before(capsys: pytest.CaptureFixture[str]) -> None:
    assert _understood(capsys, "--check", "luhn", "one oh four seven three")[1][0]["value"] is None
    assert _understood(capsys, "--so-far", "one oh four", "7 3")[1][0]["value"] == "10473"


@pytest.mark.parametrize("text", ["", "  ", "\u202e🙂 one", "one \udcff oh", "one " * 5000, "\0"])
def test_no_text_breaks_the_command(capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, said, _ = _understood(capsys, text)
    assert (code, said[0]["value"]) == (0, None)


@pytest.mark.parametrize("wrong", [["--format", "abc"], ["--format", ""], ["--check", "mod11"]])
def test_a_format_that_cannot_be_read_is_named_and_ends_with_a_usage_code(
    capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    code, said, error = _understood(capsys, *wrong, "one")
    assert (code, said) == (2, [])
    assert repr(wrong[1]) in error


def test_a_known_number_of_another_shape_is_mentioned_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    code, said, error = _understood(capsys, "--known", "abc,10473", "ten four seventy three")
    assert (code, said[0]["value"], "abc" in error) == (0, "10473", True)
