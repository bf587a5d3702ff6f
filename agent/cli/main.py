"""The ``orderline`` command."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agent import __version__
from agent.accuracy.cli import add_accuracy_command
from agent.cli.admin import add_admin_commands
from agent.cli.calls import add_calls_command
from agent.cli.console import add_console_command
from agent.cli.control import add_control_commands
from agent.cli.fault_matrices import add_faults_command
from agent.cli.flows import add_dialog_commands
from agent.cli.home_option import home_directory
from agent.cli.impact import add_impact_command
from agent.cli.model import add_model_command
from agent.cli.outbound import add_outbound_command
from agent.cli.outbox import add_outbox_commands
from agent.cli.records import add_records_commands
from agent.cli.report import add_report_command
from agent.cli.service import add_service_commands
from agent.cli.shop import add_shop_command
from agent.cli.status import add_status_command
from agent.cli.terminal import discard_output, printable_output
from agent.common.paths import CONFIG_DIRECTORY
from agent.common.signals import cancelled_by_sigterm, run_until_signal
from agent.errors import OrderlineError

EXIT_FAILED = 1
EXIT_USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 good, 1 failed, 2 wrong usage or settings, 130 interrupted."""
    with printable_output():
        try:
            code = _run_command(arguments)
            sys.stdout.flush()  # here, where a reader who has left is no error yet
        except BrokenPipeError:
            discard_output()  # the reader of a pipe (`list | head`) has seen enough
            return 0
    return code


