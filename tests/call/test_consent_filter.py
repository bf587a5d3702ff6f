"""After a refusal no word of the call is kept: not in the record, not in the live feed, not in the ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agent.call.consent_filter import ConsentFilteredEvents, ConsentFilteredRecords, ConsentFilteredServices
from agent.call.records import Caller, CallRecord, TurnRecord
from agent.telemetry.events import AgentSaid, CallerSaid, CallEvent, CallFinished, HandedOver, ListeningStarted

SECRET = "my number is one oh four seven three"


def record() -> CallRecord:
    return CallRecord(
        id="call-1",
        caller=Caller("2025550143", "Maria", "2025550100"),
        started_at="2026-11-24T10:00:00+00:00",
        outcome="handed_over",
        ended_by="handover",
        duration_seconds=31.5,
        turns=[TurnRecord(0.1, "What is your order number?", heard=SECRET)],
        effects=[{"name": "orders.find", "code": "ok", "ms": 3.0}],
        handover={"reason": "caller_asked", "ticket": "T-1", "summary": SECRET, "facts": {"order_number": "10473"}},
        slots={"order_number": "10473"},
    )


class RecordingSink:
    """Keeps everything that reaches it."""

    def __init__(self) -> None:
        self.all: list[Any] = []

    async def begin(self, record: CallRecord) -> None:
        self.all.append(record)

    async def write(self, record: CallRecord) -> None:
        self.all.append(record)

    def publish(self, event: CallEvent) -> None:
        self.all.append((event.event, event.data()))

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        self.all.append(dict(arguments))
        return {}


async def test_the_record_of_a_refused_call_says_how_it_went_and_no_more() -> None:
    kept = RecordingSink()
    await ConsentFilteredRecords(kept, lambda: "refused").write(record())
    (written,) = kept.all
    assert (written.outcome, written.duration_seconds, written.consent) == ("handed_over", 31.5, "refused")
    assert written.effects
    assert written.handover == {"reason": "caller_asked", "ticket": "T-1"}
    text = json.dumps(asdict(written))
    for private in ("10473", SECRET, "2025550143", "Maria", "order number"):
        assert private not in text


async def test_with_consent_everything_is_kept_and_the_answer_noted() -> None:
    kept = RecordingSink()
    await ConsentFilteredRecords(kept, lambda: "given").write(record())
    assert kept.all[0].consent == "given"
    assert kept.all[0].turns


def test_no_words_of_a_refused_call_reach_the_live_feed() -> None:
    kept = RecordingSink()
    events = ConsentFilteredEvents(kept, lambda: "refused")
    events.publish(ListeningStarted("call-1", slot=SECRET))
    events.publish(CallerSaid("call-1", heard=SECRET, via="speech", confidence=0.9, barged_in=True, slot="x"))
    events.publish(
        AgentSaid(
            "call-1",
            text=SECRET,
            prompts=(SECRET,),
            flow=SECRET,
            step=SECRET,
            understood=SECRET,
            response_ms=210.0,
            spent_ms={SECRET: 1.0},
        )
    )
    facts = {"order_number": "10473"}
    events.publish(HandedOver("call-1", "caller_asked", "returns", 5, summary=SECRET, ticket="T-1", facts=facts))
    events.publish(
        CallFinished("call-1", "handed_over", "handover", 31.5, record={**asdict(record()), "greeting_ms": 9})
    )
    assert SECRET not in json.dumps(kept.all)
    assert "10473" not in json.dumps(kept.all)
    said = {"via": "speech", "barged_in": True, "second_opinion": "", "heard_by": ""}
    assert ("caller_said", said) in kept.all
    assert ("agent_said", {"response_ms": 210.0}) in kept.all
    assert ("listening", {}) in kept.all
    handed_over = {"reason": "caller_asked", "queue": "returns", "priority": 5, "ticket": "T-1"}
    assert ("handed_over", handed_over) in kept.all
    name, ended = kept.all[-1]
    assert (name, ended["outcome"], ended["record"]) == (
        "call_ended",
        "handed_over",
        {"greeting_ms": 9, "consent": "refused"},
    )


async def test_a_ticket_after_a_refusal_carries_no_transcript() -> None:
    kept = RecordingSink()
    services = ConsentFilteredServices(kept, lambda: "refused")
    await services.perform("tickets.create", {"summary": "wants a return", "transcript": [SECRET], "page": SECRET}, "k")
    assert kept.all == [{"summary": "wants a return"}]
