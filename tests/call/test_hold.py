"""A caller who puts the agent on hold: nothing is said into the hold, no silence counts, the question comes again."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from agent.call.components import CallComponents
from agent.call.errors import CallerOnHold, HeldTooLong, LineGone
from agent.call.inbox import InboxReader
from agent.call.inbox_events import (
    CallerHungUp,
    CallTransferred,
    HandOverRequested,
    HoldBegan,
    HoldEnded,
    KeyPressed,
    TakeOverRequested,
)
from agent.call.records import CallRecord
from agent.call.session import CallSession
from agent.dialog.contract import Effect, EffectSucceeded, HandOverAction, HangUp, KeyEntry, Listen, Prompt, TurnInput
from agent.telemetry.events import HoldOver, HoldStarted
from tests.call.fakes import (
    VOICE_FRAME,
    FakeCallerLine,
    FakeDialog,
    FakeEvents,
    FakeMedia,
    FakeRecognizer,
    FakeServices,
    parts,
    say,
)
from tests.waiting import until

GOODBYE = say("Goodbye.", HangUp("answered"))
QUESTION = say("Yes or no?", Listen(("yes",), no_input_seconds=0.6, keys=KeyEntry(1)))


class HeldCall:
    """A call under way whose caller can hold."""

    def __init__(self, dialog: FakeDialog, call: CallComponents, *, instantly: bool = True) -> None:
        self.line = FakeCallerLine()
        self.media = FakeMedia(self.line.inbox, instantly=instantly)
        self.dialog = dialog
        self.events = call.events
        self.task = asyncio.create_task(CallSession(self.line, self.media, call).run())

    async def hold(self) -> None:
        await self.media.came.wait()
        told = self.told(HoldStarted)
        self.line.inbox.put_nowait(HoldBegan())
        await until(lambda: self.told(HoldStarted) > told)

    def resume(self) -> None:
        self.line.inbox.put_nowait(HoldEnded())

    def told(self, kind: type[object]) -> int:
        assert isinstance(self.events, FakeEvents)
        return len([event for event in self.events.published if isinstance(event, kind)])

    async def end(self) -> CallRecord:
        async with asyncio.timeout(10):
            return await self.task


async def test_a_hold_counts_as_no_silence_and_the_question_is_put_again_after_it() -> None:
    held = HeldCall(dialog := FakeDialog(QUESTION, GOODBYE), parts(dialog, events=FakeEvents()))
    await held.hold()
    held.line.silence(5_000)  # far beyond what the turn waits for an answer
    await until(lambda: held.line.inbox.empty())
    assert dialog.events == []
    assert held.media.played == [b"Yes or no?"]
    held.resume()
    await until(lambda: len(held.media.played) == 2)
    held.line.inbox.put_nowait(KeyPressed("1"))
    record = await held.end()
    assert held.media.played == [b"Yes or no?", b"Yes or no?", b"Goodbye."]
    assert dialog.events == [TurnInput(keys="1")]
    assert [turn.agent for turn in record.turns] == ["Yes or no?", "Goodbye."], "the same turn, put twice"
    assert held.told(HoldOver) == 1


async def test_music_and_voices_heard_during_a_hold_are_no_caller() -> None:
    dialog = FakeDialog(QUESTION, GOODBYE)
    held = HeldCall(dialog, parts(dialog, events=FakeEvents(), recognizer=FakeRecognizer("yes", "")))
    await held.hold()
    for _ in range(200):
        held.line.inbox.put_nowait(VOICE_FRAME)
    held.line.silence(2_000)
    await until(lambda: held.line.inbox.empty())
    assert dialog.events == []
    held.line.inbox.put_nowait(CallerHungUp())
    record = await held.end()
    assert record.outcome == "caller_hung_up"
    assert record.turns[0].heard == ""


async def test_a_hold_silences_a_prompt_at_once_and_it_is_said_whole_afterwards() -> None:
    turn = replace(QUESTION, say=(Prompt("p", "First part. | Second part."),))
    held = HeldCall(dialog := FakeDialog(turn, GOODBYE), parts(dialog, events=FakeEvents()), instantly=False)
    await held.hold()
    await until(lambda: held.media.flushes == 1)
    before = list(held.media.played)
    held.resume()
    await until(lambda: held.media.played[len(before) :] == [b"First part.", b"Second part."])
    held.line.inbox.put_nowait(CallerHungUp())
    await held.end()


async def test_what_was_asked_of_the_shop_goes_on_during_a_hold_and_is_told_after_it() -> None:
    gate = asyncio.Event()
    dialog = FakeDialog(say("Let me see.", Effect("e1", "orders.verify")), GOODBYE)
    held = HeldCall(dialog, parts(dialog, events=FakeEvents(), services=FakeServices(orders__verify=gate)))
    await held.hold()
    gate.set()
    await asyncio.sleep(0)
    assert b"Goodbye." not in held.media.played
    held.resume()
    await held.end()
    assert isinstance(dialog.events[0], EffectSucceeded)
    assert held.media.played[-1] == b"Goodbye."


async def test_nobody_is_put_through_to_staff_while_on_hold() -> None:
    dialog = FakeDialog(say("I'll put you through.", HandOverAction("caller_asked", "")))
    held = HeldCall(dialog, parts(dialog, events=FakeEvents()), instantly=False)
    await held.hold()
    assert held.line.log == ["answer"]
    held.resume()
    await until(lambda: held.media.played == [b"I'll put you through."] * 2)
    held.media.finish()
    await held.end()
    assert held.line.log == ["answer", "hand_over caller_asked"]


async def test_a_hold_longer_than_the_agents_patience_ends_the_call_and_rings_nobody() -> None:
    dialog = FakeDialog(QUESTION, GOODBYE)
    held = HeldCall(dialog, replace(parts(dialog, events=FakeEvents()), hold_seconds=0.2))
    await held.hold()
    record = await held.end()
    assert (record.outcome, record.ended_by) == ("held_too_long", "agent")
    assert held.line.log == ["answer", "hang_up"]
    assert record.handover is None


@pytest.mark.parametrize(
    ("event", "outcome", "done"),
    [
        (CallerHungUp(), "caller_hung_up", []),
        (CallTransferred(), "transferred", []),
        (TakeOverRequested("601"), "taken_over", ["release_to_supervisor"]),
        (HandOverRequested("agent_stopping"), "handed_over", ["hand_over agent_stopping"]),
    ],
)
async def test_what_ends_a_call_ends_it_during_a_hold_too(event: object, outcome: str, done: list[str]) -> None:
    held = HeldCall(dialog := FakeDialog(QUESTION, GOODBYE), parts(dialog, events=FakeEvents()))
    await held.hold()
    held.line.inbox.put_nowait(event)  # type: ignore[arg-type]
    record = await held.end()
    assert record.outcome == outcome
    assert held.line.log == ["answer", *done]


async def test_a_party_that_takes_the_callers_place_is_no_fault_of_the_call_before() -> None:
    line = FakeCallerLine()
    dialog = FakeDialog(QUESTION, GOODBYE)
    media = FakeMedia(line.inbox)
    task = asyncio.create_task(CallSession(line, media, parts(dialog)).run())
    await media.came.wait()
    line.inbox.put_nowait(CallTransferred())
    record = await task
    assert (record.outcome, record.ended_by, record.faults) == ("transferred", "caller", [])
    assert line.log == ["answer"], "the line is somebody else's"


class TestTheReader:
    async def test_says_that_the_caller_holds_until_the_hold_is_waited_out(self) -> None:
        line = FakeCallerLine()
        reader = InboxReader(line.inbox)
        line.inbox.put_nowait(HoldBegan())
        for _ in range(2):
            with pytest.raises(CallerOnHold):
                await reader.next()
        line.inbox.put_nowait(HoldEnded())
        await reader.wait_off_hold(5.0)
        line.inbox.put_nowait(KeyPressed("5"))
        assert await reader.next() == KeyPressed("5")

    async def test_takes_a_key_for_the_end_of_a_hold_and_does_not_lose_it(self) -> None:
        line = FakeCallerLine()
        reader = InboxReader(line.inbox)
        line.inbox.put_nowait(HoldBegan())
        with pytest.raises(CallerOnHold):
            await reader.next()
        line.inbox.put_nowait(KeyPressed("7"))
        await reader.wait_off_hold(5.0)
        assert await reader.next() == KeyPressed("7")

    async def test_does_not_wait_for_who_does_not_hold(self) -> None:
        line = FakeCallerLine()
        line.silence(200)
        await InboxReader(line.inbox).wait_off_hold(5.0)

    async def test_notices_a_hold_that_nobody_has_read_of_yet(self) -> None:
        line = FakeCallerLine()
        line.silence(200)
        line.inbox.put_nowait(HoldBegan())
        with pytest.raises(HeldTooLong):
            await InboxReader(line.inbox).wait_off_hold(0.05)

    async def test_notices_a_caller_who_leaves_before_the_hand_over_but_not_another_wish_to_hand_over(self) -> None:
        line = FakeCallerLine()
        line.inbox.put_nowait(HandOverRequested("agent_stopping"))
        await InboxReader(line.inbox).wait_off_hold(5.0)
        line.inbox.put_nowait(CallerHungUp())
        with pytest.raises(LineGone):
            await InboxReader(line.inbox).wait_off_hold(5.0)
