"""What must not become many times as dear: ratios of one run against the stored baseline; no absolute time."""

from __future__ import annotations

import pytest

from agent.dialog.pack.loader import FlowPack
from agent.flows import english_pack
from benchmarks.guard import best_ratio, grammar_costs, ratios_over_baseline, read_baseline, turn_cost


@pytest.fixture(scope="module")
def pack() -> FlowPack:
    return FlowPack.load(english_pack())


def test_the_rules_cost_what_they_did(pack: FlowPack) -> None:
    assert ratios_over_baseline({"a call's turns / the calibration loop": turn_cost(pack)}, read_baseline()) == []


def test_a_large_grammar_costs_what_it_did(pack: FlowPack) -> None:
    assert ratios_over_baseline(grammar_costs(pack), read_baseline()) == []


def test_a_cost_beyond_what_is_allowed_is_told() -> None:
    baseline = {"turns": {"ratio": 2.0, "allowed": 3.0}}
    assert ratios_over_baseline({"turns": 5.9}, baseline) == []
    assert ratios_over_baseline({"turns": 6.1}, baseline) == [
        "turns: 6.10, where 2.00 was measured and 3 times that is allowed",
    ]


def test_the_least_disturbed_rounds_are_compared() -> None:
    work, other = iter([9.0, 4.0, 8.0]), iter([2.0, 7.0, 3.0])
    assert best_ratio(lambda: next(work), lambda: next(other), rounds=3) == 2.0
