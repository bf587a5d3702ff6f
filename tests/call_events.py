"""Events of a call with usual values, for tests that care about one or two fields of them."""

from __future__ import annotations

from typing import Any

from agent.telemetry.events import AgentSaid, CallBegan, CallerSaid, CallFinished, CallingParty


def call_began(call_id: str = "call-1", number: str = "2025550143") -> CallBegan:
    return CallBegan(call_id, CallingParty(number, "Maria", "7000"), "7000", "inbound")


def agent_said(text: str = "Hello.", *, call_id: str = "call-1", response_ms: float | None = None) -> AgentSaid:
    return AgentSaid(
        call_id,
        text=text,
        prompts=("greeting",),
        flow="main",
        step="hello",
        understood="",
        response_ms=response_ms,
        spent_ms={},
    )


def caller_said(heard: str = "yes", *, slot: str = "", barged_in: bool = False, second_opinion: str = "") -> CallerSaid:
    return CallerSaid(
        "call-1",
        heard=heard,
        via="speech",
        confidence=0.9,
        barged_in=barged_in,
        slot=slot,
        second_opinion=second_opinion,
    )


def call_finished(call_id: str = "call-1", *, record: dict[str, Any] | None = None) -> CallFinished:
    return CallFinished(call_id, "handed_over", "handover", 25.0, record)
