"""The commands ``orderline chat``, ``flows`` and ``understand`` and their arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

AddCommand = Callable[..., argparse.ArgumentParser]
_CALLS_IN_TEXT = (Path("tests/flows"), Path(__file__).resolve().parents[2] / "tests" / "flows")
"""Where calls in text are looked for when none are named: here, and in the checkout this program runs from."""
_PHONE = re.compile(r"[+]?[0-9*#]{1,32}")


def add_dialog_commands(add: AddCommand) -> None:
    """Add the commands with ``add(name, do, text)``, which returns the command's parser."""
    chat = add("chat", _chat, "hold the conversation in the terminal, with the demo shop or with your own systems")
    _add_flows(chat)
    chat.add_argument(
        "--config",
        type=Path,
        metavar="DIR",
        help="directory of orderline.yaml: talk with the shop it configures, asking its real systems; "
        "what would change something is not sent (docs/shop-http.md)",
    )
    chat.add_argument("--really", action="store_true", help="with --config: send changes too, so give a test order")
    chat.set_defaults(usage_error=chat.error)
    chat.add_argument("--json", action="store_true", help="one JSON object a line, both ways (docs/flows.md)")
    chat.add_argument("--caller", type=_phone, metavar="NUMBER", help="the number the call comes from")
    chat.add_argument("--now", type=_time, metavar="TIME", help="time of the call, like 2026-11-23T10:00 (the present)")
    chat.add_argument("--entry", default="inbound", help="how the call comes in: one of the pack's entries (inbound)")

    flows = add("flows", _check, "check the procedures, show them, play the calls in text that test them")
    what = flows.add_subparsers(required=True, metavar="WHAT")

    def part(name: str, do: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = what.add_parser(name, help=text, description=text)
        command.set_defaults(do=do)
        return command

    check = part("check", _check, "find mistakes: 1 when there are any, 0 when there are none or only warnings")
    _add_flows(check)
    check.add_argument("--json", action="store_true", help="print one JSON object")

    show = part("show", _show, "draw a flow, as Mermaid text or as an SVG picture")
    show.add_argument("flow", nargs="?", metavar="FLOW", help="the flow's name")
    show.add_argument("--all", action="store_true", help="every flow, into the directory given with -o")
    _add_flows(show)
    show.add_argument("--format", choices=("mermaid", "svg"), default="", help="by the file's ending, or mermaid")
    show.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here (standard output)")
    show.set_defaults(usage_error=show.error)

    test = part("test", _test, "play calls in text and tell which steps none of them reached")
    test.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="calls in text, or directories of them (tests/flows)"
    )
    test.set_defaults(usage_error=test.error)
    _add_flows(test)

    hear = part("hear", _hear, "tell what sentences are taken for when they are said after the greeting")
    hear.add_argument("file", nargs="?", default="-", metavar="FILE", help="a file of sentences, one a line (-: typed)")
    hear.add_argument("--json", action="store_true", help="one JSON object a line (docs/flows.md)")
    _add_flows(hear)
    hear.add_argument("--config", type=Path, metavar="DIR", help="directory of orderline.yaml: its procedures, numbers")
    hear.add_argument("--recognizer", default="", metavar="NAME", help="with the thresholds of this recogniser")

    fit = part("fit", _fit, "fit the score of open requests from the pack's sentences, unless that was done before")
    _add_flows(fit)
    fit.add_argument("--formats", default="{}", metavar="JSON", help="number slot -> format, as in shop.number_formats")
    fit.add_argument("--into", type=Path, metavar="DIR", help="where fitted scores are kept")

    schema = part("schema", _schema, "print the JSON Schema with which editors complete and check the files")
    schema.add_argument("of", nargs="?", choices=("pack", "calls"), default="pack", help="pack files, or calls in text")
    schema.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it here (standard output)")

    understand = add("understand", _understand, "show how a spoken number is understood, as JSON")
    understand.add_argument(
        "--format", default="99999", help="9 a digit, A a letter, X either; - / . written; [..] optional; | or (99999)"
    )
    understand.add_argument("--check", default="", help="a rule the number must pass: luhn or uk_postcode")
    understand.add_argument("--known", default="", help="numbers that exist, separated by commas")
    understand.add_argument("--so-far", default="", help="what was said or keyed of the number before")
    understand.add_argument("text", help="what was said, a file of lines, or - for standard input")


def _add_flows(command: argparse.ArgumentParser) -> None:
    command.add_argument("--flows", type=Path, metavar="DIR", help="directory of a flow pack (the English one)")


def _phone(text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no phone number: digits, perhaps with a + before them")
    return text


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-11-23T10:00") from error


def _chat(options: argparse.Namespace) -> int:
    from agent.cli.chat import ChatOptions, chat_in_terminal

    how = ChatOptions(options.flows, options.json, options.caller or "", options.now, options.entry)
    if options.config is None:
        if options.really:
            options.usage_error("--really needs --config DIR: the demo shop of a chat is made for it alone")
        return chat_in_terminal(how)
    from agent.cli.configured_chat import chat_with_configured_shop
    from agent.common.privileges import drop_root_privileges
    from agent.config.loader import load_settings

    settings = load_settings(options.config)
    # what the agent cannot read shows here, and files of the demo shop stay the agent's
    drop_root_privileges(settings.state_directory)
    return chat_with_configured_shop(settings, how, really=options.really)


def _check(options: argparse.Namespace) -> int:
    from agent.cli.chat import check

    return check(options.flows, as_json=options.json)


def _show(options: argparse.Namespace) -> int:
    from agent.cli.chat import print_flow, write_flows

    if options.all == bool(options.flow):
        options.usage_error("name one FLOW, or --all")
    if not options.all:
        return print_flow(options.flows, options.flow, options.format, options.output)
    if options.output is None:
        options.usage_error("--all needs a directory: -o DIR")
    return write_flows(options.flows, options.format, options.output)


def _test(options: argparse.Namespace) -> int:
    from agent.cli.chat import run_text_calls

    files = options.files or [path for path in _CALLS_IN_TEXT if path.is_dir()][:1]
    if not files:
        options.usage_error("name the FILEs with calls in text")
    return run_text_calls(options.flows, files)


def _hear(options: argparse.Namespace) -> int:
    from agent.cli.hear import HearOptions, hear

    return hear(HearOptions(options.file, options.flows, options.config, options.recognizer, options.json))


def _fit(options: argparse.Namespace) -> int:
    from agent.cli.hear import fit

    return fit(options.flows, options.formats, options.into)


def _schema(options: argparse.Namespace) -> int:
    from agent.cli.chat import schema

    return schema(options.of, options.output)


def _understand(options: argparse.Namespace) -> int:
    from agent.cli.chat import print_number_readings
    from agent.dialog.numbers.format import NumberFormat

    known = [number for number in options.known.split(",") if number.strip()]
    return print_number_readings(NumberFormat(options.format, options.check), known, options.text, options.so_far)
