"""What the agent is worth to a shop: staff, waiting, lost callers and cost, with and without it. Deterministic.

:func:`estimate` turns :class:`ImpactInputs` into an :class:`ImpactResult`; the command and the console print it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.impact.assumptions import Assumption, assumptions
from agent.impact.erlang import lines_needed, offered_load
from agent.impact.inputs import ImpactInputs
from agent.impact.scenario import DayPlan, PlayedPlan, QueueFigures, play, staff_cost
from agent.impact.staffing import (
    CallMix,
    agent_kinds,
    event_calls,
    part_of,
    staff_by_hour,
    staff_hours,
    week_calls,
    with_agent,
    without_agent,
)

SENSITIVITY = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SHORT_STAFF = (0.8, 0.6)
"""Parts of the staff needed, to show what a day is like that nobody could be found for."""
BLOCKED_SHARE = 0.001
"""Of callers who may find all lines of the agent busy in the peak half hour."""
_WEEKS_PER_MONTH = 365 / 12 / 7
_DAYS_PER_MONTH = 365 / 12
_STEPS = 100


@dataclass(frozen=True)
class SensitivityRow:
    """What comes out if the agent contains this share of every kind of call that it takes on."""

    containment: float
    figures: QueueFigures
    hours_saved: float
    """Share of the staff hours without the agent."""
    cost_saved: float
    """In the currency of the inputs; negative where the agent costs more than it saves."""


@dataclass(frozen=True)
class ClaimCheck:
    """What a claim of so much less staff time needs."""

    saving: float
    """The claim: share of the staff hours."""
    containment: float | None
    """The least true containment of what the agent takes on that reaches it; None: not even all of it would."""
    most: float
    """What full containment of it would save."""


@dataclass(frozen=True)
class PeriodResult:
    """A week or a sale day, with and without the agent."""

    name: str
    """``week`` or ``event``."""
    now: PlayedPlan
    """Every call goes to staff, planned for it."""
    agent: PlayedPlan
    """The agent answers first; staff planned for what it leaves."""
    short: tuple[tuple[str, PlayedPlan], ...]
    """The sale day with fewer staff than needed, by what it is called."""
    hours_saved: float
    """Share of the staff hours."""
    cost_saved: float
    break_even: float | None
    """The least containment at which, and above which, the agent costs no more than it saves; None: there is none."""
    sensitivity: tuple[SensitivityRow, ...]
    claims: tuple[ClaimCheck, ...]
    contained: float
    """Share of all calls that the agent finishes."""
    agent_lines: int
    """Lines the agent needs in the busiest half hour."""


@dataclass(frozen=True)
class ImpactResult:
    """Everything that the model says."""

    inputs: ImpactInputs
    assumptions: tuple[Assumption, ...]
    week: PeriodResult
    event: PeriodResult | None
    agent_kinds: tuple[str, ...]
    """The kinds of calls that the agent takes on."""
    warnings: tuple[str, ...]


def estimate(inputs: ImpactInputs, warnings: Sequence[str] = ()) -> ImpactResult:
    """Return what the agent is worth. The same inputs give the same result; takes seconds for large volumes.

    ``warnings`` are those of imports; the model adds its own.
    """
    week = _period(inputs, "week", week_calls(inputs), inputs.agent_cost_per_month / _WEEKS_PER_MONTH)
    event = (
        _period(inputs, "event", [event_calls(inputs)], inputs.agent_cost_per_month / _DAYS_PER_MONTH)
        if inputs.event_calls
        else None
    )
    return ImpactResult(
        inputs=inputs,
        assumptions=assumptions(inputs),
        week=week,
        event=event,
        agent_kinds=tuple(agent_kinds(inputs)),
        warnings=(*warnings, *_warnings(inputs, week, event)),
    )


def _period(inputs: ImpactInputs, name: str, days: Sequence[Sequence[float]], agent_cost: float) -> PeriodResult:
    event = name == "event"
    before, after = without_agent(inputs, event=event), with_agent(inputs, event=event)
    now = play(inputs, _planned(inputs, days, before), before)
    agent = play(inputs, _planned(inputs, days, after), after, agent_cost=agent_cost)
    rows = []
    for containment in SENSITIVITY if agent_kinds(inputs) else ():
        mix = with_agent(inputs, event=event, containment=containment)
        total = play(inputs, _planned(inputs, days, mix), mix, agent_cost=agent_cost).total
        rows.append(SensitivityRow(containment, total, _saved(now.total, total), now.total.cost - total.cost))
    hours = [staff_hours(inputs, days, _at(inputs, event, step)) for step in range(_STEPS + 1)]
    return PeriodResult(
        name=name,
        now=now,
        agent=agent,
        short=_short(inputs, days, before, after, agent_cost) if event else (),
        hours_saved=_saved(now.total, agent.total),
        cost_saved=now.total.cost - agent.total.cost,
        break_even=_break_even(inputs, now.total, hours, agent_cost) if rows else None,
        sensitivity=tuple(rows),
        claims=tuple(
            _claim(saving, now.total, hours) for saving in dict.fromkeys((inputs.claim_low, inputs.claim_high))
        )
        if rows
        else (),
        contained=1 - after.to_staff,
        agent_lines=_agent_lines(days, after),
    )


def _planned(inputs: ImpactInputs, days: Sequence[Sequence[float]], mix: CallMix) -> list[DayPlan]:
    return [DayPlan(day, staff_by_hour(inputs, day, mix)) for day in days]


def _at(inputs: ImpactInputs, event: bool, step: int) -> CallMix:
    return with_agent(inputs, event=event, containment=step / _STEPS)


def _short(
    inputs: ImpactInputs, days: Sequence[Sequence[float]], before: CallMix, after: CallMix, agent_cost: float
) -> tuple[tuple[str, PlayedPlan], ...]:
    """Return days with fewer staff than are needed without the agent: without it, and the first of them with it."""
    needed = _planned(inputs, days, before)
    found = []
    for share in SHORT_STAFF:
        fewer = [DayPlan(day.calls, part_of(day.staff, share)) for day in needed]
        found.append((f"without the agent, {100 * share:.0f} % of the staff", play(inputs, fewer, before)))
    share = SHORT_STAFF[0]
    fewer = [DayPlan(day.calls, part_of(day.staff, share)) for day in needed]
    name = f"with the agent, {100 * share:.0f} % of the staff"
    return (*found, (name, play(inputs, fewer, after, agent_cost=agent_cost)))


def _saved(now: QueueFigures, then: QueueFigures) -> float:
    return 1 - then.staff_hours / now.staff_hours if now.staff_hours else 0.0


def _break_even(inputs: ImpactInputs, now: QueueFigures, hours: Sequence[int], agent_cost: float) -> float | None:
    """Return the containment from which on cost never exceeds that without the agent; ``hours`` by percent."""
    least = None
    for step in range(_STEPS, -1, -1):
        if staff_cost(inputs, hours[step]) + agent_cost > now.cost + 1e-9:
            break
        least = step / _STEPS
    return least


def _claim(saving: float, now: QueueFigures, hours: Sequence[int]) -> ClaimCheck:
    saved = [1 - of / now.staff_hours if now.staff_hours else 0.0 for of in hours]
    least = next((step / _STEPS for step in range(_STEPS + 1) if min(saved[step:]) >= saving - 1e-9), None)
    return ClaimCheck(saving, least, saved[-1])


def _agent_lines(days: Sequence[Sequence[float]], mix: CallMix) -> int:
    peak = max(max(day) for day in days) * 2
    return lines_needed(offered_load(peak, mix.agent_seconds), BLOCKED_SHARE) if mix.agent_seconds else 0


def _warnings(inputs: ImpactInputs, week: PeriodResult, event: PeriodResult | None) -> list[str]:
    found = []
    if all(inputs.source(f"kinds.{name}.containment") == "default" for name in agent_kinds(inputs)):
        found.append(
            "Containment is a default, not measured: nobody knows yours before calls were taken. Read the sensitivity."
        )
    if inputs.source("staff_cost_per_hour") == "default":
        found.append("The cost of staff is a default: costs mean nothing until you put in your own.")
    if math.isclose(week.now.total.staff_hours, _least_hours(week.now)) and week.now.total.staff_hours:
        found.append("One person is on duty in every hour already: no hour can be saved, only waiting.")
    for period in (week, event):
        if period is not None and period.now.runs < inputs.days:
            found.append(
                f"The {period.name} was simulated {period.now.runs} times instead of {inputs.days}: many calls."
            )
    return found


def _least_hours(plan: PlayedPlan) -> float:
    return float(sum(1 for day in plan.days for hour in day.hours if hour.staff))


__all__ = ["ClaimCheck", "ImpactResult", "PeriodResult", "SensitivityRow", "estimate"]
