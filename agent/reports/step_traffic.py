"""How many calls came to each step of the procedures, and how many of them went no further: for the map."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.history.filters import CallFilter
from agent.history.search import CallIndex
from agent.reports.counts import ReportRequest
from agent.reports.periods import Period


@dataclass(frozen=True)
class StepTraffic:
    """Calls at one step that says or asks something."""

    came: int
    left: Mapping[str, int] = field(default_factory=dict)
    """How -> calls that ended or left here: ``hung_up``, ``no_match``, ``no_input``, ``person``, ``taken_over``,
    ``fault``."""


def step_traffic(source: CallIndex, period: Period) -> dict[str, StepTraffic]:
    """Return ``procedure.step`` -> its calls of a period, in all editions together.

    Blocks: call it off the event loop, inside ``history.told()``. Raises what :class:`CallIndex` raises.
    """
    wanted = CallFilter(since_ms=period.since_ms, until_ms=period.until_ms)
    counts = ReportRequest(source, period, None, wanted, period.until_ms).counts(("step", "left"))
    left: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for value, calls in counts.of("left").items():
        step, _, way = value.rpartition("=")
        left[step][way] += calls
    return {step: StepTraffic(came, dict(left[step])) for step, came in counts.of("step").items()}
