"""What the shop's own calls say about the agent, for the impact model: containment and handle times by request."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from dataclasses import dataclass

from agent.history.filters import CallFilter
from agent.history.report_facts import parted
from agent.history.search import CallIndex
from agent.history.sums import REPEAT_WINDOWS
from agent.reports.containment import KINDS, closed_until, true_containment
from agent.reports.counts import Counts, ReportRequest
from agent.reports.intervals import wilson
from agent.reports.percentiles import Bins, percentile
from agent.reports.periods import Period


@dataclass(frozen=True)
class MeasuredShare:
    """A share with what it stands on."""

    part: int
    of: int
    low: float
    """The 95 % interval (Wilson)."""
    high: float

    @property
    def share(self) -> float:
        """0..1."""
        return self.part / self.of


@dataclass(frozen=True)
class MeasuredTime:
    """Times of calls, from the answer to the end for the agent; in seconds."""

    n: int
    mean: float
    median: float


@dataclass(frozen=True)
class MeasuredIntent:
    """What is known of the calls in which one procedure was asked for."""

    intent: str
    calls: int
    contained: MeasuredShare | None
    """Ended without a person wanted or reached; None without calls."""
    true_24h: MeasuredShare | None
    """Its task done, and no other call on the same matter from the same number within 24 hours."""
    true_7d: MeasuredShare | None
    agent_seconds: MeasuredTime | None


@dataclass(frozen=True)
class MeasuredFacts:
    """What a period says: of all calls together, and by what was asked for."""

    n: int
    """Inbound calls that the agent took."""
    overall: MeasuredIntent
    """Of all calls; its ``intent`` is ``""``."""
    by_intent: Mapping[str, MeasuredIntent]
    """Procedure -> its calls, the most frequent first. A call that asked for two counts in both."""


def measured_facts(source: CallIndex, period: Period, *, now_ms: int | None = None) -> MeasuredFacts:
    """Return what inbound calls of a period say. Blocks: call it off the event loop.

    ``source`` is ``history.index``. Windows of 24 hours and 7 days that are still open at ``now_ms`` (the clock) do not
    count: n is then smaller. Raises what :class:`agent.history.search.CallIndex` raises.
    """
    now = round(clock.time() * 1000) if now_ms is None else now_ms
    wanted = CallFilter(period.since_ms, period.until_ms, {"direction": ("inbound",)})
    request = ReportRequest(source, period, None, wanted, now)
    counts = request.counts((*KINDS, "length_bin", "length_ms", "length_bin_asked", "length_ms_asked"))
    closed = {window: request.counts(KINDS, until_ms=closed_until(now, ms)) for window, ms in REPEAT_WINDOWS.items()}
    by_intent: dict[str, dict[int, int]] = {}
    for pair, amount in counts.of("length_bin_asked").items():
        intent, edge = parted(pair)
        by_intent.setdefault(intent, {})[int(edge)] = amount
    overall = _measured("", counts, closed, counts.bins("length_bin"))
    of_intents = {one: _measured(one, counts, closed, by_intent.get(one, {})) for one in counts.of("asked")}
    return MeasuredFacts(counts.n, overall, of_intents)


def _measured(intent: str, counts: Counts, closed: Mapping[str, Counts], bins: Bins) -> MeasuredIntent:
    calls = counts.amount("asked", intent) if intent else counts.n
    part = counts.amount("contained_asked", intent) if intent else counts.amount("contained", "yes")
    total = counts.amount("length_ms_asked", intent) if intent else counts.amount("length_ms")
    median, n = percentile(bins, 0.5), sum(bins.values())
    true = {window: _share(*true_containment(one, window, intent)) for window, one in closed.items()}
    return MeasuredIntent(
        intent=intent,
        calls=calls,
        contained=_share(part, calls),
        true_24h=true["24h"],
        true_7d=true["7d"],
        agent_seconds=None if median is None else MeasuredTime(n, total / n / 1000, median / 1000),
    )


def _share(part: int, of: int) -> MeasuredShare | None:
    interval = wilson(part, of)
    return None if interval is None else MeasuredShare(part, of, *interval)
