"""The hand-over of one call: prepared while the caller listens, done once, and in an emergency at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.call.errors import LineGone
from agent.call.handover import EMERGENCY_TICKET_SECONDS, Handover, HandoverSources, handover_variables
from agent.call.latency import ResponseTimer
from agent.call.queue_rules import QueueRules, QueueState
from agent.call.queue_status import QueueDefinition, StaffQueues
from agent.call.records import CallOrigin, CallRecord
from agent.call.reject import reject_to_queue
from agent.call.session import CallSession
from agent.call.ticketing import HandoverTicket
from agent.dialog.contract import HandOverAction
from agent.telemetry.events import HandedOver
from tests.call.fakes import (
    FakeCallerLine,
    FakeDialog,
    FakeEvents,
    FakeMedia,
    FakeRecords,
    FakeServices,
    parts,
    say,
)
from tests.waiting import until

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TICKET = {"ticket": {"id": "T-1"}}
ASKED = HandOverAction("caller_asked", "Wants a person.")


class OpenQueue:
    """A queue where somebody is free."""

    problem = ""

    async def state(self, name: str) -> QueueState | None:
        return QueueState(1, 1, 0)


class Whispers:
    """Whispers that are made at once."""

    def __init__(self) -> None:
        self.made: list[str] = []

    async def make(self, call_id: str, values: Any) -> str:
        self.made.append(str(values["ticket_id"]))
        return f"/whispers/{call_id}"


class Setting:
    """One answered call with its hand-over."""

    def __init__(self, services: FakeServices, whispers: Whispers | None = None) -> None:
        self.line = FakeCallerLine()
        self.record = CallRecord("call-1", self.line.caller, NOW.isoformat())
        self.events = FakeEvents()
        ticket = HandoverTicket(services, self.record, lambda text, slot: text)
        plans = {"humans": QueueDefinition(lambda: QueueRules(UTC), whisper=True)}
        queues = None if whispers is None else StaffQueues(plans, OpenQueue(), whispers, lambda: NOW)
        timer = ResponseTimer(asyncio.get_running_loop().time)
        self.sources = HandoverSources(FakeDialog(say("Hello.")), self.record, ticket, timer, self.events, queues)
        self.handover = Handover(self.line, self.sources)


class TestPreparing:
    async def test_the_ticket_is_ready_when_the_last_word_has_been_heard_and_the_whisper_is_made_then(self) -> None:
        whispers = Whispers()
        services = FakeServices(tickets__create=TICKET)
        call = Setting(services, whispers)

        async def announced() -> None:
            await until(lambda: services.asked)
            assert whispers.made == [], "it would be synthesised beside the announcement, and come too late"

        prepared = await call.handover.prepare(ASKED, announced)
        assert prepared.variables["ORDERLINE_TICKET"] == "T-1"
        assert prepared.variables["ORDERLINE_WHISPER"] == "/whispers/call-1"
        assert (call.line.log, call.events.published, call.record.handover) == ([], [], None), "nothing happened yet"

    async def test_record_observers_and_staff_are_told_the_same(self) -> None:
        call = Setting(FakeServices(tickets__create=TICKET), Whispers())
        await call.handover.execute(await call.handover.prepare(ASKED))
        assert call.record.handover == {
            "reason": "caller_asked",
            "queue": "humans",
            "priority": 0,
            "summary": "Wants a person.",
            "ticket": "T-1",
            "facts": {},
        }
        assert [event.data() for event in call.events.of(HandedOver)] == [call.record.handover]
        assert call.line.variables["ORDERLINE_QUEUE"] == "humans"
        assert call.line.log == ["hand_over caller_asked"]

    async def test_an_announcement_that_breaks_off_leaves_no_task_and_one_key_for_both_tickets(self) -> None:
        services = FakeServices(tickets__create=asyncio.Event())
        call = Setting(services)

        async def announced() -> None:
            await until(lambda: services.asked)
            raise LineGone("The caller hung up.")

        before = asyncio.all_tasks()
        with pytest.raises(LineGone):
            await call.handover.prepare(ASKED, announced)
        assert asyncio.all_tasks() == before
        services.answers["tickets.create"] = TICKET
        assert await call.handover.emergency("agent_fault")
        assert [key for _, _, key in services.asked] == ["call-1:handover", "call-1:handover"]


class TestAnEmergency:
    async def test_goes_with_the_story_and_without_a_whisper(self) -> None:
        whispers = Whispers()
        call = Setting(FakeServices(tickets__create=TICKET), whispers)
        assert await call.handover.emergency("agent_fault")
        assert call.line.variables["ORDERLINE_SUMMARY"] == "The story."
        assert call.line.variables["ORDERLINE_TICKET"] == "T-1"
        assert whispers.made == []

    async def test_does_not_wait_longer_than_a_second_for_the_ticket(self) -> None:
        call = Setting(FakeServices(tickets__create=asyncio.Event()))
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await call.handover.emergency("agent_fault")
        assert EMERGENCY_TICKET_SECONDS <= loop.time() - began < 2.0, "2 s is what an ordinary ticket may take"
        assert call.line.variables["ORDERLINE_TICKET"] == ""
        assert call.line.log == ["hand_over agent_fault"]

    async def test_asks_for_no_ticket_where_there_is_no_time(self) -> None:
        services = FakeServices(tickets__create=TICKET)
        call = Setting(services)
        assert await call.handover.emergency("agent_stopping", ticket=False)
        assert services.asked == []

    async def test_that_fails_is_not_in_the_record(self) -> None:
        call = Setting(FakeServices(tickets__create=TICKET))
        call.line.refuses = True
        assert not await call.handover.emergency("agent_fault")
        assert call.record.handover is None

    async def test_after_the_call_was_handed_over_changes_nothing(self) -> None:
        call = Setting(FakeServices(tickets__create=TICKET))
        await call.handover.execute(await call.handover.prepare(ASKED))
        assert await call.handover.emergency("agent_stopping", ticket=False)
        assert call.line.log == ["hand_over caller_asked"]
        assert call.record.handover is not None
        assert call.record.handover["reason"] == "caller_asked"

    async def test_without_a_conversation_only_the_reason_goes(self) -> None:
        line = FakeCallerLine()
        assert await Handover(line).emergency("agent_fault")
        assert line.variables == {"ORDERLINE_REASON": "agent_fault"}
        assert line.log == ["hand_over agent_fault"]


async def test_an_agent_stopped_just_after_the_hand_over_does_not_hand_over_again() -> None:
    class LeavingLine(FakeCallerLine):
        """The agent is stopped at the moment the call leaves."""

        async def hand_over(self, variables: Any, why: str) -> None:
            await super().hand_over(variables, why)
            stopping.cancel()

    line, records = LeavingLine(), FakeRecords()
    call = parts(FakeDialog(say("One moment.", ASKED)), records=records)
    stopping = asyncio.create_task(CallSession(line, FakeMedia(line.inbox), call).run())
    await asyncio.gather(stopping, return_exceptions=True)
    assert line.log == ["answer", "hand_over caller_asked"]
    (record,) = records.written
    assert record.handover is not None
    assert record.handover["reason"] == "caller_asked"


async def test_a_caller_who_leaves_before_the_queue_answers_is_recorded_as_gone() -> None:
    line, records, events = FakeCallerLine(), FakeRecords(), FakeEvents()
    line.refuses = True
    await reject_to_queue(line, "overload", records, events, lambda: NOW)
    (record,) = records.written
    assert (record.outcome, record.ended_by, record.handover) == ("caller_hung_up", "caller", None)
    assert [event.event for event in events.published] == ["call_refused", "call_started", "call_ended"]


@pytest.mark.parametrize(("priority", "told"), [(-3, "0"), (0, "0"), (7, "7"), (10**9, "1000")])
def test_a_priority_reaches_the_queue_as_a_number_it_understands(priority: int, told: str) -> None:
    variables = handover_variables(HandOverAction("anger", "", priority=priority), "")
    assert variables["ORDERLINE_PRIORITY"] == told


async def test_a_customer_we_called_meets_the_queue_when_they_want_a_person_and_the_message_in_an_emergency() -> None:
    for wanted, left_for in ((True, "hand_over caller_asked"), (False, "inform")):
        call = Setting(FakeServices(tickets__create=TICKET))
        call.line.origin = CallOrigin("outbound", "delivery", "delivery:10473:all", "ob-1-z")
        if wanted:
            await call.handover.execute(await call.handover.prepare(ASKED))
            assert call.line.variables["ORDERLINE_PERSON_WANTED"] == "1"
        else:
            assert await call.handover.emergency("agent_fault")
            assert call.handover.emergency_outcome == ("informed", "fault")
        assert call.line.log == [left_for]
