"""Voice activity of all calls, judged together in a thread: the network takes many windows at once for a third each.

No call depends on the thread: what it does not judge in time, or cannot judge, is judged by level meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agent.call.ports import VoiceActivityDetector
from agent.speech.level import level_dbfs, samples
from agent.speech.vad import (
    CallerLevel,
    EnergyVoiceActivity,
    SileroModel,
    VoiceActivityFactory,
    WindowCutter,
    new_state,
)

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.005
"""How long the first frame waits for those of other calls. With 30 calls a frame was judged 5 ms after it came, 95 % of
them within 8 ms. 20 ms is too long: the next frame comes meanwhile and waits for the batch after (docs/scale.md)."""
STALL_SECONDS = 1.0
"""A batch that takes longer is judged by level, and the next ones by another thread. It takes some milliseconds."""
_STALL_CHECKS = 2
"""In so many parts: a process that was stopped and goes on finds one part over, not all."""
MOST_HUNG = 3
"""So many threads may hang; then all is judged by level until one of them goes on."""
MOST_FRAMES = 8
"""Of one call in one batch: what has piled up for one caller does not keep the others waiting."""


class _CallState:
    """What the network knows of one call; touched by the thread alone."""

    def __init__(self, model: SileroModel) -> None:
        self.windows = WindowCutter(model.comfort_noise)
        self.caller = CallerLevel()
        self.network = new_state()
        self.probability = 0.0


@dataclass(eq=False)
class _Call:
    """One call, as the event loop sees it."""

    state: _CallState | None = None
    """None before the first frame, and after frames that were judged by level: the network begins anew."""
    by_level: EnergyVoiceActivity = field(default_factory=EnergyVoiceActivity)


class _Frame(NamedTuple):
    call: _Call
    state: _CallState
    pcm: bytes
    judged: asyncio.Future[float]


class _Worker:
    """A thread that judges batches, one after another; one that hangs does not keep the process from ending."""

    def __init__(self, model: SileroModel) -> None:
        """Start it. Raises RuntimeError when the machine gives no thread."""
        self._model = model
        self._batches: queue.SimpleQueue[tuple[Sequence[_Frame], Callable[[list[float] | Exception], None]] | None]
        self._batches = queue.SimpleQueue()
        threading.Thread(target=self._run, name="voice-activity", daemon=True).start()

    def judge(self, frames: Sequence[_Frame], tell: Callable[[list[float] | Exception], None]) -> None:
        """Have ``tell`` called, in the thread, with the probabilities or with what went wrong."""
        self._batches.put((frames, tell))

    def stop(self) -> None:
        """End the thread after what it is at."""
        self._batches.put(None)

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            frames, tell = batch
            try:
                tell(_judge(self._model, frames))
            except Exception as error:  # noqa: BLE001 - whatever it is, the calls go on by level
                tell(error)


class VoiceActivityThread:
    """Gathers the frames of all calls on one event loop for a moment and has them judged in a thread."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._hung = 0
        self._worker = self._new_worker()
        self._gathered: list[_Frame] = []
        self._busy = False
        """A batch is being gathered or judged."""
        self._told = False
        """It was logged that calls are judged by level."""
        self._watch: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def new_call(self) -> BatchedVoiceActivity:
        """Return the voice activity of a new call."""
        if self._worker is None and self._hung < MOST_HUNG:
            self._worker = self._new_worker()
        return BatchedVoiceActivity(self, _Call())

    def close(self) -> None:
        """Take no more work."""
        if self._worker is not None:
            self._worker.stop()
        if self._watch is not None:
            self._watch.cancel()
        for frame in self._gathered:
            frame.judged.cancel()

    def judge(self, call: _Call, pcm: bytes) -> float | asyncio.Future[float]:
        """Take a frame; return its probability of speech, now or to come."""
        if self._worker is None:
            return call.by_level.process(pcm)
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # whatever another loop left undone is of no use any more
            self._loop, self._busy, self._gathered = loop, False, []
        if call.state is None:
            call.state = _CallState(self._model)
        frame = _Frame(call, call.state, pcm, loop.create_future())
        self._gathered.append(frame)
        if not self._busy:
            self._busy = True
            loop.call_later(GATHER_SECONDS, self._begin, loop)
        return frame.judged

    def _new_worker(self) -> _Worker | None:
        try:
            return _Worker(self._model)
        except RuntimeError as error:
            log.error("No thread can be started for voice activity: %s. Calls go by level alone.", error)
            return None

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        frames, self._gathered = _first_of_each(self._gathered)
        worker = self._worker
        if worker is None:
            return
        self._watch = loop.call_later(STALL_SECONDS / _STALL_CHECKS, self._check, loop, frames, _STALL_CHECKS - 1)

        def tell(outcome: list[float] | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._take, loop, worker, frames, outcome)

        worker.judge(frames, tell)

    def _take(
        self,
        loop: asyncio.AbstractEventLoop,
        worker: _Worker,
        frames: Sequence[_Frame],
        outcome: list[float] | Exception,
    ) -> None:
        """Tell each call what came of its frames, and begin with those that came meanwhile."""
        if worker is not self._worker:  # it was given up, and has gone on after all
            self._hung -= 1
            worker.stop()
            self._worker = self._worker or self._new_worker()
            return
        if self._watch is not None:
            self._watch.cancel()
        if isinstance(outcome, Exception):
            self._by_level(frames, f"Voice activity failed: {outcome!r}.")
        else:
            for frame, probability in zip(frames, outcome, strict=True):
                if not frame.judged.done():
                    frame.judged.set_result(probability)
            self._told = False
        self._busy = bool(self._gathered)
        if self._busy:
            loop.call_later(GATHER_SECONDS, self._begin, loop)

    def _check(self, loop: asyncio.AbstractEventLoop, frames: Sequence[_Frame], more: int) -> None:
        """The batch under way takes long: look again, or go on without this thread."""
        if more:
            self._watch = loop.call_later(STALL_SECONDS / _STALL_CHECKS, self._check, loop, frames, more - 1)
            return
        self._hung += 1
        self._worker = self._new_worker() if self._hung < MOST_HUNG else None
        late, self._gathered = self._gathered, []
        self._busy = False
        self._by_level((*frames, *late), f"Voice activity was not judged within {STALL_SECONDS:g} s.")

    def _by_level(self, frames: Sequence[_Frame], why: str) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "%s Calls are judged by level meanwhile: noise may interrupt the agent. The machine is overloaded, or "
                "the network is broken: give it more cores or let it take fewer calls at once.",
                why,
            )
        for frame in frames:
            frame.call.state = None
            if not frame.judged.done():
                frame.judged.set_result(frame.call.by_level.process(frame.pcm))


