"""Prometheus metrics, counted from the call events and from the parts when asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from agent.telemetry.events import (
    AgentSaid,
    CallBegan,
    CallerSaid,
    CallFinished,
    CallRefused,
    ConsentAnswered,
    EffectEnded,
    HandedOver,
)
from agent.telemetry.published_event import PublishedEvent

_RESPONSE_BUCKETS = (0.1, 0.2, 0.3, 0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
_GREETING_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
_EFFECT_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
_DURATION_BUCKETS = (10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900)
_MOST_LABELS = 60
"""Different values one label may have; flow files are edited, and every new value is a new series for ever."""
_NOT_A_LABEL = re.compile(r"[^a-zA-Z0-9_.:-]")


class Metrics:
    """:meth:`count` subscribes to the event bus; :meth:`text` is the page that Prometheus reads."""

    def __init__(self, instance: int | None = None) -> None:
        """``instance`` is which of several instances on this machine counts; None for an agent alone."""
        self.registry = CollectorRegistry()
        self._seen: dict[str, set[str]] = {}
        self._known: set[str] = set()
        registry = self.registry
        self._calls = Counter("orderline_calls", "Calls that have ended", ("outcome",), registry=registry)
        self._live = Gauge("orderline_live_calls", "Calls that are going on", registry=registry)
        self._duration = Histogram(
            "orderline_call_seconds", "Answer to end", buckets=_DURATION_BUCKETS, registry=registry
        )
        self._greeting = Histogram(
            "orderline_greeting_seconds", "Answer to the greeting's first audio", buckets=_GREETING_BUCKETS,
            registry=registry,
        )  # fmt: skip
        self._response = Histogram(
            "orderline_response_seconds", "Caller's last voice or key to the agent's first audio",
            buckets=_RESPONSE_BUCKETS, registry=registry,
        )  # fmt: skip
        self._turns = Counter("orderline_turns", "Answers of callers", ("via",), registry=registry)
        self._second = Counter(
            "orderline_second_opinions", "Answers a second recogniser was asked about", ("result",), registry=registry
        )
        self._barge_ins = Counter("orderline_barge_ins", "Answers given over the agent's words", registry=registry)
        self._handovers = Counter("orderline_handovers", "Calls given to people", ("reason",), registry=registry)
        self._effects = Histogram(
            "orderline_effect_seconds", "Operations of the shop's systems", ("name", "code"),
            buckets=_EFFECT_BUCKETS, registry=registry,
        )  # fmt: skip
        self._faults = Counter("orderline_call_faults", "Calls that a fault of ours has ended", registry=registry)
        self._consent = Counter("orderline_consents", "Answers about recording", ("answer",), registry=registry)
        self._up = Gauge("orderline_dependency_up", "1 while it works, else 0", ("dependency",), registry=registry)
        self._outbox = Gauge("orderline_outbox_entries", "Deliveries by state", ("state",), registry=registry)
        self._waiting = Gauge(
            "orderline_records_waiting", "Records of calls that are not in the database yet", registry=registry
        )
        self._paused = Gauge("orderline_paused", "1 while no new calls are taken", registry=registry)
        self._overload = Counter("orderline_refused_calls", "Calls not taken", ("why",), registry=registry)
        if instance is not None:
            name = "orderline_agent_instance"
            Gauge(name, "1: which of several instances this page is of", ("number",), registry=registry).labels(
                str(instance)
            ).set(1)

    def count(self, published: PublishedEvent) -> None:
        """Count one event."""
        match published.event:
            case CallBegan(call_id=call_id):
                self._known.add(call_id)
                self._live.set(len(self._known))
            case CallFinished() as ended:
                self._known.discard(ended.call_id)
                self._live.set(len(self._known))
                self._ended(ended)
            case CallerSaid(via=via, barged_in=barged_in, second_opinion=second):
                if second:
                    self._second.labels(self._label("result", second)).inc()
                self._turns.labels("keypad" if via == "keypad" else "speech").inc()
                if barged_in:
                    self._barge_ins.inc()
            case AgentSaid(response_ms=response_ms):
                _observe(self._response, response_ms, 1000)
            case EffectEnded(name=name, code=code, ms=ms):
                _observe(self._effects.labels(self._label("name", name), self._label("code", code)), ms, 1000)
            case HandedOver(reason=reason):
                self._handovers.labels(self._label("reason", reason)).inc()
            case ConsentAnswered(answer=answer):
                self._consent.labels(self._label("answer", answer)).inc()
            case CallRefused(why=why):
                self._overload.labels(self._label("why", why)).inc()

    def _ended(self, ended: CallFinished) -> None:
        self._calls.labels(self._label("outcome", ended.outcome)).inc()
        _observe(self._duration, ended.duration_seconds, 1)
        if ended.ended_by == "fault":
            self._faults.inc()
        if ended.record is not None:
            _observe(self._greeting, ended.record.get("greeting_ms"), 1000)

    def text(self, status: Mapping[str, Any]) -> bytes:
        """The page; ``status`` is the agent's own (:func:`agent.telemetry.health.overall_status`)."""
        for name, state in status.get("dependencies", {}).items():
            if state.get("state") != "off":
                self._up.labels(name).set(1 if state.get("state") == "ok" else 0)
        for name, count in status.get("outbox", {}).items():
            self._outbox.labels(name).set(count)
        self._waiting.set(status.get("records_waiting", 0))
        self._paused.set(1 if status.get("paused") else 0)
        return generate_latest(self.registry)

    def _label(self, label: str, value: object) -> str:
        text = _NOT_A_LABEL.sub("_", str(value or "unknown"))[:60]
        seen = self._seen.setdefault(label, set())
        if text not in seen and len(seen) >= _MOST_LABELS:
            return "other"
        seen.add(text)
        return text


def _observe(series: Any, value: object, divisor: float) -> None:
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        series.observe(value / divisor)
