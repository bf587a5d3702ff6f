"""JSON of anybody is read within bounds, and no text steers a terminal."""

from __future__ import annotations

import json

import pytest

from agent.common.untrusted import finite_number, load_json, parse_json, printable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        "[" * 200 + "]" * 200,
        '{"a":' * 200 + "1" + "}" * 200,
        "NaN",
        "1e999",
        "9" * 5000,
        b"\xff",
        "x",
    ],
)
def test_what_ours_never_is_raises_a_value_error_and_nothing_else(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are of no interest
        parse_json(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 200 + "1" + "}" * 200, b"[" * 100_000])
def test_what_nests_too_deeply_never_reaches_the_parser(text: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 64 + "]" * 64,
        json.dumps([[]] * 1000),
        json.dumps({"a": "[" * 1000 + '\\"{' * 1000}),
        json.dumps([{"a": ["\\", '\\"', "]"]}] * 500),
    ],
)
def test_brackets_side_by_side_or_within_words_are_no_nesting(text: str) -> None:
    assert parse_json(text) == json.loads(text)


@pytest.mark.parametrize("text", ['[{"' * 30 + '\\"' * 200_000, '["' + "\\" * 400_001, "{" * 70 + '"' + "a" * 900_000])
def test_words_without_an_end_are_read_in_one_go(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - that it comes back at all is the test: pytest's timeout
        parse_json(text)


def test_half_characters_become_question_marks_and_whole_ones_stay() -> None:
    assert parse_json(r'{"a\ud800": ["b\uDfff", "\ud83d\ude00", "\\ud800", {"c": "\udc00x"}]}') == {
        "a?": ["b?", "😀", r"\ud800", {"c": "?x"}]
    }
    assert load_json(r'"\ud800"').encode() == b"?"
    assert load_json('"\ud83d\ude00"').encode() == b"??"


def test_what_is_too_long_is_not_looked_at() -> None:
    with pytest.raises(ValueError, match="longer than 10"):
        parse_json("[1, 2, 3, 4, 5]", most_chars=10)


@pytest.mark.parametrize("value", [True, "1", None, 10**400, float("inf"), float("nan"), [], {}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        finite_number(value)


def test_text_stays_as_it_is_but_for_what_steers_a_terminal() -> None:
    assert printable("Größe 42 €\n\tja") == "Größe 42 €\n\tja"
    assert printable("\x1b]0;owned\x07\x9b2J\x7f\r\u202e") == (r"\u001b]0;owned\u0007\u009b2J\u007f\u000d\u202e")
    assert printable("a\nb", keep="") == r"a\u000ab"


def test_json_stays_the_same_json() -> None:
    value = {"heard": "\x9b2J\u2028\ud800\x7f"}
    assert json.loads(printable(json.dumps(value, ensure_ascii=False))) == value
