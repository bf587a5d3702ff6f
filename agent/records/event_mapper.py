"""Maps call records and completed operations to outbox entries for the subscribed webhooks."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from agent.records.outbox_sql import NewOutboxEntry
from agent.records.redaction import redact_text
from agent.records.webhook_events import EVENTS, envelope

log = logging.getLogger(__name__)

_OF_OPERATION = {
    "tickets.create": "ticket.created",
    "returns.create": "return.created",
    "surveys.answer": "survey.answered",
}


@dataclass(frozen=True)
class WebhookSubscription:
    """What one webhook wants to hear."""

    name: str
    events: frozenset[str] = field(default_factory=lambda: frozenset(EVENTS))
    phone_numbers: bool = False
    """True lets it have the number a call came from."""


class WebhookEventMapper:
    """Makes the entries. The same happening always gives the same ids, so it is told once however often it is seen."""

    def __init__(self, subscriptions: Sequence[WebhookSubscription], wall: Callable[[], dt.datetime]) -> None:
        """``wall`` gives aware local time."""
        self._subscriptions = subscriptions
        self._wall = wall

    def events_of_record(self, record: Mapping[str, Any], over: bool) -> list[NewOutboxEntry]:
        """Return what a call's redacted record tells: when it begins, and when it is over."""
        call_id, started_at = str(record["id"]), str(record["started_at"])
        caller = record["caller"] if isinstance(record.get("caller"), Mapping) else {}
        number = {"caller_number": str(caller.get("number") or "") or None}
        dialled = {"dialled": str(caller.get("dialled") or "")}
        entries = self._entries(
            "call.started", call_id, "", started_at, {"started_at": started_at, **number, **dialled}
        )
        if not over:
            return entries
        ended_at = _later(started_at, record.get("duration_seconds"))
        handover = record.get("handover")
        if isinstance(handover, Mapping):
            facts = handover["facts"] if isinstance(handover.get("facts"), Mapping) else {}
            told = {name: handover.get(name) for name in ("reason", "queue", "priority", "summary")}
            told |= {"ticket": handover.get("ticket") or None, "order_number": _text(facts.get("order_number"))}
            told["verified"] = bool(facts.get("verified"))
            entries += self._entries("call.handed_over", call_id, "", ended_at, {**told, **number})
        slots = record["slots"] if isinstance(record.get("slots"), Mapping) else {}
        ended = {name: record.get(name) for name in ("started_at", "duration_seconds", "outcome", "ended_by", "faults")}
        ended |= {
            "order_number": _text(slots.get("order_number")),
            "turns": len(record.get("turns") or ()),
            "effects": [
                {"name": effect.get("name"), "code": effect.get("code"), "ms": effect.get("ms")}
                for effect in record.get("effects") or ()
            ],
        }
        ended |= _about(record)
        entries += self._outbound(record, call_id, ended_at, number)
        return entries + self._entries("call.ended", call_id, "", ended_at, {**ended, **number, **dialled})

    def _outbound(
        self, record: Mapping[str, Any], call_id: str, at: str, number: Mapping[str, Any]
    ) -> list[NewOutboxEntry]:
        """Return what a call that we placed, or that rang back, tells at its end."""
        part = record["outbound"] if isinstance(record.get("outbound"), Mapping) else {}
        purpose, job = str(record.get("purpose") or ""), str(record.get("job") or "")
        order = {"order_number": _text(part.get("order_number"))}
        entries: list[NewOutboxEntry] = []
        if part.get("opted_out"):
            told = {"scope": str(part["opted_out"]), "job": job, **number}
            entries += self._entries("outbound.opted_out", call_id, "", at, told)
        if part.get("scores") or part.get("comment"):
            told = {name: part.get(name) or None for name in ("scores", "comment", "recording", "partial")}
            entries += self._entries("survey.answered", call_id, "outbound", at, {**told, **order, "purpose": purpose})
        if part.get("outcome") and job:
            names = ("reached", "outcome", "rang_back", "appointment", "message_left", "case", "scores", "details")
            told = {name: part.get(name) or None for name in names} | {"purpose": purpose, "job": job}
            entries += self._entries("outbound.finished", call_id, "", at, {**told, **order})
        return entries

    def events_of_job(
        self, job: str, purpose: str, order_number: str, *, reason: str, attempts: int
    ) -> list[NewOutboxEntry]:
        """Return what a job tells that is over without a call that came to anything."""
        outcome = "not_reached" if attempts else "dropped"
        data = {"purpose": purpose, "job": job, "outcome": outcome, "reason": reason, "attempts": attempts}
        at = self._wall().isoformat(timespec="milliseconds")
        return self._entries("outbound.finished", "", job, at, {**data, "order_number": _text(order_number)})

    def events_of_operation(
        self, call_id: str, operation: str, arguments: Mapping[str, Any], result: Mapping[str, Any], key: str
    ) -> list[NewOutboxEntry]:
        """Return what a confirmed change tells; nothing for most of them."""
        event = _OF_OPERATION.get(operation)
        if event is None or not self._subscriptions:
            return []
        if event == "ticket.created":
            ticket = result["ticket"] if isinstance(result.get("ticket"), Mapping) else {}
            data: dict[str, Any] = {"ticket": _text(ticket.get("id")), "reason": _text(arguments.get("reason"))}
            data |= {"priority": arguments.get("priority") or 0, "verified": bool(arguments.get("verified"))}
            data["order_number"] = _text(arguments.get("order_number"))
        elif event == "return.created":
            data = dict(result["return"]) if isinstance(result.get("return"), Mapping) else {}
        else:
            data = {
                "order_number": _text(arguments.get("number")),
                "scores": arguments.get("scores") or {},
                "comment": redact_text(str(arguments["comment"])) if arguments.get("comment") else None,
            }
        return self._entries(event, call_id, key, self._wall().isoformat(timespec="milliseconds"), data)

    def _entries(self, event: str, call_id: str, key: str, at: str, data: Mapping[str, Any]) -> list[NewOutboxEntry]:
        event_id = "evt_" + hashlib.sha256(f"{event}\n{call_id}\n{key}".encode()).hexdigest()[:24]
        entries = []
        for wants in self._subscriptions:
            if event not in wants.events:
                continue
            seen = {
                name: value
                for name, value in data.items()
                if value is not None and (name != "caller_number" or wants.phone_numbers)
            }
            try:
                body = envelope(event, event_id, at, call_id, seen)
            except ValidationError as error:
                # a back office that answers nonsense must not cost the record; the log says what was lost
                where = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)]
                log.error("%s of call %s cannot be told to webhooks: %s", event, call_id, "; ".join(where))
                return []
            payload = {"hook": wants.name, "body": body}
            entries.append(
                NewOutboxEntry("webhook", f"{wants.name}:{event_id}", payload, call_id, f"webhook:{wants.name}")
            )
        return entries


def _about(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a call was about, as far as its record tells; records of older versions tell less."""
    names = ("edition", "direction", "purpose", "job")
    told: dict[str, Any] = {name: str(record[name]) for name in names if record.get(name)}
    told |= {name: _text(record.get(name)) for name in ("repeat_of", "continues")}
    told["requests"] = [
        {"intent": str(one.get("intent")), "result": str(one.get("result")), "about": one.get("about") or {}}
        for one in record.get("intents") or ()
        if isinstance(one, Mapping)
    ]
    told["facts"] = [
        {"operation": str(one.get("operation")), "name": str(one.get("name")), "value": one.get("value")}
        for one in record.get("facts") or ()
        if isinstance(one, Mapping)
    ]
    return told


def _later(started_at: str, seconds: object) -> str:
    moment = dt.datetime.fromisoformat(started_at)
    duration = dt.timedelta(seconds=float(seconds) if isinstance(seconds, int | float) else 0.0)
    return (moment + duration).isoformat(timespec="milliseconds")


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
