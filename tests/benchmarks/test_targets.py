"""The table of targets."""

from __future__ import annotations

from typing import Any

from benchmarks.targets import TargetRow, target_rows

GOOD_FAULTS = {"cases": [{"name": "killed", "passed": 20, "failed": 0, "reached": [5.2] * 100}]}


def parts(**changes: Any) -> dict[str, dict[str, Any]]:
    """Results in which every row holds."""
    turn = {"kind": "digits", "response_ms": 320.0, "spent_ms": {}}
    good: dict[str, dict[str, Any]] = {
        "response": {"calls": 150, "turns": [turn] * 100, "greetings_ms": [30.0], "lengths_s": [20.0]},
        "barge-in": {"calls": 30, "stop_ms": {"p95": 180.0, "n": 30}},
        "keypad": {"calls": 30, "stop_after_event_ms": {"p95": 20.0, "n": 30}},
        "capacity": {"calls": 90, "most": {"at_once": 40, "calls_a_core": 31.0, "limit_found": True}},
    }
    return {name: part | changes.get(name.replace("-", "_"), {}) for name, part in good.items()}


def row(rows: list[TargetRow], beginning: str) -> TargetRow:
    (found,) = [one for one in rows if one.what.startswith(beginning)]
    return found


def test_the_table_holds_when_every_row_holds() -> None:
    rows = target_rows(parts(), GOOD_FAULTS)
    assert [one.what for one in rows if not one.holds] == []
    assert len(rows) == 10


def test_a_row_that_misses_keeps_its_target_and_says_by_how_much() -> None:
    missed = row(target_rows(parts(barge_in={"stop_ms": {"p95": 256.7, "n": 30}}), GOOD_FAULTS), "barge-in")
    assert missed.target == "<= 200 ms"
    assert missed.verdict == "MISSED by 57 ms"
    assert not missed.holds


def test_nothing_measured_holds_nothing() -> None:
    rows = target_rows({}, None)
    assert not any(one.holds for one in rows)
    assert row(rows, "barge-in").verdict == "NOT MEASURED"


def test_too_few_calls_do_not_make_a_table() -> None:
    assert row(target_rows(parts(response={"calls": 10}), GOOD_FAULTS), "real calls").verdict == "MISSED by 40"


def console(**changes: Any) -> dict[str, Any]:
    """A part in which every row of the console holds."""
    return {
        "history": 1_000_000,
        "readers": 50,
        "worst": {"page": 90.0, "search": 80.0, "report": 300.0, "year": 900.0},
        "measured": {"page": 300, "search": 180, "report": 280, "year": 280},
        "pages": [{}] * 40,
        "heaviest_kb": 38.0,
        "live_ms": {"p95": 120.0, "n": 20_000},
        "slower_percent": 1.2,
        "response_ms": {"watched": {"n": 150}},
        **changes,
    }


def test_the_console_has_rows_where_it_was_measured() -> None:
    rows = target_rows(parts() | {"console": console()}, GOOD_FAULTS)
    assert [one.what for one in rows if not one.holds] == []
    assert len(rows) == 17
    slow = target_rows(parts() | {"console": console(slower_percent=8.4)}, GOOD_FAULTS)
    assert row(slow, "console: response p95").verdict == "MISSED by 3 %"


class TestTheFaultMatrix:
    def test_is_not_taken_for_granted(self) -> None:
        rows = target_rows(parts(), None)
        assert row(rows, "controller killed").measured == "not measured: make faults"
        assert not row(rows, "calls lost").holds

    def test_must_have_killed_the_agent_a_hundred_times(self) -> None:
        few = {"cases": [{"name": "killed", "passed": 2, "failed": 0, "reached": [5.2] * 10}]}
        assert row(target_rows(parts(), few), "controller killed").verdict == "MISSED 10 of 100 within 6 s"

    def test_must_not_have_kept_anybody_waiting(self) -> None:
        slow = {"cases": [{"name": "killed", "passed": 19, "failed": 1, "reached": [5.2] * 99 + [7.5]}]}
        rows = target_rows(parts(), slow)
        assert row(rows, "controller killed").verdict == "MISSED worst 7.5 s"
        assert row(rows, "calls lost").verdict == "MISSED by 1 runs"


def test_capacity_says_whether_the_limit_was_found() -> None:
    more = target_rows(parts(capacity={"most": {"at_once": 40, "calls_a_core": 31.0, "limit_found": False}}), None)
    assert row(more, "live calls").measured == "31 (at 40 calls or more)"
