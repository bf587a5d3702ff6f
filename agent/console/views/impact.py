"""The impact model as a form: what is asked, what was answered, and the result with plots. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.impact.errors import InvalidImpactInput
from agent.impact.inputs import ImpactInputs
from agent.impact.model import ImpactResult, PeriodResult
from agent.impact.output.charts import PlotSeries, bar_chart
from agent.impact.output.page import wait_chart, wait_title
from agent.impact.output.tables import TextTable, assumptions_table, hours_table, overview_table, sensitivity_table
from agent.impact.output.words import PERIOD_NAMES, findings, percent


@dataclass(frozen=True)
class ImpactQuestion:
    """One field of the form."""

    name: str
    """Of the input: ``kinds.status.share``."""
    label: str
    unit: str = ""
    percent: bool = False
    text: bool = False


@dataclass(frozen=True)
class ImpactField:
    """A question with its answer."""

    question: ImpactQuestion
    value: str
    yours: bool
    """It was answered; else it is the default."""


@dataclass(frozen=True)
class ImpactPeriod:
    """A week or a sale day."""

    name: str
    tables: tuple[TextTable, ...]
    hours: TextTable
    charts: tuple[tuple[str, str], ...]
    """Title and SVG of our own making."""


@dataclass(frozen=True)
class ImpactView:
    """Everything the page shows."""

    groups: tuple[tuple[str, tuple[ImpactField, ...]], ...]
    problems: tuple[str, ...]
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    periods: tuple[ImpactPeriod, ...] = ()
    assumptions: TextTable | None = None
    figures: tuple[tuple[str, str], ...] = ()
    """Of a normal week: what it is, and the number."""


_GROUPS: tuple[tuple[str, tuple[ImpactQuestion, ...]], ...] = (
    (
        "Calls",
        (
            ImpactQuestion("calls_per_week", "Calls of a normal week"),
            ImpactQuestion("open_days", "Days a week, from Monday on"),
            ImpactQuestion("opens_hour", "From hour"),
            ImpactQuestion("closes_hour", "Until hour"),
            ImpactQuestion("event_calls", "Calls of a sale day (0: leave it out)"),
        ),
    ),
    (
        "What they are about",
        (
            ImpactQuestion("kinds.status.share", "Where is my order", "%", percent=True),
            ImpactQuestion("kinds.returns.share", "Returns", "%", percent=True),
            ImpactQuestion("kinds.status.handle_seconds", "Staff time for an order status", "s"),
            ImpactQuestion("kinds.returns.handle_seconds", "Staff time for a return", "s"),
            ImpactQuestion("kinds.other.handle_seconds", "Staff time for the rest", "s"),
        ),
    ),
    (
        "What the agent finishes",
        (
            ImpactQuestion("kinds.status.containment", "Of order status", "%", percent=True),
            ImpactQuestion("kinds.returns.containment", "Of returns", "%", percent=True),
        ),
    ),
    (
        "Staff and money",
        (
            ImpactQuestion("currency", "Currency", text=True),
            ImpactQuestion("staff_cost_per_hour", "Cost of an hour of staff"),
            ImpactQuestion("shrinkage", "Paid time not at the phone", "%", percent=True),
            ImpactQuestion("agent_cost_per_month", "Agent a month"),
            ImpactQuestion("patience_seconds", "Callers wait in the mean", "s"),
            ImpactQuestion("goal_seconds", "80 % are to be answered within", "s"),
        ),
    ),
)
_QUESTIONS = {question.name: question for _, questions in _GROUPS for question in questions}


def read_answers(query: Mapping[str, str]) -> tuple[ImpactInputs, tuple[str, ...]]:
    """Return the inputs of an address's query, and what is wrong with it: such answers are left out."""
    answers: dict[str, Any] = {}
    problems: list[str] = []
    for name, question in _QUESTIONS.items():
        text = query.get(name, "").strip()
        if not text:
            continue
        if question.text:
            answers[name] = text
            continue
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            problems.append(f"{question.label}: “{text[:40]}” is no number.")
            continue
        answers[name] = number / 100 if question.percent else int(number) if number.is_integer() else number
    if {"kinds.status.share", "kinds.returns.share"} & answers.keys():
        usual = ImpactInputs().kinds
        taken = [answers.setdefault(f"kinds.{kind}.share", usual[kind].share) for kind in ("status", "returns")]
        answers["kinds.other.share"] = 1 - sum(taken)
    try:
        return ImpactInputs().with_values(answers, "yours"), tuple(problems)
    except InvalidImpactInput as error:
        return ImpactInputs(), (*problems, *error.message.splitlines())


def impact_form(inputs: ImpactInputs, query: Mapping[str, str], problems: tuple[str, ...]) -> ImpactView:
    """Return the form alone."""
    groups = tuple((name, tuple(_field(one, inputs, query) for one in questions)) for name, questions in _GROUPS)
    return ImpactView(groups, problems)


def impact_view(result: ImpactResult, query: Mapping[str, str], problems: tuple[str, ...]) -> ImpactView:
    """Return the form with its result."""
    form = impact_form(result.inputs, query, problems)
    periods = tuple(_period(result, one) for one in (result.event, result.week) if one is not None)
    told = findings(result), result.warnings
    return ImpactView(form.groups, problems, *told, periods, assumptions_table(result), tuple(_figures(result)))


def _figures(result: ImpactResult) -> Iterator[tuple[str, str]]:
    week = result.week
    before, after = week.now.total, week.agent.total
    yield "Hours of staff a week", f"{before.staff_hours:,.0f} → {after.staff_hours:,.0f}"
    yield "Fewer hours", f"{before.staff_hours - after.staff_hours:,.0f} ({percent(week.hours_saved)})"
    yield f"Cost a week, {result.inputs.currency}", f"{before.cost:,.0f} → {after.cost:,.0f}"


def _field(question: ImpactQuestion, inputs: ImpactInputs, query: Mapping[str, str]) -> ImpactField:
    typed = query.get(question.name, "").strip()
    value: Any = inputs.model_dump()
    for part in question.name.split("."):
        value = value[part]
    shown = f"{value * 100:g}" if question.percent else f"{value:g}" if isinstance(value, float) else str(value)
    return ImpactField(question, typed or shown, yours=bool(typed))


def _period(result: ImpactResult, period: PeriodResult) -> ImpactPeriod:
    tables = [overview_table(result, period)]
    if period.sensitivity:
        tables.append(sensitivity_table(result, period))
    name = PERIOD_NAMES[period.name]
    return ImpactPeriod(
        name[:1].upper() + name[1:], tuple(tables), hours_table(result, period), tuple(_charts(result, period))
    )


def _charts(result: ImpactResult, period: PeriodResult) -> Iterator[tuple[str, str]]:
    costs = [("without the agent", period.now.total.cost), ("with the agent", period.agent.total.cost)]
    costs += [(f"{percent(row.containment)} contained", row.figures.cost) for row in period.sensitivity]
    labels, values = zip(*costs, strict=True)
    title = f"Cost of {PERIOD_NAMES[period.name]} in {result.inputs.currency}, staff and agent"
    yield title, bar_chart(title, labels, PlotSeries("cost", values), identity=f"{period.name}-cost")
    yield wait_title(period), wait_chart(period)
