"""The command ``orderline report``: numbers over the finished calls, each of which leads to its calls."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from agent.cli.call_filter import add_filter_options, call_filter, local_ms
from agent.cli.calls import call_line, opened_history
from agent.common.paths import CONFIG_DIRECTORY
from agent.errors import OrderlineError

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.history.opening import History
    from agent.reports.model import Report
    from agent.reports.periods import Period

EXIT_FAILED = 1
_USUAL_DAYS = 30


class InvalidReportOption(OrderlineError):
    """An option of ``orderline report`` cannot be understood."""

    code = "settings"


def add_report_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; ``add(name, do, text)`` makes a command's parser."""
    report = add(
        "report", _report, "numbers over the finished calls (docs/reports.md); without NAME the list of reports"
    )
    report.add_argument("names", nargs="*", metavar="NAME", help="volume, asked, contained, ...; several; or all")
    report.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    report.add_argument("--here", action="store_true", help="this node's own calls, also where records.url is set")
    report.add_argument("--by", choices=("hour", "day", "week"), help="a row for each, by the shop's clock")
    form = report.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="one line a number, with the command that lists its calls")
    form.add_argument("--json", action="store_true", help="the same for programs")
    form.add_argument("--html", action="store_true", help="a page with charts that needs no network")
    form.add_argument("--calls", default="", metavar="TABLE:ROW:COLUMN", help="list the calls behind one number")
    report.add_argument("-o", "--output", type=Path, metavar="FILE", help="write here (standard output)")
    add_filter_options(report)


def _report(options: argparse.Namespace) -> int:
    from agent.reports.registry import REPORTS, NoSuchReport

    if not options.names:
        for kind in REPORTS.values():
            print(f"{kind.name:<12} {kind.title}")
        return 0
    names = list(REPORTS) if options.names == ["all"] else options.names
    for name in names:
        if name not in REPORTS:
            raise NoSuchReport(f"There is no report {name!r}, but {', '.join(REPORTS)}.")
    with opened_history(options) as (settings, history):
        period = _period(options, settings)
        reports = _built(options, settings, history, names, period)
        if options.calls:
            return _list_calls(history, reports, options.calls)
    return _write(options, settings, reports)


def _built(
    options: argparse.Namespace, settings: Settings, history: History, names: Sequence[str], period: Period
) -> list[Report]:
    from agent.reports.registry import build_report

    wanted = call_filter(options, settings)
    return [build_report(name, history.index, period, options.by, wanted) for name in names]


def _period(options: argparse.Namespace, settings: Settings) -> Period:
    from agent.config.timezone import shop_zone
    from agent.reports.periods import Period

    zone = shop_zone(settings.shop.timezone)
    today = dt.datetime.now(zone).date()
    until = local_ms(options.until or f"{today}", settings, end=True)
    last = dt.datetime.fromtimestamp((until or 0) / 1000 - 1, dt.UTC).astimezone(zone).date()
    since = local_ms(options.since or f"{last - dt.timedelta(days=_USUAL_DAYS - 1)}", settings, end=False)
    return Period(since or 0, until or 0, zone)


def _list_calls(history: History, reports: Sequence[Report], place: str) -> int:
    from agent.reports.printing import find_cell

    for report in reports:
        cell = find_cell(report, place)
        if cell is not None and cell.filter is not None:
            for line in history.index.every(cell.filter):
                print(call_line(line))
            return 0
    raise InvalidReportOption(f"There is no number at {place!r}: write TABLE:ROW:COLUMN as --csv has them.")


def _write(options: argparse.Namespace, settings: Settings, reports: Sequence[Report]) -> int:
    from agent.history.export import replaced

    if options.output is None:
        _print(options, settings, reports, sys.stdout)
        return 0
    try:
        with replaced(options.output) as file:
            _print(options, settings, reports, file)
    except OSError as error:
        raise InvalidReportOption(f"{options.output}: cannot be written ({error.strerror})") from error
    return 0


def _print(options: argparse.Namespace, settings: Settings, reports: Sequence[Report], out: TextIO) -> None:
    from agent.reports.html_page import as_page
    from agent.reports.printing import as_json, as_text, write_csv

    if options.json:
        found = [as_json(report) for report in reports]
        out.write(json.dumps(found[0] if len(found) == 1 else found, indent=2, ensure_ascii=False) + "\n")
    elif options.csv:
        write_csv(reports, out)
    elif options.html:
        title = reports[0].title if len(reports) == 1 else f"Reports, {reports[0].period}"
        out.write(as_page(reports, title, shop=settings.shop.name))
    else:
        out.write("\n\n".join("\n".join(as_text(report)) for report in reports) + "\n")
