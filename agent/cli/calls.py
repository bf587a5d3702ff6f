"""The command ``orderline calls``: the calls in progress; finding, showing and exporting finished ones."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.call_filter import VALUE_OPTIONS, InvalidCallsOption, add_filter_options, call_filter
from agent.cli.control import list_live_calls
from agent.cli.instances import add_instance_option
from agent.common.paths import CONFIG_DIRECTORY
from agent.errors import OrderlineError

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.history.export import Format
    from agent.history.opening import History
    from agent.history.search import CallLine

EXIT_FAILED = 1
_TOLD_AFTER_SECONDS = 1.0


def add_calls_command(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command; ``add(name, do, text)`` makes a command's parser."""
    calls = add("calls", _live, "list the calls in progress; find, show and export finished ones")
    calls.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")
    calls.add_argument("--json", action="store_true", help="print all that is known as JSON")
    add_instance_option(calls)
    whats = calls.add_subparsers(metavar="find | show | export | values | index | send", dest="what")

    def part(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = whats.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        # what was said before the sub-command stays
        command.add_argument("--config", type=Path, default=argparse.SUPPRESS, help="directory of orderline.yaml")
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
        command.add_argument("--here", action="store_true", help="this node's own calls, also where records.url is set")
        return command

    find = part("find", _find, "list finished calls, the latest first (docs/searching-calls.md)")
    add_filter_options(find)
    find.add_argument("--limit", type=int, default=50, metavar="N", help="calls of a page (50)")
    find.add_argument("--after", default="", metavar="CURSOR", help="go on where the page before ended")
    find.add_argument("--count", action="store_true", help="print how many there are, up to 10,000")
    show = part("show", _show, "one finished call: words, steps, systems")
    show.add_argument("id")
    export = part("export", _export, "write finished calls as JSON lines or CSV")
    add_filter_options(export)
    export.add_argument("--format", choices=("jsonl", "csv"), help="by the ending of FILE where it is not given")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="write here (standard output)")
    export.add_argument("--cursor", type=Path, metavar="FILE", help="only what came since the last export with FILE")
    values = part("values", _values, "what calls can be found by: all outcomes, steps, ... with numbers of calls")
    values.add_argument("kind", choices=(*(name for name, _ in VALUE_OPTIONS), "fault"))
    index = part("index", _index, "bring the index of finished calls up to date")
    index.add_argument("--anew", action="store_true", help="throw it away and make it again")
    index.add_argument("--follow", action="store_true", help="go on until stopped, a second behind at most")
    part("send", _send, "send to PostgreSQL (records.url) what it lacks of this node's calls")


# --- commands -----------------------------------------------------------------------------------------


def _live(options: argparse.Namespace) -> int:
    return list_live_calls(options)


def _find(options: argparse.Namespace) -> int:
    with opened_history(options) as (settings, history):
        wanted = call_filter(options, settings)
        if options.count:
            print(history.index.count(wanted, 10_000))
            return 0
        page = history.index.find(wanted, limit=options.limit, after=options.after)
    for line in page.lines:
        print(json.dumps(_plain(line)) if options.json else call_line(line))
    if page.next:
        print(f"More: --after {page.next}", file=sys.stderr)
    elif not page.lines and not options.json:
        print("No call." if not options.after else "No more calls.", file=sys.stderr)
    return 0


def _show(options: argparse.Namespace) -> int:
    from agent.history.call_page import call_page

    with opened_history(options, catch_up=False) as (_, history):
        record = history.index.record(options.id)
    if record is None:
        print(f"orderline: there is no finished call {options.id}", file=sys.stderr)
        return EXIT_FAILED
    print(json.dumps(record, indent=2) if options.json else call_page(record))
    return 0


