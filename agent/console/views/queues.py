"""The staff queues as the settings have them, and whether they are open by their hours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from agent.call.queue_rules import queue_report
from agent.config.queues import WEEKDAYS, QueueSettings
from agent.console.views import formats, labels
from agent.console.views.labels import Label


@dataclass(frozen=True)
class QueueView:
    """One queue."""

    name: str
    standing: Label
    opens: str
    hours: tuple[tuple[str, str], ...]
    """Weekday and windows; empty: always open."""
    holidays: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]
    problem: str


def queue_views(queues: Mapping[str, QueueSettings], now: dt.datetime) -> list[QueueView]:
    """Return the queues. Reads the files of holidays: call it off the event loop."""
    return [_view(name, queue, now) for name, queue in queues.items()]


def _view(name: str, queue: QueueSettings, now: dt.datetime) -> QueueView:
    problem, opens, standing, holidays = "", "", Label("Unknown"), tuple[str, ...]()
    try:
        rules = queue.rules(now.tzinfo or dt.UTC)
    except (OSError, ValueError) as error:
        problem = f"{error}"
    else:
        report = queue_report(rules, now, None)
        closed = report.standing in ("closed", "holiday")
        standing = Label(labels.humanise(report.standing), labels.WARN) if closed else Label("Open", labels.GOOD)
        opens = formats.iso(report.opens, now.tzinfo) if report.opens else ""
        holidays = tuple(formats.day(day) for day in sorted(rules.holidays) if day >= now.date())
    hours = queue.hours or {}
    limits = []
    if queue.max_wait_seconds:
        limits.append(("Longest wait", f"{queue.max_wait_seconds / 60:.0f} min, then a call back is offered"))
    if queue.max_callers:
        limits.append(("Most callers", f"{queue.max_callers} waiting, then a call back is offered"))
    return QueueView(
        name,
        standing,
        opens,
        tuple((labels.humanise(day), ", ".join(hours.get(day, ())) or "closed") for day in WEEKDAYS) if hours else (),
        holidays,
        tuple(limits),
        problem,
    )
