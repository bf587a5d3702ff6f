"""One report as its page shows it: figures, plots, tables, and the address of the calls behind every number. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from agent.console.views import formats
from agent.console.views.call_address import PERIODS, CallAddress, Chip, address_of
from agent.history.filters import CallFilter
from agent.reports.charts import draw
from agent.reports.model import SMALL, Cell, Column, Report, Table
from agent.reports.periods import Period
from agent.reports.printed import printed, printed_interval, words
from agent.reports.registry import REPORTS

MOST_ROWS = 300
_GROUPS = {"": "Automatic", "hour": "Hours", "day": "Days", "week": "Weeks"}


@dataclass(frozen=True)
class ReportNumber:
    """One cell."""

    text: str
    link: str
    """Its calls; ``""`` where it leads to none."""
    calls: int
    """How many those are."""
    more: tuple[str, ...]
    """What stands behind it, in pieces that stay whole: calls of how many, and the interval."""
    is_text: bool


@dataclass(frozen=True)
class ReportTable:
    """One table."""

    name: str
    title: str
    heads: tuple[tuple[str, str, bool], ...]
    """Title, what exactly it counts, and whether it holds texts."""
    rows: tuple[tuple[ReportNumber, ...], ...]
    note: str
    left_out: int
    """Rows that are not shown."""
    charts: tuple[tuple[str, str], ...]
    """Title and SVG of our own making."""


@dataclass(frozen=True)
class ReportView:
    """Everything the page shows."""

    name: str
    title: str
    definition: str
    period: str
    n: str
    """How many calls it is about."""
    figures: tuple[tuple[str, ReportNumber], ...]
    notes: tuple[str, ...]
    tables: tuple[ReportTable, ...]
    others: tuple[tuple[str, str, bool], ...]
    """All reports: title, address, whether it is this one."""
    address: CallAddress
    periods: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]
    group: str
    chips: tuple[Chip, ...]
    downloads: tuple[tuple[str, str], ...]
    hidden: bool
    """Numbers that stand on very few calls were left out."""


def report_period(address: CallAddress, now: dt.datetime) -> Period:
    """Return the period of an address: whole days of the shop. Raises :class:`agent.reports.periods.InvalidPeriod`."""
    ends = {name: text for name, text in address.api_pairs(now) if name in ("from", "to")}
    first = dt.date.fromisoformat(ends.get("from", str(now.date() - dt.timedelta(days=364)))[:10])
    last = dt.date.fromisoformat(ends.get("to", str(now.date()))[:10])
    return Period.days(first, last, now.tzinfo or dt.UTC)


def report_filter(address: CallAddress) -> CallFilter:
    """Return which calls a report is to count, besides its period."""
    return CallFilter(values=address.values)


def report_view(report: Report, address: CallAddress, group: str, zone: dt.tzinfo, *, sees_small: bool) -> ReportView:
    """Return the view. Without ``sees_small`` numbers that stand on fewer than five calls are left out."""
    printer = _Printer(zone, sees_small=sees_small)
    shared = [(name, value) for name, value in address.pairs() if name in ("when", "from", "to")]
    shared += [(kind, value) for kind, values in address.values.items() for value in values]
    query = urlencode([*shared, *([("group", group)] if group else [])])
    suffix = f"?{query}" if query else ""
    figures = tuple((column.title, printer.number(cell, column)) for column, cell in report.figures)
    tables = tuple(_table(table, report, printer) for table in report.tables)
    return ReportView(
        name=report.name,
        title=report.title,
        definition=report.definition,
        period=str(report.period),
        n=formats.number(report.n),
        figures=figures,
        notes=report.notes,
        tables=tables,
        others=tuple(
            (kind.title, f"/reports/{kind.name}{suffix}", kind.name == report.name) for kind in REPORTS.values()
        ),
        address=address,
        periods=tuple(PERIODS.items()),
        groups=tuple(_GROUPS.items()),
        group=group if group in _GROUPS else "",
        chips=tuple(_chips(report.name, address, group)),
        downloads=tuple((form.upper(), f"/reports/{report.name}.{form}{suffix}") for form in ("csv", "json")),
        hidden=printer.hid,
    )


def _chips(name: str, address: CallAddress, group: str) -> Iterator[Chip]:
    ending = [("group", group)] if group else []
    for chip in replace(address, order="", caller="", spans={}, words={}, also=(), misheard="").chips():
        query = chip.without.partition("?")[2]
        rest = "&".join(filter(None, (query, urlencode(ending))))
        yield replace(chip, without=f"/reports/{name}{'?' + rest if rest else ''}")


def _table(table: Table, report: Report, printer: _Printer) -> ReportTable:
    rows = tuple(
        tuple(printer.number(cell, column) for cell, column in zip(row, table.columns, strict=True))
        for row in table.rows[:MOST_ROWS]
    )
    charts = [
        (chart.title, svg)
        for place, chart in enumerate(report.charts)
        if chart.table == table.name and (svg := draw(chart, table, identity=f"chart-{place}"))
    ]
    meanings = [column.meaning for column in table.columns]
    shared = [meaning for meaning in dict.fromkeys(meanings) if meaning and meanings.count(meaning) > 1]
    heads = tuple(
        (column.title, "" if column.meaning in shared else column.meaning, column.kind == "text")
        for column in table.columns
    )
    told = (f"{_titles(table, meaning)}: {meaning}." for meaning in shared)
    note = " ".join(filter(None, (table.note, *told)))
    left_out = max(0, len(table.rows) - MOST_ROWS)
    return ReportTable(table.name, table.title, heads, rows, note, left_out, tuple(charts))


def _titles(table: Table, meaning: str) -> str:
    return ", ".join(column.title for column in table.columns if column.meaning == meaning)


def _behind(cell: Cell, column: Column) -> tuple[str, ...]:
    """Return what stands behind a number: ``295 of 334`` and ``[84.4-91.3]`` behind a share."""
    if column.kind != "share" or cell.interval is None or not cell.of or not isinstance(cell.value, int | float):
        return tuple(filter(None, (printed_interval(cell, column),)))
    least, most = (f"{end * 100:.1f}" for end in cell.interval)
    return f"{round(cell.value * cell.of):,} of {cell.of:,}", f"[{least}-{most}]"


class _Printer:
    def __init__(self, zone: dt.tzinfo, *, sees_small: bool) -> None:
        self._zone = zone
        self._sees_small = sees_small
        self.hid = False

    def number(self, cell: Cell, column: Column) -> ReportNumber:
        if cell.small and not self._sees_small:
            self.hid = True
            return ReportNumber(f"fewer than {SMALL}", "", 0, (), is_text=False)
        link = address_of(cell.filter, self._zone).link() if cell.filter is not None and cell.calls else ""
        is_text = column.kind == "text"
        text = printed(cell, column)
        return ReportNumber(words(text) if is_text else text, link, cell.calls or 0, _behind(cell, column), is_text)
