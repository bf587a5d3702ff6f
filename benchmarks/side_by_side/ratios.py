"""Figures of the contenders and their ratios with confidence intervals, by resampling whole calls. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.side_by_side.result_rows import CallRow, LoadRow

RESAMPLES = 2000
SEED = 20261124
Statistic = Callable[[Sequence[CallRow]], float | None]


@dataclass(frozen=True)
class ComparedMeasure:
    """Something the contenders are compared by."""

    key: str
    title: str
    unit: str
    statistic: Statistic
    better: str = "less"
    """``less`` or ``more``."""


@dataclass(frozen=True)
class Ratio:
    """One contender's figure in relation to another's, with the bounds of 95 % of all resamplings."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return it as JSON-like data."""
        return {"value": round(self.value, 2), "low": round(self.low, 2), "high": round(self.high, 2)}


def quantile(values: Sequence[float], part: float) -> float | None:
    """Return a quantile, linearly interpolated; None of nothing."""
    return float(np.quantile(np.asarray(values, dtype=float), part)) if values else None


def times(rows: Sequence[CallRow], *which: str) -> list[float]:
    """Return the times of these fields (``speech_ms``, ``key_ms``, ``stop_ms``) of all calls."""
    return [value for row in rows for field in which for value in getattr(row, field)]


def _quantile_of(part: float, *which: str) -> Statistic:
    return lambda rows: quantile(times(rows, *which), part)


def _share(plain: bool) -> Statistic:
    def share(rows: Sequence[CallRow]) -> float | None:
        wanted = [row.ok for row in rows if row.is_plain == plain]
        return 100 * sum(wanted) / len(wanted) if wanted else None

    return share


def _plain(statistic: Statistic) -> Statistic:
    return lambda rows: statistic([row for row in rows if row.is_plain])


def _length(rows: Sequence[CallRow]) -> float | None:
    return quantile([row.duration_s for row in rows if row.is_plain and row.ok], 0.5)


def _greeting(rows: Sequence[CallRow]) -> float | None:
    return quantile([row.greeting_ms for row in rows if row.greeting_ms is not None], 0.5)


MEASURES = (
    ComparedMeasure("response_p50", "Response to speech, median", "ms", _quantile_of(0.5, "speech_ms")),
    ComparedMeasure("response_p95", "Response to speech, 95 of 100", "ms", _quantile_of(0.95, "speech_ms")),
    ComparedMeasure("plain_response_p50", "... in plain calls, median", "ms", _plain(_quantile_of(0.5, "speech_ms"))),
    ComparedMeasure(
        "plain_response_p95", "... in plain calls, 95 of 100", "ms", _plain(_quantile_of(0.95, "speech_ms"))
    ),
    ComparedMeasure("key_p50", "Response to keys, median", "ms", _quantile_of(0.5, "key_ms")),
    ComparedMeasure("greeting_p50", "Answer to greeting, median", "ms", _greeting),
    ComparedMeasure("stop_p50", "Caller interrupts: silent after, median", "ms", _quantile_of(0.5, "stop_ms")),
    ComparedMeasure("length_p50", "Plain call that succeeds, median length", "s", _length),
    ComparedMeasure("plain_success", "Plain calls that succeed", "%", _share(True), "more"),
    ComparedMeasure("hard_success", "Hard calls that succeed", "%", _share(False), "more"),
)


def calls_of_contender(rows: Sequence[CallRow], name: str) -> list[CallRow]:
    """Return one contender's calls."""
    return [row for row in rows if row.contender == name]


def ratio(
    rows: Sequence[CallRow], measure: ComparedMeasure, one: str, other: str, resamples: int = RESAMPLES
) -> Ratio | None:
    """Return ``one``'s figure divided by ``other``'s; None where one has none (or the other's is zero).

    Whole calls are resampled, and a caller's calls of one round to both contenders together: the turns of a call are
    not independent of each other, nor are two calls of the same moment on the same machine.
    """
    by_unit: dict[tuple[int, str], tuple[list[CallRow], list[CallRow]]] = {}
    for row in rows:
        if row.contender in (one, other):
            by_unit.setdefault(row.unit, ([], []))[row.contender == other].append(row)
    units = [pair for pair in by_unit.values() if pair[0] and pair[1]]
    value = _divided(units, measure)
    if value is None:
        return None
    chance = np.random.default_rng(SEED)
    found = []
    for _ in range(resamples):
        drawn = [units[index] for index in chance.integers(0, len(units), len(units))]
        again = _divided(drawn, measure)
        if again is not None:
            found.append(again)
    low, high = np.quantile(found, [0.025, 0.975])
    return Ratio(value, float(low), float(high))


def _divided(units: Sequence[tuple[list[CallRow], list[CallRow]]], measure: ComparedMeasure) -> float | None:
    first = measure.statistic([row for pair in units for row in pair[0]])
    second = measure.statistic([row for pair in units for row in pair[1]])
    return first / second if first is not None and second else None


def calls_at_once(rows: Sequence[LoadRow], name: str, limit_ms: float) -> int:
    """Return the most calls at once that were borne with 95 of 100 responses within the limit, with fewer calls too."""
    best = 0
    for row in sorted((row for row in rows if row.contender == name), key=lambda row: row.at_once):
        if not row.within_limit or row.p95_ms is None or row.p95_ms > limit_ms:
            break
        best = row.at_once
    return best


def cores_a_call(rows: Sequence[LoadRow], name: str) -> float | None:
    """Return the part of a core that one call takes while it stands, over all loads."""
    own = [row for row in rows if row.contender == name and row.call_seconds]
    seconds = sum(row.call_seconds for row in own)
    return sum(row.own_cpu_s + row.asterisk_cpu_s for row in own) / seconds if seconds else None


def by_scenario(rows: Sequence[CallRow]) -> Mapping[str, Mapping[str, tuple[int, int]]]:
    """Return scenario -> contender -> (calls that succeeded, calls)."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for row in rows:
        good, calls = found.setdefault(row.scenario, {}).get(row.contender, (0, 0))
        found[row.scenario][row.contender] = (good + row.ok, calls + 1)
    return found
