"""The options that say which finished calls are meant: of ``orderline calls`` and ``orderline report``."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING

from agent.errors import OrderlineError

if TYPE_CHECKING:
    from agent.config.settings import Settings
    from agent.history.filters import Bounds, CallFilter

VALUE_OPTIONS = (
    ("outcome", "how it ended: answered, handed_over, caller_hung_up, ..."),
    ("ended_by", "agent, caller, handover, supervisor or fault"),
    ("asked", "a procedure that was asked for: returns"),
    ("result", "what came of a request: returns=answered"),
    ("step", "a step that the call came to: returns.sure, or returns.*"),
    ("reason", "why it was handed over"),
    ("queue", "the staff queue"),
    ("edition", "the edition of the procedures"),
    ("fact", "a fact of an operation: orders.verify.status=delayed"),
    ("direction", "inbound or outbound"),
    ("purpose", "of an outbound call"),
    ("contained", "yes or no: no person was wanted or reached"),
    ("solved", "yes: contained, and what was asked for was done"),
    ("number", "shown or withheld"),
    ("status", "a state of an order that was looked up"),
    ("return_reason", "why something was to be returned"),
    ("promotion", "a promotion that was asked for"),
    ("standing", "how the staff queue was at the hand-over: open, closed, ..."),
    ("wait_ended", "how the wait in the queue ended: answered, hung_up, timed_out, left"),
    ("left", "how a step was left: returns.sure=hung_up, =no_match, =no_input, =person"),
    ("survey", "asked or answered"),
    ("listened", "a slot that was asked for"),
    ("no_match", "a slot of which an answer was not understood"),
    ("no_input", "a slot of which no answer came"),
)


class InvalidCallsOption(OrderlineError):
    """An option of ``orderline calls`` cannot be understood."""

    code = "settings"


def add_filter_options(command: argparse.ArgumentParser) -> None:
    """Add the options that say which calls are meant, and when."""
    when = command.add_argument_group("when (the shop's time)")
    when.add_argument("--from", dest="since", metavar="TIME", help="2026-11-01 or 2026-11-01T14:30")
    when.add_argument("--to", dest="until", metavar="TIME", help="a day is meant with all of it")
    what = command.add_argument_group("what (an option may be given several times: one of its values must be true)")
    for name, text in VALUE_OPTIONS:
        what.add_argument(f"--{name.replace('_', '-')}", action="append", default=[], metavar="VALUE", help=text)
    what.add_argument(
        "--fault", action="append", nargs="?", const="any", default=[], metavar="TEXT", help="a fault; part of its text"
    )
    what.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="KIND=VALUE",
        help="and one of these: asked=returns|refunds",
    )
    what.add_argument("--order", default="", metavar="NUMBER")
    what.add_argument("--caller", default="", metavar="NUMBER", help="or how it ends")
    measures = command.add_argument_group("how it was")
    measures.add_argument("--length", type=_span, metavar="SECONDS", help="from-to: 60-120, 300- or -10")
    measures.add_argument("--score", type=_span, metavar="SCORE", help="what the caller gave the call: 1-2 or 5")
    measures.add_argument("--latency", type=_span, metavar="MS", help="of the slowest response: 1500-")
    measures.add_argument("--wait", type=_span, metavar="SECONDS", help="in the staff queue")
    measures.add_argument("--greeting", type=_span, metavar="MS", help="from the answer to the first words")
    measures.add_argument(
        "--again",
        type=_span,
        metavar="HOURS",
        help="until the same number called again on the same matter; 24-",
    )
    words = command.add_argument_group('words (all of them; "in a row"; the beginning of one*)')
    words.add_argument("--said", default="", metavar="WORDS", help="by either side")
    words.add_argument("--misheard", default="", metavar="WORDS", help="a whole answer that was not understood")
    words.add_argument("--caller-said", default="", metavar="WORDS")
    words.add_argument("--agent-said", default="", metavar="WORDS")


def _span(text: str) -> tuple[float | None, float | None]:
    least, dash, most = text.partition("-")
    try:
        span = (float(least) if least else None, float(most) if most else None)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM-TO") from error
    if span == (None, None):
        raise argparse.ArgumentTypeError("give FROM-TO, FROM- or -TO")
    return span if dash else (span[0], span[0])


def call_filter(options: argparse.Namespace, settings: Settings) -> CallFilter:
    """Return what the options say. Raises :class:`InvalidCallsOption`."""
    from agent.history.filter_text import read_also
    from agent.history.filters import CallFilter
    from agent.history.sums import HOUR_MS

    values: dict[str, tuple[str, ...]] = {name: tuple(getattr(options, name)) for name, _ in VALUE_OPTIONS}
    values["fault"] = tuple(
        text if text == "any" or "*" in text or text.startswith("=") else f"*{text}*" for text in options.fault
    )
    return CallFilter(
        since_ms=local_ms(options.since, settings, end=False),
        until_ms=local_ms(options.until, settings, end=True),
        values={kind: wanted for kind, wanted in values.items() if wanted},
        also=tuple(read_also(text) for text in options.also),
        order=options.order,
        caller=options.caller,
        length_ms=_whole_span(options.length, 1000),
        score=_whole_span(options.score, 1),
        latency_ms=_whole_span(options.latency, 1),
        wait_ms=_whole_span(options.wait, 1000),
        greeting_ms=_whole_span(options.greeting, 1),
        again_ms=_whole_span(options.again, HOUR_MS),
        misheard=options.misheard,
        said=options.said,
        caller_said=options.caller_said,
        agent_said=options.agent_said,
    )


def _whole_span(span: tuple[float | None, float | None] | None, factor: int) -> Bounds:
    from agent.history.filters import ANY, Bounds

    if span is None:
        return ANY
    least, most = (None if edge is None else round(edge * factor) for edge in span)
    return Bounds(least, most)


def local_ms(text: str | None, settings: Settings, *, end: bool) -> int | None:
    """Return a time of the shop in milliseconds since 1970; of a day its begin, or its ``end``."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidCallsOption(f"{text!r} is no time: write 2026-11-01 or 2026-11-01T14:30") from error
    if end and len(text) <= len("2026-11-01"):
        moment += dt.timedelta(days=1)
    if moment.tzinfo is None:
        from agent.config.timezone import local_moment

        moment = local_moment(moment, settings.shop.timezone)
    return int(moment.timestamp() * 1000)
