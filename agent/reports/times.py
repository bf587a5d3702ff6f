"""How long calls took, how long callers waited in the staff queue, how fast the agent answered."""

from __future__ import annotations

from agent.history.filters import Bounds
from agent.history.report_facts import parted
from agent.reports.counts import Counts, ReportRequest
from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.parts import Made
from agent.reports.percentiles import RESOLUTION_NOTE, Bins, count_between
from agent.reports.printed import words
from agent.reports.service_level import FORMULAS, OUR_FORMULA, QueueCounts, service_level
from agent.reports.tables import figures, text, when

SERVICE_SECONDS = 20
"""Within which a caller should be answered; the usual promise."""
SHORT_SECONDS = 5
"""Whoever hangs up earlier did not wait."""
_LENGTHS = (0, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600)
_RESPONSES = (0, 250, 350, 500, 700, 1_000, 1_500, 3_000)
_GREETINGS = (0, 20, 40, 60, 100, 300, 1_000)
_TIME_COLUMNS = (
    Column("calls", "Calls"),
    Column("median", "Median", "seconds", "half of the calls were shorter"),
    Column("p90", "90 %", "seconds", "nine of ten calls were shorter"),
    Column("mean", "Mean", "seconds"),
)


def time(request: ReportRequest) -> Made:
    """Handle time of the agent."""
    kinds = ("length_bin", "length_ms")
    counts = request.counts((*kinds, "asked", "length_bin_asked", "length_ms_asked"))
    bins = counts.bins("length_bin")
    over = Table(
        "handle_time",
        "Handle time of the agent",
        (when(request), *_TIME_COLUMNS),
        tuple((text(name), *_handle_time(one, one.bins("length_bin"))) for name, one in request.parts(kinds)),
    )
    by_intent = _paired_bins(counts, "length_bin_asked")
    by_request = Table(
        "by_request",
        "By what was asked for",
        (Column("asked", "Asked for", "text"), *_TIME_COLUMNS),
        tuple((text(one), *_handle_time(counts, by_intent.get(one, {}), one)) for one in counts.of("asked")),
        "A call that asked for several things counts with its whole length in each of them.",
    )
    lengths = _distribution(counts, bins, _LENGTHS, 1000, "length_ms", ("lengths", "How long calls took", "seconds"))
    charts = [Chart("distribution", "How long calls took", "lengths", "from", ("calls",))]
    if request.by:
        charts.insert(0, Chart("line", "Median handle time", "handle_time", request.by, ("median",)))
    named = figures(_TIME_COLUMNS, _handle_time(counts, bins))
    return Made(
        counts.n,
        (over, by_request, lengths),
        tuple(charts),
        (RESOLUTION_NOTE, "How long people talk is not in the records of the agent: Asterisk's queue_log has it."),
        named,
    )


def waiting(request: ReportRequest) -> Made:
    """Waiting for people, and service level."""
    kinds = ("wait_bin", "wait_ms", "wait_ended")
    counts = request.counts(kinds)
    ended = _paired_bins(counts, "wait_bin")
    waits = Table(
        "waits",
        "Waiting, by how it ended",
        (Column("wait_ended", "The wait ended", "text"), *_TIME_COLUMNS),
        tuple((text(how), *_wait(counts, how, bins)) for how, bins in sorted(ended.items())),
        "The mean of those that were answered is the average speed of answer (ASA).",
    )
    columns = (
        Column("answered", "Answered"),
        Column("in_time", f"Answered within {SERVICE_SECONDS} s"),
        Column("abandoned", "Hung up waiting"),
        Column("after", f"Hung up after {SERVICE_SECONDS} s"),
        Column("service_level", f"Service level {SERVICE_SECONDS} s", "share", OUR_FORMULA),
        Column("abandonment", "Abandonment", "share", f"hung up after {SHORT_SECONDS} s, of all that waited so long"),
    )
    levels = Table(
        "service_level",
        f"Service level, {SERVICE_SECONDS} s",
        (when(request), *columns),
        tuple((text(name), *_service(one)) for name, one in request.parts(kinds)),
        f"Service level = {OUR_FORMULA}.",
    )
    formulas = Table(
        "formulas",
        "The same calls by other formulas in use",
        (Column("formula", "Formula", "text"), Column("service_level", "Service level", "share")),
        tuple((text(name), _share(*service_level(_queue_counts(ended), name))) for name in FORMULAS),
    )
    charts = (
        (Chart("line", "Service level", "service_level", request.by, ("service_level",)),)
        if request.by
        else (Chart("bar", "Median wait, by how it ended", "waits", "wait_ended", ("median",)),)
    )
    known = sum(sum(bins.values()) for bins in ended.values())
    named = figures(columns, _service(counts))
    return Made(
        known,
        (waits, levels, formulas),
        charts,
        (RESOLUTION_NOTE, "Only calls of which the wait is known: where Asterisk tells the agent (docs/records.md)."),
        named,
    )


