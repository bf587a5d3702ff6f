"""All reports by name, and the one function that makes them."""

from __future__ import annotations

import dataclasses
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.errors import OrderlineError
from agent.history.filters import CallFilter
from agent.history.search import CallIndex
from agent.reports import containment, dialogue, requests, satisfaction, times, volume
from agent.reports.counts import ReportRequest
from agent.reports.model import Report
from agent.reports.parts import Made
from agent.reports.periods import By, Period
from agent.reports.service_level import OUR_FORMULA


class NoSuchReport(OrderlineError):
    """There is no report of this name."""

    code = "settings"


@dataclass(frozen=True)
class ReportKind:
    """A report that can be made."""

    name: str
    title: str
    definition: str
    make: Callable[[ReportRequest], Made]
    direction: str = "inbound"
    """The direction of the calls it is about, where the filter names none."""


_ALL = (
    ReportKind(
        "volume",
        "Volume",
        "Calls that the agent took, by the moment they began. A call that comes back from the queue is a visit "
        "with a record of its own and counts again. Outcomes as in docs/records.md.",
        volume.volume,
    ),
    ReportKind(
        "asked",
        "What was asked for",
        "Calls in which a procedure was asked for, with what came of it; and requests, since a call may hold "
        "several. Shares are of all calls and may add up to more than 100 %.",
        requests.asked,
    ),
    ReportKind(
        "orders",
        "States of orders",
        "Calls in which an order or a delivery was looked up successfully, by the state that was found. A call "
        "that looked up orders in two states counts in both.",
        requests.orders,
    ),
    ReportKind(
        "returns",
        "Returns",
        "Calls in which a reason for a return was given, whether or not a return was made; and why returns were "
        "refused.",
        requests.returns,
    ),
    ReportKind(
        "promotions",
        "Promotions",
        "Calls in which a promotion was asked for or checked, by promotion; and why an offer did not count.",
        requests.promotions,
    ),
    ReportKind(
        "contained",
        "Containment",
        "Contained: the call ended without a person wanted or reached, of all calls the agent took; callers who "
        "gave up and hung up are among them. Truly contained, what the agent did to the end: every request came to its "
        "end (those the caller dropped aside), and the same number did not call again on the same matter (the same "
        "procedure or order) within 24 hours, or 7 days; of the calls with a number. Intervals are Wilson's, 95 %.",
        containment.contained,
    ),
    ReportKind(
        "transfers",
        "Transfers",
        "Calls that were handed over to people, by reason, of all calls the agent took; and how the queue was then.",
        containment.transfers,
    ),
    ReportKind(
        "time",
        "Handle time",
        "From the answer to the end of the call for the agent. The median stands beside the mean: a few long "
        "calls move the mean. Never to be mixed with the handle time of people.",
        times.time,
    ),
    ReportKind(
        "waiting",
        "Waiting and service level",
        "How long callers who were handed over waited in the staff queue, by how that ended. Service level: "
        f"{OUR_FORMULA}, with {times.SERVICE_SECONDS} s. Whoever hangs up within {times.SHORT_SECONDS} s is "
        "not counted as abandoned.",
        times.waiting,
    ),
    ReportKind(
        "score",
        "Satisfaction",
        "CSAT: answers 4 and 5, of all answers from 1 to 5, with Wilson's 95 % interval. The response rate says "
        "how far the answers stand for all callers.",
        satisfaction.score,
    ),
    ReportKind(
        "dropoff",
        "Drop-off",
        "For each step of each edition of the procedures: calls that came to it, and how many left there. A call "
        "counts once for a step, however often it came there.",
        dialogue.dropoff,
    ),
    ReportKind(
        "nomatch",
        "Not understood, by question",
        "Answers that were not understood, and silence where an answer was expected, of all answers listened for; "
        "by what was asked for. Intervals are Wilson's, 95 %.",
        dialogue.nomatch,
    ),
    ReportKind(
        "latency",
        "Response times",
        "Response: from the caller's last word or key to the first sound of the answer, each one counted. "
        "Greeting: from the answer of the call to the first sound. Percentiles, no means.",
        times.latency,
    ),
    ReportKind(
        "misheard",
        "What was not understood",
        "The caller's words, as they were recognised, that no question took; without capitals and signs, numbers "
        "as #. The same words stand together. Words that have expired are gone.",
        dialogue.misheard,
    ),
    ReportKind(
        "outbound",
        "Outbound calls",
        "Calls that the agent placed and that came to a conversation, by purpose and outcome.",
        volume.outbound,
        "outbound",
    ),
)

REPORTS: Mapping[str, ReportKind] = {kind.name: kind for kind in _ALL}
"""Every report by its name, in the order of the list."""


def build_report(
    name: str,
    source: CallIndex,
    period: Period,
    by: By | None = None,
    filters: CallFilter | None = None,
    *,
    now_ms: int | None = None,
) -> Report:
    """Make a report. Blocks: call it off the event loop, inside ``history.told()``.

    ``source`` is ``history.index``. ``filters`` says which calls count besides the period (its own times are not
    used); where it names no direction, only calls of the report's own direction do. ``now_ms`` is when it is made
    (milliseconds since 1970; the clock). Raises :class:`NoSuchReport`,
    :class:`agent.reports.periods.InvalidPeriod` and what :class:`agent.history.search.CallIndex` raises.
    """
    kind = REPORTS.get(name)
    if kind is None:
        raise NoSuchReport(f"There is no report {name!r}, but {', '.join(REPORTS)}.")
    wanted = filters or CallFilter()
    values = {"direction": (kind.direction,), **wanted.values}
    wanted = dataclasses.replace(wanted, since_ms=period.since_ms, until_ms=period.until_ms, values=values)
    now = round(clock.time() * 1000) if now_ms is None else now_ms
    made = kind.make(ReportRequest(source, period, by, wanted, now))
    return Report(
        name=name,
        title=kind.title,
        definition=kind.definition,
        period=period,
        by=by,
        filter=wanted,
        n=made.n,
        tables=made.tables,
        charts=made.charts,
        notes=made.notes,
        figures=made.figures,
    )