def _run_command(arguments: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(arguments)
        code: int = options.do(options)
    except OrderlineError as error:
        print(f"orderline: {error.message}", file=sys.stderr)
        return EXIT_USAGE if error.code in ("settings", "script", "number_format") else EXIT_FAILED
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="orderline", description="An on-prem voice agent for Asterisk.")
    parser.add_argument("--version", action="version", version=f"orderline {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        return command

    serve = add("serve", _serve, "answer calls, until stopped")
    serve.add_argument("--config", type=Path, default=CONFIG_DIRECTORY, help="directory of orderline.yaml")

    serve.add_argument(
        "--instance", type=int, default=1, metavar="N", help="be this one of several instances (1; docs/scale.md)"
    )
    serve.add_argument("--takeover", action="store_true", help="take the application from a controller that serves it")
    add_service_commands(add)
    add_admin_commands(add)

    add_status_command(add)

    run = add("run", _run, "a private call centre left running for your own softphone")
    _add_home(run)
    run.add_argument("--instances", type=int, default=1, metavar="N", help="so many agents beside each other (1)")
    for name, do, text in (
        ("demo", _demo, "place the demo calls on a private Asterisk and print them live"),
        ("asterisk", _asterisk, "fetch the private Asterisk that demo and rehearsals use"),
    ):
        _add_home(add(name, do, text))

    rehearse = add("rehearse", _rehearse, "play scripted callers against a private call centre")
    _add_home(rehearse)
    rehearse.add_argument("files", nargs="+", type=Path, metavar="FILE", help="caller scripts (see docs/rehearse.md)")
    rehearse.add_argument("--json", action="store_true", help="print the result as JSON instead of the conversations")
    rehearse.add_argument("--keep", type=Path, metavar="DIR", help="keep recordings and records here")
    rehearse.add_argument("--flows", type=Path, metavar="DIR", help="let the agent follow the procedures in DIR")
    rehearse.add_argument("--running", action="store_true", help="use the call centre that `orderline run` has started")
    rehearse.add_argument(
        "--voices", nargs="+", default=(), metavar="VOICE", help="play every call once with each voice"
    )
    rehearse.add_argument("--at-once", type=int, default=1, metavar="N", help="place up to N calls at the same time")
    rehearse.add_argument(
        "--least-share", type=_share, default=1.0, metavar="SHARE",
        help="exit with 0 when at least this share of the calls did what they should, 0 to 1 (1: every call)",
    )  # fmt: skip

    add_faults_command(add, _add_home)

    add_model_command(add, CONFIG_DIRECTORY)
    add_dialog_commands(add)
    add_outbox_commands(add)
    add_outbound_command(add, _add_home)
    add_records_commands(add)
    add_calls_command(add)
    add_impact_command(add)
    add_report_command(add)
    add_control_commands(add)
    add_console_command(add)
    add_accuracy_command(add)
    _add_demo_shop(add("demo-shop", _demo_shop, "look at the demo shop, change it, or make it again"))
    add_shop_command(add, _add_home)
    return parser


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: give a number from 0 to 1, such as 0.9")
    return share


def _add_home(command: argparse.ArgumentParser) -> None:
    default = Path(os.environ.get("ORDERLINE_HOME", "var"))
    command.add_argument("--home", type=Path, default=default, help="where what is fetched and made is kept (var)")


def _add_demo_shop(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--directory", type=Path, default=Path("var/shop"), help="the demo shop's files (shop.demo_directory; var/shop)"
    )
    what = command.add_subparsers(required=True, metavar="WHAT", dest="what")
    orders = what.add_parser("list", help="the orders, one a line")
    orders.add_argument("--status", default="", help="only those with this status")
    orders.add_argument("--phone", default="", help="only those placed with this phone number")
    show = what.add_parser("show", help="one order with all that belongs to it, as JSON")
    show.add_argument("number")
    ticket = what.add_parser("ticket", help="one ticket, as staff read it")
    ticket.add_argument("number", help="T-1042")
    change = what.add_parser("set", help="change an order: status=delayed expected_on=2026-12-24 place=Memphis")
    change.add_argument("number")
    change.add_argument("changes", nargs="+", metavar="COLUMN=VALUE")
    what.add_parser("reset", help="make the orders again and forget tickets, returns, changes and messages")
    for name in ("tickets", "messages", "returns", "changes", "cases"):
        what.add_parser(name, help=f"the {name} that calls have made, newest last, one JSON object a line")


# --- commands ---------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> int:
    from agent.app.hold_on_restart import hold_callers
    from agent.app.single_instance import ensure_single_instance
    from agent.common.privileges import AGENT_UMASK
    from agent.config.instances import instance_settings
    from agent.config.loader import load_settings
    from agent.telemetry.log_format import set_up_logging

    settings = instance_settings(load_settings(options.config), options.instance)
    os.umask(AGENT_UMASK)
    set_up_logging(settings.log.level, settings.log.format)

    async def work(stop: asyncio.Event) -> int:
        if not options.takeover:
            await ensure_single_instance(settings)
        async with hold_callers(settings) as holding:
            from agent.app.run import serve  # takes a second: callers of a dead agent are asked to hold before

            return await serve(settings, stop, takeover=options.takeover, on_ready=holding.ready)

    return asyncio.run(run_until_signal(work))


def _demo(options: argparse.Namespace) -> int:
    from agent.rehearsal.call_centre import RehearsalHome
    from agent.rehearsal.demo import demo

    return asyncio.run(cancelled_by_sigterm(demo(RehearsalHome(home_directory(options)))))


def _run(options: argparse.Namespace) -> int:
    from agent.rehearsal.call_centre import RehearsalHome
    from agent.rehearsal.demo import run

    home = RehearsalHome(home_directory(options))
    return asyncio.run(run_until_signal(lambda stop: run(home, stop, instances=options.instances)))


def _asterisk(options: argparse.Namespace) -> int:
    from agent.rehearsal.demo import get_asterisk

    found = asyncio.run(get_asterisk(home_directory(options)))
    print(f"Asterisk {found.version} ({found.origin}): {' '.join(found.command)}")
    return 0


def _rehearse(options: argparse.Namespace) -> int:
    from agent.rehearsal.call_centre import RehearsalHome
    from agent.rehearsal.demo import play_files

    work = play_files(
        options.files,
        RehearsalHome(home_directory(options)),
        keep=options.keep,
        at_once=options.at_once,
        as_json=options.json,
        flows=options.flows.resolve() if options.flows else None,
        running=options.running,
        voices=options.voices,
        least_share=options.least_share,
    )
    return asyncio.run(cancelled_by_sigterm(work))


def _demo_shop(options: argparse.Namespace) -> int:
    from agent.shop.demo import commands

    if options.what == "list":
        commands.list_orders(options.directory, options.status, options.phone, sys.stdout)
    elif options.what == "show":
        commands.show_order(options.directory, options.number, sys.stdout)
    elif options.what == "set":
        commands.change_order(options.directory, options.number, options.changes, sys.stdout)
    elif options.what == "ticket":
        commands.show_ticket(options.directory, options.number, sys.stdout)
    elif options.what == "reset":
        commands.reset(options.directory, sys.stdout)
    else:
        commands.list_call_data(options.directory, options.what, sys.stdout)
    return 0