def latency(request: ReportRequest) -> Made:
    """How fast the agent answered."""
    kinds = ("response_bin", "slowest_bin", "greeting_bin")
    shares = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))

    def cells(counts: Counts) -> tuple[Cell, ...]:
        responses, slowest, greetings = (counts.bins(kind) for kind in kinds)
        return (
            Cell(sum(responses.values()), sum(slowest.values()), counts.narrowed({}, latency_ms=Bounds(0))),
            *(counts.time(responses, share, slowest, "latency_ms") for _, share in shares),
            *(counts.time(greetings, share, greetings, "greeting_ms") for _, share in shares),
        )

    columns = (
        Column("responses", "Responses"),
        *(Column(f"response_{name}", f"Response {name}", "ms", _FASTER) for name, _ in shares),
        *(Column(f"greeting_{name}", f"Greeting {name}", "ms", _FASTER) for name, _ in shares),
    )
    counts = request.counts(kinds)
    over = Table(
        "latency",
        "Response and greeting",
        (when(request), *columns),
        tuple((text(name), *cells(one)) for name, one in request.parts(kinds)),
    )
    slowest = _distribution(
        counts, counts.bins("slowest_bin"), _RESPONSES, 1, "latency_ms", ("slowest", "Slowest response of a call", "ms")
    )
    greetings = _distribution(
        counts, counts.bins("greeting_bin"), _GREETINGS, 1, "greeting_ms", ("greetings", "Answer to greeting", "ms")
    )
    charts = [Chart("distribution", "Slowest response of a call", "slowest", "from", ("calls",))]
    if request.by:
        charts.insert(0, Chart("line", "Response time", "latency", request.by, ("response_p50", "response_p95")))
    named = figures(columns, cells(counts))
    return Made(
        counts.n,
        (over, slowest, greetings),
        tuple(charts),
        (RESOLUTION_NOTE, "A percentile of responses leads to the calls with a slower one."),
        named,
    )


_FASTER = "so many of a hundred were faster"


# --- parts ---------------------------------------------------------------------------------------------


def _handle_time(counts: Counts, bins: Bins, intent: str = "") -> tuple[Cell, ...]:
    about = {"asked": intent} if intent else {}
    n = sum(bins.values())
    total = counts.amount("length_ms_asked", intent) if intent else counts.amount("length_ms")
    return (
        counts.cell(n, about),
        counts.time(bins, 0.5, bins, "length_ms", about, 1000),
        counts.time(bins, 0.9, bins, "length_ms", about, 1000),
        Cell(total / n / 1000 if n else None, n, counts.narrowed(about), n),
    )


def _wait(counts: Counts, ended: str, bins: Bins) -> tuple[Cell, ...]:
    about, n = {"wait_ended": ended}, sum(bins.values())
    known = counts.narrowed(about, wait_ms=Bounds(0))
    return (
        Cell(n, n, known),
        counts.time(bins, 0.5, bins, "wait_ms", about, 1000),
        counts.time(bins, 0.9, bins, "wait_ms", about, 1000),
        Cell(counts.amount("wait_ms", ended) / n / 1000 if n else None, n, known, n),
    )


def _service(counts: Counts) -> tuple[Cell, ...]:
    queue = _queue_counts(_paired_bins(counts, "wait_bin"))
    in_time, later = Bounds(0, SERVICE_SECONDS * 1000 - 1), Bounds(SERVICE_SECONDS * 1000)
    waited = Bounds(SHORT_SECONDS * 1000)
    part, of = service_level(queue)
    lost = queue.abandoned - queue.abandoned_at_once
    return (
        counts.cell(queue.answered, {"wait_ended": "answered"}, wait_ms=Bounds(0)),
        counts.cell(queue.answered_in_time, {"wait_ended": "answered"}, wait_ms=in_time),
        counts.cell(queue.abandoned, {"wait_ended": "hung_up"}, wait_ms=Bounds(0)),
        counts.cell(queue.abandoned - queue.abandoned_in_time, {"wait_ended": "hung_up"}, wait_ms=later),
        counts.share(part, of, {"wait_ended": "answered"}, wait_ms=in_time),
        counts.share(lost, queue.answered + lost, {"wait_ended": "hung_up"}, wait_ms=waited),
    )


def _queue_counts(ended: dict[str, dict[int, int]]) -> QueueCounts:
    answered, abandoned = ended.get("answered", {}), ended.get("hung_up", {})
    limit = SERVICE_SECONDS * 1000
    return QueueCounts(
        answered=sum(answered.values()),
        answered_in_time=count_between(answered, 0, limit),
        abandoned=sum(abandoned.values()),
        abandoned_in_time=count_between(abandoned, 0, limit),
        abandoned_at_once=count_between(abandoned, 0, SHORT_SECONDS * 1000),
    )


def _share(part: int, of: int) -> Cell:
    return Cell(part / of if of else None, of=of)


def _paired_bins(counts: Counts, kind: str) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for pair, amount in counts.of(kind).items():
        first, edge = parted(pair)
        found.setdefault(first, {})[int(edge)] = amount
    return found


def _distribution(
    counts: Counts, bins: Bins, edges: tuple[int, ...], unit: int, span: str, named: tuple[str, str, str]
) -> Table:
    """Return how many calls lie between each two edges, given in ``unit`` milliseconds."""
    name, title, kind = named
    rows = []
    for edge, end in zip(edges, (*edges[1:], None), strict=True):
        number = count_between(bins, edge * unit, None if end is None else end * unit)
        bounds = Bounds(edge * unit if edge else None, None if end is None else end * unit - 1)
        label = f"{edge}+" if end is None else f"{edge}-{end}"
        rows.append((text(label), counts.cell(number, {}, **{span: bounds})))
    unit_name = words(kind) if kind == "seconds" else "milliseconds"
    return Table(name, title, (Column("from", unit_name.capitalize(), "text"), Column("calls", "Calls")), tuple(rows))
