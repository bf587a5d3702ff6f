"""Listening to frames whose voice activity is judged elsewhere, and to frames that have piled up."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

import pytest

from agent.call.errors import LineGone
from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, CallerHungUp, Inbox
from agent.call.listening import ListeningComponents, TurnListener
from agent.call.playback import PromptPlayback
from agent.common.audio import FRAME_BYTES, FRAME_MS
from agent.dialog.contract import Completeness, Listen, NoInput, TurnInput
from tests.call.fakes import FakeGain, FakeGate, FakeMedia, FakeRecognizer, FakeVad, FakeVoice

VOICE, QUIET = b"\x01" * FRAME_BYTES, bytes(FRAME_BYTES)


class LateVad:
    """Judges as FakeVad does, a while later; keeps the frames in the order in which they came."""

    __test__ = False

    def __init__(self, dice: random.Random) -> None:
        self.frames: list[bytes] = []
        self._dice = dice

    def process(self, pcm: bytes) -> float | asyncio.Future[float]:
        self.frames.append(pcm)
        probability = FakeVad().process(pcm)
        if self._dice.random() < 0.3:
            return probability
        loop = asyncio.get_running_loop()
        judged: asyncio.Future[float] = loop.create_future()
        loop.call_later(self._dice.random() * 0.002, judged.set_result, probability)
        return judged


class CountingGate:
    """Passes everything on and keeps what it got."""

    __test__ = False

    def __init__(self, passed: list[bytes]) -> None:
        self._passed = passed

    def process(self, pcm: bytes, speech_probability: float) -> bytes:
        self._passed.append(pcm)
        return pcm


def listener(
    reader: InboxReader, vad: object, passed: list[bytes] | None = None, text: str = "yes", no_input: float = 5.0
) -> TurnListener:
    gate: Callable[[], object] = FakeGate if passed is None else lambda: CountingGate(passed)
    parts = ListeningComponents(
        recognizer=FakeRecognizer(text),
        gain=FakeGain(),
        vad=vad,  # type: ignore[arg-type]
        gate=gate,  # type: ignore[arg-type]
        completeness=lambda heard: Completeness.COMPLETE if heard else Completeness.OPEN,
        clock=lambda: 0.0,
        on_listening=lambda: None,
    )
    nothing = PromptPlayback(FakeVoice(), FakeMedia(asyncio.Queue()), (), itertools.count(), lambda: 0.0, print)
    return TurnListener(reader, parts, Listen(("yes",), no_input_seconds=no_input), nothing)


@pytest.mark.parametrize("seed", range(5))
async def test_frames_judged_elsewhere_make_the_same_turns_none_lost_and_all_in_order(seed: int) -> None:
    """However the frames arrive and whenever they are judged: two turns, one after the other, of one caller."""
    dice = random.Random(seed)
    frames = [*[VOICE] * 15, *[QUIET] * 60, *[VOICE] * 10, *[QUIET] * 60]
    inbox: Inbox = asyncio.Queue()
    reader, vad = InboxReader(inbox, quiet_after_seconds=None), LateVad(dice)
    passed: list[bytes] = []

    async def speak() -> None:
        left = list(frames)
        while left:
            for _ in range(dice.choice((1, 1, 1, 2, 9))):
                if left:
                    inbox.put_nowait(AudioFrame(left.pop(0)))
            await asyncio.sleep(dice.random() * 0.001)

    speaking = asyncio.create_task(speak())
    for _ in range(2):
        answer = await listener(reader, vad, passed).run()
        assert isinstance(answer.event, TurnInput)
        assert answer.event.text == "yes"
    await speaking
    assert vad.frames == frames[: len(vad.frames)]
    assert passed == frames[: len(passed)]
    assert len(passed) * FRAME_MS >= (15 + 60 + 10) * FRAME_MS


async def test_what_has_piled_up_beyond_the_end_of_a_turn_belongs_to_the_next() -> None:
    inbox: Inbox = asyncio.Queue()
    for _ in range(2 * 1000 // FRAME_MS):
        inbox.put_nowait(AudioFrame(QUIET))
    reader, vad, passed = InboxReader(inbox, quiet_after_seconds=None), LateVad(random.Random(1)), list[bytes]()
    for turn in (1, 2):
        answer = await listener(reader, vad, passed, "", 1.0).run()
        assert answer.event == NoInput(1.0)
        assert len(passed) == turn * 1000 // FRAME_MS
    assert len(vad.frames) == 2 * 1000 // FRAME_MS, "each frame is judged once"


async def test_a_hang_up_behind_audio_that_has_piled_up_is_noticed() -> None:
    inbox: Inbox = asyncio.Queue()
    for event in (AudioFrame(VOICE), AudioFrame(VOICE), CallerHungUp()):
        inbox.put_nowait(event)
    with pytest.raises(LineGone):
        await listener(InboxReader(inbox), LateVad(random.Random(2))).run()
