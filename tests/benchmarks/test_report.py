"""What is published: the page, the JSON, the plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.capacity import most_of, pairs_of
from benchmarks.report import publish, read_faults, read_parts, table
from benchmarks.soak import growth_mb_an_hour, leaks_of

pytestmark = pytest.mark.slow

ABOUT = {
    "when": "2026-11-24 10:00 UTC",
    "command": "make bench",
    "orderline": "0",
    "commit": "",
    "asterisk": "22",
    "python": "3.11",
    "packages": {"vosk": "0.3.45"},
    "system": "Linux",
    "processor": "a processor",
    "cores": 2,
    "memory_gb": 8.0,
    "note": "All on one machine.",
}


def step(size: int, p95: float = 400.0, *, holds: bool = True) -> dict[str, Any]:
    use = {"cores": 0.02 * size, "rss_mb": 300.0, "threads": 10, "files": 50}
    return {
        "at_once": size,
        "calls": size,
        "good": size,
        "response_ms": {"p50": 320.0, "p95": p95, "n": 4 * size},
        "late_audio": {"share": 0.0},
        "use": dict.fromkeys(("agent", "asterisk", "carrier", "callers"), use),
        "cores_a_call": 0.04,
        "calls_a_core": 25.0,
        "mb_a_call": {"agent": 1.0, "asterisk": 0.2},
        "holds": holds,
    }


def sample(minutes: float, **held: Any) -> dict[str, Any]:
    program = {"cores": 0.5, "rss_mb": 300.0, "threads": 10, "files": 50}
    plain = {"minutes": minutes, "calls": 10, "channels": 0, "bridges": 0, "tasks": 12}
    return plain | {"agent": program, "asterisk": program} | held


def results() -> dict[str, dict[str, Any]]:
    turn = {"kind": "digits", "response_ms": 320.0, "spent_ms": {"wait": 250.0, "way": 70.0}}
    steps = [step(1), step(20), step(40, 1200.0, holds=False)]
    samples = [sample(1.0), sample(2.0), sample(3.0)]
    row = {"make_ms": {"p50": 1.0}, "chunk_ms": {"p50": 0.3}}
    return {
        "response": {"about": ABOUT, "calls": 1, "good": 1, "turns": [turn], "failures": [], "pairs": {"a / b": 1.1}},
        "capacity": {"about": ABOUT, "calls": 61, "good": 61, "steps": steps, "most": most_of(steps), "pairs": {}},
        "grammar": {"about": ABOUT, "rows": [{"entries": 10} | row, {"entries": 4000} | row], "pairs": {}},
        "soak": {
            "about": ABOUT,
            "calls": 30,
            "good": 30,
            "at_once": 5,
            "minutes": 3,
            "response_ms": {"p95": 400.0},
            "samples": samples,
            "leaks": leaks_of(samples),
        },
        "before": {
            "about": ABOUT | {"commit": "newer"},
            "calls": 8,
            "good": 7,
            "before_commit": "older",
            "response_ms": {
                "before": {"spoken": {"p50": 410.0, "p95": 900.0, "p99": 1700.0, "n": 12}},
                "after": {"spoken": {"p50": 320.0, "p95": 530.0, "p99": 590.0, "n": 12}},
            },
            "stop_ms": {"before": {"p50": 180.0, "p95": 210.0}, "after": {"p50": 110.0, "p95": 140.0}},
            "good_calls": {"before": "3 of 4", "after": "4 of 4"},
            "cpu_seconds": {"before": 0.81, "after": 0.8},
            "own_spread": {"p50, rounds of one agent apart by": 0.021},
        },
    }


def test_everything_measured_is_on_the_page_and_has_its_plot(tmp_path: Path) -> None:
    rows = publish(results(), None, tmp_path)
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    for heading in ("Targets", "Response time", "Capacity", "larger grammar", "Soak", "Before and after", "Ratios"):
        assert heading in page
    assert "| before | older | 410.0 | 900.0 | 1700.0 | 12 | 180.0 | 210.0 | 0.81 | 3 of 4 |" in page
    assert "p50, rounds of one agent apart by 2.1 %" in page
    assert "| after | newer | 320.0 | 530.0 | 590.0 | 12 | 110.0 | 140.0 | 0.8 | 4 of 4 |" in page
    for plot in ("response", "breakdown", "capacity", "grammar", "soak"):
        assert f"]({plot}.svg)" in page
        assert (tmp_path / f"{plot}.svg").stat().st_size > 1000
        assert (tmp_path / f"{plot}.png").read_bytes().startswith(b"\x89PNG")
    published = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert "turns" not in published["parts"]["response"]
    assert len(published["targets"]) == len(rows)


def test_the_same_results_make_the_same_plots(tmp_path: Path) -> None:
    for name in ("one", "two"):
        publish(results(), None, tmp_path / name)
    assert (tmp_path / "one/response.svg").read_bytes() == (tmp_path / "two/response.svg").read_bytes()


def test_a_part_alone_makes_a_page(tmp_path: Path) -> None:
    publish({"grammar": results()["grammar"]}, None, tmp_path)
    assert not (tmp_path / "response.svg").exists()
    assert "NOT MEASURED" in table(publish({}, None, tmp_path))


def test_the_newest_fault_matrix_that_can_be_read_counts(tmp_path: Path) -> None:
    assert read_faults(tmp_path / "nowhere") is None
    (tmp_path / "a.json").write_text('{"cases": [], "passed": 3}', encoding="utf-8")
    (tmp_path / "b.json").write_text("half of a fi", encoding="utf-8")
    found = read_faults(tmp_path)
    assert found is not None
    assert found["passed"] == 3
    assert read_parts(tmp_path / "nowhere") == {}


class TestCapacity:
    def test_is_the_largest_step_that_holds(self) -> None:
        steps = [step(1), step(20), step(40, 1200.0, holds=False)]
        assert most_of(steps)["at_once"] == 20
        assert most_of(steps)["limit_found"]
        assert most_of([step(1, 2000.0, holds=False)]) == {}

    def test_tells_ratios_of_the_same_run(self) -> None:
        assert pairs_of([step(1), step(20, 800.0)])["p95 at 20 calls / p95 at 1"] == 2.0
        assert pairs_of([step(1)]) == {}


class TestLeaks:
    def test_are_channels_left_behind(self) -> None:
        assert leaks_of([sample(1.0), sample(2.0, channels=2)]) == ["channels: 2 left at the end"]

    def test_are_files_that_pile_up_after_the_first_rounds(self) -> None:
        grown = {"cores": 0.5, "rss_mb": 300.0, "threads": 10, "files": 80}
        assert leaks_of([sample(1.0), sample(2.0), sample(3.0, agent=grown)]) == ["agent: files: 50 became 80"]
        assert leaks_of([sample(1.0), sample(2.0, agent=grown), sample(3.0, agent=grown)]) == []

    def test_are_megabytes_that_grow_with_the_hours(self) -> None:
        samples = [
            sample(10.0 * n, agent={"cores": 0.5, "rss_mb": 300.0 + 20 * n, "threads": 10, "files": 50})
            for n in range(6)
        ]
        assert leaks_of(samples) == ["agent: memory grows by 120 MB an hour"]

    def test_a_straight_line_is_found(self) -> None:
        assert round(growth_mb_an_hour([0, 30, 60], [100, 110, 120])) == 20
