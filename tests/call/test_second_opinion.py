"""A second recogniser is asked about answers in doubt; whatever it does, the call goes on."""

from __future__ import annotations

import asyncio

import pytest

from agent.call.records import CallRecord
from agent.call.second_opinion import NoSecondOpinion, SecondOpinionSource, TurnSecondOpinion
from agent.call.session import CallSession
from agent.common.audio import FRAME_BYTES
from agent.dialog.contract import HangUp, SecondText, TurnInput
from agent.telemetry.events import CallerSaid
from tests.call.fakes import FakeCallerLine, FakeDialog, FakeEvents, FakeMedia, FakeRecognizer, parts, say

FIRST = TurnInput("where is my odor")
VOICE = b"\x10\x20" * (FRAME_BYTES // 2)
SILENCE = bytes(FRAME_BYTES)


class Doubting:
    """Doubts every answer, and goes on with whatever the second recogniser says."""

    def __init__(self, *, doubts: bool = True, takes: bool = True) -> None:
        self._doubts, self._takes = doubts, takes

    def doubts(self, heard: TurnInput) -> bool:
        return self._doubts

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        return TurnInput(second.text) if self._takes else heard


class Second:
    """Answers at once, when told to, or fails."""

    def __init__(self, text: str = "where is my order", *, error: Exception | None = None, waits: bool = False) -> None:
        self.sounds: list[bytes] = []
        self.given_up = 0
        self._text, self._error = text, error
        self._may_answer = asyncio.Event()
        if not waits:
            self._may_answer.set()

    async def hear(self, pcm: bytes) -> SecondText:
        self.sounds.append(pcm)
        try:
            await self._may_answer.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self._error is not None:
            raise self._error
        return SecondText(self._text)


def turn(second: Second, judge: Doubting, wait_seconds: float = 10.0) -> TurnSecondOpinion:
    asked = TurnSecondOpinion(SecondOpinionSource(second, wait_seconds), judge)
    for _ in range(30):
        asked.frame(SILENCE, caller_is_speaking=False)
    for _ in range(10):
        asked.frame(VOICE, caller_is_speaking=True)
    return asked


async def test_an_answer_in_doubt_is_heard_again_with_half_a_second_before_the_voice() -> None:
    second = Second()
    assert await turn(second, Doubting()).conclude(FIRST) == (TurnInput("where is my order"), "used")
    assert second.sounds == [SILENCE * 25 + VOICE * 10]


async def test_a_text_that_cannot_be_judged_leaves_the_first_one() -> None:
    class Broken(Doubting):
        def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
            raise ValueError("boom")

    class BrokenBefore(Doubting):
        def doubts(self, heard: TurnInput) -> bool:
            raise ValueError("boom")

    assert await turn(Second(), Broken()).conclude(FIRST) == (FIRST, "failed")
    assert await turn(Second(), BrokenBefore()).conclude(FIRST) == (FIRST, "")


async def test_an_answer_in_no_doubt_is_not_asked_about() -> None:
    second = Second()
    assert await turn(second, Doubting(doubts=False)).conclude(FIRST) == (FIRST, "")
    assert second.sounds == []


async def test_a_second_text_that_is_not_taken_leaves_the_first_one() -> None:
    assert await turn(Second(), Doubting(takes=False)).conclude(FIRST) == (FIRST, "agreed")


async def test_what_comes_too_late_is_given_up_and_the_turn_goes_on() -> None:
    second = Second(waits=True)
    opinion = turn(second, Doubting(), wait_seconds=0.0)
    assert await opinion.conclude(FIRST) == (FIRST, "late")
    await opinion.close()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(NoSecondOpinion("busy"), "busy"), (NoSecondOpinion("failed"), "failed"), (OSError("broken pipe"), "failed")],
)
async def test_a_second_recogniser_that_breaks_harms_no_turn(error: Exception, outcome: str) -> None:
    assert await turn(Second(error=error), Doubting()).conclude(FIRST) == (FIRST, outcome)


async def test_it_is_asked_once_in_the_pause_that_ends_the_turn() -> None:
    second = Second()
    opinion = turn(second, Doubting())
    opinion.paused(FIRST)
    opinion.paused(FIRST)
    assert (await opinion.conclude(FIRST))[1] == "used"
    assert len(second.sounds) == 1


async def test_who_speaks_on_is_heard_again_as_a_whole() -> None:
    second = Second(waits=True)
    opinion = turn(second, Doubting())
    opinion.paused(FIRST)
    await asyncio.sleep(0)
    opinion.spoke_on()
    opinion.frame(VOICE, caller_is_speaking=True)
    opinion.paused(TurnInput("where is my odor please"))
    await asyncio.sleep(0)
    assert second.given_up == 1
    assert [len(sound) for sound in second.sounds] == [35 * FRAME_BYTES, 36 * FRAME_BYTES]
    await opinion.close()


async def test_an_answer_that_does_not_fit_the_window_is_not_asked_about() -> None:
    second = Second()
    opinion = turn(second, Doubting())
    for _ in range(14_000 // 20):
        opinion.frame(VOICE, caller_is_speaking=True)
    assert await opinion.conclude(FIRST) == (FIRST, "")


async def test_nothing_is_asked_while_the_dialog_is_still_loading() -> None:
    second = Second()
    opinion = TurnSecondOpinion(SecondOpinionSource(second, is_ready=lambda: False), Doubting())
    opinion.frame(VOICE, caller_is_speaking=True)
    assert await opinion.conclude(FIRST) == (FIRST, "")


class DoubtingDialog(FakeDialog):
    """A dialog that takes whatever the second recogniser says."""

    def doubts(self, heard: TurnInput) -> bool:
        return True

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        return TurnInput(second.text)


async def _call(second: Second) -> tuple[CallRecord, FakeDialog, FakeEvents]:
    line = FakeCallerLine()
    dialog = DoubtingDialog(say("How can I help?"), say("Goodbye.", HangUp("answered")))
    events = FakeEvents()
    source = SecondOpinionSource(second, 10.0)
    call = parts(dialog, recognizer=FakeRecognizer("where is my odor"), second=source, events=events)
    line.silence(100)
    line.voice(500)
    line.silence(1500)
    async with asyncio.timeout(10):
        return await CallSession(line, FakeMedia(line.inbox), call).run(), dialog, events


async def test_a_call_goes_on_with_the_second_text_and_its_record_says_so() -> None:
    record, dialog, events = await _call(Second())
    assert [event.text for event in dialog.events if isinstance(event, TurnInput)] == ["where is my order"]
    answered = record.turns[0]
    assert (answered.heard, answered.second_opinion, answered.heard_by) == ("where is my order", "used", "second")
    (told,) = events.of(CallerSaid)
    assert (told.second_opinion, told.heard_by) == ("used", "second")


async def test_a_call_whose_second_recogniser_is_gone_goes_on_with_the_first_text() -> None:
    record, dialog, _ = await _call(Second(error=NoSecondOpinion("failed")))
    assert [event.text for event in dialog.events if isinstance(event, TurnInput)] == ["where is my odor"]
    assert (record.turns[0].second_opinion, record.turns[0].heard_by) == ("failed", "first")
