"""The report: data, tables, pictures, and the command that writes them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from agent.accuracy.plots import draw
from agent.accuracy.report import markdown, read_back_below, report, table
from agent.accuracy.trial_types import Ending, HeardUtterance, Kind, Outcome, TrialResult
from agent.cli.main import main

META = {"command": "orderline accuracy", "when": "2026-11-24", "machine": "2 cores", "versions": "Orderline", "seed": 1}


def result(
    item: str,
    lot: str = "order number, digit by digit",
    kind: Kind = "number",
    outcome: Outcome = "taken",
    ending: Ending = "first_try",
    condition: str = "clean",
    sweep: str = "voices",
    model: str = "tiny",
    heard: str = "one two",
) -> TrialResult:
    saying = HeardUtterance("one two", heard, 0.9, 0.8, "order_number=12", "order_number")
    return TrialResult(
        item, lot, kind, "joe", "order_number", condition, sweep, model, "12", "12", outcome, ending, (saying,)
    )


def results(model: str = "tiny") -> list[TrialResult]:
    some = [
        result("a"),
        result("b", outcome="missed", ending="repaired", heard="one nine"),
        result("r", "request", "request"),
        result("a", condition="white 10 dB", sweep="noise: white", outcome="missed", ending="keypad", heard=""),
        result("a", condition="gsm", sweep="codec"),
        result("a", condition="loss 5%", sweep="loss"),
        result("f", "not for the agent: request", "foreign", outcome="wrong"),
        result("e", "errand: where is my order", "request"),
        result("e", "errand: where is my order", "request", condition="street 15 dB", sweep="errand", ending="person"),
    ]
    return [dataclasses.replace(one, model=model) for one in some]


def test_a_comparison_sets_the_same_utterances_beside_the_clean_line() -> None:
    model = report(results(), META)["models"]["tiny"]
    sweep = model["sweeps"]["noise: white"]["numbers"]
    assert list(sweep) == ["clean", "white 10 dB"]
    assert sweep["clean"]["n"] == sweep["white 10 dB"]["n"] == 1  # "b" was not said in the noise
    assert sweep["clean"]["understood"]["value"] == 1.0
    assert sweep["white 10 dB"]["understood"]["value"] == 0.0


def test_errands_foreign_speech_and_utterances_are_counted_apart() -> None:
    model = report(results(), META)["models"]["tiny"]
    assert {name: one["n"] for name, one in model["lots"].items()} == {"order number, digit by digit": 2, "request": 1}
    assert model["errands"]["street 15 dB"]["person"]["count"] == 1
    assert model["false_acceptance"]["not for the agent: request"] == {"n": 1, "accepted": 1, "asked": 0, "refused": 0}
    assert model["confusions"]["digits"]["two"] == {"two": 1, "nine": 1}


def test_it_says_what_reading_back_uncertain_numbers_would_catch_and_cost() -> None:
    saying = HeardUtterance("one two", "one two", 0.9, 0.65, "order_number=12", "order_number")
    unsure = [dataclasses.replace(result("w", outcome=outcome), sayings=(saying,)) for outcome in ("wrong", "taken")]
    table_of = read_back_below([*unsure, result("a"), result("m", outcome="missed")])
    assert table_of["0.6"] == {"wrong": 1, "wrong_caught": 0, "right": 2, "right_asked": 0}
    assert table_of["0.7"] == {"wrong": 1, "wrong_caught": 1, "right": 2, "right_asked": 1}
    assert table_of["0.9"]["right_asked"] == 2


def test_models_stand_side_by_side() -> None:
    data = report([*results("tiny"), *results("full")], META)
    text = table(data)
    assert "tiny" in text
    assert "full" in text
    page = markdown(data, ["accuracy-what"])
    assert "## Model tiny" in page
    assert "## Model full" in page
    assert "![accuracy-what](accuracy-what.svg)" in page
    json.dumps(data)


@pytest.mark.slow
def test_every_picture_is_drawn_as_svg_and_png(tmp_path: Path) -> None:
    data = report([*results("tiny"), *results("full")], META)
    drawn = draw(data, tmp_path)
    assert drawn == ["accuracy-what", "accuracy-noise", "accuracy-line", "accuracy-errands", "accuracy-digits"]
    for name in drawn:
        assert (tmp_path / f"{name}.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_a_report_of_recordings_alone_has_no_empty_pictures(tmp_path: Path) -> None:
    data = report([result("a", sweep="recordings", condition="as recorded")], META)
    assert "accuracy-noise" not in draw(data, tmp_path)
    markdown(data)
    table(data)


def test_the_command_names_what_a_folder_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", "--audio", str(tmp_path), "--home", str(tmp_path)]) == 1
    assert "transcripts.tsv" in capsys.readouterr().err


def test_the_command_names_a_model_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", "--model", str(tmp_path), "--home", str(tmp_path)]) == 1
    assert "not a Vosk model" in capsys.readouterr().err
