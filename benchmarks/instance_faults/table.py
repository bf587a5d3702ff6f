"""The lines of the table of several instances."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.faults.fault_case import CaseResult


def table_lines(result: CaseResult) -> str:
    """Return the table's line of a case, and one for each kind of wait."""
    runs = result.passed + result.failed
    head = f"{result.name:<14}{runs:>4} runs{result.failed:>4} failed{_spread(result.reached)}  {result.what}"
    return "\n".join([head, *(f"  {who:<22}{_spread(seconds)}" for who, seconds in result.by_who.items())])


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{'-':>9}{'-':>9}"
    return f"{statistics.median(seconds):>9.2f}{max(seconds):>9.2f}"
