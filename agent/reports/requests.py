"""What callers asked for, and what it was about: requests, states of orders, reasons of returns, promotions."""

from __future__ import annotations

from agent.reports.counts import Counts, ReportRequest
from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.parts import Made
from agent.reports.printed import words
from agent.reports.tables import by_value, figure, over_time, stacked_over_time, text

_MOST_RESULTS = 8
_CREATED = "returns.create.reason="
_REFUSED = "returns.eligibility.eligibility.reason="
_CHECKED = "promotions.check.check.reason="


def asked(request: ReportRequest) -> Made:
    """Requests by procedure, with what came of them."""
    counts = request.counts(("asked", "result", "requests", "requests_result"))
    results = _results(counts)
    rows = []
    for intent, calls in counts.of("asked").items():
        cells: list[Cell] = [
            text(intent),
            counts.calls("asked", intent),
            counts.share(calls, counts.n, {"asked": intent}),
        ]
        cells.append(Cell(counts.amount("requests", intent), calls, counts.narrowed({"asked": intent})))
        cells += [counts.calls("result", f"{intent}={result}") for result in results]
        rows.append(tuple(cells))
    table = Table(
        "requests",
        "What was asked for",
        (
            Column("asked", "Asked for", "text"),
            Column("calls", "Calls"),
            Column("share", "Share", "share", "of all calls; a call may ask for several things"),
            Column("requests", "Requests", "count", "a call may ask for the same thing several times"),
            *(
                Column(result, words(result).capitalize(), "count", f"calls in which a request ended so: {result}")
                for result in results
            ),
        ),
        tuple(rows),
    )
    by_time = over_time(
        request, "asked", "Calls by what was asked for", request.parts(("asked",)) if request.by else ()
    )
    first = Chart("bar", "Calls by what was asked for", "requests", "asked", ("calls",))
    return Made(
        counts.n,
        (table, *by_time),
        (first, *stacked_over_time(request, by_time, "What was asked for")),
        figures=(figure("Calls", counts.every()),),
    )


def orders(request: ReportRequest) -> Made:
    """States of orders that were looked up."""
    return _about(request, "status", "State of the order", "Calls by state of the order")


def returns(request: ReportRequest) -> Made:
    """Reasons of returns, and why returns were refused."""
    counts = request.counts(("return_reason", "fact", "asked"))
    rows = tuple(
        (
            text(reason),
            counts.calls("return_reason", reason),
            counts.share(calls, counts.n, {"return_reason": reason}),
            counts.calls("fact", f"{_CREATED}{reason}"),
        )
        for reason, calls in counts.of("return_reason").items()
    )
    reasons = Table(
        "reasons",
        "Reasons of returns",
        (
            Column("return_reason", "Reason", "text"),
            Column("calls", "Calls"),
            Column("share", "Share", "share", "of all calls"),
            Column("made", "Return made", "count", "calls in which a return with this reason was given to your system"),
        ),
        rows,
    )
    refused = _facts(counts, _REFUSED, "refused", "Why returns were refused")
    by_time = over_time(request, "return_reason", "By reason", request.parts(("return_reason",)) if request.by else ())
    chart = Chart("bar", "Reasons of returns", "reasons", "return_reason", ("calls",))
    return Made(
        counts.n,
        (reasons, refused, *by_time),
        (chart, *stacked_over_time(request, by_time, "Reasons of returns")),
        figures=(figure("A return was asked for", counts.calls("asked", "returns")),),
    )


def promotions(request: ReportRequest) -> Made:
    """Promotions that were asked for, and why they did not count."""
    made = _about(request, "promotion", "Promotion", "Calls by promotion")
    refused = _facts(request.counts(("fact",)), _CHECKED, "refused", "Why an offer did not count")
    return Made(made.n, (*made.tables, refused), made.charts, figures=made.figures)


def _about(request: ReportRequest, kind: str, title: str, chart: str) -> Made:
    counts = request.counts((kind,))
    table = by_value(counts, kind, title, f"by_{kind}", of_what="all calls")
    by_time = over_time(request, kind, chart, request.parts((kind,)) if request.by else ())
    return Made(
        counts.n,
        (table, *by_time),
        (Chart("bar", chart, table.name, kind, ("calls",)), *stacked_over_time(request, by_time, chart)),
        figures=(figure("Calls", counts.every()),),
    )


def _facts(counts: Counts, prefix: str, name: str, title: str) -> Table:
    rows = tuple(
        (text(fact.removeprefix(prefix)), counts.calls("fact", fact))
        for fact in counts.of("fact")
        if fact.startswith(prefix)
    )
    return Table(name, title, (Column("reason", "Reason", "text"), Column("calls", "Calls")), rows)


def _results(counts: Counts) -> list[str]:
    total: dict[str, int] = {}
    for value, calls in counts.of("result").items():
        result = value.partition("=")[2]
        total[result] = total.get(result, 0) + calls
    return sorted(total, key=lambda result: (-total[result], result))[:_MOST_RESULTS]
