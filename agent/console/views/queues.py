"""The staff queues as the settings have them, and whether they are open by their hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.call.queue_rules import queue_report
from agent.config.queues import WEEKDAYS, QueueSettings
from agent.console.views import formats, labels
from agent.console.views.labels import Label

_STANDINGS = {
    "open": Label("Open", labels.GOOD),
    "closed": Label("Closed", labels.WARN),
    "holiday": Label("Holiday", labels.WARN),
    "empty": Label("Nobody logged in", labels.BAD),
    "full": Label("Full", labels.BAD),
    "too_long": Label("Wait too long", labels.WARN),
}
_FIGURES = {
    "callers": "Callers waiting",
    "available": "Staff free",
    "logged_in": "Staff logged in",
    "wait_minutes": "Minutes to wait",
}


@dataclass(frozen=True)
class QueueView:
    """One queue."""

    name: str
    standing: Label
    figures: tuple[tuple[str, str, str], ...]
    """What Asterisk tells of it now: field, words, number."""
    opens: str
    hours: tuple[tuple[str, str], ...]
    """Weekday and windows; empty: always open."""
    holidays: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]
    problem: str


def queue_views(
    queues: Mapping[str, QueueSettings], now: dt.datetime, standings: Sequence[Mapping[str, Any]] = ()
) -> list[QueueView]:
    """Return the queues; ``standings`` are those an agent tells (``GET /queues``).

    Reads the files of holidays: call it off the event loop.
    """
    told = {str(one.get("name")): one for one in standings}
    return [_view(name, queue, now, told.get(name)) for name, queue in queues.items()]


def standing_label(word: str) -> Label:
    """Return how a queue stands in words."""
    return _STANDINGS.get(word) or Label(labels.humanise(word) or "Unknown")


def _figures(told: Mapping[str, Any] | None) -> tuple[tuple[str, str, str], ...]:
    if told is None or told.get("callers") is None:
        return ()
    return tuple((field, words, str(told.get(field, "–"))) for field, words in _FIGURES.items())


def _view(name: str, queue: QueueSettings, now: dt.datetime, told: Mapping[str, Any] | None) -> QueueView:
    problem, opens, standing, holidays = "", "", Label("Unknown"), tuple[str, ...]()
    try:
        rules = queue.rules(now.tzinfo or dt.UTC)
    except (OSError, ValueError) as error:
        problem = f"{error}"
    else:
        report = queue_report(rules, now, None)
        closed = report.standing in ("closed", "holiday")
        standing = standing_label(report.standing if closed else "open")
        opens = formats.iso(report.opens, now.tzinfo) if report.opens else ""
        holidays = tuple(formats.day(day) for day in sorted(rules.holidays) if day >= now.date())
    if told is not None and told.get("standing") not in (None, "unknown"):
        standing = standing_label(str(told["standing"]))
        opens = "" if told["standing"] == "open" else opens
    hours = queue.hours or {}
    limits = []
    if queue.max_wait_seconds:
        limits.append(("Longest wait", f"{queue.max_wait_seconds / 60:.0f} min, then a call back is offered"))
    if queue.max_callers:
        limits.append(("Most callers", f"{queue.max_callers} waiting, then a call back is offered"))
    return QueueView(
        name,
        standing,
        _figures(told),
        opens,
        tuple((labels.humanise(day), ", ".join(hours.get(day, ())) or "closed") for day in WEEKDAYS) if hours else (),
        holidays,
        tuple(limits),
        problem,
    )
