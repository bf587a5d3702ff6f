"""The record of a call holds its trail, its requests and what its operations were about, however the call ends."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.app.queue_factory import NoWhispers
from agent.call.inbox_events import CallerHungUp, CallReclaimed, HandOverRequested, MediaLost, TakeOverRequested
from agent.call.progress import close_open
from agent.call.queue_rules import QueueRules, QueueState
from agent.call.queue_status import QueueDefinition, StaffQueues
from agent.call.records import (
    Caller,
    CallRecord,
    CandidateRecord,
    IntentRecord,
    OperationFact,
    OutboundPart,
    QueueWait,
    SoundPart,
    SoundRecord,
    TrailStep,
    TurnRecord,
    record_data,
)
from agent.call.session import CallSession
from agent.call.snapshot import recovered_call
from agent.common.service_error import ServiceError
from agent.dialog.contract import Effect, HandOverAction, HangUp, Turn
from agent.dialog.turn_report import AnswerReading, MeaningCandidate, RequestProgress, StepTaken
from agent.telemetry.events import (
    AnswerTaken,
    CallBegan,
    CallEvent,
    CallRepeats,
    CallRequest,
    CallResumed,
    CallStep,
    EffectEnded,
)
from tests.call.fakes import (
    FakeCallerLine,
    FakeDialog,
    FakeEvents,
    FakeMedia,
    FakeRecognizer,
    FakeRecords,
    FakeServices,
    FakeSnapshots,
    parts,
    say,
)

ASKS = replace(
    say("Which one?"),
    trail=(StepTaken("main", "hello", "say", "next"), StepTaken("returns", "which", "collect")),
    requests=(RequestProgress(0, "returns"),),
)
GOODBYE = replace(
    say("Goodbye.", HangUp("answered")),
    trail=(StepTaken("returns", "which", "collect", "answered", reached=False), StepTaken("main", "bye", "hangup")),
    requests=(RequestProgress(0, "returns", "answered", {"reason": "too_small"}),),
    understood="item=lamp",
    reading=AnswerReading("understood", "act", tuple(MeaningCandidate(f"m{n}", 0.5 - n / 20) for n in range(8))),
)


async def held(
    *turns: Turn, ends: Any = None, instantly: bool = True, **more: Any
) -> tuple[CallRecord, list[CallEvent]]:
    """Hold a call; ``ends`` arrives in its inbox once the agent has spoken, otherwise the caller answers."""
    line, dialog = FakeCallerLine(), FakeDialog(*turns)
    media = FakeMedia(line.inbox, instantly=instantly)
    call = parts(dialog, recognizer=FakeRecognizer("yes"), **more)
    task = asyncio.create_task(CallSession(line, media, call).run())
    async with asyncio.timeout(10):
        await media.came.wait()
        if ends is None:
            line.voice(500)
            line.silence(600)
        else:
            line.inbox.put_nowait(ends)
        await asyncio.wait([task])
    assert isinstance(call.records, FakeRecords)
    assert isinstance(call.events, FakeEvents)
    (record,) = call.records.written
    return record, call.events.published


def ways(record: CallRecord) -> list[str]:
    return [f"{step.flow}.{step.step} {step.way}" for step in record.trail]


async def test_steps_and_requests_are_in_the_record_with_their_times() -> None:
    record, events = await held(ASKS, GOODBYE)
    assert ways(record) == ["main.hello next", "returns.which answered", "main.bye ended"]
    assert all(step.left_at_seconds is not None and step.left_at_seconds >= step.at_seconds for step in record.trail)
    (intent,) = record.intents
    assert (intent.intent, intent.result, intent.about) == ("returns", "answered", {"reason": "too_small"})
    assert [one.index for one in events if isinstance(one, CallStep)] == [0, 1, 1, 2, 2]
    assert [one.result for one in events if isinstance(one, CallRequest)] == ["", "answered"]


async def test_what_was_scored_goes_to_the_turn_that_asked() -> None:
    record, events = await held(ASKS, GOODBYE)
    asked = record.turns[0]
    assert (asked.result, asked.decision, asked.understood) == ("understood", "act", "item=lamp")
    assert [(one.meaning, one.score) for one in asked.candidates] == [
        ("m0", 0.5), ("m1", 0.45), ("m2", 0.4), ("m3", 0.35), ("m4", 0.3),
    ]  # fmt: skip
    (told,) = [one for one in events if isinstance(one, AnswerTaken)]
    assert told.candidates is not None
    assert told.candidates[0] == ("m0", 0.5)


async def test_when_the_caller_spoke_is_known() -> None:
    record, _ = await held(ASKS, GOODBYE)
    asked, answered = record.turns
    assert asked.heard_from_seconds is not None
    assert asked.heard_until_seconds is not None
    assert asked.audible_at_seconds is not None
    assert answered.audible_at_seconds is not None
    assert asked.heard_from_seconds <= asked.heard_until_seconds <= answered.audible_at_seconds


@pytest.mark.parametrize(
    ("ends", "way", "result"),
    [
        (CallerHungUp(), "hung_up", "hung_up"),
        (TakeOverRequested("201"), "taken_over", "taken_over"),
        (HandOverRequested("too_long"), "person.too_long", "handed_over"),
        (CallReclaimed("gone"), "fault", "fault"),
        (MediaLost(), "fault", "fault"),
    ],
)
async def test_however_a_call_is_cut_off_its_last_step_and_its_requests_say_so(
    ends: object, way: str, result: str
) -> None:
    record, events = await held(ASKS, GOODBYE, ends=ends)
    assert ways(record) == ["main.hello next", f"returns.which {way}"]
    assert [intent.result for intent in record.intents] == [result]
    assert [one.way for one in events if isinstance(one, CallStep)] == ["next", "", way]


LEAVES = replace(
    say("One moment.", HandOverAction("caller_asked", "The story.")),
    trail=(StepTaken("main", "person", "handover"),),
)


async def test_a_hand_over_step_is_left_by_the_hand_over_and_a_wait_begins() -> None:
    record, _ = await held(LEAVES)
    assert record.outcome == "handed_over"
    assert ways(record) == ["main.person handed_over"]
    assert record.queue_wait == QueueWait("")


async def test_who_hangs_up_during_the_announcement_was_not_handed_over() -> None:
    record, _ = await held(LEAVES, ends=CallerHungUp(), instantly=False)
    assert ways(record) == ["main.person hung_up"]
    assert record.queue_wait is None


async def test_what_the_queue_was_like_is_kept_with_the_wait() -> None:
    class FourWait:
        problem = ""

        async def state(self, name: str) -> QueueState | None:
            return QueueState(logged_in=2, available=0, callers=4, hold_seconds=240, talk_seconds=60)

    rules = QueueRules(UTC, None, frozenset(), 0, 0)
    queues = StaffQueues(
        {"support": QueueDefinition(lambda: rules)}, FourWait(), NoWhispers(), lambda: datetime(2026, 3, 2, tzinfo=UTC)
    )
    line = FakeCallerLine()
    call = parts(FakeDialog(LEAVES, replace(LEAVES, trail=())), queues=queues)
    async with asyncio.timeout(10):
        record = await CallSession(line, FakeMedia(line.inbox), call).run()
    assert record.queue_wait is not None
    assert (record.queue_wait.queue, record.queue_wait.standing) == ("support", "open")
    assert record.queue_wait.expected_minutes is not None
    assert ways(record) == ["main.person handed_over"]


async def test_facts_of_an_operation_are_those_the_pack_keeps_and_no_others() -> None:
    looks = Turn((), Effect("e1", "orders.find", {"number": "10473", "phone": "2025550143"},
                            keeps=("number", "order.status", "order.items", "order.gone")))  # fmt: skip
    answer = {"order": {"status": "delayed", "total": 12.5, "items": ["lamp"], "gone": None}}
    record, events = await held(say("Looking."), looks, GOODBYE, services=FakeServices(orders__find=answer))
    assert [(one.operation, one.name, one.value, one.code) for one in record.facts] == [
        ("orders.find", "number", "10473", "ok"), ("orders.find", "order.status", "delayed", "ok"),
    ]  # fmt: skip
    (told,) = [one for one in events if isinstance(one, EffectEnded)]
    assert told.facts == {"number": "10473", "order.status": "delayed"}


async def test_of_an_operation_that_failed_arguments_and_reason_are_kept() -> None:
    tries = Turn((), Effect("e1", "returns.create", {"reason": "too_small"}, keeps=("reason", "return.number")))
    refused = FakeServices(returns__create=ServiceError("not_allowed", "no", reason="return_exists"))
    record, _ = await held(say("Trying."), tries, GOODBYE, services=refused)
    assert [(one.name, one.value, one.code) for one in record.facts] == [("reason", "too_small", "not_allowed")]
    assert record.effects[0]["reason"] == "return_exists"


async def test_a_caller_who_called_before_is_told_of_at_once() -> None:
    records = FakeRecords()
    records.earlier = "call-0"
    record, events = await held(ASKS, GOODBYE, records=records)
    assert record.repeat_of == "call-0"
    assert [one.of for one in events if isinstance(one, CallRepeats)] == ["call-0"]


async def test_a_restored_call_goes_on_with_its_trail_and_its_count() -> None:
    memory = FakeSnapshots()
    _, before = await held(ASKS, GOODBYE, ends=MediaLost(), memory=memory)
    left = recovered_call(memory.history[0])
    assert ways(left.record) == ["main.hello next", "returns.which "]
    assert left.events == sum(not isinstance(one, CallResumed) for one in before[: left.events])
    dialog = FakeDialog(ASKS, GOODBYE)
    dialog.start()
    events = FakeEvents()
    line = FakeCallerLine()
    line.is_answered = True
    call = parts(dialog, recognizer=FakeRecognizer("yes"), resumed=left, events=events)
    line.voice(500)
    line.silence(600)
    async with asyncio.timeout(10):
        record = await CallSession(line, FakeMedia(line.inbox), call).run()
    assert ways(record) == ["main.hello next", "returns.which answered", "main.bye ended"]
    assert len(record.intents) == 1
    resumed = next(one for one in events.published if isinstance(one, CallResumed))
    assert (resumed.steps, resumed.requests) == (2, 1)
    assert resumed.trail is not None
    assert resumed.trail[1]["way"] == ""
    assert events.before > left.events
    assert [one.index for one in events.published if isinstance(one, CallStep)] == [1, 2, 2]
    assert isinstance(events.published[0], CallBegan)


def test_a_record_without_a_conversation_has_nothing_to_close() -> None:
    record = CallRecord("c-1", Caller(), "2026-03-02T09:30:00+00:00", outcome="handed_over", ended_by="handover")
    assert close_open(record, 1.0) == ([], [])


def test_what_is_kept_of_a_record_is_all_of_it_and_its_own() -> None:
    record = CallRecord("c-1", Caller("2025550143"), "2026-03-02T09:30:00+00:00", faults=["one"])
    candidates = [CandidateRecord("returns", 0.5)]
    record.turns = [TurnRecord(1.0, "Hello.", spent_ms={"wait": 3.0}, candidates=candidates)]
    record.trail = [TrailStep("main", "ask", "collect", 1.0)]
    record.intents = [IntentRecord("returns", 1.0, about={"items": ["lamp", "rug"]})]
    record.facts = [OperationFact("orders.find", "order.status", "shipped", 1.0)]
    record.effects = [{"name": "orders.find", "code": "ok"}]
    record.handover, record.queue_wait = {"facts": {"requests": ["returns"]}}, QueueWait("support")
    record.sound, record.outbound = SoundRecord("0" * 32, [SoundPart(1, 0.5)]), OutboundPart(scores={"csat": 5})
    kept = record_data(record)
    assert kept == asdict(record)
    before = json.dumps(kept)
    record.turns[0].spent_ms["wait"] = 4.0
    record.trail[0].way = "answered"
    record.intents[0].about["items"] = []
    record.effects[0]["code"] = "unavailable"
    record.handover["facts"]["requests"].append("refund")
    record.queue_wait.ended = "answered"
    record.sound.parts.append(SoundPart(2, 9.5))
    record.outbound.scores["csat"] = 1
    record.faults.append("two")
    assert json.dumps(kept) == before


def test_closing_twice_changes_nothing() -> None:
    record = CallRecord("c-1", Caller(), "2026-03-02T09:30:00+00:00", outcome="caller_hung_up", ended_by="caller")
    record.trail = [TrailStep("main", "ask", "collect", 1.0)]
    record.intents = [IntentRecord("returns", 1.0)]
    close_open(record, 2.0)
    once = asdict(record)
    record.outcome, record.ended_by = "lost", "fault"
    assert close_open(record, 3.0) == ([], [])
    assert asdict(replace(record, outcome="caller_hung_up", ended_by="caller")) == once
