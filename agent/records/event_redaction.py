"""Redacts call events for readers of the live feed and for the list of active calls."""

from __future__ import annotations

from dataclasses import replace

from agent.records.redaction import redact_named_values, redact_text
from agent.telemetry.events import (
    AgentSaid,
    AnswerTaken,
    CallerSaid,
    CallEvent,
    CallFinished,
    CallRequest,
    EffectEnded,
    HandedOver,
)


def redact_event(event: CallEvent) -> CallEvent:
    """Return what a reader of the live feed sees of an event: no card numbers, no second facts, no whole record."""
    match event:
        case AgentSaid():
            return replace(event, text=_redacted(event.text), understood=_redacted(event.understood))
        case CallerSaid(heard=heard) if heard is not None:
            return replace(event, heard=redact_text(heard, slot=event.slot or ""))
        case AnswerTaken():
            return replace(event, understood=_redacted(event.understood))
        case CallRequest(about=about) if about is not None:
            return replace(event, about=redact_named_values(about))
        case EffectEnded(facts=facts) if facts is not None:
            return replace(event, facts=redact_named_values(facts))
        case HandedOver():
            return replace(event, summary=_redacted(event.summary))
        case CallFinished():
            return replace(event, record=None)
    return event


def _redacted(text: str | None) -> str | None:
    return None if text is None else redact_text(text, heard=False)
