"""The recognition stream of one turn: chunks, pauses settled ahead, and callers who speak on."""

from __future__ import annotations

import asyncio

from agent.call.ports import RecognitionResult
from agent.call.recognition_stream import RecognitionStream
from agent.common.audio import FRAME_BYTES
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