def _export(options: argparse.Namespace) -> int:
    from agent.history.export import ExportCursor, export, replaced

    output: Path | None = options.output
    by_ending: Format = "csv" if output is not None and output.suffix.lower() == ".csv" else "jsonl"
    form: Format = options.format or by_ending
    cursor = ExportCursor.read(options.cursor) if options.cursor else None
    with opened_history(options) as (settings, history):
        wanted = call_filter(options, settings)
        try:
            if output is None:
                count, come_to = export(history, wanted, form, sys.stdout, cursor)
                sys.stdout.flush()
            else:
                with replaced(output) as file:
                    count, come_to = export(history, wanted, form, file, cursor)
            if options.cursor:
                come_to.write(options.cursor)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise InvalidCallsOption(f"{error.filename or output}: cannot be written ({error.strerror})") from error
    print(f"{count} call{'' if count == 1 else 's'}", file=sys.stderr)
    return 0


def _values(options: argparse.Namespace) -> int:
    with opened_history(options) as (_, history):
        found = history.index.values(options.kind)
    for value, calls in found:
        print(json.dumps({"value": value, "calls": calls}) if options.json else f"{calls:>9}  {value}")
    return 0


def _index(options: argparse.Namespace) -> int:
    with opened_history(options, catch_up=False) as (_, history):
        told = _Progress()
        history.catch_up(told, anew=options.anew, wait=True)
        print(f"The index is up to date{told.summary}.", flush=True)
        while options.follow:
            time.sleep(1.0)  # neither database tells another process of a new record
            history.catch_up(wait=True)
    return 0


def _send(options: argparse.Namespace) -> int:
    from agent.app.outbox_factory import calls_path
    from agent.config.loader import load_settings
    from agent.history.sending import send_missing

    settings = load_settings(options.config)
    address = settings.records.address()
    if not address:
        raise InvalidCallsOption("There is nowhere to send calls to: set records.url in orderline.yaml")
    print(f"{send_missing(calls_path(settings), address)} records sent; all others were there.")
    return 0


# --- parts --------------------------------------------------------------------------------------------


class _Progress:
    """Tells on a terminal how far the index is, where that takes a while."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told = self._began
        self._done = 0

    def __call__(self, done: int, of: int) -> None:
        self._done = done
        now = time.monotonic()
        if now - self._told >= _TOLD_AFTER_SECONDS:
            self._told = now
            print(f"indexing: {done} of {of} calls", file=sys.stderr, flush=True)

    @property
    def summary(self) -> str:
        """How fast it was, where it was made anew."""
        seconds = time.monotonic() - self._began
        return f": {self._done} calls in {seconds:.0f} s, {self._done / seconds:.0f} a second" if self._done else ""


@contextmanager
def opened_history(options: argparse.Namespace, *, catch_up: bool = True) -> Iterator[tuple[Settings, History]]:
    """Give the settings and the finished calls, up to date; for ``--config`` and ``--here`` of a command."""
    from agent.app.outbox_factory import calls_path
    from agent.common.privileges import drop_root_privileges
    from agent.config.loader import load_settings
    from agent.history.opening import open_history

    settings = load_settings(options.config)
    drop_root_privileges(settings.state_directory)  # the index must stay the agent's user's
    history = open_history(calls_path(settings), "" if options.here else settings.records.address())
    try:
        if catch_up and not history.catch_up(_Progress()):
            print("Another process is bringing the index up to date: the latest calls may be missing.", file=sys.stderr)
        with history.told():
            yield settings, history
    except OrderlineError as error:
        if error.code == "postgresql":
            print("--here asks this node's own calls, without PostgreSQL.", file=sys.stderr)
        raise
    finally:
        history.close()


def _plain(line: CallLine) -> dict[str, Any]:
    return {**dataclasses.asdict(line), "started_at": line.started_at.isoformat(timespec="milliseconds")}


def call_line(line: CallLine) -> str:
    """Return a call as it stands in a list."""
    reason = f" ({line.reason})" if line.reason else ""
    about = " ".join(part for part in (line.asked, *line.orders) if part)
    score = f" score {line.score}" if line.score is not None else ""
    return (
        f"{line.started_at:%Y-%m-%d %H:%M:%S} {line.duration_seconds:6.0f} s  {line.caller or 'hidden':<15} "
        f"{line.outcome + reason:<32} {about:<28} {line.last_step}{score}  {line.id}"
    )
