"""Where conversations go wrong: steps at which callers leave, questions whose answers are not understood."""

from __future__ import annotations

from agent.history.report_facts import paired, parted
from agent.reports.counts import Counts, ReportRequest
from agent.reports.intervals import wilson
from agent.reports.model import Cell, Chart, Column, Table
from agent.reports.parts import Made
from agent.reports.tables import figure, text

MOST_WORDS = 100
_LEFT = (
    ("hung_up", "Hung up", "the caller hung up here"),
    ("no_match", "Not understood", "given up here: no answer was understood"),
    ("no_input", "Silent", "given up here: no answer came"),
    ("person", "To a person", "the call went to a person from here"),
    ("taken_over", "Taken over", "a supervisor took the call here"),
    ("fault", "Fault", "the call broke here"),
)


def dropoff(request: ReportRequest) -> Made:
    """Steps by edition, with those who left there."""
    counts = request.counts(("edition", "edition_step", "edition_left", "step", "left"))
    steps = [(*parted(pair), calls) for pair, calls in counts.of("edition_step").items()]
    rows = [
        _step(counts, edition, step, calls)
        for edition, step, calls in sorted(steps, key=lambda one: (one[0], one[2]), reverse=True)
        if edition
    ]
    table = Table(
        "steps",
        "Steps by edition",
        (
            Column("edition", "Edition", "text"),
            Column("step", "Step", "text"),
            Column("entered", "Came here", "count", "calls that came to the step"),
            *(Column(way, title, "count", meaning) for way, title, meaning in _LEFT),
            Column("lost", "Hung up here", "share", "of the calls that came here"),
        ),
        tuple(rows),
        "Steps that say or ask something. An edit of the procedures begins a new edition: series do not run over it.",
    )
    worst = _worst(counts)
    without = counts.n - sum(counts.of("edition").values())
    notes = (
        (f"{without} calls have no edition (older records, or no conversation) and stand in no row.",)
        if without
        else ()
    )
    return Made(
        counts.n,
        (worst, table),
        (Chart("bar", "Where callers hung up", "worst", "step", ("calls",)),),
        notes,
        (figure("Calls", counts.every()),),
    )


def nomatch(request: ReportRequest) -> Made:
    """Questions whose answers were not understood, by slot."""
    counts = request.counts(("listened", "no_match", "no_input", "turns_listened", "turns_no_match", "turns_no_input"))
    rows = []
    for slot, turns in counts.of("turns_listened").items():
        cells = [text(slot), counts.calls("listened", slot)]
        cells.append(Cell(turns, counts.amount("listened", slot), counts.narrowed({"listened": slot})))
        for kind in ("no_match", "no_input"):
            number, calls = counts.amount(f"turns_{kind}", slot), counts.amount(kind, slot)
            found = counts.narrowed({kind: slot})
            cells += [Cell(number, calls, found), Cell(number / turns, calls, found, turns, wilson(number, turns))]
        rows.append(tuple(cells))
    table = Table(
        "slots",
        "Answers by question",
        (
            Column("slot", "Asked for", "text"),
            Column("calls", "Calls"),
            Column("turns", "Answers", "count", "how often it was listened for"),
            Column("no_match", "Not understood", "count", "answers; they lead to their calls"),
            Column("no_match_rate", "No-match rate", "share", "of the answers"),
            Column("no_input", "Silent", "count", "answers; they lead to their calls"),
            Column("no_input_rate", "No-input rate", "share", "of the answers"),
        ),
        tuple(rows),
    )
    chart = Chart("bar", "No-match rate", "slots", "slot", ("no_match_rate",))
    return Made(counts.n, (table,), (chart,), figures=(figure("Calls", counts.every()),))


def misheard(request: ReportRequest) -> Made:
    """Words that were not understood, the same ones together."""
    counts = request.counts(())
    found = request.source.misheard(request.filter, MOST_WORDS)
    rows = tuple(
        (
            text(group.heard),
            Cell(group.calls, group.calls, counts.with_misheard(group.heard)),
            Cell(group.answers, group.calls, counts.with_misheard(group.heard)),
            text(", ".join(group.slots)),
        )
        for group in found
    )
    table = Table(
        "words",
        "What was not understood",
        (
            Column("heard", "The caller said", "text"),
            Column("calls", "Calls"),
            Column("answers", "Times", "count", "a call may hold the same words several times"),
            Column("slots", "When asked for", "text"),
        ),
        rows,
    )
    notes = (f"The {MOST_WORDS} most frequent are shown.",) if len(found) == MOST_WORDS else ()
    return Made(counts.n, (table,), (), notes, (figure("Calls", counts.every()),))


def _step(counts: Counts, edition: str, step: str, calls: int) -> tuple[Cell, ...]:
    of_edition = {"edition": edition}
    cells = [text(edition), text(step), counts.cell(calls, {**of_edition, "step": step})]
    for way, _, _ in _LEFT:
        left = f"{step}={way}"
        cells.append(counts.cell(counts.amount("edition_left", paired(edition, left)), {**of_edition, "left": left}))
    hung_up = counts.amount("edition_left", paired(edition, f"{step}=hung_up"))
    return (*cells, counts.share(hung_up, calls, {**of_edition, "left": f"{step}=hung_up"}))


def _worst(counts: Counts) -> Table:
    """Return the steps at which most callers hung up, over all editions."""
    rows: list[tuple[Cell, ...]] = []
    for left, calls in counts.of("left").items():
        step, _, way = left.rpartition("=")
        if way == "hung_up" and len(rows) < 15:
            share = counts.share(calls, counts.amount("step", step), {"left": left})
            rows.append((text(step), counts.cell(calls, {"left": left}), share))
    columns = Column("step", "Step", "text"), Column("calls", "Hung up"), Column("share", "Of those who came", "share")
    return Table("worst", "Where most callers hung up, all editions", columns, tuple(rows))
