"""What callers answered when they were asked how the call was."""

from __future__ import annotations

from agent.history.filters import Bounds
from agent.reports.counts import Counts, ReportRequest
from agent.reports.intervals import wilson
from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.parts import Made
from agent.reports.tables import figures, text, when

SCALE = (1, 2, 3, 4, 5)
BEST = Bounds(4, 5)
FEWEST_FOR_A_TREND = 30
"""Fewer answers than this say nothing over time: only their numbers are shown."""
_KINDS = ("score", "survey")


def score(request: ReportRequest) -> Made:
    """CSAT with its interval, and who answered."""
    counts = request.counts(_KINDS)
    columns = (
        Column("asked", "Asked", "count", "calls in which the question was put"),
        Column("answered", "Answered", "count", "calls with an answer from 1 to 5"),
        Column("response_rate", "Response rate", "share", "answered, of those asked"),
        Column("response_of_all", "Response, of all calls", "share", "answered, of all calls"),
        Column("csat", "CSAT", "share", "answers 4 and 5, of all answers"),
        Column("mean", "Mean", "score"),
    )
    answers = Table(
        "answers",
        "Answers",
        (
            Column("score", "Answer", "text"),
            Column("calls", "Calls"),
            Column("share", "Share", "share", "of all answers"),
        ),
        tuple(_answer(counts, number) for number in SCALE),
    )
    over = Table(
        "over_time",
        "CSAT over time",
        (when(request), *columns),
        tuple((text(name), *_cells(one, fewest=FEWEST_FOR_A_TREND)) for name, one in request.parts(_KINDS)),
        f"CSAT and mean are left out where there are fewer than {FEWEST_FOR_A_TREND} answers.",
    )
    if request.by is None:
        over = Table("over_time", "CSAT", (when(request), *columns), ((text(str(request.period)), *_cells(counts)),))
    charts = [Chart("distribution", "Answers", "answers", "score", ("calls",))]
    if request.by:
        charts.append(Chart("line", "CSAT", "over_time", request.by, ("csat",)))
    named = figures(columns, _cells(counts))
    other = sum(amount for value, amount in counts.of("score").items() if int(value) not in SCALE)
    notes = (f"{other} answers are not from 1 to 5 and are left out.",) if other else ()
    return Made(counts.n, (over, answers), tuple(charts), notes, named)


def _answer(counts: Counts, number: int) -> tuple[Cell, ...]:
    calls, total = counts.amount("score", str(number)), _answered(counts)
    found = counts.narrowed({}, score=Bounds(number, number))
    share = Cell(calls / total if total else None, calls, found, total, wilson(calls, total))
    return text(str(number)), Cell(calls, calls, found), share


def _cells(counts: Counts, *, fewest: int = 1) -> tuple[Cell, ...]:
    asked, answered = counts.amount("survey", "asked"), _answered(counts)
    of_scale = {"score": Bounds(SCALE[0], SCALE[-1])}
    best = sum(counts.amount("score", str(one)) for one in SCALE if one >= (BEST.least or 0))
    total = sum(one * counts.amount("score", str(one)) for one in SCALE)
    enough = answered >= fewest
    return (
        counts.calls("survey", "asked"),
        counts.cell(answered, {}, **of_scale),
        counts.share(answered, asked, {}, **of_scale),
        counts.share(answered, counts.n, {}, **of_scale),
        counts.share(best, answered if enough else 0, {}, score=BEST) if enough else Cell(None, of=answered),
        Cell(total / answered, answered, counts.narrowed({}, **of_scale), answered)
        if enough and answered
        else Cell(None, of=answered),
    )


def _answered(counts: Counts) -> int:
    return sum(counts.amount("score", str(number)) for number in SCALE)
