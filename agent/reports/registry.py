"""All reports by name, and the one function that makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.errors import OrderlineError
from agent.history.filters import CallFilter
from agent.history.search import CallIndex
from agent.reports.model import Report
from agent.reports.periods import By, Period


class NoSuchReport(OrderlineError):
    """There is no report of this name."""

    code = "settings"


@dataclass(frozen=True)
class ReportKind:
    """A report that can be made."""

    name: str
    title: str
    definition: str
    make: Callable[..., Report]


REPORTS: Mapping[str, ReportKind] = {}


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
    used); calls of both directions count only where it names a direction, else inbound ones do. ``now_ms`` is when
    it is made (milliseconds since 1970; the clock). Raises :class:`NoSuchReport`,
    :class:`agent.reports.periods.InvalidPeriod` and what :class:`CallIndex` raises.
    """
    raise NoSuchReport(f"There is no report {name!r}.")
