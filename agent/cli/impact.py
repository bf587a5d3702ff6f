"""The command ``orderline impact``: what the agent is worth to a shop, from its own volume."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent.common.paths import CONFIG_DIRECTORY
from agent.errors import OrderlineError

if TYPE_CHECKING:
    from agent.impact.imports.measured_volumes import MeasuredVolumes
    from agent.impact.inputs import ImpactInputs
    from agent.reports.measured import MeasuredFacts

_RECORD_DAYS = 90
_DESCRIPTION = (
    "What the agent is worth: staff, waiting, lost callers and cost by hour of the week and on a sale day, with and "
    "without it (docs/impact.md). Without any option it asks."
)


class InvalidImpactOption(OrderlineError):
    """An option of ``orderline impact`` cannot be understood."""

    code = "settings"


def add_impact_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; ``add(name, do, text)`` makes a command's parser."""
    command = add("impact", _impact, "what the agent is worth: staff, waiting, lost callers, cost, with and without it")
    command.description = _DESCRIPTION
    what = command.add_argument_group("what is known of the shop")
    what.add_argument("--ask", action="store_true", help="ask in the terminal, on top of what files say")
    what.add_argument("--inputs", type=Path, metavar="FILE", help="YAML with your values; --example prints one")
    what.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one value: status.share=35%%")
    what.add_argument("--volumes", type=Path, metavar="FILE", help="CSV: date,hour,calls or weekday,hour,calls")
    logs = "Asterisk's queue_log, rotated and packed ones too, or its realtime table as CSV"
    what.add_argument("--queue-log", type=Path, nargs="+", default=[], metavar="FILE", help=logs)
    what.add_argument("--queue", action="append", default=[], metavar="NAME", help="only this queue of the queue log")
    records = "call detail records: Master.csv, or the table as CSV"
    what.add_argument("--cdr", type=Path, nargs="+", default=[], metavar="FILE", help=records)
    numbers = "a number that callers ring, to find their calls in the CDR (those that came to Queue())"
    what.add_argument("--dialled", action="append", default=[], metavar="NUMBER", help=numbers)
    what.add_argument("--utc", action="store_true", help="times in the CDR are UTC (usegmtime=yes)")
    what.add_argument("--zone", default="", help="whose hours: Europe/Madrid (shop.timezone, else this machine's)")
    what.add_argument("--no-records", action="store_true", help="leave out what the agent's own calls say")
    what.add_argument("--here", action="store_true", help="this node's own calls, also where records.url is set")
    what.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    how = command.add_argument_group("what is worked out")
    how.add_argument("--event", type=float, metavar="CALLS", help="also a sale day with so many calls")
    how.add_argument("--claim", metavar="PERCENT", help="look into a claim of less staff time: 40-60")
    out = command.add_argument_group("what is printed")
    out.add_argument("--hours", action="store_true", help="every hour of the week, not only the busiest day's")
    formats = out.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print all of it as JSON")
    formats.add_argument("--csv", action="store_true", help="print every hour as CSV")
    formats.add_argument("--example", action="store_true", help="print a YAML file with every value, to change")
    out.add_argument("--picture", type=Path, metavar="FILE", help="write the chart of waits by hour as SVG")
    out.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts; it needs no network")


def _impact(options: argparse.Namespace) -> int:
    from agent.impact.inputs_file import example_file
    from agent.impact.model import estimate
    from agent.impact.output.export import to_csv, to_json
    from agent.impact.output.page import html_page, wait_picture
    from agent.impact.output.terminal import terminal_text

    told = sys.stderr if options.json or options.csv or options.example else sys.stdout
    picture = None if options.picture is None else _opened_for_writing(options.picture)
    page = (
        None if options.html is None else _opened_for_writing(options.html)
    )  # as who called, before rights are dropped
    inputs, warnings, volumes = _gathered(options, lambda line: print(line, file=told))
    if options.example:
        print(example_file(inputs), end="")
        return 0
    result = estimate(inputs, warnings)
    if page is not None:
        with page:
            page.write(html_page(result, volumes))
    if picture is not None:
        with picture:
            picture.write(wait_picture(result))
    if options.json:
        print(json.dumps(to_json(result), indent=2, ensure_ascii=False))
    elif options.csv:
        print(to_csv(result), end="")
    else:
        print(terminal_text(result, all_hours=options.hours))
    if options.html is not None:
        print(f"\nThe page: {options.html}", file=told)
    return 0


