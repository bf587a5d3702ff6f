"""Voice activity of many calls in one thread: each call is judged as if it were alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from agent.common.audio import FRAME_BYTES
from agent.speech import vad, vad_thread
from agent.speech.engines.hibari import HibariEngine
from agent.speech.vad import EnergyVoiceActivity, SileroModel, SileroVoiceActivity
from agent.speech.vad_thread import BatchedVoiceActivity, SharedVoiceActivity, VoiceActivityThread
from tests.waiting import until

FRAME = bytes(FRAME_BYTES)


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    return HibariEngine().synthesise("I want to return my order.").astype(float)


def frames_of(spoken: np.ndarray, late: int, gain: float) -> list[bytes]:
    noise = np.random.default_rng(late).normal(0, 6, 8000 + late)
    pcm = np.concatenate([noise, gain * spoken, noise]).clip(-32768, 32767).astype("<i2").tobytes()
    return [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES, FRAME_BYTES)]


@contextmanager
def threaded(model: SileroModel) -> Iterator[VoiceActivityThread]:
    thread = VoiceActivityThread(model)
    try:
        yield thread
    finally:
        thread.close()


@pytest.mark.parametrize("at_once", [1, 2, 7])
async def test_calls_judged_together_are_judged_as_each_alone(model, spoken, at_once):
    """``at_once`` frames of a call are given together: so many have piled up."""
    calls = [frames_of(spoken, late, gain) for late, gain in ((0, 1.0), (37, 0.3), (161, 0.05), (250, 0.6))]
    alone = []
    for frames in calls:
        one = SileroVoiceActivity(model)
        alone.append([one.process(frame) for frame in frames])
    with threaded(model) as thread:

        async def hold(activity: BatchedVoiceActivity, frames: list[bytes]) -> list[float]:
            judged: list[float] = []
            for some in pieces(frames, at_once):
                judged += await asyncio.gather(*[activity.process(frame) for frame in some])
            return judged

        together = await asyncio.gather(*[hold(thread.new_call(), frames) for frames in calls])
    for one, other in zip(alone, together, strict=True):
        assert max(one) > 0.9
        assert np.allclose(one, other, atol=1e-3)


def pieces(frames: list[bytes], at_once: int) -> Iterator[list[bytes]]:
    return (frames[at : at + at_once] for at in range(0, len(frames), at_once))


async def test_a_caller_who_hangs_up_disturbs_no_other(model):
    with threaded(model) as thread:
        gone, stays = thread.new_call(), thread.new_call()
        given_up, wanted = gone.process(FRAME), stays.process(FRAME)
        given_up.cancel()
        assert 0.0 <= await wanted <= 1.0


class Network:
    """Judges as told."""

    __test__ = False

    def __init__(self, model: SileroModel) -> None:
        self.comfort_noise = model.comfort_noise
        self._model = model
        self.error: Exception | None = None
        self.hangs = 0
        """So many of the next batches hang until ``may_go_on``."""
        self.may_go_on = threading.Event()
        self.judged = 0

    def judge(self, windows, states):
        if self.hangs:
            self.hangs -= 1
            self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        self.judged += 1
        return self._model.judge(windows, states)


async def known(judged: float | asyncio.Future[float]) -> float:
    return judged if isinstance(judged, float) else await judged


async def hear(call: BatchedVoiceActivity, frames: Sequence[bytes]) -> list[float]:
    """What a call is told of frames that are given together."""
    given = [call.process(frame) for frame in frames]
    return [await known(one) for one in given]


def by_level(frames: Sequence[bytes]) -> list[float]:
    level = EnergyVoiceActivity()
    return [level.process(frame) for frame in frames]


async def test_where_the_network_breaks_the_level_decides_and_the_next_batch_is_judged(model, caplog):
    network = Network(model)
    network.error = RuntimeError("broken")
    with threaded(network) as thread:
        call = thread.new_call()
        assert await hear(call, [FRAME] * 4) == by_level([FRAME] * 4)
        assert await hear(call, [FRAME] * 4)
        assert [one.levelname for one in caplog.records] == ["WARNING"], "told once"
        assert "broken" in caplog.text
        network.error = None
        await hear(call, [FRAME] * 4)
        assert network.judged


async def test_a_thread_that_hangs_costs_no_call_and_another_takes_its_place(model, monkeypatch, caplog):
    monkeypatch.setattr(vad_thread, "STALL_SECONDS", 0.05)
    network = Network(model)
    network.hangs = 1
    with threaded(network) as thread:
        try:
            calls = [thread.new_call() for _ in range(3)]
            assert await asyncio.gather(*[hear(call, [FRAME] * 2) for call in calls]) == [by_level([FRAME] * 2)] * 3
            assert "The machine is overloaded" in caplog.text
            monkeypatch.setattr(vad_thread, "STALL_SECONDS", 60.0)
            await asyncio.gather(*[hear(call, [FRAME] * 2) for call in calls])
            assert network.judged == 1, "by the other thread, while the first one hangs"
        finally:
            network.may_go_on.set()
        await until(lambda: network.judged == 2)  # the first one goes on: nobody waits for it
        assert len(await hear(calls[0], [FRAME] * 20)) == 20


async def test_when_all_threads_hang_the_level_decides_at_once_until_one_goes_on(model, monkeypatch):
    monkeypatch.setattr(vad_thread, "STALL_SECONDS", 0.05)
    network = Network(model)
    network.hangs = vad_thread.MOST_HUNG
    with threaded(network) as thread:
        try:
            call = thread.new_call()
            for _ in range(vad_thread.MOST_HUNG):
                await hear(call, [FRAME] * 2)
            for one in (call, thread.new_call()):
                assert isinstance(one.process(FRAME), float)
        finally:
            network.may_go_on.set()
        await until(lambda: not isinstance(call.process(FRAME), float))
        assert len(await hear(call, [FRAME] * 20)) == 20


async def test_what_has_piled_up_for_one_caller_keeps_no_other_waiting(model):
    with threaded(model) as thread:
        slow, other = thread.new_call(), thread.new_call()
        piled_up = [slow.process(FRAME) for _ in range(10 * vad_thread.MOST_FRAMES)]
        await known(other.process(FRAME))
        assert [isinstance(one, asyncio.Future) and one.done() for one in piled_up].count(
            True
        ) <= vad_thread.MOST_FRAMES
        assert len([await known(one) for one in piled_up]) == len(piled_up)


async def test_without_a_thread_the_level_decides_and_the_next_call_tries_again(model, monkeypatch, caplog):
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        thread = VoiceActivityThread(model)
        assert isinstance(thread.new_call().process(FRAME), float)
        assert "can't start new thread" in caplog.text
    try:
        call = thread.new_call()
        assert not isinstance(call.process(FRAME), float)
        assert 0.0 <= await known(call.process(FRAME)) <= 1.0
    finally:
        thread.close()


def test_a_thread_that_hangs_does_not_keep_the_process_from_ending():
    program = """
import asyncio, threading, numpy
from agent.speech import vad_thread

class Hangs:
    comfort_noise = numpy.zeros((64, 256), dtype=numpy.float32)
    def judge(self, windows, states):
        threading.Event().wait()

async def main():
    vad_thread.STALL_SECONDS = 0.05
    thread = vad_thread.VoiceActivityThread(Hangs())
    call = thread.new_call()
    for _ in range(2):
        await asyncio.gather(*[call.process(bytes(320)) for _ in range(2)])
    thread.close()

asyncio.run(main())
"""
    root = Path(vad_thread.__file__).parents[2]
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, timeout=60)


async def test_without_the_network_the_level_decides(monkeypatch):
    monkeypatch.setattr(vad, "NETWORK_PACKAGE", "orderline_has_no_such_package")
    activities = SharedVoiceActivity()
    assert isinstance(activities.new(), EnergyVoiceActivity)
    activities.close()
