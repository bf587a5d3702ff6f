"""The rounds of a comparison with another checkout: means, and how far one agent's rounds are apart."""

from __future__ import annotations

import pytest

from benchmarks.checkout_comparison import mean_of, own_spread

ROUNDS = [{"p50": 300.0, "cpu_seconds": 0.8}, {"p50": 306.0, "cpu_seconds": 0.8}, {"p50": 309.0, "cpu_seconds": 0.8}]


def test_the_mean_is_taken_over_the_rounds() -> None:
    assert mean_of(ROUNDS, "p50") == pytest.approx(305.0)


def test_rounds_are_apart_by_a_share_of_their_mean() -> None:
    assert own_spread(ROUNDS, "p50") == pytest.approx(9 / 305)
    assert own_spread(ROUNDS, "cpu_seconds") == 0.0


def test_rounds_without_any_figure_are_not_apart() -> None:
    assert own_spread([{"p95": 0.0}, {"p95": 0.0}], "p95") == 0.0
