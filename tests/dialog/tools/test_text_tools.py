import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from agent.cli.main import main
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import FlowError
from agent.dialog.numbers.format import NumberFormat
from agent.dialog.tools.chat import chat, chat_json
from agent.dialog.tools.flow_commands import check_flows, explain_numbers, play_flow_tests
from agent.dialog.tools.text_call import TextCallExchange
from agent.dialog.tools.text_call_model import read_text_calls
from agent.flows import english_pack
from agent.languages.en.numbers import NUMBERS
from tests.shipped_pack import RENDER, shipped_pack

PACK = shipped_pack()


def shop(effect: Effect) -> EffectSucceeded | EffectFailed:
    if effect.arguments["number"] == "10473" and effect.arguments["postcode"] == "60614":
        return EffectSucceeded(effect.id, {"order": {"status": "packed", "parcels": []}})
    return EffectFailed(effect.id, "not_found")


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
    assert answers[0]["agent"] == ["Thanks for calling S. I'm the automated assistant. How can I help?"]
    assert "error" in answers[1]
    assert answers[2]["slots"]["order_number"] == "10473"
    assert answers[3]["effects"][0]["failed"] == "not_found"
    assert (answers[4]["understood"], answers[4]["outcome"]) == ("silence", None)
    assert "error" in answers[5]
    assert "error" in answers[6]
    assert (answers[7]["outcome"], answers[7]["handover"]["reason"]) == ("handed_over", "caller_asked")


ODD_LINES = {
    "{bad": "it is not JSON",
    "\\xff": "it is not JSON",
    "[1]": "it is not an object",
    "null": "it is not an object",
    "{}": "it needs one of say, keys, silence, hangup; it has nothing",
    '{"sya": "hello"}': "it has sya",
    '{"silence": 5, "say": "x"}': "it has say and silence",
    '{"keys": "1", "hangup": true}': "it has keys and hangup",
    '{"say": ""}': "say holds no words",
    '{"say": "?!"}': "say holds no words",
    '{"say": 5}': "say is a text",
    '{"say": ["a"]}': "say is a text",
    '{"say": "hi", "confidence": 2}': "confidence is a number from 0 to 1",
    '{"say": "hi", "confidence": NaN}': "confidence is a number from 0 to 1",
    '{"say": "hi", "confidence": "1"}': "confidence is a number from 0 to 1",
    '{"say": "hi", "alternatives": "x"}': "alternatives is a list of texts",
    '{"say": "hi", "confidnce": 1}': "there is no 'confidnce' beside say; did you mean 'confidence'?",
    '{"silence": -1}': "silence is a number of seconds from 0 to 3600",
    '{"silence": "5"}': "silence is a number of seconds from 0 to 3600",
    '{"silence": true}': "silence is a number of seconds from 0 to 3600",
    '{"silence": 4000}': "silence is a number of seconds from 0 to 3600",
    '{"silence": Infinity}': "silence is a number of seconds from 0 to 3600",
    '{"silence": 5, "keys": ""}': "it has keys and silence",
    '{"keys": 104}': "keys is a text of digits",
    '{"keys": "10a"}': "keys is a text of digits",
    '{"keys": ""}': "keys is a text of digits",
    '{"hangup": false}': "hangup can only be true",
    "[" * 9000: "it is not JSON",
    '{"say": "' + "a" * 10_000 + '"}': "it is longer than 10000 characters",
}


@pytest.mark.parametrize("line", ODD_LINES, ids=lambda line: line[:30])
def test_a_line_that_is_no_turn_of_a_caller_is_told_and_changes_nothing(line: str) -> None:
    out = io.StringIO()
    chat_json(conversation(), shop, ['{"say": "where is my order"}\n', line + "\n", '{"keys": "10473"}\n'], out)
    _, asked, error, keyed, over = map(json.loads, out.getvalue().splitlines())
    assert asked["listening"] == "order_number"
    assert ODD_LINES[line] in error["error"]
    assert error["line"] == 2
    assert (keyed["slots"]["order_number"], keyed["listening"]) == ("10473", "postcode")
    assert (over["over"], over["outcome"], over["agent"]) == (True, "abandoned", [])


