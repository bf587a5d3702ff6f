"""Tables that several reports have in the same shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.reports.counts import Counts, ReportRequest, most_frequent
from agent.reports.model import Cell, Chart, Column, Kind, Table
from agent.reports.printed import words

MOST_SERIES = 6
"""Values of one chart; more cannot be told apart."""


def text(value: str) -> Cell:
    """Return a cell that is no number."""
    return Cell(value)


def by_value(counts: Counts, kind: str, title: str, table: str, *, of: int | None = None, of_what: str) -> Table:
    """Return how many calls have each value of a kind, and which share of ``of`` (all calls) that is."""
    whole = counts.n if of is None else of
    return Table(
        table,
        title,
        (
            Column(kind, title, "text"),
            Column("calls", "Calls"),
            Column("share", "Share", "share", f"of {of_what}"),
        ),
        tuple(
            (text(value), counts.calls(kind, value), counts.share(amount, whole, {kind: value}))
            for value, amount in counts.of(kind).items()
        ),
    )


def over_time(
    request: ReportRequest, kind: str, title: str, parts: Sequence[tuple[str, Counts]], *, most: int = MOST_SERIES
) -> tuple[Table, ...]:
    """Return how many calls have each of the most frequent values by hour, day or week, where that was asked for."""
    if request.by is None:
        return ()
    values = most_frequent((counts for _, counts in parts), kind, most)
    columns = (Column(request.by, words(request.by).capitalize(), "text"), Column("calls", "Calls"))
    return (
        Table(
            "over_time",
            title,
            (*columns, *(Column(value, words(value).capitalize()) for value in values)),
            tuple(
                (text(name), counts.every(), *(counts.calls(kind, value) for value in values)) for name, counts in parts
            ),
        ),
    )


def stacked_over_time(request: ReportRequest, tables: Sequence[Table], title: str) -> tuple[Chart, ...]:
    """Return the chart of :func:`over_time`."""
    return tuple(
        Chart("stacked", title, table.name, table.columns[0].name, tuple(one.name for one in table.columns[2:]))
        for table in tables
        if table.name == "over_time" and len(table.columns) > 2 and request.by
    )


def when(request: ReportRequest) -> Column:
    """Return the first column of a table with a row for each part of the period."""
    name = request.by or "period"
    return Column(name, name.capitalize(), "text")


def figures(columns: Iterable[Column], cells: Iterable[Cell]) -> tuple[tuple[Column, Cell], ...]:
    """Return the numbers at the top without those of which there is nothing to say."""
    return tuple((column, cell) for column, cell in zip(columns, cells, strict=True) if cell.value is not None)


def figure(title: str, cell: Cell, kind: Kind = "count") -> tuple[Column, Cell]:
    """Return one number for the top of a report."""
    return Column(title.lower().replace(" ", "_"), title, kind), cell
