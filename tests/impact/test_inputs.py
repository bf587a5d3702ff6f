"""Inputs from YAML, single values, answers and imports: by name and line where they are wrong, marked where from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.impact.errors import InvalidImpactInput
from agent.impact.imports.measured_volumes import ImportedCaller, ImportSummary, measure
from agent.impact.imports.reading import ImportNotes
from agent.impact.inputs import ImpactInputs
from agent.impact.inputs_file import example_file, parse_settings, read_inputs
from agent.impact.interview import interview
from agent.impact.measured import with_imported_calls

DEFAULTS = ImpactInputs()
MONDAY = 1793613600.0  # 2026-11-02 10:00 UTC


def test_the_example_file_holds_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "impact.yaml"
    path.write_text(example_file(DEFAULTS), encoding="utf-8")
    read = read_inputs(path, DEFAULTS)
    assert read.model_dump(exclude={"sources"}) == DEFAULTS.model_dump(exclude={"sources"})
    assert set(read.sources.values()) == {"yours"}


def test_mistakes_are_told_by_line(tmp_path: Path) -> None:
    path = tmp_path / "impact.yaml"
    path.write_text("calls_per_week: 900\nkinds:\n  status:\n    containment: 140 %\nstafff: 3\n", encoding="utf-8")
    with pytest.raises(InvalidImpactInput) as caught:
        read_inputs(path, DEFAULTS)
    assert "impact.yaml:4: kinds.status.containment: " in caught.value.message
    assert "impact.yaml:5: stafff: " in caught.value.message


@pytest.mark.parametrize("text", ["- 1\n", "a: [\n", "calls_per_week: 1\ncalls_per_week: 2\n"])
def test_what_is_no_inputs_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "impact.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidImpactInput, match=r"impact\.yaml"):
        read_inputs(path, DEFAULTS)


def test_single_values_take_percent_lists_and_short_names() -> None:
    inputs = parse_settings(
        ["status.containment=70 %", "hour_shares=1 2 3", "currency=GBP", "redial_after_seconds=60 300"], DEFAULTS
    )
    assert inputs.kinds["status"].containment == pytest.approx(0.7)
    assert inputs.hour_shares == (1, 2, 3)
    assert inputs.redial_after_seconds == (60, 300)
    assert inputs.source("kinds.status.containment") == "yours"
    assert inputs.source("kinds.returns.containment") == "default"


@pytest.mark.parametrize(
    "setting",
    ["calls_per_week", "=3", "calls_per_week=none", "nowhere=1", "status.shar=0.3", "kinds.status.share=0.9",
     "closes_hour=3", "currency.x=1", "sources=1", "week=3", "hour_shares=0 0", "claim_low=0.9"],
)  # fmt: skip
def test_values_that_cannot_be_are_refused(setting: str) -> None:
    with pytest.raises(InvalidImpactInput):
        parse_settings([setting], DEFAULTS)


def answering(*answers: str) -> Callable[[str], str]:
    left = list(answers)

    def ask(_: str) -> str:
        if not left:
            raise EOFError
        return left.pop(0)

    return ask


def test_answers_in_the_terminal_are_yours_and_empty_ones_stay_defaults() -> None:
    said: list[str] = []
    inputs = interview(
        DEFAULTS, answering("1,500", "", "", "", "40", "", "", "", "", "GBP", "many", "19", "30", "2500"), said.append
    )
    assert inputs.calls_per_week == 1500
    assert inputs.kinds["status"].share == pytest.approx(0.4)
    assert inputs.kinds["other"].share == pytest.approx(0.4)
    assert (inputs.currency, inputs.staff_cost_per_hour, inputs.shrinkage, inputs.event_calls) == ("GBP", 19, 0.3, 2500)
    assert inputs.source("open_days") == "default"
    assert any("That cannot be" in line for line in said)


def test_answers_that_end_or_never_make_sense_are_an_error() -> None:
    with pytest.raises(InvalidImpactInput, match="ended"):
        interview(DEFAULTS, answering("1500"), lambda _: None)
    with pytest.raises(InvalidImpactInput, match="no answer"):
        interview(DEFAULTS, answering(*["many"] * 10), lambda _: None)


def imported(callers: list[ImportedCaller]) -> object:
    summary = ImportSummary("queue log", (), ImportNotes(), "UTC", ())
    return with_imported_calls(DEFAULTS, measure(callers, (MONDAY, MONDAY + 27 * 86400.0), ZoneInfo("UTC"), summary))


def test_imported_calls_are_measured_and_strays_outside_opening_hours_are_told() -> None:
    callers = [
        ImportedCaller(MONDAY + day * 86400 + minute * 60, "abandoned" if minute % 5 == 0 else "answered", 12.0, 200.0)
        for day in range(26)
        for minute in range(0, 400, 2)
        if day % 7 != 6
    ]
    callers.append(ImportedCaller(MONDAY - 7 * 3600 + 86400, "answered", 12.0, 200.0))  # at three in the morning
    measured = imported(callers)
    inputs = measured.inputs  # type: ignore[attr-defined]
    assert inputs.source("week") == inputs.source("patience_seconds") == "measured"
    assert inputs.patience_seconds == pytest.approx(12 * len(callers) / sum(c.ending == "abandoned" for c in callers))
    mean = sum(kind.share * kind.handle_seconds for kind in inputs.kinds.values())
    assert mean == pytest.approx(200 + DEFAULTS.wrap_up_seconds)
    assert (inputs.opens_hour, inputs.closes_hour) == (10, 17)
    told = " ".join(measured.warnings)  # type: ignore[attr-defined]
    assert "Mon 10-17" in told
    assert "Sun" not in told
    assert "outside of them are not planned for" in told


def test_what_imports_do_not_say_stays_a_default() -> None:
    callers = [ImportedCaller(MONDAY + 60 * minute, "unknown", None, None) for minute in range(300)]
    measured = imported(callers)
    inputs = measured.inputs  # type: ignore[attr-defined]
    assert inputs.patience_seconds == DEFAULTS.patience_seconds
    assert inputs.source("patience_seconds") == "default"
    assert inputs.source("kinds.status.handle_seconds") == "default"
