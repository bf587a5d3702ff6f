"""Percentiles of times that were counted by bin (:mod:`agent.history.bins`)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from agent.history.bins import RESOLUTION, end_of_bin

Bins = Mapping[int, int]
"""Edge at which a bin begins (milliseconds) -> how many times are in it."""

RESOLUTION_NOTE = f"Percentiles are read from bins of 1 ms up to 100 ms, and at most {RESOLUTION:.0%} wide above."


def percentile(bins: Bins, share: float) -> int | None:
    """Return a time below which at least ``share`` (0..1) of all times lie: where the bin of that one ends.

    In milliseconds; None where there are no times.
    """
    rank = max(1, math.ceil(share * sum(bins.values()) - 1e-9))
    passed = 0
    for edge in sorted(bins):
        passed += bins[edge]
        if passed >= rank:
            return end_of_bin(edge)
    return None


def count_from(bins: Bins, edge: int) -> int:
    """Return how many times there are from an edge on."""
    return sum(amount for begin, amount in bins.items() if begin >= edge)


def count_between(bins: Bins, first: int, end: int | None) -> int:
    """Return how many times there are from one edge on and below another."""
    return sum(amount for begin, amount in bins.items() if begin >= first and (end is None or begin < end))
