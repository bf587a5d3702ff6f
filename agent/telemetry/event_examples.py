"""An example of each event of the live feed, for docs/events.md."""

from __future__ import annotations

from agent.telemetry.events import (
    AgentSaid,
    AnswerTaken,
    CallBegan,
    CalleeOptedOut,
    CallerSaid,
    CallEvent,
    CallFinished,
    CallingParty,
    CallRefused,
    CallRepeats,
    CallRequest,
    CallResumed,
    CallStep,
    ConsentAnswered,
    EffectEnded,
    EffectStarted,
    HandedOver,
    HoldOver,
    HoldStarted,
    ListeningStarted,
    OutboundFinished,
    QueueChecked,
    QueueWaitEnded,
    TakenOver,
)

_ID = "1764057600.12"
EXAMPLES: tuple[CallEvent, ...] = (
    CallRefused("1764057581.9", why="paused"),
    CallBegan(
        _ID, CallingParty("2025550143", "Maria", "7000"), dialled="7000", entry="inbound", edition="3f9a0c52d1b7e684"
    ),
    CallResumed(
        _ID,
        edition="3f9a0c52d1b7e684",
        steps=1,
        requests=0,
        trail=(
            {
                "flow": "main",
                "step": "request",
                "kind": "collect",
                "at_seconds": 0.0,
                "way": "",
                "left_at_seconds": None,
            },
        ),
    ),
    CallRepeats(_ID, of="1764051201.7"),
    ConsentAnswered(_ID, answer="announced"),
    CallRequest(_ID, index=0, intent="returns", result="", about={"reason": "too_small"}, at_seconds=6.114),
    CallStep(
        _ID,
        index=14,
        flow="returns",
        step="sure",
        kind="collect",
        way="answered",
        at_seconds=31.52,
        left_at_seconds=34.907,
    ),
    AgentSaid(
        _ID,
        text="Please give me your order number.",
        prompts=("ask_order_number",),
        flow="order_status",
        step="ask_number",
        understood="request=order_status",
        response_ms=412.5,
        spent_ms={"wait": 300.0, "recognition": 41.2, "rules": 3.1, "look_up": 0.0, "voice": 68.2},
    ),
    ListeningStarted(_ID, slot="order_number"),
    CallerSaid(
        _ID,
        heard="one oh four seven three",
        via="speech",
        confidence=0.94,
        barged_in=False,
        slot="order_number",
    ),
    AnswerTaken(
        _ID, slot="order_number", understood="order_number=10473", result="understood", decision="", candidates=()
    ),
    EffectStarted(_ID, name="orders.verify"),
    EffectEnded(_ID, name="orders.verify", code="ok", ms=37.4, facts={"order.status": "shipped"}),
    HoldStarted(_ID, patience_seconds=300.0),
    HoldOver(_ID, held_seconds=41.7),
    QueueChecked(_ID, standing="open", wait_minutes=2, opens=""),
    HandedOver(
        _ID,
        reason="caller_asked",
        queue="support",
        priority=0,
        summary="Asked where order 10473 is; it is on its way. Wants a person.",
        ticket="T-1042",
        facts={"order_number": "10473", "verified": True},
    ),
    TakenOver(_ID, by="201"),
    CalleeOptedOut(_ID, scope="all"),
    OutboundFinished(
        _ID,
        purpose="survey",
        job="survey:10473",
        reached="right_person",
        outcome="partial",
        scores={"csat": 4},
        partial=True,
    ),
    CallFinished(_ID, outcome="handed_over", ended_by="handover", duration_seconds=48.213, record=None),
    QueueWaitEnded(_ID, waited_seconds=74.0, ended="answered"),
)
"""One of each kind, in the order of the registry."""
