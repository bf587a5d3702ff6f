"""The result as tables of text, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.impact.model import ImpactResult, PeriodResult
from agent.impact.output.words import (
    WEEKDAY_NAMES,
    hour_text,
    money,
    number,
    percent,
    seconds,
)
from agent.impact.scenario import PlannedDay, QueueFigures, staff_cost

DAY_OF_SALE = "sale day"


@dataclass(frozen=True)
class TextTable:
    """A table whose cells are written out."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: int = 1
    """How many columns from the left hold words; the others are numbers."""
    note: str = ""


def overview_table(result: ImpactResult, period: PeriodResult) -> TextTable:
    """Return the period as a whole: now, with the agent, the difference; on a sale day also with too few staff."""
    inputs = result.inputs
    now, agent = period.now.total, period.agent.total
    rows = [_plan_row(result, "without the agent", now), _plan_row(result, "with the agent", agent)]
    rows.append(
        (
            "difference",
            NO_CELL,
            number(agent.to_staff - now.to_staff),
            number(agent.staff_hours - now.staff_hours),
            money(agent.cost - now.cost, inputs),
            *(NO_CELL,) * 3,
            number(agent.lost - now.lost, 1),
        )
    )
    rows += [_plan_row(result, name, plan.total) for name, plan in period.short]
    return TextTable(
        "A normal week" if period.name == "week" else f"A sale day of {number(now.calls)} calls",
        (
            *("plan", "calls", "to staff", "staff hours", "cost", "wait, mean", "wait, 90 %"),
            f"in {inputs.goal_seconds:g} s",
            "lost callers",
        ),
        tuple(rows),
        note="In time: answered within the goal / (answered + hung up after it). Lost: gave up for good. "
        f"Each day simulated {period.now.runs} times; in brackets the 95 % interval.",
    )


NO_CELL = ""


def _plan_row(result: ImpactResult, name: str, figures: QueueFigures) -> tuple[str, ...]:
    wait = seconds(figures.wait_seconds)
    if figures.wait_interval is not None:
        low, high = figures.wait_interval
        wait += f" ({low:.1f}-{high:.1f})"
    return (
        name,
        number(figures.calls),
        number(figures.to_staff),
        number(figures.staff_hours),
        money(figures.cost, result.inputs),
        wait,
        seconds(figures.wait_90_seconds),
        percent(figures.in_goal),
        f"{number(figures.lost, 1)} ({percent(figures.lost_share)})",
    )


def sensitivity_table(result: ImpactResult, period: PeriodResult) -> TextTable:
    """Return what other containment would make of the period."""
    return TextTable(
        "If the agent contained another share of what it takes on",
        ("containment", "staff hours", "saved", "cost", "saved a " + _of(period), "wait, mean", "lost callers"),
        tuple(
            (
                percent(row.containment),
                number(row.figures.staff_hours),
                percent(row.hours_saved),
                money(row.figures.cost, result.inputs),
                money(row.cost_saved, result.inputs),
                seconds(row.figures.wait_seconds),
                percent(row.figures.lost_share),
            )
            for row in period.sensitivity
        ),
        text_columns=0,
    )


def _of(period: PeriodResult) -> str:
    return "week" if period.name == "week" else "day"


def hours_table(result: ImpactResult, period: PeriodResult, days: tuple[int, ...] | None = None) -> TextTable:
    """Return each hour both ways; of the week only the given days (0 is Monday), where some are given."""
    rows = [row for day, row in _hour_rows(result, period) if days is None or period.name == "event" or day in days]
    return TextTable(
        "By hour",
        (
            *("day", "hour", "calls", "staff now", "with agent", "wait now", "with agent", "90 % now", "with agent"),
            *(f"in {result.inputs.goal_seconds:g} s now", "with agent", "lost now", "with agent"),
            *("cost now", "with agent"),
        ),
        tuple(rows),
        text_columns=2,
        note="Cost: staff only.",
    )


def _hour_rows(result: ImpactResult, period: PeriodResult) -> Iterator[tuple[int, tuple[str, ...]]]:
    for day, (now, agent) in enumerate(zip(period.now.days, period.agent.days, strict=True)):
        name = WEEKDAY_NAMES[day] if period.name == "week" else DAY_OF_SALE
        for one, other in zip(now.hours, agent.hours, strict=True):
            yield (
                day,
                (
                    name,
                    hour_text(one.hour),
                    number(one.calls, 0 if one.calls >= 10 else 1),
                    *(str(one.staff), str(other.staff)),
                    *(seconds(one.wait_seconds), seconds(other.wait_seconds)),
                    *(seconds(one.wait_90_seconds), seconds(other.wait_90_seconds)),
                    *(percent(one.in_goal), percent(other.in_goal)),
                    *(number(one.lost, 1), number(other.lost, 1)),
                    *(
                        money(staff_cost(result.inputs, one.staff), result.inputs),
                        money(staff_cost(result.inputs, other.staff), result.inputs),
                    ),
                ),
            )


def days_table(result: ImpactResult) -> TextTable:
    """Return the days of the week both ways."""
    rows = []
    for day, (now, agent) in enumerate(zip(result.week.now.days, result.week.agent.days, strict=True)):
        if now.hours:
            rows.append((WEEKDAY_NAMES[day], *_day_cells(now, agent)))
    return TextTable(
        "By day",
        (
            *("day", "calls", "staff hours now", "with agent", "most staff now", "with agent"),
            *("wait now", "with agent", "lost now", "with agent"),
        ),
        tuple(rows),
    )


def _day_cells(now: PlannedDay, agent: PlannedDay) -> tuple[str, ...]:
    return (
        number(now.figures.calls),
        number(now.figures.staff_hours),
        number(agent.figures.staff_hours),
        str(max(hour.staff for hour in now.hours)),
        str(max(hour.staff for hour in agent.hours)),
        seconds(now.figures.wait_seconds),
        seconds(agent.figures.wait_seconds),
        number(now.figures.lost, 1),
        number(agent.figures.lost, 1),
    )


def busiest_day(result: ImpactResult) -> int:
    """Return the weekday with most calls (0 is Monday)."""
    days = result.week.now.days
    return max(range(len(days)), key=lambda day: days[day].figures.calls)


def assumptions_table(result: ImpactResult) -> TextTable:
    """Return every assumption with its mark."""
    return TextTable(
        "Assumptions",
        ("what", "value", "unit", "from", "note"),
        tuple((one.label, one.value, one.unit, one.source, one.note) for one in result.assumptions),
        text_columns=5,
        note='"yours": told by you. "measured": from your own calls. "default": of this program; see whether it fits.',
    )


__all__ = [
    "TextTable",
    "assumptions_table",
    "busiest_day",
    "days_table",
    "hours_table",
    "overview_table",
    "sensitivity_table",
]
