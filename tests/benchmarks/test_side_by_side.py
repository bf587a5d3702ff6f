"""The comparison's own parts: the other bot's dialog, rows, ratios, the page."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from agent.rehearsal.script_reader import load_scripts
from agent.shop.models import Order
from benchmarks.side_by_side.comparison_page import page
from benchmarks.side_by_side.order_dialog import OrderDialog, digits_in, spoken
from benchmarks.side_by_side.ratios import MEASURES, calls_at_once, calls_of_contender, cores_a_call, ratio
from benchmarks.side_by_side.result_rows import CallRow, LoadRow
from benchmarks.side_by_side.results import Comparison
from benchmarks.side_by_side.status_words import status_sentence

HERE = Path(__file__).resolve().parents[2] / "benchmarks" / "side_by_side"
P50 = next(measure for measure in MEASURES if measure.key == "response_p50")
PLAIN = next(measure for measure in MEASURES if measure.key == "plain_success")


def row(contender: str, name: str = "a", times: tuple[float, ...] = (100.0,), *, ok: bool = True) -> CallRow:
    return CallRow(contender, 0, name, "plain, by voice", ok, "answered", 0, 40.0, 20.0, times, (), ())


def load(contender: str, at_once: int, p95_ms: float) -> LoadRow:
    return LoadRow(contender, at_once, at_once, at_once, 300.0, p95_ms, 3.0, 1.0, 100.0)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("one zero four seven three", "10473"),
        ("ten four seventy three", "10473"),
        ("three three nine double four", "33944"),
        ("oh two one three nine", "02139"),
        ("twenty five nineteen", "2519"),
        ("seventy oh one", "7001"),
        ("no it's one zero four seven three", "10473"),
        ("where is my order", ""),
    ],
)
def test_spoken_numbers_become_digits(text: str, digits: str) -> None:
    assert digits_in(text) == digits


def test_digits_are_read_out_in_groups() -> None:
    assert spoken("10473") == "one zero four, seven three"


def test_the_dialog_asks_for_number_and_postcode_and_looks_up() -> None:
    dialog = OrderDialog()
    assert dialog.greet().then == "listen"
    assert "order number" in dialog.heard("where is my order").text
    assert "one zero four, seven three" in dialog.heard("one zero four seven three").text
    assert dialog.heard("six oh six one four").then == "look_up"
    assert (dialog.number, dialog.postcode) == ("10473", "60614")
    assert dialog.found("It's packed.").text.startswith("It's packed.")
    assert dialog.heard("no thanks").then == "goodbye"


def test_a_no_after_the_number_is_read_back_goes_back_to_it() -> None:
    dialog = OrderDialog()
    dialog.heard("where is my order")
    dialog.heard("one zero four seven two")
    assert "order number" in dialog.heard("no").text
    dialog.heard("one zero four seven two")
    dialog.heard("no it's one zero four seven three")
    assert (dialog.state, dialog.number) == ("postcode", "10473")


@pytest.mark.parametrize("failure", ["misunderstood", "silent", "refused"])
def test_the_third_failure_in_a_row_leads_to_a_person(failure: str) -> None:
    dialog = OrderDialog()

    def fail() -> str:
        if failure == "refused":
            return dialog.not_found().then
        return (dialog.silent() if failure == "silent" else dialog.heard("purple elephants")).then

    assert [fail(), fail(), fail()] == ["listen", "listen", "person"]


def test_keys_answer_as_words_do() -> None:
    dialog = OrderDialog()
    dialog.heard("track my order")
    assert dialog.takes_keys == 5
    dialog.keyed("10473")
    assert dialog.keyed("60614").then == "look_up"


def test_every_phrase_of_a_grammar_is_there_once_and_unknown_words_last() -> None:
    phrases = OrderDialog().phrases
    assert len(phrases) == len(set(phrases))
    assert phrases[-1] == "[unk]"


def test_a_status_is_a_sentence_with_place_and_day() -> None:
    today = dt.date(2026, 11, 24)
    order = Order("1", "in_transit", today, "USD", Decimal(1), "60614", "", place="Chicago")
    said = status_sentence(replace(order, expected_on=today + dt.timedelta(1), expected_window="09:00-12:00"), today)
    assert said == "It's on its way, now in Chicago. It should arrive tomorrow between nine and noon."


def test_a_ratio_is_of_the_two_figures_and_its_interval_holds_it() -> None:
    rows = [row("orderline", str(n), (100.0 + n,)) for n in range(20)]
    rows += [row("sample", str(n), (300.0 + 3 * n,)) for n in range(20)]
    found = ratio(rows, P50, "sample", "orderline", resamples=200)
    assert found is not None
    assert found.value == pytest.approx(3.0)
    assert found.low <= 3.0 <= found.high


def test_an_interval_of_few_scattered_calls_is_wide() -> None:
    rows = [row("orderline", str(n), (100.0,)) for n in range(6)]
    rows += [row("sample", str(n), (100.0 * (1 + n),)) for n in range(6)]
    found = ratio(rows, P50, "sample", "orderline", resamples=400)
    assert found is not None
    assert found.high - found.low > 1


def test_there_is_no_ratio_without_calls_of_both() -> None:
    assert ratio([row("orderline")], P50, "sample", "orderline") is None
    assert ratio([row("orderline", ok=False), row("sample")], PLAIN, "sample", "orderline") is None


def test_success_counts_whole_calls() -> None:
    rows = [row("sample", "a"), row("sample", "b", ok=False)]
    assert PLAIN.statistic(calls_of_contender(rows, "sample")) == 50


def test_calls_at_once_end_where_answers_first_come_late() -> None:
    rows = [
        load("orderline", 1, 400),
        load("orderline", 5, 900),
        load("orderline", 10, 1200),
        load("orderline", 20, 800),
    ]
    assert calls_at_once(rows, "orderline", 1000) == 5
    assert calls_at_once(rows, "sample", 1000) == 0
    assert cores_a_call(rows, "orderline") == pytest.approx(0.04)


def test_calls_that_fail_quickly_are_not_borne() -> None:
    rows = [load("orderline", 5, 400), replace(load("orderline", 20, 400), calls=20, ok=18)]
    assert calls_at_once(rows, "orderline", 1000) == 5
    rows[1] = replace(rows[1], ok=19)
    assert calls_at_once(rows, "orderline", 1000) == 20


@pytest.mark.slow
def test_results_come_back_from_their_file_and_runs_are_joined(tmp_path: Path) -> None:
    run = {
        "command": "c",
        "machine": {"cpu": "x", "cores": 2},
        "load_before": 0.5,
        "versions": {"vosk": "1"},
        "model": "m",
        "orderline_voice": "v",
    }
    one = Comparison((row("orderline"), row("sample")), (load("orderline", 1, 400),), (run,))
    one.write(tmp_path / "found.json")
    read = Comparison.read(tmp_path / "found.json")
    assert read == one
    both = read.joined(one)
    assert [call.round for call in both.calls] == [0, 0, 1, 1]
    assert "| plain, by voice | 2 of 2 | 2 of 2 |" in page(both)


@pytest.mark.slow
def test_the_picture_is_drawn_also_where_a_figure_is_missing(tmp_path: Path) -> None:
    from benchmarks.side_by_side.comparison_plot import draw

    found = Comparison((row("orderline"), row("sample")), (load("orderline", 1, 400),))
    svg, png = draw(found, tmp_path / "side-by-side")
    assert "<svg" in svg.read_text(encoding="utf-8")
    assert png.stat().st_size > 10_000


def test_everyone_hears_the_same_callers() -> None:
    calls = load_scripts([HERE / "callers.yaml", HERE / "load.yaml"])
    assert all(call.dial == "7000" and call.cooperates for call in calls)
    assert {call.scenario for call in calls} >= {"plain, by voice", "number in groups", "correction", "barge-in"}
