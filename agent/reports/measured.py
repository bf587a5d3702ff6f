"""What the shop's own calls say about the agent, for the impact model: containment and handle times by request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.history.search import CallIndex
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
    count: n is then smaller. Raises what :class:`CallIndex` raises.
    """
    raise NotImplementedError
