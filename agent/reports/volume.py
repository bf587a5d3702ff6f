"""How many calls there were, how they ended; outbound calls by purpose."""

from __future__ import annotations

import dataclasses

from agent.reports.counts import ReportRequest, most_frequent
from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.parts import Made
from agent.reports.printed import words
from agent.reports.tables import by_value, figure, over_time, stacked_over_time, text, when

_ENDED_BY = "ended_by"


def volume(request: ReportRequest) -> Made:
    """Calls and outcomes."""
    parts = request.parts(("outcome",))
    counts = request.counts(("outcome", _ENDED_BY, "number", "fault"))
    values = most_frequent((one for _, one in parts), "outcome", 8)
    calls = Table(
        "calls",
        "Calls",
        (when(request), Column("calls", "Calls"), *(Column(value, words(value).capitalize()) for value in values)),
        tuple((text(name), one.every(), *(one.calls("outcome", value) for value in values)) for name, one in parts),
    )
    outcomes = by_value(counts, "outcome", "Outcome", "outcomes", of_what="all calls")
    ended = by_value(counts, _ENDED_BY, "Ended by", "ended_by", of_what="all calls")
    charts = (
        Chart("stacked", "Calls by outcome", "calls", calls.columns[0].name, tuple(values[:6]))
        if request.by
        else Chart("bar", "Calls by outcome", "outcomes", "outcome", ("calls",))
    )
    return Made(
        counts.n,
        (calls, outcomes, ended),
        (charts,),
        figures=(
            figure("Calls", counts.every()),
            figure("With a fault", counts.calls("fault", "any")),
            figure("Without a number", counts.calls("number", "withheld")),
        ),
    )


def outbound(request: ReportRequest) -> Made:
    """Outbound calls: purpose and outcome."""
    counts = request.counts(("purpose", "outcome"))
    parts = request.parts(("outcome",))
    rows: list[tuple[Cell, ...]] = []
    outcomes = list(counts.of("outcome"))
    for purpose in counts.of("purpose"):
        own = dataclasses.replace(request, filter=counts.narrowed({"purpose": purpose})).counts(("outcome",))
        rows.append((text(purpose), own.every(), *(own.calls("outcome", outcome) for outcome in outcomes)))
    results = Table(
        "results",
        "Results by purpose",
        (
            Column("purpose", "Purpose", "text"),
            Column("calls", "Calls"),
            *(Column(outcome, words(outcome).capitalize()) for outcome in outcomes),
        ),
        tuple(rows),
    )
    by_time = over_time(request, "outcome", "Outcomes", parts)
    return Made(
        counts.n,
        (results, *by_time),
        stacked_over_time(request, by_time, "Outcomes"),
        figures=(figure("Calls", counts.every()),),
    )
