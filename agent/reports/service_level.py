"""Service level: five formulas are in use, and they differ. Which one was used is printed beside the number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class QueueCounts:
    """Calls that waited in a queue."""

    answered: int
    answered_in_time: int
    abandoned: int
    abandoned_in_time: int
    """Callers who hung up within the time that is promised."""
    abandoned_at_once: int
    """Of these, callers who hung up so early that they cannot be said to have waited."""


Formula = Callable[[QueueCounts], tuple[int, int]]

FORMULAS: Mapping[str, Formula] = {
    "answered in time / (answered + abandoned after that time)": lambda one: (
        one.answered_in_time,
        one.answered + one.abandoned - one.abandoned_in_time,
    ),
    "(answered in time + abandoned in time) / (answered + abandoned)": lambda one: (
        one.answered_in_time + one.abandoned_in_time,
        one.answered + one.abandoned,
    ),
    "answered in time / answered": lambda one: (one.answered_in_time, one.answered),
    "answered in time / (answered + abandoned)": lambda one: (one.answered_in_time, one.answered + one.abandoned),
    "(answered in time + abandoned at once) / (answered + abandoned)": lambda one: (
        one.answered_in_time + one.abandoned_at_once,
        one.answered + one.abandoned,
    ),
}
"""Formula, in words -> the part and of how many. The first one is ours."""

OUR_FORMULA = next(iter(FORMULAS))


def service_level(counts: QueueCounts, formula: str = OUR_FORMULA) -> tuple[int, int]:
    """Return the part and of how many it is. Raises ``KeyError`` for a formula that is none of :data:`FORMULAS`."""
    return FORMULAS[formula](counts)
