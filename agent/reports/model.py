"""What a report is: typed tables whose numbers carry their definition, n, interval and the filter of their calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.history.filters import CallFilter
from agent.reports.periods import By, Period

Kind = Literal["text", "count", "share", "seconds", "ms", "score", "number"]
"""Of a column: ``share`` is 0..1, ``seconds`` and ``ms`` are times, ``score`` a mean of answers."""
ChartKind = Literal["line", "bar", "stacked", "distribution"]

SMALL = 5
"""A number that stands on fewer calls than this says something about single callers: it is for supervisors."""


@dataclass(frozen=True)
class Cell:
    """One number, or one text, of a table."""

    value: float | str | None
    """None where there is nothing to say: no calls, or too few of them."""
    calls: int | None = None
    """How many calls the number stands on; None for text and for what leads to no calls."""
    filter: CallFilter | None = None
    """Finds exactly these calls (:meth:`agent.history.search.CallIndex.find`)."""
    of: int | None = None
    """n: of how many, for shares, means and percentiles."""
    interval: tuple[float, float] | None = None
    """Within which the value lies with 95 % confidence."""

    @property
    def small(self) -> bool:
        """Whether it stands on so few calls that only supervisors are to see it."""
        return self.calls is not None and 0 < self.calls < SMALL


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    """For programs; stays."""
    title: str
    kind: Kind = "count"
    meaning: str = ""
    """What exactly it counts, where the title does not say it."""


@dataclass(frozen=True)
class Table:
    """Rows of cells, one a column."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return the cells of a column."""
        place = [column.name for column in self.columns].index(name)
        return tuple(row[place] for row in self.rows)


@dataclass(frozen=True)
class Chart:
    """How a table is drawn (:mod:`agent.reports.charts`); it stands beside the table, never alone."""

    kind: ChartKind
    title: str
    table: str
    """The name of the table."""
    labels: str
    """The column with the names along the axis."""
    columns: tuple[str, ...]
    """The columns that are drawn."""


@dataclass(frozen=True)
class Report:
    """One report of one period."""

    name: str
    title: str
    definition: str
    """What is counted, in words that are printed with the numbers."""
    period: Period
    by: By | None
    filter: CallFilter
    """The calls it is about."""
    n: int
    """How many those are."""
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know of these very numbers: records without a field, windows that are still open."""
    figures: tuple[tuple[Column, Cell], ...] = ()
    """The few numbers that stand at the top."""

    def table(self, name: str) -> Table:
        """Return a table by its name. Raises ``KeyError``."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
