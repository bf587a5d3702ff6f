"""A call from ring to record, without a telephone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.call.components import CallComponents
from agent.call.errors import MediaLostError
from agent.call.inbox_events import CallerHungUp, KeyPressed, MediaLost, PlaybackFinished, TakeOverRequested
from agent.call.ports import RecognitionResult
from agent.call.queue_rules import QueueRules, QueueState
from agent.call.queue_status import QueueDefinition, StaffQueues
from agent.call.records import CallRecord
from agent.call.session import CallSession
from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import (
    BargeIn,
    Completeness,
    Effect,
    EffectFailed,
    EffectSucceeded,
    HandOverAction,
    HangUp,
    HungUp,
    KeyEntry,
    Listen,
    NoInput,
    Prompt,
    QueueReport,
    TurnInput,
)
from agent.records.redaction import redact_text
from agent.telemetry.events import CallFinished, HandedOver
from tests.call.fakes import (
    FakeCallerLine,
    FakeDialog,
    FakeEvents,
    FakeMedia,
    FakeRecognizer,
    FakeRecords,
    FakeServices,
    FakeUtteranceRecognizer,
    parts,
    say,
)
from tests.waiting import until

GOODBYE = say("Goodbye.", HangUp("answered"))
NUMBER = Listen((), keys=KeyEntry(max_digits=5))


async def hold(line: FakeCallerLine, media: FakeMedia, call: CallComponents, seconds: float = 10.0) -> CallRecord:
    async with asyncio.timeout(seconds):
        return await CallSession(line, media, call).run()


class TestAConversation:
    async def test_is_answered_spoken_heard_and_recorded_once(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        dialog = FakeDialog(say("How can I help?"), GOODBYE)
        call = parts(dialog, recognizer=FakeRecognizer("yes"))
        task = asyncio.create_task(hold(line, media, call))
        await media.came.wait()
        line.silence(100)
        line.voice(500)
        line.silence(600)
        await task
        assert line.log == ["answer", "hang_up"]
        assert media.played == [b"How can I help?", b"Goodbye."]
        assert isinstance(dialog.events[0], TurnInput)
        assert dialog.events[0].text == "yes"
        assert isinstance(call.records, FakeRecords)
        (record,) = call.records.written
        assert (record.outcome, record.ended_by) == ("answered", "agent")
        assert [turn.agent for turn in record.turns] == ["How can I help?", "Goodbye."]
        assert record.turns[0].heard == "yes"
        assert record.turns[1].response_ms is not None
        assert record.greeting_ms is not None
        assert record.slots == {"order_number": "10473"}

    async def test_a_silent_caller_is_no_input_after_the_time_the_turn_allows(self) -> None:
        line = FakeCallerLine()
        dialog = FakeDialog(say("Yes or no?", Listen(("yes",), no_input_seconds=1.0)), GOODBYE)
        line.silence(1200)
        await hold(line, FakeMedia(line.inbox), parts(dialog))
        assert dialog.events == [NoInput(1.0)]

    async def test_a_phone_that_sends_nothing_while_its_owner_is_silent_still_times_out(self) -> None:
        line = FakeCallerLine()
        dialog = FakeDialog(say("Yes or no?", Listen(("yes",), no_input_seconds=0.4)), GOODBYE)
        await hold(line, FakeMedia(line.inbox), parts(dialog))
        assert dialog.events == [NoInput(0.4)]


class TestWhatIsStillLoading:
    """A process that has just begun speaks at once; only what the caller says waits for it."""

    async def test_the_first_prompt_is_spoken_and_the_answer_is_judged_when_it_is_there(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        dialog = FakeDialog(say("How can I help?"), GOODBYE)
        ready, waited = asyncio.Event(), asyncio.Event()

        async def loaded() -> None:
            waited.set()
            await ready.wait()

        call = parts(dialog, recognizer=FakeRecognizer("yes"), understanding_ready=loaded)
        task = asyncio.create_task(hold(line, media, call))
        await media.came.wait()
        line.voice(500)
        line.silence(600)
        await waited.wait()
        assert dialog.events == []
        ready.set()
        await task
        assert [event.text for event in dialog.events if isinstance(event, TurnInput)] == ["yes"]

    async def test_keys_and_silence_wait_for_nothing(self) -> None:
        async def loaded() -> None:
            raise AssertionError("keys and silence need no score")

        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        asked = say("Your number, please.", Listen((), keys=KeyEntry(max_digits=5), no_input_seconds=0.2))
        dialog = FakeDialog(asked, asked, GOODBYE)
        task = asyncio.create_task(hold(line, media, parts(dialog, understanding_ready=loaded)))
        await until(lambda: len(dialog.events) == 1)
        for digit in "10473":
            line.inbox.put_nowait(KeyPressed(digit))
        await task
        silence, entered = dialog.events
        assert silence == NoInput(0.2)
        assert isinstance(entered, TurnInput)
        assert entered.keys == "10473"


class TestKeys:
    async def test_a_key_over_the_prompt_silences_it_and_the_entry_is_the_answer(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        dialog = FakeDialog(say("Your number, please.", Listen((), keys=KeyEntry(max_digits=5))), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog)))
        await media.came.wait()
        for digit in "10473":
            line.inbox.put_nowait(KeyPressed(digit))
        media.instantly = True
        await call
        assert media.flushes >= 1
        assert dialog.events == [TurnInput(keys="10473", barged_in=True)]

    async def test_keys_pressed_during_a_look_up_are_kept_for_the_next_question(self) -> None:
        line = FakeCallerLine()
        gate = asyncio.Event()
        services = FakeServices(orders__verify=gate)
        dialog = FakeDialog(
            say("", Effect("e1", "orders.verify")), say("And your postcode?", Listen((), keys=KeyEntry(3))), GOODBYE
        )
        for digit in "606":
            line.inbox.put_nowait(KeyPressed(digit))
        line.silence(60)
        asyncio.get_running_loop().call_later(0.1, gate.set)
        await hold(line, FakeMedia(line.inbox), parts(dialog, services=services))
        assert dialog.events == [EffectSucceeded("e1", {}), TurnInput(keys="606", barged_in=True)]

    async def test_keys_over_a_prompt_that_may_not_be_interrupted_count_after_it(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        listen = Listen((), barge_in=BargeIn.OFF, keys=KeyEntry(max_digits=1))
        dialog = FakeDialog(say("This call may be recorded.", listen), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog)))
        await media.came.wait()
        line.inbox.put_nowait(KeyPressed("1"))
        line.silence(100)
        await asyncio.sleep(0.05)
        assert dialog.events == []
        media.instantly = True
        media.finish()
        line.silence(100)
        await until(lambda: dialog.events)
        await cancel_and_wait(call)
        assert media.flushes == 0
        assert dialog.events[0] == TurnInput(keys="1", barged_in=False)

    async def test_a_terminator_after_a_whole_number_is_no_answer_to_the_next_question(self) -> None:
        line = FakeCallerLine()
        dialog = FakeDialog(say("Your number?", NUMBER), say("Your postcode?", NUMBER), GOODBYE)
        for digit in "10473#60614#":
            line.inbox.put_nowait(KeyPressed(digit))
        await hold(line, FakeMedia(line.inbox), parts(dialog))
        assert [event.keys for event in dialog.events if isinstance(event, TurnInput)] == ["10473", "60614"]

    async def test_it_does_not_stop_the_next_prompt_either(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        dialog = FakeDialog(say("Your number?", NUMBER), say("Is that right?", Listen(("yes",))), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog, recognizer=FakeRecognizer("", "yes"))))
        await media.came.wait()
        for digit in "10473":
            line.inbox.put_nowait(KeyPressed(digit))
        await until(lambda: b"Is that right?" in media.played)
        flushes = media.flushes
        line.inbox.put_nowait(KeyPressed("#"))
        await until(line.inbox.empty)
        assert media.flushes == flushes
        media.instantly = True
        media.finish()
        line.voice(500)
        line.silence(600)
        await call
        assert [event.keys or event.text for event in dialog.events if isinstance(event, TurnInput)] == ["10473", "yes"]

    async def test_a_terminator_pressed_during_a_look_up_is_forgotten_and_the_keys_after_it_count(self) -> None:
        line = FakeCallerLine()
        gate = asyncio.Event()
        dialog = FakeDialog(
            say("Your number?", NUMBER), say("", Effect("e1", "orders.verify")), say("Postcode?", NUMBER), GOODBYE
        )
        services = FakeServices(orders__verify=gate)
        for digit in "10473#60614#":
            line.inbox.put_nowait(KeyPressed(digit))
        line.silence(60)
        asyncio.get_running_loop().call_later(0.1, gate.set)
        await hold(line, FakeMedia(line.inbox), parts(dialog, services=services))
        assert [event.keys for event in dialog.events if isinstance(event, TurnInput)] == ["10473", "60614"]

    async def test_a_terminator_ends_a_number_that_was_said(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        dialog = FakeDialog(say("Your number?", replace(NUMBER, words=("one", "two"))), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog, recognizer=FakeRecognizer("one two"))))
        await media.came.wait()
        line.voice(600)
        line.inbox.put_nowait(KeyPressed("#"))
        await call
        assert [(event.text, event.keys) for event in dialog.events if isinstance(event, TurnInput)] == [
            ("one two", "")
        ]

    async def test_a_terminator_alone_is_still_an_answer(self) -> None:
        line = FakeCallerLine()
        dialog = FakeDialog(say("Your number?", NUMBER), GOODBYE)
        line.inbox.put_nowait(KeyPressed("#"))
        await hold(line, FakeMedia(line.inbox), parts(dialog))
        assert dialog.events == [TurnInput(keys="#", barged_in=True)]

    async def test_the_first_whole_entry_keyed_over_a_prompt_that_may_not_be_interrupted_is_the_answer(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        dialog = FakeDialog(say("Listen.", replace(NUMBER, barge_in=BargeIn.OFF)), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog)))
        await media.came.wait()
        for digit in "104#7":
            line.inbox.put_nowait(KeyPressed(digit))
        await until(line.inbox.empty)
        media.instantly = True
        media.finish()
        await call
        assert [event.keys for event in dialog.events if isinstance(event, TurnInput)] == ["104"]


class TestInterruption:
    async def test_the_callers_voice_stops_the_prompt(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        dialog = FakeDialog(say("A very long greeting."), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog, recognizer=FakeRecognizer("agent"))))
        await media.came.wait()
        media.instantly = True
        line.voice(600)
        line.silence(600)
        await call
        assert media.flushes == 1
        heard = dialog.events[0]
        assert isinstance(heard, TurnInput)
        assert heard.barged_in

    async def test_after_a_false_interruption_the_interrupted_piece_is_said_again(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        dialog = FakeDialog(say("One. | Two. | Three."), GOODBYE)
        call = asyncio.create_task(hold(line, media, parts(dialog)))
        await until(lambda: len(media.played) == 3)
        line.inbox.put_nowait(PlaybackFinished(media.marks[0]))
        line.voice(300)
        line.silence(2400)
        await until(lambda: len(media.played) == 5)
        assert media.flushes == 1
        assert media.played[3:] == [b"Two.", b"Three."]
        assert len(set(media.marks)) == 5
        line.inbox.put_nowait(CallerHungUp())
        await call


class TestEffects:
    async def test_a_slow_system_gets_a_filler_and_then_a_deadline(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        effect = Effect(
            "e1", "orders.verify", deadline_seconds=0.6, filler=Prompt("wait", "One moment."), filler_after_seconds=0.1
        )
        dialog = FakeDialog(say("", effect), GOODBYE)
        call = parts(dialog, services=FakeServices(orders__verify=asyncio.Event()))
        await hold(line, media, call)
        assert media.played[0] == b"One moment."
        assert isinstance(dialog.events[0], EffectFailed)
        assert dialog.events[0].code == "timed_out"

    async def test_a_refusal_reaches_the_dialog_with_its_code(self) -> None:
        line = FakeCallerLine()
        services = FakeServices(orders__verify=ServiceError("not_found", "no such order"))
        dialog = FakeDialog(say("", Effect("e1", "orders.verify", {"number": "1"})), GOODBYE)
        await hold(line, FakeMedia(line.inbox), parts(dialog, services=services))
        assert dialog.events == [EffectFailed("e1", "not_found", "no such order")]
        assert services.asked == [("orders.verify", {"number": "1"}, "call-1:e1")]


class TestHandOver:
    HANDOVER = HandOverAction(
        "caller_asked",
        'Wants a "person"\r\nX-Evil: 1',
        priority=5,
        facts={"order_number": "10473", "verified": True},
    )

    async def test_the_last_word_is_heard_before_the_caller_leaves(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=False)
        call = asyncio.create_task(hold(line, media, parts(FakeDialog(say("I'm putting you through.", self.HANDOVER)))))
        await media.came.wait()
        line.silence(200)
        await asyncio.sleep(0.1)
        assert line.log == ["answer"]
        media.finish()
        await call
        assert line.log == ["answer", "hand_over caller_asked"]

    async def test_the_story_travels_in_variables_that_cannot_carry_anything_else(self) -> None:
        line = FakeCallerLine()
        await hold(line, FakeMedia(line.inbox), parts(FakeDialog(say("One moment.", self.HANDOVER))))
        assert line.variables == {
            "ORDERLINE_TICKET": "T-1",
            "ORDERLINE_REASON": "caller_asked",
            "ORDERLINE_SUMMARY": "Wants a person X-Evil: 1",
            "ORDERLINE_QUEUE": "",
            "ORDERLINE_PRIORITY": "5",
            "ORDERLINE_ORDER": "10473",
            "ORDERLINE_VERIFIED": "yes",
        }

    @pytest.mark.parametrize(
        ("slot", "said"),
        [("order_number", "four one one one one one one one one one one one one one one two"), ("postcode", "60614")],
    )
    async def test_what_may_not_be_kept_is_not_quoted_to_anybody(self, slot: str, said: str) -> None:
        """A misheard card number has no right check digit, and is one all the same."""
        line, records, told = FakeCallerLine(), FakeRecords(), FakeEvents()
        handover = HandOverAction("no_match", f'Last words: "{said}".')
        asked = say("Which one?", Listen(phrases=(said,), slot=slot))
        dialog = FakeDialog(asked, say("One moment.", handover))
        services = FakeServices(tickets__create={"ticket": {"id": "T-1"}})
        call = parts(dialog, services=services, recognizer=FakeRecognizer(said), records=records, events=told)
        media = FakeMedia(line.inbox)
        going = hold(line, media, replace(call, redact=lambda text, slot: redact_text(text, slot=slot)))
        task = asyncio.create_task(going)
        await media.came.wait()
        line.silence(100)
        line.voice(500)
        line.silence(2500)
        await task
        (record,) = records.written
        assert record.turns[0].heard == said, "the fixture holds what must not be kept"
        ticket = next(arguments for name, arguments, _ in services.asked if name == "tickets.create")
        fed = told.of(HandedOver)
        for place in (line.variables["ORDERLINE_SUMMARY"], str(record.handover), str(ticket), str(fed)):
            assert said not in place
            assert "Last words:" in place

    async def test_a_dead_ticket_system_does_not_keep_the_caller(self) -> None:
        line = FakeCallerLine()
        call = parts(FakeDialog(say("One moment.", self.HANDOVER)), services=FakeServices())
        await hold(line, FakeMedia(line.inbox), call)
        assert line.variables["ORDERLINE_TICKET"] == ""
        assert line.log[-1] == "hand_over caller_asked"


class TestHangUps:
    @pytest.mark.parametrize("state", ["speaking", "listening", "looking_up", "handing_over", "saying_goodbye"])
    async def test_in_every_state_end_in_one_record_and_no_task(self, state: str) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox, instantly=state == "listening")
        turns = {
            "speaking": say("Hello."),
            "listening": say("Hello."),
            "looking_up": say("", Effect("e1", "orders.verify", deadline_seconds=5)),
            "handing_over": say("One moment.", HandOverAction("caller_asked", "story")),
            "saying_goodbye": GOODBYE,
        }
        dialog = FakeDialog(turns[state])
        call = parts(dialog, services=FakeServices(orders__verify=asyncio.Event()))
        before = asyncio.all_tasks()
        task = asyncio.create_task(hold(line, media, call))
        await asyncio.sleep(0.05)
        line.inbox.put_nowait(CallerHungUp("gone"))
        await task
        assert isinstance(call.records, FakeRecords)
        assert [record.outcome for record in call.records.written] == ["caller_hung_up"]
        assert dialog.events == [HungUp()]
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before

    async def test_a_broken_media_leg_brings_the_caller_to_a_person_with_the_story(self) -> None:
        line = FakeCallerLine()
        call = parts(FakeDialog(say("Hello.")))
        line.inbox.put_nowait(MediaLost("cut"))
        record = await hold(line, FakeMedia(line.inbox), call)
        assert (record.outcome, record.ended_by) == ("handed_over", "fault")
        assert record.faults == ["MediaLostError: The audio of the call broke: cut."]
        assert line.log[-1] == "hand_over agent_fault"
        assert line.variables["ORDERLINE_TICKET"] == "T-1"

    async def test_when_asterisk_is_gone_the_call_is_recorded_as_lost(self) -> None:
        line = FakeCallerLine()
        line.lost = True
        call = parts(FakeDialog(say("Hello.")))
        line.inbox.put_nowait(MediaLost("cut"))
        record = await hold(line, FakeMedia(line.inbox), call)
        assert (record.outcome, record.ended_by) == ("lost", "fault")

    async def test_a_broken_call_that_cannot_be_given_away_is_recorded_and_raised(self) -> None:
        line = FakeCallerLine()
        line.refuses = True
        call = parts(FakeDialog(say("Hello.")))
        line.inbox.put_nowait(MediaLost("cut"))
        with pytest.raises(MediaLostError):
            await hold(line, FakeMedia(line.inbox), call)
        assert isinstance(call.records, FakeRecords)
        assert [(record.outcome, record.ended_by) for record in call.records.written] == [("failed", "fault")]
        assert isinstance(call.events, FakeEvents)
        assert len(call.events.of(CallFinished)) == 1


class TestAQueueThatIsAskedFirst:
    @staticmethod
    def desk(state: QueueState) -> StaffQueues:
        class Figures:
            problem = ""

            async def state(self, name: str) -> QueueState | None:
                return state

        class NoWhispers:
            async def make(self, call_id: str, values: object) -> str:
                return ""

        plans = {"humans": QueueDefinition(lambda: QueueRules(UTC, max_callers=5))}
        return StaffQueues(plans, Figures(), NoWhispers(), lambda: datetime(2026, 3, 2, 9, 30, tzinfo=UTC))

    async def test_a_wait_is_told_after_the_last_words_and_before_the_transfer(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        told = say("The wait is about four minutes.", HandOverAction("complaint", "Is cross."))
        dialog = FakeDialog(say("I'll put you through.", HandOverAction("complaint", "Is cross.")), told)
        call = parts(dialog, queues=self.desk(QueueState(1, 0, 0, talk_seconds=240)))
        await hold(line, media, call)
        assert media.played == [b"I'll put you through.", b"The wait is about four minutes."]
        assert dialog.events == [QueueReport("open", 4)]
        assert line.variables["ORDERLINE_QUEUE"] == "humans"
        assert line.log == ["answer", "hand_over complaint"]

    async def test_where_nobody_is_the_transfer_is_not_promised(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        dialog = FakeDialog(
            say("I'll put you through.", HandOverAction("complaint", "")), say("Nobody is here.", HangUp("x"))
        )
        call = parts(dialog, queues=self.desk(QueueState(0, 0, 0)))
        await hold(line, media, call)
        assert media.played == [b"Nobody is here."]
        assert dialog.events == [QueueReport("empty")]
        assert line.log == ["answer", "hang_up"]


async def test_a_call_that_is_taken_over_stops_speaking_and_is_recorded_as_such() -> None:
    line = FakeCallerLine()
    media = FakeMedia(line.inbox, instantly=False)
    records = FakeRecords()
    task = asyncio.create_task(hold(line, media, parts(FakeDialog(say("How can I help?"), GOODBYE), records=records)))
    await media.came.wait()
    line.inbox.put_nowait(TakeOverRequested("601"))
    await task
    assert line.log == ["answer", "release_to_supervisor"]
    (record,) = records.written
    assert (record.outcome, record.ended_by) == ("taken_over", "supervisor")


class TestAPauseInTheCallersAnswer:
    ASKS_FOR_A_NUMBER = Listen((), words=("one", "two"), slot="order_number", keys=KeyEntry(max_digits=5))

    @staticmethod
    def heard(text: str, finals: list[int]) -> FakeRecognizer:
        """A recogniser that hears the text and counts the final results it was asked for."""
        hearing = FakeUtteranceRecognizer(text)
        finish = hearing.finish

        async def counted() -> RecognitionResult:
            finals.append(1)
            return await finish()

        hearing.finish = counted  # type: ignore[method-assign]
        recognizer = FakeRecognizer()
        recognizer.listen = lambda *_: hearing  # type: ignore[method-assign, assignment]
        return recognizer

    async def test_is_settled_while_the_turn_may_go_on_and_costs_no_time_when_it_was_the_end(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        finals: list[int] = []
        call = parts(FakeDialog(say("How can I help?"), GOODBYE), recognizer=self.heard("yes", finals))
        task = asyncio.create_task(hold(line, media, call))
        await media.came.wait()
        line.voice(500)
        line.silence(200)
        await until(lambda: finals)
        assert not call.records.written  # type: ignore[attr-defined]
        line.silence(600)
        await task
        assert len(finals) == 1

    async def test_is_settled_too_where_a_number_could_be_keyed(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        finals: list[int] = []
        dialog = FakeDialog(say("And the number?", self.ASKS_FOR_A_NUMBER), GOODBYE)
        task = asyncio.create_task(hold(line, media, parts(dialog, recognizer=self.heard("no", finals))))
        await media.came.wait()
        line.voice(500)
        line.silence(200)
        await until(lambda: finals)
        line.silence(600)
        await task

    async def test_between_digits_is_settled_only_when_it_is_a_long_one(self) -> None:
        line = FakeCallerLine()
        media = FakeMedia(line.inbox)
        finals: list[int] = []
        dialog = FakeDialog(say("And the number?", self.ASKS_FOR_A_NUMBER), GOODBYE)
        dialog.completeness = lambda _: Completeness.INCOMPLETE  # type: ignore[method-assign]
        task = asyncio.create_task(hold(line, media, parts(dialog, recognizer=self.heard("one", finals))))
        await media.came.wait()
        for _ in range(3):
            line.voice(200)
            line.silence(300)
        await until(line.inbox.empty)
        assert not finals
        line.voice(200)
        line.silence(420)
        await until(lambda: finals)
        line.silence(1600)
        await task
        assert len(finals) == 1
