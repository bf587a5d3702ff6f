"""The opening of a placed call in a session: who speaks first, when a machine is told, when we stay silent."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agent.call.inbox_events import AudioFrame, KeyPressed
from agent.call.records import CallRecord
from agent.call.session import CallSession
from agent.dialog.callee import CalleeReport, CalleeWatch
from agent.dialog.contract import HangUp, Listen, NoInput, Turn, TurnInput
from tests.call.fakes import FakeCallerLine, FakeDialog, FakeMedia, FakeRecognizer, parts, say
from tests.call.test_tones import tone

PHRASES = {
    "voicemail": ("leave a message", "after the tone", "you've reached"),
    "screener": ("reason for calling",),
    "ivr": ("press one for",),
}
WATCH = CalleeWatch(PHRASES, greeting=True)
GREETING = Turn((), Listen((), no_input_seconds=1.2, max_speech_seconds=60.0, callee=WATCH))
QUESTION = say(
    "Am I speaking with Maria?", Listen(("yes",), no_input_seconds=3.0, callee=replace(WATCH, greeting=False))
)
END = say("Goodbye.", HangUp("done"))


def line() -> FakeCallerLine:
    made = FakeCallerLine()
    made.entry, made.is_answered = "outbound", True
    return made


async def hold(callee: FakeCallerLine, dialog: FakeDialog, *texts: str) -> CallRecord:
    call = parts(dialog, recognizer=FakeRecognizer(*texts))
    async with asyncio.timeout(10):
        return await CallSession(callee, FakeMedia(callee.inbox), call).run()


async def test_we_listen_first_and_speak_when_the_greeting_ends() -> None:
    callee, dialog = line(), FakeDialog(GREETING, END)
    callee.voice(600)
    callee.silence(400)
    await hold(callee, dialog, "hello")
    assert [type(event) for event in dialog.events] == [TurnInput]


async def test_without_a_greeting_we_speak_after_1200_ms() -> None:
    callee, dialog = line(), FakeDialog(GREETING, END)
    callee.silence(1300)
    await hold(callee, dialog)
    assert dialog.events == [NoInput(1.2)]


async def test_a_greeting_that_nobody_understood_ends_as_well() -> None:
    callee, dialog = line(), FakeDialog(GREETING, END)
    callee.voice(200)
    callee.silence(400)
    await hold(callee, dialog)
    assert isinstance(dialog.events[0], TurnInput)


async def test_a_voicemail_is_told_while_it_speaks_where_no_message_is_left() -> None:
    callee, dialog = line(), FakeDialog(GREETING, END)
    callee.voice(3000)
    await hold(callee, dialog, "you've reached bob leave a message")
    assert dialog.events == [CalleeReport("machine")]


async def test_a_voicemail_with_a_message_is_told_behind_its_beep() -> None:
    watch = replace(WATCH, leaves_message=True)
    callee, dialog = line(), FakeDialog(Turn((), replace(GREETING.then, callee=watch)), END)  # type: ignore[arg-type]
    callee.voice(2000)
    callee.silence(600)  # longer than a greeting's end: it is known for a machine by then
    callee.inbox.put_nowait(AudioFrame(tone(1000, ms=400)))
    callee.silence(700)
    await hold(callee, dialog, "you've reached bob leave a message", "")
    assert dialog.events == [CalleeReport("machine")]


async def test_a_machine_that_speaks_into_our_question_silences_us_and_is_told() -> None:
    callee, dialog = line(), FakeDialog(GREETING, QUESTION, END)
    callee.silence(1300)
    callee.voice(2500)
    await hold(callee, dialog, "", "you've reached bob leave a message")
    assert dialog.events == [NoInput(1.2), CalleeReport("machine")]


async def test_behind_one_piece_of_a_machines_sentence_we_say_nothing_more_until_a_person_answers() -> None:
    callee, dialog = line(), FakeDialog(GREETING, QUESTION, END)
    callee.silence(1300)
    callee.voice(800)
    callee.silence(1200)  # the end of a turn: it is no answer
    callee.voice(500)
    callee.silence(600)
    suspicious = OpenUnlessYes(GREETING, QUESTION, END)
    await hold(callee, suspicious, "", "you've reached maria", "yes")
    assert suspicious.events[1:] == [TurnInput(text="yes")] or suspicious.events[1].text == "yes"  # type: ignore[union-attr]
    assert dialog.events == []


async def test_where_nothing_follows_it_stays_unclear() -> None:
    callee, dialog = line(), OpenUnlessYes(GREETING, QUESTION, END)
    callee.silence(1300)
    callee.voice(800)
    callee.silence(5000)
    await hold(callee, dialog, "", "you've reached maria")
    assert dialog.events == [NoInput(1.2), CalleeReport("unclear")]


async def test_a_key_is_a_persons() -> None:
    callee, dialog = line(), FakeDialog(GREETING, END)
    callee.inbox.put_nowait(KeyPressed("1"))
    await hold(callee, dialog)
    assert dialog.events == [TurnInput(keys="1")]


async def test_the_stop_key_counts_during_our_last_words() -> None:
    callee = line()
    media = FakeMedia(callee.inbox, instantly=False)
    dialog = FakeDialog(say("Goodbye.", HangUp("done")), say("We won't call any more.", HangUp("opted_out")))
    call = asyncio.create_task(CallSession(callee, media, parts(dialog)).run())
    async with asyncio.timeout(10):
        await media.came.wait()
        media.instantly = True
        callee.inbox.put_nowait(KeyPressed("9"))
        record = await call
    assert dialog.events == [TurnInput(keys="9")]
    assert record.outcome == "opted_out"


async def test_on_a_customers_own_call_that_key_is_nothing_special() -> None:
    caller = FakeCallerLine()
    media = FakeMedia(caller.inbox, instantly=False)
    dialog = FakeDialog(say("Goodbye.", HangUp("done")))
    call = asyncio.create_task(CallSession(caller, media, parts(dialog)).run())
    async with asyncio.timeout(10):
        await media.came.wait()
        caller.inbox.put_nowait(KeyPressed("9"))
        media.finish()
        record = await call
    assert record.outcome == "done"


class OpenUnlessYes(FakeDialog):
    """Only "yes" is a whole answer."""

    def completeness(self, text: str):  # type: ignore[no-untyped-def]
        return super().completeness(text if text == "yes" else "")
