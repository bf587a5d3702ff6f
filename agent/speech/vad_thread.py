"""Voice activity of all calls, judged together in a thread: the network takes many windows at once for a third each."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.call.ports import VoiceActivityDetector
from agent.speech.level import level_dbfs, samples
from agent.speech.vad import (
    CallerLevel,
    SileroModel,
    VoiceActivityError,
    VoiceActivityFactory,
    WindowCutter,
    new_state,
)

GATHER_SECONDS = 0.005
"""How long the first frame waits for those of other calls. With 30 calls a frame was judged 5 ms after it came, 95 % of
them within 8 ms. 20 ms is too long: the next frame comes meanwhile and waits for the batch after (docs/scale.md)."""
STALL_SECONDS = 3.0
"""A batch that takes longer is given up: its calls go to the staff. It takes some milliseconds."""
_STALL_CHECKS = 2
"""In so many parts: a process that was stopped and goes on finds one part over, not all."""


class _CallState:
    """What is known of one call; touched by the thread alone."""

    def __init__(self, model: SileroModel) -> None:
        self.windows = WindowCutter(model.comfort_noise)
        self.caller = CallerLevel()
        self.network = new_state()
        self.probability = 0.0


class _Frame(NamedTuple):
    call: _CallState
    pcm: bytes
    judged: asyncio.Future[float]


class VoiceActivityThread:
    """Gathers the frames of all calls on one event loop for a moment and has them judged in a thread."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="voice-activity")
        self._gathered: list[_Frame] = []
        self._busy = False
        """A batch is being gathered or judged."""
        self._stalled = False
        self._watch: asyncio.TimerHandle | None = None

    def new_call(self) -> BatchedVoiceActivity:
        """Return the voice activity of a new call."""
        return BatchedVoiceActivity(self, _CallState(self._model))

    def close(self) -> None:
        """Take no more work."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def judge(self, call: _CallState, pcm: bytes) -> asyncio.Future[float]:
        """Take a frame; return its probability of speech to come. Raises VoiceActivityError when the thread hangs."""
        if self._stalled:
            raise _stall()
        loop = asyncio.get_running_loop()
        frame = _Frame(call, pcm, loop.create_future())
        self._gathered.append(frame)
        if not self._busy:
            self._busy = True
            loop.call_later(GATHER_SECONDS, self._begin, loop)
        return frame.judged

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        frames, self._gathered = self._gathered, []
        self._watch = loop.call_later(STALL_SECONDS / _STALL_CHECKS, self._check, loop, frames, _STALL_CHECKS - 1)
        batch = loop.run_in_executor(self._thread, _judge, self._model, frames)
        batch.add_done_callback(functools.partial(self._take, loop, frames))

    def _take(
        self, loop: asyncio.AbstractEventLoop, frames: Sequence[_Frame], batch: asyncio.Future[list[float]]
    ) -> None:
        """Tell each call what came of its frames, and begin with those that came meanwhile."""
        if self._watch is not None:
            self._watch.cancel()
        self._stalled = False
        if batch.cancelled():  # the agent ends
            for frame in frames:
                frame.judged.cancel()
        elif (error := batch.exception()) is not None:
            _fail(frames, error)
        else:
            for frame, probability in zip(frames, batch.result(), strict=True):
                if not frame.judged.done():
                    frame.judged.set_result(probability)
        self._busy = bool(self._gathered)
        if self._busy:
            loop.call_later(GATHER_SECONDS, self._begin, loop)

    def _check(self, loop: asyncio.AbstractEventLoop, frames: Sequence[_Frame], more: int) -> None:
        """The batch under way takes long: look again, or give up all that waits."""
        if more:
            self._watch = loop.call_later(STALL_SECONDS / _STALL_CHECKS, self._check, loop, frames, more - 1)
            return
        self._stalled = True
        late, self._gathered = self._gathered, []
        _fail((*frames, *late), _stall())


class BatchedVoiceActivity:
    """One call's voice activity. Give it every frame of the call, in order."""

    def __init__(self, thread: VoiceActivityThread, call: _CallState) -> None:
        self._thread = thread
        self._call = call

    def process(self, pcm: bytes) -> asyncio.Future[float]:
        """Take one 20 ms frame (8 kHz 16-bit); return the probability of speech, 0..1, to come."""
        return self._thread.judge(self._call, pcm)


class SharedVoiceActivity:
    """Makes the voice activity of each call of one agent: Silero's, in one thread for all, else by level."""

    def __init__(self) -> None:
        self._factory = VoiceActivityFactory()
        self._thread = VoiceActivityThread(self._factory.model) if self._factory.model is not None else None

    def new(self) -> VoiceActivityDetector:
        """Return the voice activity of a new call."""
        return self._thread.new_call() if self._thread is not None else self._factory.new()

    def close(self) -> None:
        """Take no more work."""
        if self._thread is not None:
            self._thread.close()


def _judge(model: SileroModel, frames: Sequence[_Frame]) -> list[float]:
    """Judge frames of any number of calls, each call's in order. Runs in the thread."""
    levels: list[float] = []
    windows: dict[_CallState, list[tuple[int, NDArray[np.float32]]]] = {}
    for index, frame in enumerate(frames):
        pcm = samples(frame.pcm)
        levels.append(level_dbfs(pcm))
        for window in frame.call.windows.take(pcm):
            windows.setdefault(frame.call, []).append((index, window))
    network: dict[int, float] = {}
    while windows:  # each call's next window in every round: the network's state goes from one to the next
        calls = list(windows)
        firsts = [windows[call].pop(0) for call in calls]
        states = np.concatenate([call.network for call in calls], axis=1)
        probabilities, states = model.judge(np.stack([window for _, window in firsts]), states)
        for place, (call, (index, _)) in enumerate(zip(calls, firsts, strict=True)):
            call.network = states[:, place : place + 1]
            network[index] = probabilities[place]
            if not windows[call]:
                del windows[call]
    judged: list[float] = []
    for index, (frame, level) in enumerate(zip(frames, levels, strict=True)):
        call = frame.call
        call.probability = network.get(index, call.probability)
        judged.append(call.caller.checked(level, call.probability))
    return judged


def _fail(frames: Sequence[_Frame], error: BaseException) -> None:
    for frame in frames:
        if not frame.judged.done():
            frame.judged.set_exception(error)
            frame.judged.exception()  # taken note of: a call waits for the first of its frames alone


def _stall() -> VoiceActivityError:
    return VoiceActivityError(
        f"Voice activity was not judged within {STALL_SECONDS:g} s. "
        "The machine is overloaded: give it more cores or let it take fewer calls at once."
    )


__all__ = ["BatchedVoiceActivity", "SharedVoiceActivity", "VoiceActivityThread"]
