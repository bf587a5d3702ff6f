"""A call goes on in another process where it was, or its story goes to people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from agent.call.components import CallComponents
from agent.call.errors import MediaLostError, RecognitionFailed
from agent.call.inbox_events import CallReclaimed, HandOverRequested, KeyPressed, MediaLost
from agent.call.records import Caller, CallRecord, SilentSpan, SoundPart, SoundRecord, TurnRecord
from agent.call.session import CallSession
from agent.call.snapshot import RESTARTED_FAULT, RecoveredCall, recovered_call, silence_untold, snapshot_of
from agent.dialog.contract import Effect, HandOverAction, HangUp, KeyEntry, Listen, RecognitionLost
from agent.recovery.snapshot import CallSnapshot
from tests.call.fakes import (
    FakeCallerLine,
    FakeDialog,
    FakeMedia,
    FakeRecognizer,
    FakeRecords,
    FakeServices,
    FakeSnapshots,
    FakeUtteranceRecognizer,
    parts,
    say,
)

GOODBYE = say("Goodbye.", HangUp("answered"))


async def hold(line: FakeCallerLine, call: CallComponents) -> CallRecord:
    async with asyncio.timeout(20):
        return await CallSession(line, FakeMedia(line.inbox), call).run()


def test_a_kept_call_survives_json_whole() -> None:
    record = CallRecord("c-1", Caller("2025550143", "Maria", "7000"), "2026-03-02T09:30:00.000+00:00")
    record.turns.append(TurnRecord(0.0, "Hello.", heard="hi"))
    kept = json.loads(json.dumps(snapshot_of(record, 12.5, {"state": {"slots": {}}})))
    assert recovered_call(kept) == RecoveredCall(record, 12.5, {"state": {"slots": {}}})


def test_a_recorded_call_survives_being_written_down() -> None:
    record = recorded()
    text = CallSnapshot("c-1", "the dead one", 12.5, snapshot_of(record, 12.5, {})).to_text()
    assert recovered_call(CallSnapshot.from_text(text).state).record.sound == record.sound


@pytest.mark.parametrize(
    ("last", "since"),
    [
        (TurnRecord(4.0, "Which order?"), 4.0),
        (TurnRecord(4.0, "Which order?", audible_at_seconds=4.2), 4.2),
        (TurnRecord(4.0, "Which order?", audible_at_seconds=4.2, heard="that", heard_until_seconds=6.5), 6.5),
    ],
)
def test_what_was_said_after_the_last_answer_that_was_kept_is_silent_in_the_sound(
    last: TurnRecord, since: float
) -> None:
    record = recorded()
    record.turns.append(last)
    silence_untold(record, 9.0)
    assert record.sound is not None
    assert record.sound.silent == [SilentSpan(since, 9.0, "caller")]


def test_a_call_without_sound_has_nothing_to_silence() -> None:
    record = CallRecord("c-1", Caller(), "2026-03-02T09:30:00.000+00:00")
    silence_untold(record, None)
    assert record.sound is None


def recorded() -> CallRecord:
    record = CallRecord("c-1", Caller("2025550143"), "2026-03-02T09:30:00.000+00:00")
    record.sound = SoundRecord("0" * 32, [SoundPart(1, 0.5)])
    return record


@pytest.mark.parametrize("broken", [{}, {"version": 0}, {"version": 1, "record": {}}, {"version": 1, "record": None}])
def test_what_is_no_kept_call_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="kept"):
        recovered_call(broken)


GOOD = snapshot_of(CallRecord("c-1", Caller("2025550143", "Maria", "7000"), "2026-03-02T09:30:00+00:00"), 12.5, {})


@pytest.mark.parametrize(
    "broken",
    [
        {"started_at": 5},
        {"started_at": "yesterday"},
        {"turns": [{"at_seconds": "x", "agent": "y"}]},
        {"turns": {"a": 1}},
        {"slots": ["x"]},
        {"faults": [1]},
        {"caller": {"number": ["2025550143"]}},
        {"effects": ["x"]},
        {"duration_seconds": "long"},
    ],
)
def test_a_kept_call_with_values_of_other_types_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="kept"):
        recovered_call({**GOOD, "record": {**GOOD["record"], **broken}})


@pytest.mark.parametrize("broken", [{"conversation": [["a", 1]]}, {"answered_at": "x"}, {"answered_at": 10**400}])
def test_a_kept_call_with_another_frame_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="kept"):
        recovered_call({**GOOD, **broken})


class TestASessionKeepsItsCall:
    async def test_after_each_turn_and_forgets_it_when_it_is_recorded(self) -> None:
        line, memory = FakeCallerLine(), FakeSnapshots()
        dialog = FakeDialog(say("Hello.", Listen((), slot="request", keys=KeyEntry(max_digits=1))), GOODBYE)
        call = parts(dialog, memory=memory)
        line.inbox.put_nowait(KeyPressed("1"))
        await hold(line, call)
        assert [len(state["record"]["turns"]) for state in memory.history] == [1, 2]
        assert memory.history[0]["answered_at"] is not None
        assert memory.kept == {}, "a call that is over is nobody's to go on with"

    async def test_before_it_asks_the_shop_for_anything(self) -> None:
        memory, services = FakeSnapshots(), FakeServices(orders__verify={})
        memory.disk.clear()
        dialog = FakeDialog(say("", Effect("e1", "orders.verify", {"number": "1"})), GOODBYE)
        call = asyncio.create_task(hold(FakeCallerLine(), parts(dialog, memory=memory, services=services)))
        await memory.waits.wait()
        assert services.asked == []
        assert len(memory.history) == 1
        memory.disk.set()
        await call
        assert [name for name, _, _ in services.asked] == ["orders.verify"]

    async def test_and_another_one_goes_on_from_there(self) -> None:
        before = CallRecord("c-1", Caller("2025550143"), "2026-03-02T09:30:00.000+00:00")
        before.turns.append(TurnRecord(0.0, "Hello."))
        line = FakeCallerLine()
        line.is_answered = True
        call = parts(FakeDialog(GOODBYE), resumed=RecoveredCall(before, None, {}))
        line.inbox.put_nowait(KeyPressed("1"))
        record = await hold(line, call)
        assert [turn.agent for turn in record.turns][:2] == ["Hello.", "I lost you."]
        assert record.faults == [RESTARTED_FAULT]
        assert "answer" not in line.log
        assert isinstance(call.records, FakeRecords)
        assert [written.id for written in call.records.written] == ["c-1"]

    async def test_the_sound_of_the_gap_between_both_is_silent_on_the_callers_side(self) -> None:
        line = FakeCallerLine()
        line.is_answered = True
        call = parts(FakeDialog(GOODBYE), resumed=RecoveredCall(recorded(), None, {}))
        line.inbox.put_nowait(KeyPressed("1"))
        record = await hold(line, call)
        assert record.sound is not None
        assert [span.side for span in record.sound.silent] == ["caller"]
        assert record.sound.silent[0].until_seconds is not None, "what comes after it is heard again"

    async def test_what_cannot_be_gone_on_with_goes_to_a_person_with_its_story(self) -> None:
        line = FakeCallerLine()
        line.is_answered = True
        before = CallRecord("c-1", Caller("2025550143"), "2026-03-02T09:30:00.000+00:00")
        call = parts(FakeDialog(GOODBYE), resumed=RecoveredCall(before, None, {}, hand_over="controller_restarted"))
        record = await hold(line, call)
        assert line.log[-1] == "hand_over controller_restarted"
        assert record.handover is not None
        assert (record.handover["summary"], record.handover["ticket"]) == ("The story.", "T-1")


class TestWhatTakesACallAway:
    async def test_a_stop_gives_it_to_people_with_the_story(self) -> None:
        line = FakeCallerLine()
        line.inbox.put_nowait(HandOverRequested("agent_stopping"))
        record = await hold(line, parts(FakeDialog(say("Hello."))))
        assert line.log[-1] == "hand_over agent_stopping"
        assert (record.outcome, record.ended_by, record.faults) == ("handed_over", "handover", [])

    async def test_a_rescued_call_is_recorded_as_such_and_left_alone(self) -> None:
        line = FakeCallerLine()
        line.inbox.put_nowait(CallReclaimed("the dead-man timer"))
        record = await hold(line, parts(FakeDialog(say("Hello."))))
        assert (record.outcome, record.ended_by) == ("rescued", "fault")
        assert not [entry for entry in line.log if entry.startswith("hand_over")]

    async def test_a_ticket_system_that_hangs_does_not_hold_a_caller_whose_audio_broke(self) -> None:
        line = FakeCallerLine()
        line.inbox.put_nowait(MediaLost("cut"))
        call = parts(FakeDialog(say("Hello.")), services=FakeServices(tickets__create=asyncio.Event()))
        record = await hold(line, call)
        assert line.log[-1] == "hand_over agent_fault"
        assert record.handover is not None
        assert record.handover["ticket"] == ""

    async def test_a_call_that_nobody_takes_is_raised(self) -> None:
        line = FakeCallerLine()
        line.refuses = True
        line.inbox.put_nowait(MediaLost("cut"))
        with pytest.raises(MediaLostError):
            await hold(line, parts(FakeDialog(say("Hello."))))


class BrokenUtteranceRecognizer(FakeUtteranceRecognizer):
    """Fails with the first sound."""

    async def feed(self, pcm: bytes) -> str:
        raise RecognitionFailed("the decoder hangs")


class BrokenRecognizer(FakeRecognizer):
    """Its ears do not work."""

    def listen(
        self,
        phrases: Sequence[str],
        words: Sequence[str] = (),
        samples: Sequence[str] = (),
        symbols: Sequence[str] = (),
    ) -> FakeUtteranceRecognizer:
        return BrokenUtteranceRecognizer("")


async def test_a_recogniser_that_does_not_work_makes_the_dialog_deaf() -> None:
    line = FakeCallerLine()
    dialog = FakeDialog(
        say("Hello.", Listen(("yes",), slot="request")), say("Sure.", HandOverAction("cannot_hear", "The story."))
    )
    call = parts(dialog, recognizer=BrokenRecognizer())
    line.voice(2000)
    record = await hold(line, call)
    assert isinstance(dialog.events[0], RecognitionLost)
    assert record.faults == ["the decoder hangs"]
    assert record.outcome == "handed_over"
