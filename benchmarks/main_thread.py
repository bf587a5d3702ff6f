"""``python -m benchmarks.main_thread``: what the agent's main thread does for a call that is listened to.

The audio of so many calls comes from another process in real time over media websockets, and goes through what the
agent is made of: media leg, inbox, echo, voice activity, gain, gate, recogniser, turn taking, prompts. There is no
telephone and no dialogue. What is counted is processor time, not time that passes: a busy machine changes it little.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import itertools
import json
import pstats
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import numpy as np

from agent.asterisk.ari.client import AriClient
from agent.asterisk.media_websocket import WebsocketMedia
from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, InboxEvent
from agent.call.listening import ListeningComponents, TurnListener
from agent.call.playback import PromptPlayback
from agent.common.audio import FRAME_BYTES, SAMPLE_RATE
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import Completeness, Listen, Prompt
from agent.speech.echo import LoudnessEchoSuppressor
from agent.speech.engines.hibari import HibariEngine
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.model import bundled_model
from agent.speech.recognizer import VoskRecognizer
from agent.speech.vad_thread import SharedVoiceActivity
from benchmarks.figures import spread

ANSWERS = ("yes", "where is my order", "one zero four seven three", "I want to return my order")
QUESTION = "What is the number of your order?"
_QUIET_SECONDS = 2.6
"""Between two answers of the caller: the question is heard then."""
_LISTEN = Listen(
    phrases=("yes", "no", "where is my order", "i want to return my order", "speak to a person"),
    words=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    samples=("one zero four seven three",),
)
_WARM_UP_SECONDS = 4.0


class StampedInbox(asyncio.Queue[InboxEvent]):
    """An inbox that notes when each 20 ms of audio came."""

    def __init__(self) -> None:
        super().__init__()
        self.came: deque[float] = deque()

    def put_nowait(self, item: InboxEvent) -> None:
        """Put one event."""
        if isinstance(item, AudioFrame):
            self.came.extend([time.monotonic()] * (len(item.pcm) // FRAME_BYTES))
        super().put_nowait(item)


class TimedGate:
    """The gate of a turn: notes how long each frame took to reach it. It is behind voice activity and gain."""

    def __init__(self, inbox: StampedInbox, lags: list[float]) -> None:
        self._gate = SpeechGate()
        self._inbox = inbox
        self._lags = lags

    def process(self, pcm: bytes, speech_probability: float) -> bytes:
        """Pass one frame on."""
        if self._inbox.came:
            self._lags.append(time.monotonic() - self._inbox.came.popleft())
        return self._gate.process(pcm, speech_probability)


class FixedVoice:
    """Says the same question always; implements :class:`agent.call.ports.Voice`."""

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm

    def pieces(self, prompt_id: str, text: str) -> Sequence[str]:
        """Return the text as one piece."""
        return [text]

    def cached(self, prompt_id: str, text: str) -> bytes | None:
        """Return the question."""
        return self._pcm

    def pause_after(self, piece: str) -> bytes:
        """Return nothing."""
        return b""

    async def render(self, prompt_id: str, text: str) -> bytes:
        """Return the question."""
        return self._pcm


class ListeningCalls:
    """Calls that ask, listen, and ask again."""

    def __init__(self, ari: AriClient, question: bytes) -> None:
        self._ari = ari
        self._recognizer = VoskRecognizer(bundled_model())
        self._activities = SharedVoiceActivity()
        self._voice = FixedVoice(question)
        self.lags: list[float] = []
        """Seconds from a frame's arrival to its judgement."""
        self.turns = 0
        self.heard: dict[str, int] = {}

    async def hold(self, name: str) -> None:
        """Hold one call until cancelled."""
        inbox = StampedInbox()
        media = WebsocketMedia(self._ari, name, inbox)
        await media.open()
        try:
            await self._converse(inbox, media)
        finally:
            await media.close()

    async def _converse(self, inbox: StampedInbox, media: WebsocketMedia) -> None:
        reader, marks = InboxReader(inbox), itertools.count(1)
        echo = LoudnessEchoSuppressor(time.monotonic)
        parts = ListeningComponents(
            recognizer=self._recognizer,
            gain=AutomaticGain(),
            vad=self._activities.new(),
            gate=lambda: TimedGate(inbox, self.lags),
            echo=echo,
            completeness=lambda text: Completeness.COMPLETE if text else Completeness.OPEN,
            clock=time.monotonic,
            on_listening=_nothing,
        )
        prompt = (Prompt("question", QUESTION),)
        while True:
            speaking = PromptPlayback(self._voice, media, prompt, marks, time.monotonic, _nothing, echo)
            speaking.start()
            try:
                answer = await TurnListener(reader, parts, _LISTEN, speaking).run()
            finally:
                await speaking.close()
            self.turns += 1
            text = getattr(answer.event, "text", "(nothing)")
            self.heard[text] = self.heard.get(text, 0) + 1

    def close(self) -> None:
        """End the threads."""
        self._recognizer.close()
        self._activities.close()


