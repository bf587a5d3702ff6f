"""Plays days with a number of staff each hour, many times, and says how callers and staff fared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from agent.impact.inputs import ImpactInputs
from agent.impact.simulation import DayOutcome, SimulatedDay, simulate_day
from agent.impact.staffing import DAY_HOURS, CallMix

_MOST_CALLS = 400_000
"""That are simulated for one plan: big centres are played on fewer days, whose chance is smaller anyway."""
_LEAST_DAYS = 5
_T_95 = {5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262, 12: 2.201, 15: 2.145, 20: 2.093, 30: 2.045}
"""Student's t by number of days, for a 95 % interval."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class QueueFigures:
    """How callers and staff fare, over one or more days."""

    calls: float
    """Expected callers, those the agent finishes too."""
    to_staff: float
    """Of them, those who come to the staff."""
    staff_hours: float
    cost: float
    """Of staff and agent, in the currency of the inputs."""
    wait_seconds: float | None
    """Mean wait of answered callers; None where nobody came to the staff."""
    wait_90_seconds: float | None
    """Nine of ten answered callers waited no longer."""
    in_goal: float | None
    """Answered within the goal's seconds / (answered + hung up after them)."""
    lost_share: float
    """Callers who hung up and did not ring again, or not with success / all callers."""
    wait_interval: Interval | None = None
    """95 %, of the mean wait of such a day or week."""
    in_goal_interval: Interval | None = None
    lost_interval: Interval | None = None

    @property
    def lost(self) -> float:
        """Expected callers who are lost."""
        return self.calls * self.lost_share


@dataclass(frozen=True)
class HourFigures:
    """One hour of a day."""

    hour: int
    calls: float
    staff: int
    wait_seconds: float | None
    wait_90_seconds: float | None
    in_goal: float | None
    lost: float
    """Expected callers who give up for good in this hour."""


@dataclass(frozen=True)
class PlannedDay:
    """A day with its staff, played."""

    hours: tuple[HourFigures, ...]
    """From the first hour with calls to the last; empty on a day without calls."""
    figures: QueueFigures


@dataclass(frozen=True)
class PlayedPlan:
    """One or more days under one plan."""

    days: tuple[PlannedDay, ...]
    total: QueueFigures
    runs: int
    """How often each day was simulated."""


@dataclass(frozen=True)
class DayPlan:
    """A day to play."""

    calls: Sequence[float]
    """Expected callers by half hour."""
    staff: Sequence[int]
    """By hour."""


def play(inputs: ImpactInputs, days: Sequence[DayPlan], mix: CallMix, *, agent_cost: float = 0.0) -> PlayedPlan:
    """Play the days and return how they went. ``agent_cost`` is that of the agent over all of them."""
    runs = _runs(inputs, days, mix)
    played = [_play_day(inputs, day, mix, runs, number) for number, day in enumerate(days)]
    open_days = sum(1 for day in days if sum(day.calls) > 0)
    each = agent_cost / open_days if open_days else 0.0
    planned = tuple(
        PlannedDay(_hours(inputs, day, outcomes), _figures(inputs, [day], mix, [outcomes], each if outcomes else 0.0))
        for day, outcomes in zip(days, played, strict=True)
    )
    return PlayedPlan(planned, _figures(inputs, days, mix, played, agent_cost), runs)


def staff_cost(inputs: ImpactInputs, hours: float) -> float:
    """Return what so many hours at the phone cost, paid time away from it included."""
    return hours * inputs.staff_cost_per_hour / (1 - inputs.shrinkage)


def _runs(inputs: ImpactInputs, days: Sequence[DayPlan], mix: CallMix) -> int:
    calls = math.fsum(math.fsum(day.calls) for day in days) * max(0.05, mix.to_staff)
    affordable = int(_MOST_CALLS / calls) if calls > 0 else inputs.days
    return max(_LEAST_DAYS, min(inputs.days, affordable))


def _open(calls: Sequence[float]) -> tuple[int, int]:
    """Return the first hour with calls and the one after the last."""
    hours = [hour for hour in range(DAY_HOURS) if calls[2 * hour] + calls[2 * hour + 1] > 0]
    return (hours[0], hours[-1] + 1) if hours else (0, 0)


def _play_day(inputs: ImpactInputs, day: DayPlan, mix: CallMix, runs: int, number: int) -> list[DayOutcome]:
    first, end = _open(day.calls)
    if first == end:
        return []
    simulated = SimulatedDay(
        calls=day.calls[2 * first : 2 * end],
        interval_seconds=1800.0,
        staff=day.staff[first:end],
        kinds=mix.kinds,
        patience_seconds=inputs.patience_seconds,
        handle_sigma=inputs.handle_sigma,
        redial_share=inputs.redial_share,
        redial_seconds=inputs.redial_after_seconds,
    )
    base = (inputs.seed * 7919 + number * 1009) % 2**31
    return [simulate_day(simulated, base + run) for run in range(runs)]


