"""Calls that go on, and the nodes they are on, as pages print them. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.console.views import formats, labels
from agent.console.views.labels import Label

MOST_LINES = 400


@dataclass(frozen=True)
class LiveLine:
    """Something that was said."""

    who: str
    """``agent`` or ``caller``."""
    text: str


@dataclass(frozen=True)
class LiveCallView:
    """One call as it is now."""

    id: str
    caller: str
    caller_name: str
    since: str
    doing: str
    doing_class: str
    where: str
    lines: tuple[LiveLine, ...]


@dataclass(frozen=True)
class DependencyRow:
    """Something an agent needs."""

    name: str
    state: Label
    detail: str


@dataclass(frozen=True)
class NodeView:
    """One agent."""

    name: str
    state: Label
    problem: str
    """Why it does not answer, with what to do; ``""`` where it does."""
    feed: Label
    paused: str
    """Since when and by whom; ``""`` where it takes calls."""
    version: str
    live_calls: int | None
    edition: str
    edition_since: str
    refused: tuple[str, ...]
    """Why the last edit of the procedures is not in force."""
    warnings: tuple[str, ...]
    dependencies: tuple[DependencyRow, ...]
    waiting: int
    """Deliveries on their way."""
    dead: int
    """Deliveries that were given up."""
    turned_away: tuple[tuple[str, str], ...]


def live_calls(calls: Sequence[Mapping[str, Any]], now: dt.datetime) -> tuple[LiveCallView, ...]:
    """Return the calls of a snapshot (:meth:`agent.console.live.LiveHub.snapshot`)."""
    return tuple(_live_call(call, now) for call in calls)


def _live_call(call: Mapping[str, Any], now: dt.datetime) -> LiveCallView:
    said = {"agent_said": ("agent", "text"), "caller_said": ("caller", "heard")}
    lines = [
        LiveLine(said[event["event"]][0], str(text))
        for event in call.get("events", ())
        if event.get("event") in said and (text := event["data"].get(said[event["event"]][1]))
    ]
    doing = str(call.get("doing") or "answering")
    return LiveCallView(
        id=str(call["call_id"]),
        caller=formats.phone(str(call.get("caller") or "")) or "Hidden number",
        caller_name=str(call.get("caller_name") or ""),
        since=_since(str(call.get("started_at") or ""), now),
        doing=labels.word_for("doing", doing),
        doing_class=doing,
        where=".".join(filter(None, (str(call.get("flow") or ""), str(call.get("step") or "")))),
        lines=tuple(lines[-MOST_LINES:]),
    )


def _since(started_at: str, now: dt.datetime) -> str:
    try:
        return formats.span((now - dt.datetime.fromisoformat(started_at)).total_seconds())
    except (ValueError, TypeError):
        return ""


def node_views(health: Mapping[str, Any], zone: dt.tzinfo | None) -> tuple[NodeView, ...]:
    """Return the nodes of the health (:func:`agent.console.api.actions.health_of`)."""
    return tuple(_node(node, zone) for node in health["nodes"])


def _node(node: Mapping[str, Any], zone: dt.tzinfo | None) -> NodeView:
    answered = node["status"] is not None
    status: Mapping[str, Any] = node["status"] or {}
    procedures, outbox = _mapping(status.get("procedures")), _mapping(status.get("outbox"))
    paused = _mapping(status.get("paused"))
    feed = node["feed"]
    problem = (
        "" if answered else f"{node['problem']} Calls go to the queue while it is gone. See: systemctl status orderline"
    )
    return NodeView(
        name=str(node["name"]),
        state=labels.state(str(status.get("state") or "")) if answered else Label("Does not answer", labels.BAD),
        problem=problem,
        feed=_feed(feed),
        paused=_paused(paused, zone),
        version=str(status.get("version") or ""),
        live_calls=status.get("live_calls"),
        edition=str(procedures.get("edition") or ""),
        edition_since=formats.iso(str(procedures.get("since") or ""), zone),
        refused=tuple(map(str, procedures.get("refused") or ())),
        warnings=tuple(map(str, procedures.get("warnings") or ())),
        dependencies=tuple(
            DependencyRow(
                _dependency_name(str(name)), labels.state(str(told.get("state"))), str(told.get("detail") or "")
            )
            for name, told in _mapping(status.get("dependencies")).items()
        ),
        waiting=int(outbox.get("waiting") or 0),
        dead=int(outbox.get("dead") or 0),
        turned_away=tuple(
            (f"Turned away, {labels.humanise(str(why)).lower()}", str(number))
            for why, number in _mapping(status.get("turned_away")).items()
            if number
        ),
    )


def _feed(feed: Mapping[str, Any]) -> Label:
    if feed.get("state") == "connected":
        return Label("Words arrive", labels.GOOD)
    return Label("No words arrive", labels.BAD) if feed.get("state") == "away" else Label("Connecting", labels.WARN)


def _paused(paused: Mapping[str, Any], zone: dt.tzinfo | None) -> str:
    if not paused:
        return ""
    by = f", by {paused['by']}" if paused.get("by") else ""
    return f"since {formats.iso(str(paused.get('since') or ''), zone)}{by}"


def _dependency_name(name: str) -> str:
    known = {"ami": "Manager interface", "postgresql": "PostgreSQL", "redis": "Redis", "asterisk": "Asterisk"}
    if name.startswith("shop:"):
        return f"Shop: {labels.humanise(name.removeprefix('shop:')).lower()}"
    return known.get(name) or labels.humanise(name)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
