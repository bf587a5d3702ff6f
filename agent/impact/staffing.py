"""How many staff each hour needs: the load that callers bring, with and without the agent in front of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.impact.erlang import agents_needed
from agent.impact.inputs import HALF_HOURS, WEEKDAYS, CallKind, ImpactInputs
from agent.impact.simulation import SimulatedKind

DAY_HOURS = 24
_ROUNDING = 1e-9
"""A load of 4.000000000001 needs no fifth person."""


@dataclass(frozen=True)
class CallMix:
    """The kinds of calls of a day as they come to the staff."""

    kinds: tuple[SimulatedKind, ...]

    @property
    def to_staff(self) -> float:
        """Share of all calls that come to the staff queue."""
        return math.fsum(kind.share * (1 - kind.contained) for kind in self.kinds)

    @property
    def staff_seconds(self) -> float:
        """Mean time of staff over all calls, those that do not come to them too."""
        return math.fsum(kind.share * (1 - kind.contained) * kind.handle_seconds for kind in self.kinds)

    @property
    def agent_seconds(self) -> float:
        """Mean time of the agent over all calls."""
        return math.fsum(kind.share * kind.agent_seconds for kind in self.kinds)


def without_agent(inputs: ImpactInputs, *, event: bool) -> CallMix:
    """Return the mix where every call goes to the staff."""
    return CallMix(tuple(SimulatedKind(share, kind.handle_seconds) for kind, share in _shares(inputs, event)))


def with_agent(inputs: ImpactInputs, *, event: bool, containment: float | None = None) -> CallMix:
    """Return the mix where the agent answers first.

    ``containment`` takes the place of that of every kind which the agent finishes at all. What is left of those kinds
    takes staff longer: the easy ones are gone.
    """
    longer = 1 + inputs.handed_over_extra
    return CallMix(
        tuple(
            SimulatedKind(
                share,
                kind.handle_seconds * (longer if kind.containment else 1),
                kind.containment if containment is None or not kind.containment else containment,
                kind.agent_seconds,
            )
            for kind, share in _shares(inputs, event)
        )
    )


def agent_kinds(inputs: ImpactInputs) -> Mapping[str, CallKind]:
    """Return the kinds of calls that the agent finishes at all."""
    return {name: kind for name, kind in inputs.kinds.items() if kind.containment > 0}


def _shares(inputs: ImpactInputs, event: bool) -> list[tuple[CallKind, float]]:
    shares = [kind.event_share if event else kind.share for kind in inputs.kinds.values()]
    total = math.fsum(shares)  # 1, but for rounding
    return [(kind, share / total) for kind, share in zip(inputs.kinds.values(), shares, strict=True)]


def week_calls(inputs: ImpactInputs) -> list[list[float]]:
    """Return expected callers by weekday (Monday first) and half hour."""
    if inputs.week is not None:
        return [list(day) for day in inputs.week]
    day = _spread(inputs, inputs.hour_shares, inputs.calls_per_week / inputs.open_days)
    return [list(day) if weekday < inputs.open_days else [0.0] * HALF_HOURS for weekday in range(WEEKDAYS)]


def event_calls(inputs: ImpactInputs) -> list[float]:
    """Return expected callers of the sale day by half hour."""
    return _spread(inputs, inputs.event_hour_shares, inputs.event_calls)


def _spread(inputs: ImpactInputs, shares: Sequence[float], calls: float) -> list[float]:
    """Return ``calls`` by half hour from opening to closing, the list of shares stretched over that time."""
    halves = 2 * (inputs.closes_hour - inputs.opens_hour)
    per_half = len(shares) / halves
    total = math.fsum(shares)
    day = [0.0] * HALF_HOURS
    for half in range(halves):
        begin, end = half * per_half, (half + 1) * per_half
        part = math.fsum(
            share * max(0.0, min(end, place + 1) - max(begin, place)) for place, share in enumerate(shares)
        )
        day[2 * inputs.opens_hour + half] = calls * part / total
    return day


def staff_by_hour(inputs: ImpactInputs, calls: Sequence[float], mix: CallMix) -> list[int]:
    """Return the staff of each of 24 hours for ``calls`` by half hour; one at least in an hour with calls."""
    hourly = [calls[2 * hour] + calls[2 * hour + 1] for hour in range(DAY_HOURS)]
    return [_staff(inputs, number, mix) if number > 0 else 0 for number in hourly]


def staff_hours(inputs: ImpactInputs, days: Sequence[Sequence[float]], mix: CallMix) -> int:
    """Return the staff hours that days of calls by half hour need."""
    return sum(sum(staff_by_hour(inputs, day, mix)) for day in days)


def _staff(inputs: ImpactInputs, calls_per_hour: float, mix: CallMix) -> int:
    load = calls_per_hour * mix.staff_seconds / 3600
    if load <= 0:
        return 1  # somebody is there for what the agent cannot do
    if inputs.staffing == "square_root":
        return max(1, math.ceil(load + inputs.square_root_factor * math.sqrt(load) - _ROUNDING))
    return _for_goal(load, mix.staff_seconds / mix.to_staff, inputs.goal_share, inputs.goal_seconds)


@lru_cache(maxsize=100_000)
def _for_goal(load: float, handle_seconds: float, share: float, within_seconds: float) -> int:
    return max(1, agents_needed(load, handle_seconds, share, within_seconds))


def part_of(staff: Sequence[int], share: float) -> list[int]:
    """Return ``share`` of the staff of each hour, rounded up."""
    return [math.ceil(number * share - _ROUNDING) for number in staff]


__all__ = [
    "CallMix",
    "agent_kinds",
    "event_calls",
    "part_of",
    "staff_by_hour",
    "staff_hours",
    "week_calls",
    "with_agent",
    "without_agent",
]
