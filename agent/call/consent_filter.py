"""Filters records, events and tickets of a call whose caller has refused to be recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agent.call.ports import CallRecordWriter, Services
from agent.call.records import Caller, CallRecord
from agent.telemetry.events import CallEvent, CallFinished, EventPublisher

REFUSED = "refused"
_TRANSCRIPT_ARGUMENTS = ("transcript", "page")


class ConsentFilteredRecords:
    """A :class:`agent.call.ports.CallRecordWriter` for one call; ``answer()`` is what was said about recording."""

    def __init__(self, records: CallRecordWriter, answer: Callable[[], str]) -> None:
        self._records = records
        self._answer = answer

    async def begin(self, record: CallRecord) -> str:
        """Pass it on: nothing has been said yet."""
        return await self._records.begin(record)

    async def write(self, record: CallRecord) -> None:
        """Write the record with the caller's answer in it; after a refusal, the outcome alone."""
        record.consent = self._answer()
        await self._records.write(outcome_only(record) if record.consent == REFUSED else record)


class ConsentFilteredEvents:
    """Implements :class:`agent.telemetry.events.EventPublisher` for one call: no words after a refusal."""

    def __init__(self, events: EventPublisher, answer: Callable[[], str]) -> None:
        self._events = events
        self._answer = answer

    def publish(self, event: CallEvent) -> None:
        """Pass an event on, without what the caller does not want kept."""
        if self._answer() == REFUSED:
            event = event.without_words()
            if isinstance(event, CallFinished):
                greeting_ms = (event.record or {}).get("greeting_ms")
                event = replace(event, record={"greeting_ms": greeting_ms, "consent": REFUSED})
        self._events.publish(event)

    def count(self, call_id: str) -> int:
        """Return how many events of a call were told."""
        return self._events.count(call_id)

    def go_on(self, call_id: str, count: int) -> None:
        """Go on counting a call's events after ``count``."""
        self._events.go_on(call_id, count)


class ConsentFilteredServices:
    """Implements :class:`agent.call.ports.Services` for one call: after a refusal tickets carry no transcript."""

    def __init__(self, services: Services, answer: Callable[[], str]) -> None:
        self._services = services
        self._answer = answer

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one operation."""
        if self._answer() == REFUSED and name == "tickets.create":
            arguments = {key: value for key, value in arguments.items() if key not in _TRANSCRIPT_ARGUMENTS}
        return await self._services.perform(name, arguments, key)


def outcome_only(record: CallRecord) -> CallRecord:
    """The record without words, numbers and slots: what was done, how it ended, how long it took.

    The trail goes as well: the ways taken tell what was answered.
    """
    handover = record.handover
    return replace(
        record,
        caller=Caller(dialled=record.caller.dialled),
        turns=[],
        slots={},
        trail=[],
        intents=[],
        facts=[],
        repeat_of="",
        outbound=None if record.outbound is None else replace(record.outbound, comment="", recording=""),
        handover=None if handover is None else {"reason": handover.get("reason"), "ticket": handover.get("ticket")},
    )