def test_every_line_tells_what_a_program_must_know() -> None:
    out = io.StringIO()
    lines = [{"say": "where is order one oh four seven three"}, {"keys": "60615"}, {"hangup": True}]
    chat_json(conversation(), shop, map(json.dumps, lines), out)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    keys = {"agent", "prompts", "understood", "flow", "step", "listening", "slots", "effects", "over", "outcome"}
    assert all(keys <= set(line) for line in told)
    assert [line["over"] for line in told] == [False, False, False, True]
    assert told[2]["effects"] == [
        {
            "name": "orders.verify", "arguments": {"number": "10473", "postcode": "60615", "caller": ""},
            "result": None, "failed": "not_found", "reason": None,
        }
    ]  # fmt: skip
    assert (told[3]["outcome"], told[3]["flow"], told[3]["step"]) == ("abandoned", told[2]["flow"], told[2]["step"])


def test_the_result_of_a_service_is_told() -> None:
    out = io.StringIO()
    chat_json(conversation(), shop, ['{"say": "where is order one oh four seven three"}', '{"keys": "60614"}'], out)
    (effect,) = json.loads(out.getvalue().splitlines()[2])["effects"]
    assert effect["result"] == {"order": {"status": "packed", "parcels": []}}


@pytest.mark.parametrize(("hold", "last"), [(chat, "agent"), (chat_json, '{"say": "agent"}')])
def test_nothing_more_is_read_when_the_call_is_over(hold: Callable[..., TextCallExchange], last: str) -> None:
    lines = iter([last, "more"])
    assert hold(conversation(), shop, lines, io.StringIO()).outcome == "handed_over"
    assert list(lines) == ["more"]


def test_what_cannot_be_typed_in_a_chat_is_told_and_the_end_of_input_hangs_up() -> None:
    out = io.StringIO()
    end = chat(conversation(), shop, ["where's my order", "#12a", "/help", "?!", "# 104 73"], out)
    shown = out.getvalue()
    for part in (
        "[keys are digits",
        "[the only command is /hangup]",
        "[there are no words in that",
        "order_number=10473",
    ):
        assert part in shown
    assert end.outcome == "abandoned"
    assert shown.endswith("[call over: abandoned]\n")


@pytest.mark.usefixtures("shipped_pack_loaded_once")
def test_checking_flows_tells_words_the_recogniser_does_not_know() -> None:
    out = io.StringIO()
    words = set(PACK.vocabulary()) - {"parcel"}
    assert check_flows(english_pack(), out, RENDER, words) == 0
    (line,) = [line for line in out.getvalue().splitlines() if "does not know 'parcel'" in line]
    file, number, rest = line.split(":", 2)
    assert "parcel" in (english_pack() / file).read_text(encoding="utf-8").splitlines()[int(number) - 1]
    assert rest.startswith(" warning: flows.")
    assert "no mistakes, 1 warning" in out.getvalue()


@pytest.mark.usefixtures("shipped_pack_loaded_once")
def test_checking_for_machines_is_one_json_object(tmp_path: Path) -> None:
    out = io.StringIO()
    assert check_flows(english_pack(), out, RENDER, as_json=True) == 0
    sizes = {"flows": len(PACK.contents.flows), "steps": len(PACK.steps()), "grammars": len(PACK.grammars)}
    told = {"understanding": "by phrases and gists alone: no score was fitted", "findings": []}
    assert json.loads(out.getvalue()) == {"usable": True, "mistakes": 0, "warnings": 0, **sizes, **told}
    (tmp_path / "a.yaml").write_text(
        "start: main\nprompts:\n  extra: x\nflows:\n"
        "  main:\n    description: d\n    steps: [hangup: x, say: hi there]\n",
        encoding="utf-8",
    )
    out = io.StringIO()
    assert check_flows(tmp_path, out, RENDER, as_json=True) == 1
    told = json.loads(out.getvalue())
    assert (told["usable"], told["mistakes"], told["warnings"]) == (False, 16, 1)
    assert {
        "file": "a.yaml", "line": 7, "key": "flows.main.steps[1]", "message": "no path leads to this step",
        "severity": "error",
    } in told["findings"]  # fmt: skip
    assert told["findings"][-1]["severity"] == "warning"


def test_checking_a_broken_pack_fails_and_lists_the_mistakes(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("start: nowhere\nflws: {}\n", encoding="utf-8")
    out = io.StringIO()
    assert check_flows(tmp_path, out, RENDER) == 1
    assert "a.yaml:2: flws: there is no key 'flws' here; did you mean 'flows'?" in out.getvalue()


@pytest.mark.usefixtures("shipped_pack_loaded_once")
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
        read_text_calls([file])


def test_a_number_is_explained_as_json_like_data() -> None:
    explained = list(
        explain_numbers(NumberFormat("99999"), ["10473", "10437"], ["ten four seventy three", "one oh four"], NUMBERS)
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