class BatchedVoiceActivity:
    """One call's voice activity. Give it every frame of the call, in order."""

    def __init__(self, thread: VoiceActivityThread, call: _Call) -> None:
        self._thread = thread
        self._call = call

    def process(self, pcm: bytes) -> float | asyncio.Future[float]:
        """Take one 20 ms frame (8 kHz 16-bit); return the probability of speech, 0..1, now or to come."""
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


def _first_of_each(frames: Sequence[_Frame]) -> tuple[list[_Frame], list[_Frame]]:
    """Split frames into at most ``MOST_FRAMES`` of each call, and the others, both in order."""
    count: Counter[_CallState] = Counter()
    now: list[_Frame] = []
    later: list[_Frame] = []
    for frame in frames:
        count[frame.state] += 1
        (now if count[frame.state] <= MOST_FRAMES else later).append(frame)
    return now, later


def _judge(model: SileroModel, frames: Sequence[_Frame]) -> list[float]:
    """Judge frames of any number of calls, each call's in order. Runs in the thread."""
    levels: list[float] = []
    windows: dict[_CallState, list[tuple[int, NDArray[np.float32]]]] = {}
    for index, frame in enumerate(frames):
        pcm = samples(frame.pcm)
        levels.append(level_dbfs(pcm))
        for window in frame.state.windows.take(pcm):
            windows.setdefault(frame.state, []).append((index, window))
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
        call = frame.state
        call.probability = network.get(index, call.probability)
        judged.append(call.caller.checked(level, call.probability))
    return judged


__all__ = ["BatchedVoiceActivity", "SharedVoiceActivity", "VoiceActivityThread"]
