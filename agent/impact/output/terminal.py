"""The result for a terminal: findings, tables, assumptions, and what was used of the files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from agent.common.untrusted import printable
from agent.impact.imports.measured_volumes import ImportSummary, MeasuredVolumes
from agent.impact.imports.reading import FileRead, ImportNotes
from agent.impact.model import ImpactResult, PeriodResult
from agent.impact.output.tables import (
    TextTable,
    assumptions_table,
    busiest_day,
    days_table,
    hours_table,
    overview_table,
    sensitivity_table,
)
from agent.impact.output.words import findings, number, seconds

_WIDTH = 110


def terminal_text(result: ImpactResult, *, all_hours: bool = False) -> str:
    """Return all of it. ``all_hours``: every hour of the week instead of the busiest day's."""
    return "\n".join(_all(result, all_hours))


def _all(result: ImpactResult, all_hours: bool) -> Iterator[str]:
    for text in findings(result):
        yield _wrapped(text, "* ")
    for text in result.warnings:
        yield _wrapped(text, "! ")
    yield from _period(result, result.week)
    yield from table_lines(days_table(result))
    yield from table_lines(hours_table(result, result.week, None if all_hours else (busiest_day(result),)))
    if result.event is not None:
        yield from _period(result, result.event)
        yield from table_lines(hours_table(result, result.event))
    yield from table_lines(assumptions_table(result))


def _period(result: ImpactResult, period: PeriodResult) -> Iterator[str]:
    yield from table_lines(overview_table(result, period))
    if period.sensitivity:
        yield from table_lines(sensitivity_table(result, period))
    if period.agent_lines:
        yield f"The agent needs {period.agent_lines} lines (one caller in a thousand finds them all busy at the peak)."


def table_lines(table: TextTable) -> Iterator[str]:
    """Return a table as lines of text, with a heading before it and its note below."""
    yield ""
    yield table.title
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    for row in (table.columns, *table.rows):
        cells = (
            cell.ljust(width) if place < table.text_columns else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield printable("  ".join(cells).rstrip(), keep="")
    if table.note:
        yield _wrapped(table.note, "  ")


def import_lines(volumes: MeasuredVolumes) -> Iterator[str]:
    """Return what was read of call logs, what was used, and what was odd, with places."""
    summary = volumes.summary
    yield (
        f"{summary.kind}: {number(volumes.calls)} callers from {volumes.first:%Y-%m-%d %H:%M} to "
        f"{volumes.last:%Y-%m-%d %H:%M} ({summary.zone}); busiest day {volumes.busiest_day[0]} with "
        f"{number(volumes.busiest_day[1])}"
    )
    ends = f"answered {number(volumes.answered)}"
    if volumes.wait_seconds is not None:
        ends += (
            f", hung up while waiting {number(volumes.abandoned)}, left by a rule of the queue {number(volumes.left)}"
        )
    yield f"  {ends}, end not known {number(volumes.unknown)}"
    yield "  " + "; ".join(_times(volumes))
    yield from summary_lines(summary)


def _times(volumes: MeasuredVolumes) -> Iterator[str]:
    if volumes.talk_seconds is not None:
        yield f"talk {seconds(volumes.talk_seconds)} in the mean, {seconds(volumes.talk_median_seconds)} in the median"
    if volumes.wait_seconds is not None:
        yield f"wait {seconds(volumes.wait_seconds)}"
    else:
        yield "waits are not in these files"
    if volumes.patience_seconds is not None and volumes.patience_interval is not None:
        low, high = volumes.patience_interval
        yield f"patience {seconds(volumes.patience_seconds)} ({low:.0f}-{high:.0f})"
    else:
        yield "patience is not known"


def summary_lines(summary: ImportSummary) -> Iterator[str]:
    """Return what was used of files."""
    if len(summary.by_queue) > 1:
        shown = ", ".join(f"{queue or '(none)'} {number(count)}" for queue, count in summary.by_queue[:12])
        yield printable(f"  by queue: {shown}{' ...' if len(summary.by_queue) > 12 else ''}", keep="")
    yield from file_lines(summary.files, summary.notes)


def file_lines(files: Sequence[FileRead], notes: ImportNotes) -> Iterator[str]:
    """Return how many lines of each file were used and what was odd."""
    for file in files:
        yield printable(
            f"  {file.name}: {number(file.lines)} lines: {number(file.used)} used, {number(file.other)} about other "
            f"things, {number(file.repeated)} read before, {number(file.refused)} not readable",
            keep="",
        )
    yield from (f"  - {line}" for line in notes.lines())


def _wrapped(text: str, first: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first))


__all__ = ["file_lines", "import_lines", "summary_lines", "table_lines", "terminal_text"]
