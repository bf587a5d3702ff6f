"""The recognition stream of one turn: chunks, pauses settled ahead, and callers who speak on."""

from __future__ import annotations

import asyncio

import pytest

from agent.call.errors import RecognitionFailed
from agent.call.ports import RecognitionResult
from agent.call.recognition_stream import RecognitionStream
from agent.common.audio import FRAME_BYTES
from agent.common.tasks import cancel_and_wait
from tests.waiting import until

ONE, TWO, QUIET = b"\x01" * FRAME_BYTES, b"\x02" * FRAME_BYTES, bytes(FRAME_BYTES)
WORDS = {1: "one", 2: "two"}


class LaggingRecognizer:
    """Its running text lacks the last word; its final one is whole. Notes what it was given."""

    def __init__(self) -> None:
        self.pcm = b""
        self.finals = 0
        self.slow: asyncio.Event | None = None

    def _words(self) -> list[str]:
        frames = [self.pcm[start] for start in range(0, len(self.pcm), FRAME_BYTES)]
        return [WORDS[frame] for frame in frames if frame]

    async def feed(self, pcm: bytes) -> str:
        self.pcm += pcm
        return " ".join(self._words()[:-1])

    async def finish(self) -> RecognitionResult:
        self.finals += 1
        said = RecognitionResult(" ".join(self._words()))
        if self.slow is not None:
            await self.slow.wait()
        return said


class TestAPause:
    async def test_brings_the_whole_text_while_it_lasts(self) -> None:
        ear = RecognitionStream(LaggingRecognizer(), 1)
        ear.take(ONE)
        ear.settle()
        await until(lambda: ear.text == "one")
        assert ear.settled
        await ear.close()

    async def test_that_was_the_end_needs_no_more_of_the_recogniser(self) -> None:
        hearing = LaggingRecognizer()
        ear = RecognitionStream(hearing, 1)
        ear.take(ONE)
        ear.settle()
        await until(lambda: ear.text == "one")
        ear.take(QUIET)
        assert (await ear.finish()).text == "one"
        assert hearing.finals == 1
        assert hearing.pcm == ONE

    async def test_that_was_not_the_end_loses_nothing_of_what_was_said(self) -> None:
        hearing = LaggingRecognizer()
        ear = RecognitionStream(hearing, 1)
        ear.take(ONE)
        ear.settle()
        await until(lambda: ear.text == "one")
        ear.take(QUIET)
        ear.go_on()
        ear.take(TWO)
        assert (await ear.finish()).text == "one two"
        assert hearing.pcm == ONE + QUIET + TWO

    async def test_that_ends_before_the_recogniser_has_answered_is_none(self) -> None:
        hearing = LaggingRecognizer()
        hearing.slow = asyncio.Event()
        ear = RecognitionStream(hearing, 1)
        ear.take(ONE)
        ear.settle()
        await until(lambda: hearing.finals == 1)
        ear.go_on()
        ear.take(TWO)
        ear.settle()
        hearing.slow.set()
        await until(lambda: ear.text == "one two")
        assert (await ear.finish()).text == "one two"

    async def test_is_over_at_once_when_the_turn_ends_while_it_is_being_settled(self) -> None:
        hearing = LaggingRecognizer()
        hearing.slow = asyncio.Event()
        ear = RecognitionStream(hearing, 1)
        ear.take(ONE)
        ear.settle()
        await until(lambda: hearing.finals == 1)
        ending = asyncio.create_task(ear.finish())
        hearing.slow.set()
        assert (await ending).text == "one"
        assert hearing.finals == 1


class HangingRecognizer(LaggingRecognizer):
    """Answers nothing until it is given up as stalled, or goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.stalled, self.goes_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def feed(self, pcm: bytes) -> str:
        self.asked.set()
        waits = [asyncio.create_task(event.wait()) for event in (self.stalled, self.goes_on)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        await cancel_and_wait(*waits)
        if self.stalled.is_set():
            raise RecognitionFailed("it did not answer")
        return await super().feed(pcm)


class TestAStreamInPlaceOfAnother:
    async def test_finds_out_that_the_recogniser_hangs_as_soon_as_the_first_would_have(self) -> None:
        hanging = HangingRecognizer()
        ear = RecognitionStream(hanging, 1)
        ear.take(ONE)
        await hanging.asked.wait()
        for _ in range(3):  # noise again and again: each time what was heard is forgotten
            ear = RecognitionStream(LaggingRecognizer(), 1, instead_of=ear)
            ear.take(TWO)
        hanging.stalled.set()
        with pytest.raises(RecognitionFailed):
            await asyncio.wait_for(ear.finish(), 10)
        with pytest.raises(RecognitionFailed):
            ear.check()
        await ear.close()

    async def test_hears_all_that_came_while_the_recogniser_was_only_slow_and_nothing_of_before(self) -> None:
        slow, hearing = HangingRecognizer(), LaggingRecognizer()
        ear = RecognitionStream(slow, 1)
        ear.take(ONE)
        await slow.asked.wait()
        ear = RecognitionStream(hearing, 1, instead_of=ear)
        ear.take(TWO + TWO)
        slow.goes_on.set()
        assert (await asyncio.wait_for(ear.finish(), 10)).text == "two two"
        assert hearing.pcm == TWO + TWO

    async def test_that_is_closed_leaves_none_of_them_listening(self) -> None:
        hanging = HangingRecognizer()
        first = RecognitionStream(hanging, 1)
        first.take(ONE)
        await hanging.asked.wait()
        last = RecognitionStream(LaggingRecognizer(), 1, instead_of=first)
        await last.close()
        with pytest.raises(asyncio.CancelledError):
            await first.stop()
