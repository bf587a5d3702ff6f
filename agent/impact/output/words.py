"""Numbers and findings in words: the same sentences in the terminal, on the page and in the console."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.impact.inputs import ImpactInputs
from agent.impact.model import ClaimCheck, ImpactResult, PeriodResult

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PERIOD_NAMES = {"week": "a normal week", "event": "the sale day"}
_WHEN = {"week": "In a normal week", "event": "On the sale day"}
NOTHING = "-"


def percent(share: float | None) -> str:
    """Write a share of 1 as percent, with a digit behind the point where it is small."""
    if share is None:
        return NOTHING
    value = 100 * share
    return f"{value:.1f} %" if 0 < abs(value) < 9.95 else f"{value:.0f} %"


def seconds(value: float | None) -> str:
    """Write a wait."""
    if value is None:
        return NOTHING
    if value < 9.95:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 599.5 else f"{value / 60:.0f} min"


def number(value: float, digits: int = 0) -> str:
    """Write a count with a comma between thousands."""
    return f"{value:,.{digits}f}"


def money(value: float, inputs: ImpactInputs) -> str:
    """Write an amount in the shop's currency, without decimals."""
    return f"{value:,.0f} {inputs.currency}"


def hour_text(hour: int) -> str:
    """Write an hour of the day: ``09-10``."""
    return f"{hour:02d}-{hour + 1:02d}"


def findings(result: ImpactResult) -> tuple[str, ...]:
    """Return what a head of service should read first, in plain sentences."""
    return tuple(_findings(result))


def _findings(result: ImpactResult) -> Iterator[str]:
    for period in (result.week, result.event):
        if period is not None:
            yield _staff(result, period)
            yield _waits(period)
            yield _break_even(result, period)
            yield from (_claim(result, period, claim) for claim in period.claims)
    yield "Containment in these figures: " + containment_text(result) + "."


def _staff(result: ImpactResult, period: PeriodResult) -> str:
    now, agent = period.now.total, period.agent.total
    inputs = result.inputs
    saved = now.staff_hours - agent.staff_hours
    text = (
        f"{PERIOD_NAMES[period.name].capitalize()} has {number(now.calls)} calls. Without the agent they need "
        f"{number(now.staff_hours)} hours of staff at the phone, with it {number(agent.staff_hours)}: "
    )
    if saved > 0:
        text += f"{number(saved)} hours ({percent(period.hours_saved)}) fewer. "
    else:
        text += "none fewer. "
    less = "less" if period.cost_saved >= 0 else "MORE"
    return text + (
        f"Staff and agent together cost {money(agent.cost, inputs)} instead of {money(now.cost, inputs)}, "
        f"{money(abs(period.cost_saved), inputs)} {less}."
    )


def _waits(period: PeriodResult) -> str:
    now, agent = period.now.total, period.agent.total
    return (
        f"Callers who speak to staff wait {seconds(now.wait_seconds)} now and {seconds(agent.wait_seconds)} with the "
        f"agent (planned for the same goal); {percent(period.contained)} of all callers need not wait at all. "
        f"Lost for good: {percent(now.lost_share)} now, {percent(agent.lost_share)} with the agent."
    )


def _break_even(result: ImpactResult, period: PeriodResult) -> str:
    if not result.agent_kinds:
        return "The agent finishes no kind of call in these inputs: it saves nothing."
    if period.break_even is None:
        return f"{_WHEN[period.name]} the agent does not pay for itself at any containment."
    return (
        f"{_WHEN[period.name]} the agent pays for itself from {percent(period.break_even)} true containment "
        f"of {listed(result.agent_kinds)} on."
    )


def _claim(result: ImpactResult, period: PeriodResult, claim: ClaimCheck) -> str:
    kinds = listed(result.agent_kinds)
    what = f'{_WHEN[period.name]} "{percent(claim.saving)} less staff time"'
    if claim.containment is None:
        return (
            f"{what} CANNOT be reached: if the agent finished every single call about {kinds}, it would be "
            f"{percent(claim.most)}."
        )
    return (
        f"{what} needs {percent(claim.containment)} true containment of {kinds}; these figures have "
        f"{containment_text(result)}, which gives {percent(period.hours_saved)}."
    )


def containment_text(result: ImpactResult) -> str:
    """Write the containment of each kind the agent takes on, with where it is from."""
    marks = {"yours": "yours", "measured": "measured", "default": "a default, not measured"}
    inputs = result.inputs
    parts = [
        f"{name} {percent(inputs.kinds[name].containment)} ({marks[inputs.source(f'kinds.{name}.containment')]})"
        for name in result.agent_kinds
    ]
    return ", ".join(parts) or "none"


def listed(names: Sequence[str]) -> str:
    """Write names as a list: ``status, returns and points``."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else "".join(names)


__all__ = ["containment_text", "findings", "hour_text", "listed", "money", "number", "percent", "seconds"]
