"""Calls that needed no person: containment, true containment; and why the others went to people."""

from __future__ import annotations

from agent.history.filters import Bounds
from agent.history.report_facts import paired
from agent.history.sums import HOUR_MS, REPEAT_WINDOWS
from agent.reports.counts import Counts, ReportRequest
from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.parts import Made
from agent.reports.printed import words
from agent.reports.tables import by_value, figure, figures, over_time, stacked_over_time, text, when

KINDS = (
    *("contained", "contained_asked", "asked", "matter", "matter_asked", "matter_solved", "matter_solved_asked"),
    *(f"again_{window}{end}" for window in REPEAT_WINDOWS for end in ("", "_asked")),
)
_KNOWN = Bounds(0)
"""Of ``again_ms``: any call of which it can be known whether the caller called again."""
_COLUMNS = (
    Column("calls", "Calls"),
    Column("contained", "Contained", "share", "ended without a person wanted or reached, of all calls"),
    Column("known", "With a number", "count", "calls of which it can be known whether the caller called again"),
    *(
        Column(
            f"true_{window}",
            f"Truly contained, {window}",
            "share",
            f"task done and no call on the same matter within {window}, of those with a number; "
            "only calls for which that time is over",
        )
        for window in REPEAT_WINDOWS
    ),
)


def contained(request: ReportRequest) -> Made:
    """Containment and true containment, over time and by request."""
    whole = request.counts(KINDS)
    closed = {
        window: request.counts(KINDS, until_ms=closed_until(request.now_ms, ms))
        for window, ms in REPEAT_WINDOWS.items()
    }
    rows = [
        (text(name), *_cells(one, dict.fromkeys(REPEAT_WINDOWS, one), request)) for name, one in request.parts(KINDS)
    ]
    if request.by is None:
        rows = [(text(str(request.period)), *_cells(whole, closed, request))]
    over = Table("contained", "Containment", (when(request), *_COLUMNS), tuple(rows))
    by_request = Table(
        "by_request",
        "By what was asked for",
        (Column("asked", "Asked for", "text"), *_COLUMNS),
        tuple((text(intent), *_cells(whole, closed, request, intent)) for intent in whole.of("asked")),
        "A call that asked for several things counts in each of them.",
    )
    charts = [Chart("bar", "Contained, by what was asked for", "by_request", "asked", ("contained",))]
    if request.by:
        columns = ("contained", *(f"true_{window}" for window in REPEAT_WINDOWS))
        charts.insert(0, Chart("line", "Containment", "contained", request.by, columns))
    total = _cells(whole, closed, request)
    notes = [
        f"{window}: calls of the last {window} before this report was made are left out, callers may still call again."
        for window, ms in REPEAT_WINDOWS.items()
        if closed_until(request.now_ms, ms) < request.period.until_ms
    ]
    return Made(
        whole.n,
        (over, by_request),
        tuple(charts),
        tuple(notes),
        figures(_COLUMNS, total),
    )


def closed_until(now_ms: int, window_ms: int) -> int:
    """Return the moment before which calls began whose window is over; a whole hour."""
    return (now_ms - window_ms) // HOUR_MS * HOUR_MS


def true_containment(counts: Counts, window: str, intent: str = "") -> tuple[int, int]:
    """Return how many calls are truly contained within a window, and of how many that is known."""
    end = "_asked" if intent else ""
    solved, again = counts.amount(f"matter_solved{end}", intent), counts.amount(f"again_{window}{end}", intent)
    return solved - again, counts.amount(f"matter{end}", intent)


def _cells(whole: Counts, closed: dict[str, Counts], request: ReportRequest, intent: str = "") -> tuple[Cell, ...]:
    about = {"asked": intent} if intent else {}
    calls = whole.amount("asked", intent) if intent else whole.n
    part = whole.amount("contained_asked", intent) if intent else whole.amount("contained", "yes")
    known = whole.amount("matter_asked", intent) if intent else whole.amount("matter")
    cells = [
        whole.cell(calls, about),
        whole.share(part, calls, {**about, "contained": "yes"}),
        whole.cell(known, about, again_ms=_KNOWN),
    ]
    for window, ms in REPEAT_WINDOWS.items():
        counts = closed[window]
        until = counts.filter.until_ms
        if until is None or until > max(closed_until(request.now_ms, ms), 0):
            cells.append(Cell(None))  # a day of which some calls may still be repeated
            continue
        part, of = true_containment(counts, window, intent)
        cells.append(counts.share(part, of, {**about, "solved": "yes"}, again_ms=Bounds(ms)))
    return tuple(cells)


def transfers(request: ReportRequest) -> Made:
    """Calls that were handed over, by reason."""
    kinds = ("reason", "reason_standing", "standing", "queue")
    counts = request.counts(kinds)
    standings = list(counts.of("standing"))
    rows = []
    for reason, calls in counts.of("reason").items():
        cells = [text(reason), counts.calls("reason", reason), counts.share(calls, counts.n, {"reason": reason})]
        for standing in standings:
            both = counts.amount("reason_standing", paired(reason, standing))
            cells.append(counts.cell(both, {"reason": reason, "standing": standing}))
        rows.append(tuple(cells))
    by_reason = Table(
        "by_reason",
        "Transfers by reason",
        (
            Column("reason", "Reason", "text"),
            Column("calls", "Calls"),
            Column("share", "Transfer rate", "share", "of all calls"),
            *(
                Column(one, f"Queue {words(one)}", "count", f"the queue was {words(one)} at that moment")
                for one in standings
            ),
        ),
        tuple(rows),
        "Calls for which nobody asked how the queue was stand in none of its columns.",
    )
    handed_over = sum(counts.of("reason").values())
    by_time = over_time(request, "reason", "Transfers over time", request.parts(("reason",)) if request.by else ())
    return Made(
        counts.n,
        (by_reason, by_value(counts, "queue", "Queue", "queues", of_what="all calls"), *by_time),
        (
            Chart("bar", "Transfers by reason", "by_reason", "reason", ("calls",)),
            *stacked_over_time(request, by_time, "Transfers by reason"),
        ),
        figures=(figure("Calls", counts.every()), *_transfer_rate(counts, handed_over)),
    )


def _transfer_rate(counts: Counts, handed_over: int) -> tuple[tuple[Column, Cell], ...]:
    if not handed_over:
        return (figure("Transfers", Cell(0)),)
    reasons = {"reason": tuple(counts.of("reason"))}
    rate = counts.share(handed_over, counts.n, reasons)
    return figure("Transfers", counts.cell(handed_over, reasons)), figure("Transfer rate", rate, "share")
