"""The result for programs: JSON with everything, CSV by hour. Names and columns stay."""

from __future__ import annotations

import csv
import dataclasses
import io
from typing import Any

from agent.impact.model import ImpactResult, PeriodResult
from agent.impact.output.words import WEEKDAY_NAMES, findings
from agent.impact.scenario import HourFigures, PlayedPlan, QueueFigures, staff_cost

SCHEMA = "orderline.impact/1"
CSV_COLUMNS = (
    "period", "plan", "day", "hour", "calls", "staff", "wait_seconds", "wait_90_seconds", "in_goal", "lost_callers",
    "staff_cost",
)  # fmt: skip


def to_json(result: ImpactResult) -> dict[str, Any]:
    """Return the result as plain data: shares are 0..1, times seconds, costs in ``currency``."""
    return {
        "schema": SCHEMA,
        "currency": result.inputs.currency,
        "findings": list(findings(result)),
        "warnings": list(result.warnings),
        "agent_kinds": list(result.agent_kinds),
        "assumptions": [dataclasses.asdict(one) for one in result.assumptions],
        "week": _period(result, result.week),
        "event": None if result.event is None else _period(result, result.event),
        "inputs": result.inputs.model_dump(mode="json"),
    }


def _period(result: ImpactResult, period: PeriodResult) -> dict[str, Any]:
    return {
        "without_agent": _plan(result, period, period.now),
        "with_agent": _plan(result, period, period.agent),
        "short_staffed": [{"plan": name, "total": _figures(plan.total)} for name, plan in period.short],
        "hours_saved": _rounded(period.hours_saved),
        "cost_saved": _rounded(period.cost_saved),
        "break_even_containment": period.break_even,
        "contained": _rounded(period.contained),
        "agent_lines": period.agent_lines,
        "sensitivity": [
            {
                "containment": row.containment,
                "hours_saved": _rounded(row.hours_saved),
                "cost_saved": _rounded(row.cost_saved),
                "total": _figures(row.figures),
            }
            for row in period.sensitivity
        ],
        "claims": [
            {"saving": one.saving, "needs_containment": one.containment, "most_saving": _rounded(one.most)}
            for one in period.claims
        ],
    }


def _plan(result: ImpactResult, period: PeriodResult, plan: PlayedPlan) -> dict[str, Any]:
    return {
        "runs": plan.runs,
        "total": _figures(plan.total),
        "days": [
            {
                "day": _day_name(period, place),
                "total": _figures(day.figures),
                "hours": [_hour(result, hour) for hour in day.hours],
            }
            for place, day in enumerate(plan.days)
        ],
    }


def _day_name(period: PeriodResult, place: int) -> str:
    return WEEKDAY_NAMES[place].lower() if period.name == "week" else "sale_day"


def _figures(figures: QueueFigures) -> dict[str, Any]:
    data = {name: _rounded(value) for name, value in dataclasses.asdict(figures).items()}
    return {**data, "lost": _rounded(figures.lost)}


def _hour(result: ImpactResult, hour: HourFigures) -> dict[str, Any]:
    data = {name: _rounded(value) for name, value in dataclasses.asdict(hour).items()}
    return {**data, "staff_cost": _rounded(staff_cost(result.inputs, hour.staff))}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    return [round(one, 4) for one in value] if isinstance(value, tuple) else value


def to_csv(result: ImpactResult) -> str:
    """Return every hour of the week and of the sale day, with and without the agent, a line each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for period in (result.week, result.event):
        if period is None:
            continue
        for name, plan in (("without_agent", period.now), ("with_agent", period.agent)):
            for place, day in enumerate(plan.days):
                for hour in day.hours:
                    one = _hour(result, hour)
                    writer.writerow(
                        (
                            *(period.name, name, _day_name(period, place), one["hour"], one["calls"], one["staff"]),
                            *(one["wait_seconds"], one["wait_90_seconds"], one["in_goal"], one["lost"]),
                            one["staff_cost"],
                        )
                    )
    return text.getvalue()


__all__ = ["CSV_COLUMNS", "SCHEMA", "to_csv", "to_json"]
