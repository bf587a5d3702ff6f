"""Reports as one HTML page that needs no network: tables, charts, definitions, the command behind each number."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.history.filter_text import as_command
from agent.history.filters import CallFilter
from agent.reports.charts import STYLE as CHART_STYLE
from agent.reports.charts import draw
from agent.reports.model import SMALL, Cell, Column, Report, Table
from agent.reports.printed import printed, printed_interval

MOST_ROWS = 500
Address = Callable[[CallFilter], str]
"""Where the calls of a filter are listed; ``""`` for nowhere."""

_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1rem;margin-top:1.5rem}
table{border-collapse:collapse;font-size:.9rem}caption{text-align:left;font-weight:600;padding:.4rem 0}
th,td{padding:.25rem .6rem;border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent);vertical-align:top}
th{text-align:left}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}.wide .chart{min-width:34rem}
.interval{opacity:.75;font-size:.85em;white-space:nowrap}.definition{max-width:46rem}
dl.figures{display:flex;flex-wrap:wrap;gap:1rem 2rem;margin:1rem 0}dl.figures dt{font-size:.8rem}
dl.figures dd{margin:0;font-size:1.3rem}code{font-size:.85em;overflow-wrap:anywhere}
details{font-size:.85rem}
""".strip()


def as_page(reports: Sequence[Report], title: str, *, shop: str = "") -> str:
    """Return a whole page. Every number has the command that lists its calls as its tip."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}\n{CHART_STYLE}</style></head><body><main>",
        f"<h1>{html.escape(f'{shop}: {title}' if shop else title)}</h1>",
    ]
    for report in reports:
        parts += report_parts(report)
    parts.append("</main></body></html>\n")
    return "\n".join(parts)


def report_parts(report: Report, address: Address | None = None, *, hide_small: bool = False) -> Iterator[str]:
    """Yield the HTML of one report: a section with its figures, charts and tables.

    ``address`` makes each number a link to its calls; without one its command stands in its tip. ``hide_small`` leaves
    out numbers that stand on few calls, for who is no supervisor; charts are left out then as well.
    """
    place = _Place(report, address, hide_small)
    yield f'<section class="report" id="{html.escape(report.name)}">'
    yield f"<h2>{html.escape(report.title)}, {html.escape(str(report.period))} (n={report.n:,})</h2>"
    yield f'<p class="definition">{html.escape(report.definition)}</p>'
    yield from (f'<p class="note">{html.escape(note)}</p>' for note in report.notes)
    if report.figures:
        yield '<dl class="figures">'
        for column, cell in report.figures:
            yield f"<div><dt>{html.escape(column.title)}</dt><dd>{_number(cell, column, place)}</dd></div>"
        yield "</dl>"
    for table in report.tables:
        for number, chart in enumerate(report.charts):
            shown = chart.table == table.name and not hide_small
            if shown and (svg := draw(chart, table, identity=f"{report.name}-{number}")):
                yield scrollable(chart.title, svg)
        yield from _table(table, place)
    command = html.escape(as_command(report.filter, report.period.zone))
    yield f"<details><summary>Its calls</summary><code>{command}</code></details></section>"


@dataclass(frozen=True)
class _Place:
    """Where numbers are shown, and to whom."""

    report: Report
    address: Address | None
    hide_small: bool


def _table(table: Table, place: _Place) -> Iterator[str]:
    yield scrollable(table.title, "".join(_whole_table(table, place)))
    if not table.rows:
        yield "<p>None.</p>"
    if len(table.rows) > MOST_ROWS:
        yield f"<p>{len(table.rows) - MOST_ROWS} more rows are left out; CSV and JSON have them.</p>"
    if table.note:
        yield f'<p class="note">{html.escape(table.note)}</p>'


def scrollable(title: str, inside: str) -> str:
    """Return what may be wider than the screen in a part that scrolls by itself, by keyboard as well."""
    return f'<div class="wide" role="group" aria-label="{html.escape(title)}" tabindex="0">{inside}</div>'


def _whole_table(table: Table, place: _Place) -> Iterator[str]:
    yield f"<table><caption>{html.escape(table.title)}</caption><thead><tr>"
    for column in table.columns:
        kind = "" if column.kind == "text" else ' class="number"'
        tip = f' title="{html.escape(column.meaning)}"' if column.meaning else ""
        yield f'<th scope="col"{kind}{tip}>{html.escape(column.title)}</th>'
    yield "</tr></thead><tbody>"
    for row in table.rows[:MOST_ROWS]:
        cells = (_cell(cell, column, place) for cell, column in zip(row, table.columns, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _cell(cell: Cell, column: Column, place: _Place) -> str:
    if column.kind == "text":
        return f"<td>{html.escape(printed(cell, column))}</td>"
    interval = "" if place.hide_small and cell.small else printed_interval(cell, column)
    told = f' <span class="interval">{html.escape(interval)}</span>' if interval else ""
    return f'<td class="number">{_number(cell, column, place)}{told}</td>'


def _number(cell: Cell, column: Column, place: _Place) -> str:
    if place.hide_small and cell.small:
        return f'<span title="fewer than {SMALL} calls: for supervisors">&lt;{SMALL}</span>'
    text = html.escape(printed(cell, column))
    if cell.filter is None or cell.value is None:
        return text
    if place.address is not None:
        where = place.address(cell.filter)
        return f'<a href="{html.escape(where)}">{text}</a>' if where else text
    return f'<span title="{html.escape(as_command(cell.filter, place.report.period.zone))}">{text}</span>'