def _figures(
    inputs: ImpactInputs, days: Sequence[DayPlan], mix: CallMix, played: Sequence[list[DayOutcome]], agent_cost: float
) -> QueueFigures:
    calls = math.fsum(math.fsum(day.calls) for day in days)
    hours = float(sum(sum(day.staff[slice(*_open(day.calls))]) for day in days))
    runs = list(zip(*(outcomes for outcomes in played if outcomes), strict=True))
    every = [outcome for run in runs for outcome in run]
    waits = _waits(every)
    callers = sum(outcome.callers for outcome in every)
    lost = sum(len(outcome.lost_at) for outcome in every)
    return QueueFigures(
        calls=calls,
        to_staff=calls * mix.to_staff,
        staff_hours=hours,
        cost=staff_cost(inputs, hours) + agent_cost,
        wait_seconds=_mean(waits),
        wait_90_seconds=_percentile(waits),
        in_goal=_in_goal(every, inputs.goal_seconds),
        lost_share=lost / callers if callers else 0.0,
        wait_interval=_interval([_mean(_waits(run)) for run in runs]),
        in_goal_interval=_interval([_in_goal(run, inputs.goal_seconds) for run in runs]),
        lost_interval=_interval(
            [_share(sum(len(one.lost_at) for one in run), sum(one.callers for one in run)) for run in runs]
        ),
    )


def _hours(inputs: ImpactInputs, day: DayPlan, outcomes: Sequence[DayOutcome]) -> tuple[HourFigures, ...]:
    first, end = _open(day.calls)
    if not outcomes:
        return ()
    entered = np.concatenate([outcome.entered for outcome in outcomes])
    lost_at = np.concatenate([outcome.lost_at for outcome in outcomes])
    last = end - first - 1
    whole = DayOutcome(
        callers=0,
        entered=entered,
        waited=np.concatenate([outcome.waited for outcome in outcomes]),
        answered=np.concatenate([outcome.answered for outcome in outcomes]),
        lost_at=lost_at,
    )
    of_hour = np.minimum(entered // 3600, last)
    lost = np.bincount(np.minimum(lost_at // 3600, last).astype(int), minlength=last + 1) / len(outcomes)
    hours = []
    for hour in range(first, end):
        mask = of_hour == hour - first
        part = replace(whole, waited=whole.waited[mask], answered=whole.answered[mask])
        waits = _waits([part])
        hours.append(
            HourFigures(
                hour=hour,
                calls=day.calls[2 * hour] + day.calls[2 * hour + 1],
                staff=day.staff[hour],
                wait_seconds=_mean(waits),
                wait_90_seconds=_percentile(waits),
                in_goal=_in_goal([part], inputs.goal_seconds),
                lost=float(lost[hour - first]),
            )
        )
    return tuple(hours)


def _waits(outcomes: Sequence[DayOutcome]) -> np.ndarray:
    """Return the waits of answered attempts."""
    return np.concatenate([one.waited[one.answered] for one in outcomes]) if outcomes else np.zeros(0)


def _mean(waits: np.ndarray) -> float | None:
    return float(waits.mean()) if len(waits) else None


def _percentile(waits: np.ndarray) -> float | None:
    return float(np.percentile(waits, 90)) if len(waits) else None


def _in_goal(outcomes: Sequence[DayOutcome], seconds: float) -> float | None:
    answered = sum(int(one.answered.sum()) for one in outcomes)
    in_time = sum(int((one.answered & (one.waited <= seconds)).sum()) for one in outcomes)
    late = sum(int((~one.answered & (one.waited > seconds)).sum()) for one in outcomes)
    return _share(in_time, answered + late)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _interval(values: Sequence[float | None]) -> Interval | None:
    """Return the 95 % interval of the mean, from one value a run."""
    known = [value for value in values if value is not None]
    if len(known) < _LEAST_DAYS:
        return None
    mean = math.fsum(known) / len(known)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1) / len(known))
    t = next((_T_95[days] for days in sorted(_T_95, reverse=True) if days <= len(known)), 2.776)
    return max(0.0, mean - t * spread), mean + t * spread


__all__ = ["DayPlan", "HourFigures", "PlannedDay", "PlayedPlan", "QueueFigures", "play", "staff_cost"]
