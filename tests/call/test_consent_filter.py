"""After a refusal no word of the call is kept: not in the record, not in the live feed, not in the ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from agent.call.consent_filter import ConsentFilteredObserver, ConsentFilteredRecords, ConsentFilteredServices
from agent.call.records import Caller, CallRecord, TurnRecord

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

    def notify(self, event: str, call_id: str, data: Mapping[str, Any]) -> None:
        self.all.append((event, dict(data)))

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
    observer = ConsentFilteredObserver(kept, lambda: "refused")
    observer.notify("caller_said", "call-1", {"heard": SECRET, "via": "speech", "barged_in": True, "slot": "x"})
    observer.notify("agent_said", "call-1", {"text": SECRET, "response_ms": 210.0})
    observer.notify("handed_over", "call-1", dict(record().handover or {}))
    observer.notify("call_ended", "call-1", {"outcome": "handed_over", "record": asdict(record())})
    assert SECRET not in json.dumps(kept.all)
    assert "10473" not in json.dumps(kept.all)
    assert ("caller_said", {"via": "speech", "barged_in": True}) in kept.all
    assert ("agent_said", {"response_ms": 210.0}) in kept.all


async def test_a_ticket_after_a_refusal_carries_no_transcript() -> None:
    kept = RecordingSink()
    services = ConsentFilteredServices(kept, lambda: "refused")
    await services.perform("tickets.create", {"summary": "wants a return", "transcript": [SECRET], "page": SECRET}, "k")
    assert kept.all == [{"summary": "wants a return"}]