def _gathered(
    options: argparse.Namespace, tell: Callable[[str], None]
) -> tuple[ImpactInputs, list[str], list[MeasuredVolumes]]:
    """Return inputs from everything that is named: files first, then YAML, answers and single values over them."""
    from agent.impact.imports.volumes_csv import read_volumes
    from agent.impact.inputs import ImpactInputs
    from agent.impact.inputs_file import parse_settings, read_inputs
    from agent.impact.interview import interview
    from agent.impact.measured import with_imported_calls, with_volumes
    from agent.impact.output.terminal import file_lines
    from agent.impact.own_records import with_own_records

    inputs, warnings = ImpactInputs(), list[str]()
    yours = read_inputs(options.inputs, inputs) if options.inputs is not None else inputs
    if "wrap_up_seconds" in yours.sources:  # counts before talk times are read
        inputs = inputs.with_values({"wrap_up_seconds": yours.wrap_up_seconds}, "yours")
    if options.volumes is not None:
        file = read_volumes(options.volumes)
        for line in file_lines((file.file,), file.notes):
            tell(line)
        measured = with_volumes(inputs, file)
        inputs, warnings = measured.inputs, [*warnings, *measured.warnings]
    volumes = list(_imported(options, tell))
    for one in volumes:
        measured = with_imported_calls(inputs, one)
        inputs, warnings = measured.inputs, [*warnings, *measured.warnings]
    if options.inputs is not None:
        inputs = read_inputs(options.inputs, inputs)
    nothing = not (options.inputs or options.volumes or volumes or options.set or options.event or options.example)
    if options.ask or (nothing and sys.stdin.isatty()):
        inputs = interview(inputs, _ask, lambda line: print(line, file=sys.stderr))
    inputs = parse_settings(options.set, inputs)
    if options.event is not None:
        inputs = inputs.with_values({"event_calls": options.event}, "yours")
    if options.claim is not None:
        inputs = inputs.with_values(_claim(options.claim), "yours")
    facts = None if options.example else _own_records(options)
    if facts is not None:
        measured = with_own_records(inputs, facts)
        inputs, warnings = measured.inputs, [*warnings, *measured.warnings]
    return inputs, warnings, volumes


def _imported(options: argparse.Namespace, tell: Callable[[str], None]) -> Iterator[MeasuredVolumes]:
    from agent.impact.imports.cdr import read_cdr
    from agent.impact.imports.queue_log import read_queue_log
    from agent.impact.output.terminal import import_lines

    if not (options.queue_log or options.cdr):
        return
    if options.queue_log and options.cdr:
        raise InvalidImpactOption("give --queue-log or --cdr, not both: the same calls would count twice")
    zone = _zone(options)
    if options.queue_log:
        volumes = read_queue_log(options.queue_log, zone, options.queue)
    else:
        volumes = read_cdr(options.cdr, zone, dialled=options.dialled, utc=options.utc)
    for line in import_lines(volumes):
        tell(line)
    tell("")
    yield volumes


def _zone(options: argparse.Namespace) -> ZoneInfo:
    """Return the zone that is named, else the shop's, else this machine's."""
    name = options.zone
    if not name and (options.config / "orderline.yaml").exists():
        from agent.config.loader import load_settings

        name = load_settings(options.config).shop.timezone
    if not name:
        place = os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
        name = os.environ.get("TZ", "").lstrip(":") or place or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidImpactOption(f"there is no time zone {name!r}: give one with --zone Europe/Madrid") from error


def _claim(text: str) -> dict[str, float]:
    low, _, high = text.replace("%", "").partition("-")
    try:
        return {"claim_low": float(low) / 100, "claim_high": float(high or low) / 100}
    except ValueError as error:
        raise InvalidImpactOption(f"{text!r} is no claim like 40-60") from error


def _ask(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _opened_for_writing(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidImpactOption(f"{path}: cannot be written: {error.strerror}") from error


def _own_records(options: argparse.Namespace) -> MeasuredFacts | None:
    """Return what the agent's own calls of the last 90 days say; None where there are none to be asked."""
    if options.no_records or not (options.config / "orderline.yaml").exists():
        return None
    from agent.app.outbox_factory import calls_path
    from agent.cli.calls import opened_history
    from agent.config.loader import load_settings
    from agent.config.timezone import wall_clock
    from agent.reports.measured import measured_facts
    from agent.reports.periods import Period

    settings = load_settings(options.config)
    if (options.here or not settings.records.address()) and not calls_path(settings).exists():
        return None  # no call was taken yet
    with opened_history(options) as (settings, history):
        today = wall_clock(settings.shop.timezone)()
        period = Period.days((today - dt.timedelta(days=_RECORD_DAYS)).date(), today.date(), today.tzinfo or dt.UTC)
        return measured_facts(history.index, period)
