"""Intervals, service level and percentiles against values worked out elsewhere."""

from __future__ import annotations

import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history.bins import EDGES, RESOLUTION, bin_of
from agent.reports.intervals import net_promoter, wilson
from agent.reports.percentiles import count_between, count_from, percentile
from agent.reports.service_level import FORMULAS, OUR_FORMULA, QueueCounts, service_level


@pytest.mark.parametrize(("part", "of", "low", "high"), [(42, 60, 57.5, 80.1), (8, 10, 49.0, 94.3), (0, 10, 0.0, 27.8)])
def test_wilson_intervals(part: int, of: int, low: float, high: float) -> None:
    interval = wilson(part, of)
    assert interval is not None
    assert interval[0] * 100 == pytest.approx(low, abs=0.05)
    assert interval[1] * 100 == pytest.approx(high, abs=0.05)


def test_nothing_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert net_promoter(0, 0, 0) is None


@pytest.mark.parametrize(
    ("promoters", "detractors", "of", "score", "off"), [(50, 20, 100, 30.0, 15.3), (6, 1, 10, 50.0, 41.6)]
)
def test_net_promoter_scores(promoters: int, detractors: int, of: int, score: float, off: float) -> None:
    found = net_promoter(promoters, detractors, of)
    assert found is not None
    assert found[0] * 100 == pytest.approx(score)
    assert found[1] * 100 == pytest.approx(off, abs=0.05)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_stays_a_share(one: tuple[int, int]) -> None:
    interval = wilson(*one)
    assert interval is not None
    assert 0 <= interval[0] <= one[0] / one[1] + 1e-12
    assert one[0] / one[1] - 1e-12 <= interval[1] <= 1


def test_five_formulas_of_service_level_differ_on_the_same_calls() -> None:
    counts = QueueCounts(answered=1000, answered_in_time=860, abandoned=60, abandoned_in_time=20, abandoned_at_once=10)
    found = {name: round(100 * part / of, 1) for name in FORMULAS for part, of in [service_level(counts, name)]}
    assert sorted(found.values()) == [81.1, 82.1, 82.7, 83.0, 86.0]
    assert OUR_FORMULA == "answered in time / (answered + abandoned after that time)"
    assert found[OUR_FORMULA] == 82.7
    assert found["(answered in time + abandoned in time) / (answered + abandoned)"] == 83.0


@given(st.lists(st.integers(0, EDGES[-1] - 1), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_right_within_the_resolution(times: list[int], share: float) -> None:
    bins = Counter(map(bin_of, times))
    found = percentile(bins, share)
    assert found is not None
    below = sum(time < found for time in times)
    assert below >= share * len(times) - 1e-6  # so many are faster ...
    exact = sorted(times)[max(0, -(-int(share * 1000) * len(times) // 1000) - 1)]
    assert exact < found <= exact + max(1, exact * RESOLUTION)  # ... and a finer one would hardly be less
    assert count_from(bins, found) == sum(time >= found for time in times)


def test_the_median_of_one_value_is_its_bin() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({bin_of(1234): 7}, 0.5) == 1250
    assert statistics.median([1234] * 7) <= 1250


def test_counts_between_edges() -> None:
    bins = {0: 1, 10: 2, 20: 4}
    assert count_between(bins, 0, 20) == 3
    assert count_between(bins, 10, None) == 6