async def measure(
    calls: int, seconds: float, profile: cProfile.Profile | None = None, warm_up_seconds: float = _WARM_UP_SECONDS
) -> dict[str, Any]:
    """Hold so many calls for so long; return what they cost a second of a call."""
    engine = HibariEngine()
    async with media_peer(caller_sound(engine)) as url, AriClient(url, "orderline", "secret", "orderline") as ari:
        held = ListeningCalls(ari, as_bytes(engine.synthesise(QUESTION)))
        tasks = [asyncio.create_task(held.hold(f"leg-{number}")) for number in range(calls)]
        try:
            await asyncio.wait(tasks, timeout=warm_up_seconds, return_when=asyncio.FIRST_EXCEPTION)
            held.lags.clear()
            held.heard.clear()
            held.turns = 0
            began, main, whole = time.monotonic(), time.thread_time(), time.process_time()
            if profile is not None:
                profile.enable()
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            if profile is not None:
                profile.disable()
            lasted = time.monotonic() - began
            main, whole = time.thread_time() - main, time.process_time() - whole
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            await cancel_and_wait(*tasks)
            held.close()
    call_seconds = calls * lasted
    return {
        "calls": calls,
        "seconds": round(lasted, 1),
        "main_thread_ms_a_call_second": round(1000 * main / call_seconds, 2),
        "all_threads_ms_a_call_second": round(1000 * whole / call_seconds, 2),
        "frame_lag_ms": spread([1000 * lag for lag in held.lags]),
        "turns": held.turns,
        "heard": dict(sorted(held.heard.items(), key=lambda item: -item[1])),
    }


def caller_sound(engine: HibariEngine) -> bytes:
    """Return what a caller says over and over, with pauses for the questions."""
    noise = np.random.default_rng(1)
    parts: list[Any] = []
    for answer in ANSWERS:
        parts += [np.zeros(round(_QUIET_SECONDS * SAMPLE_RATE)), engine.synthesise(answer)]
    sound = np.concatenate(parts)
    return as_bytes(sound + noise.normal(0.0, 8.0, len(sound)))


def as_bytes(pcm: Any) -> bytes:
    """Return samples as 16-bit audio."""
    return bytes(np.asarray(pcm).clip(-32768, 32767).astype("<i2").tobytes())


@contextlib.asynccontextmanager
async def media_peer(sound: bytes) -> AsyncIterator[str]:
    """Run the other end; gives its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.media_peer", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The other end has no input or no output.")
        process.stdin.write(sound)
        process.stdin.close()
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


def _nothing(*_: object) -> None:
    return


def main(say: Callable[[str], None] = print) -> int:
    """Measure, print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.main_thread", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[30], help="calls at once (30)")
    parser.add_argument("--seconds", type=float, default=20.0, help="so long each (20)")
    parser.add_argument("--profile", action="store_true", help="the main thread's time by function; slower")
    options = parser.parse_args()
    for calls in options.calls:
        profile = cProfile.Profile() if options.profile else None
        say(json.dumps(asyncio.run(measure(calls, options.seconds, profile))))
        if profile is not None:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    return 0


if __name__ == "__main__":
    sys.exit(main())
