"""Voice activity of many calls in one thread: each call is judged as if it were alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from agent.common.audio import FRAME_BYTES
from agent.speech import vad, vad_thread
from agent.speech.engines.hibari import HibariEngine
from agent.speech.vad import EnergyVoiceActivity, SileroModel, SileroVoiceActivity, VoiceActivityError
from agent.speech.vad_thread import BatchedVoiceActivity, SharedVoiceActivity, VoiceActivityThread

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
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def judge(self, windows, states):
        self.may_go_on.wait()
        if self.error is not None:
            raise self.error
        return self._model.judge(windows, states)


async def test_what_breaks_the_network_reaches_the_calls_and_the_next_batch_is_judged(model):
    network = Network(model)
    network.error = RuntimeError("broken")
    with threaded(network) as thread:
        call = thread.new_call()
        judged = [call.process(FRAME) for _ in range(2)]  # the second fills a window
        for one in judged:
            with pytest.raises(RuntimeError, match="broken"):
                await one
        network.error = None
        assert 0.0 <= await call.process(FRAME) <= 1.0


async def test_a_thread_that_hangs_is_told_to_every_call_that_waits_and_forgotten_when_it_goes_on(model, monkeypatch):
    monkeypatch.setattr(vad_thread, "STALL_SECONDS", 0.05)
    network = Network(model)
    network.may_go_on.clear()
    with threaded(network) as thread:
        try:
            call, other = thread.new_call(), thread.new_call()
            waiting = [call.process(FRAME), call.process(FRAME)]
            for one in waiting:
                with pytest.raises(VoiceActivityError, match="overloaded"):
                    await one
            with pytest.raises(VoiceActivityError, match="overloaded"):
                other.process(FRAME)
        finally:
            network.may_go_on.set()
        async with asyncio.timeout(20):
            while True:
                try:
                    assert 0.0 <= await other.process(FRAME) <= 1.0
                    break
                except VoiceActivityError:
                    await asyncio.sleep(0.005)


async def test_without_the_network_the_level_decides(monkeypatch):
    monkeypatch.setattr(vad, "NETWORK_PACKAGE", "orderline_has_no_such_package")
    activities = SharedVoiceActivity()
    assert isinstance(activities.new(), EnergyVoiceActivity)
    activities.close()
