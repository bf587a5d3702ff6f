"""The sizing model, and that docs/sizing.md says what it calculates."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.sizing.assumptions import CALCULATED, CHOSEN, MEASURED, Assumptions, read_assumptions
from benchmarks.sizing.model import NODES_ASKED, hard_limits, size
from benchmarks.sizing.page import BEGIN, END, page, replaced

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def given() -> Assumptions:
    return read_assumptions(DOCS / "benchmarks")


def test_a_measured_number_of_calls_is_told_as_it_was_measured(given: Assumptions) -> None:
    steps = json.loads((DOCS / "benchmarks/results.json").read_text(encoding="utf-8"))["parts"]["capacity"]["steps"]
    measured = next(step for step in steps if step["at_once"] == 10)
    ten = size(10, given)
    assert ten.kind == MEASURED
    assert ten.agent_cores == measured["use"]["agent"]["cores"]
    assert ten.asterisk_cores == measured["use"]["asterisk"]["cores"]
    use = measured["use"]
    assert ten.memory_gb == pytest.approx((use["agent"]["rss_mb"] + use["asterisk"]["rss_mb"]) / 1024)


def test_the_biggest_step_that_kept_the_response_time_is_a_full_instance(given: Assumptions) -> None:
    full = int(given["calls_an_instance"])
    assert next(step for step in given.steps if step.at_once == full).holds
    assert not any(step.holds for step in given.steps if step.at_once > full)
    assert size(full, given).instances == 1
    assert size(full + 1, given).instances == 2


@pytest.mark.parametrize("calls", [100, 1000, 10000])
def test_beyond_what_was_measured_it_is_calculated_per_call(given: Assumptions, calls: int) -> None:
    one = size(calls, given)
    assert one.kind == CALCULATED
    assert one.agent_cores == pytest.approx(calls * given["agent_cores"])
    assert one.cores == math.ceil((one.agent_cores + one.asterisk_cores) / given["busy"])
    assert one.instances * given["calls_an_instance"] >= calls
    assert one.machines * given["calls_an_asterisk"] >= calls
    assert one.redis_commands == pytest.approx(calls / given["call_seconds"] * given["snapshot_writes"])


def test_ten_times_the_calls_need_about_ten_times_of_everything(given: Assumptions) -> None:
    small, big = size(1000, given), size(10000, given)
    for what in ("agent_cores", "asterisk_cores", "memory_gb", "redis_commands", "redis_mb", "records_a_second"):
        assert getattr(big, what) == pytest.approx(10 * getattr(small, what), rel=0.05)


def test_every_figure_says_whether_it_was_measured_and_where_it_stands(given: Assumptions) -> None:
    for figure in given.figures.values():
        assert figure.value > 0, figure.name
        assert figure.source, figure.name
    assert {figure.kind for figure in given.figures.values()} >= {MEASURED, CHOSEN}


def test_limits_begin_with_the_smallest_and_name_their_source(given: Assumptions) -> None:
    limits = hard_limits(given)
    assert [limit.calls for limit in limits] == sorted(limit.calls for limit in limits)
    assert all(limit.source and limit.calls > 0 for limit in limits)
    assert limits[0].calls == given["calls_an_instance"]


def test_open_files_are_those_of_an_idle_asterisk_and_of_its_calls(given: Assumptions) -> None:
    capacity = json.loads((DOCS / "benchmarks/results.json").read_text(encoding="utf-8"))["parts"]["capacity"]
    limit = next(limit.calls for limit in hard_limits(given) if "1024 open files" in limit.what)
    full = next(step for step in capacity["steps"] if step["at_once"] == given["calls_an_instance"])
    idle, used = capacity["idle"]["asterisk"]["files"], full["use"]["asterisk"]["files"]
    assert idle + limit * (used - idle) / full["at_once"] <= 1024


def test_the_nodes_asked_are_those_of_the_shipped_kamailio() -> None:
    shipped = (DOCS.parent / "contrib/kamailio/kamailio.cfg").read_text(encoding="utf-8")
    assert f'ds_select_dst("1", "4", "{NODES_ASKED}")' in shipped


def test_the_page_says_what_the_model_calculates(given: Assumptions) -> None:
    document = (DOCS / "sizing.md").read_text(encoding="utf-8")
    assert document == replaced(document, page(given)), "run: make sizing"


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert replaced(f"before {BEGIN}old{END} after", "new") == f"before {BEGIN}\n\nnew\n\n{END} after"
