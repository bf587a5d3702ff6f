"""A report for a terminal, for a spreadsheet, for other programs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from agent.history.export import guarded
from agent.history.filter_text import as_command, filter_options
from agent.reports.model import Cell, Column, Report, Table
from agent.reports.printed import printed, printed_interval

MOST_ROWS = 60
_WIDEST = 40


def as_text(report: Report, *, most_rows: int = MOST_ROWS) -> Iterator[str]:
    """Yield the lines of a report, with its definition, n and intervals."""
    yield f"{report.title}, {report.period}  (n={report.n:,})"
    yield ""
    yield from _wrapped(report.definition)
    for note in report.notes:
        yield from _wrapped(f"Note: {note}")
    for table in report.tables:
        yield ""
        yield from _table(table, most_rows)
    yield ""
    yield f"Its calls: {as_command(report.filter, report.period.zone)}"
    yield "The calls behind any number: --calls TABLE:ROW:COLUMN, --csv and --json."


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as JSON-like data; each number has the options (``orderline calls find``) of its calls."""
    zone = report.period.zone

    def cell(one: Cell) -> dict[str, Any]:
        found: dict[str, Any] = {"value": one.value}
        if one.filter is not None:
            found |= {"calls": one.calls, "find": filter_options(one.filter, zone), "small": one.small}
        if one.of is not None:
            found["n"] = one.of
        if one.interval is not None:
            found["interval"] = list(one.interval)
        return found

    return {
        "report": report.name,
        "title": report.title,
        "definition": report.definition,
        "from": report.period.local(report.period.since_ms).isoformat(),
        "to": report.period.local(report.period.until_ms).isoformat(),
        "by": report.by,
        "n": report.n,
        "notes": list(report.notes),
        "figures": {column.name: cell(one) for column, one in report.figures},
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "note": table.note,
                "columns": [
                    {"name": one.name, "title": one.title, "kind": one.kind, "meaning": one.meaning}
                    for one in table.columns
                ],
                "rows": [[cell(one) for one in row] for row in table.rows],
            }
            for table in report.tables
        ],
    }


CSV_COLUMNS = ("report", "table", "row", "column", "value", "kind", "n", "low", "high", "calls", "small", "find")


def write_csv(reports: Iterable[Report], out: TextIO) -> None:
    """Write one line for each number, with the command that lists its calls."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for report in reports:
        writer.writerows(_csv_lines(report))


def _csv_lines(report: Report) -> Iterator[list[object]]:
    for table in report.tables:
        for row in table.rows:
            name = row_name(table, row)
            for column, cell in zip(table.columns, row, strict=True):
                if column.kind != "text":
                    low, high = cell.interval or ("", "")
                    find = "" if cell.filter is None else as_command(cell.filter, report.period.zone)
                    cells = (report.name, table.name, name, column.name, cell.value, column.kind, cell.of, low, high)
                    yield [guarded(one) for one in (*cells, cell.calls, int(cell.small), find)]


def row_name(table: Table, row: tuple[Cell, ...]) -> str:
    """Return what a row is about: its texts."""
    return " ".join(
        str(cell.value)
        for column, cell in zip(table.columns, row, strict=True)
        if column.kind == "text" and cell.value is not None
    )


def find_cell(report: Report, place: str) -> Cell | None:
    """Return the number at ``TABLE:ROW:COLUMN``; None where there is none. A row is named by its texts."""
    table_name, _, rest = place.partition(":")
    row_text, _, column_name = rest.rpartition(":")
    for table in report.tables:
        if table.name == table_name:
            for row in table.rows:
                for column, cell in zip(table.columns, row, strict=True):
                    if column.name == column_name and row_name(table, row) == row_text:
                        return cell
    return None


# --- parts ---------------------------------------------------------------------------------------------


def _table(table: Table, most_rows: int) -> Iterator[str]:
    yield table.title if not table.note else f"{table.title}. {table.note}"
    if not table.rows:
        yield "  none"
        return
    shown = [[_shown(cell, column) for cell, column in zip(row, table.columns, strict=True)] for row in table.rows]
    shown = shown[:most_rows]
    titles = [column.title for column in table.columns]
    widths = [min(_WIDEST, max(len(row[place]) for row in [titles, *shown])) for place in range(len(titles))]
    for row in [titles, *shown]:
        cells = (
            text[:_WIDEST].ljust(width) if column.kind == "text" else text.rjust(width)
            for text, width, column in zip(row, widths, table.columns, strict=True)
        )
        yield f"  {'  '.join(cells).rstrip()}"
    if len(table.rows) > most_rows:
        yield f"  {len(table.rows) - most_rows} more rows: --csv has all"


def _shown(cell: Cell, column: Column) -> str:
    interval = printed_interval(cell, column)
    return f"{printed(cell, column)} {interval}" if interval else printed(cell, column)


def _wrapped(text: str, width: int = 110) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    if line:
        yield line
