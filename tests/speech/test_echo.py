"""Echo suppression: the agent's own voice is removed, the caller's voice is kept."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.speech.echo import FRAME_SAMPLES, FRAME_SECONDS, LoudnessEchoSuppressor

Pcm = NDArray[np.int16]


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def speech(seconds: float, dbfs: float, seed: int) -> Pcm:
    """Noise with the syllables and pauses of speech."""
    chance = np.random.default_rng(seed)
    frames = []
    while len(frames) < seconds / FRAME_SECONDS:
        loud, quiet = int(chance.integers(4, 14)), int(chance.integers(1, 7))
        frames += [dbfs + chance.uniform(-7, 3) for _ in range(loud)] + [-75.0] * quiet
    levels = np.repeat(10 ** (np.array(frames[: round(seconds / FRAME_SECONDS)]) / 20) * 32768, FRAME_SAMPLES)
    return np.clip(chance.standard_normal(len(levels)) * levels, -32000, 32000).astype("<i2")


def softer(pcm: Pcm, db: float, delay_seconds: float) -> Pcm:
    echo = (pcm * 10 ** (-db / 20)).astype("<i2")
    return np.concatenate((np.zeros(round(delay_seconds * 8000), "<i2"), echo))[: len(pcm)]


def through(guard: LoudnessEchoSuppressor, clock: Clock, pcm: Pcm) -> Pcm:
    """Give the guard what comes in, frame by frame, in time."""
    out = []
    for at in range(0, len(pcm) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        clock.seconds += FRAME_SECONDS
        out.append(np.frombuffer(guard.process(pcm[at : at + FRAME_SAMPLES].tobytes()), "<i2"))
    return np.concatenate(out)


def share_passed(before: Pcm, after: Pcm) -> float:
    """Return the share of the frames with a voice in them that came through."""
    old, new = (np.square(pcm.reshape(-1, FRAME_SAMPLES).astype(float)).mean(axis=1) for pcm in (before, after))
    voiced = old > 32768**2 * 10**-5.5
    return float((new[voiced] > 0).mean()) if voiced.any() else 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("loss_db", [16, 22, 30])
@pytest.mark.parametrize("delay_seconds", [0.04, 0.16, 0.36])
def test_the_echo_of_a_greeting_does_not_come_through(clock: Clock, loss_db: float, delay_seconds: float) -> None:
    guard = LoudnessEchoSuppressor(clock)
    prompt = speech(4, -18, 1)
    guard.playing(prompt.tobytes())
    echo = softer(prompt, loss_db, delay_seconds)
    assert share_passed(echo, through(guard, clock, echo)) < 0.04


def test_a_loud_echo_is_known_after_the_first_seconds(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    for seed in range(3):
        prompt = speech(3, -18, seed)
        guard.playing(prompt.tobytes())
        echo = softer(prompt, 8, 0.14)
        passed = share_passed(echo, through(guard, clock, echo))
        clock.seconds += 2
    assert guard.loss_db == pytest.approx(8, abs=2)
    assert passed < 0.06


@pytest.mark.parametrize("caller_dbfs", [-20, -30])
def test_a_caller_who_interrupts_is_heard_over_the_echo(clock: Clock, caller_dbfs: float) -> None:
    guard = LoudnessEchoSuppressor(clock)
    prompt = speech(6, -20, 1)
    guard.playing(prompt.tobytes())
    both = softer(prompt, 24, 0.16).astype(np.int32)
    caller = speech(2, caller_dbfs, 2)
    begin = 3 * 8000
    both[begin : begin + len(caller)] += caller
    out = through(guard, clock, np.clip(both, -32768, 32767).astype("<i2"))
    assert share_passed(caller, out[begin : begin + len(caller)]) > 0.75


def test_without_an_echo_even_a_soft_caller_is_heard(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    prompt = speech(5, -18, 1)
    guard.playing(prompt.tobytes())
    line = np.random.default_rng(5).integers(-3, 4, len(prompt)).astype("<i2")
    caller = speech(2, -42, 2)
    begin = round(2.6 * 8000) // FRAME_SAMPLES * FRAME_SAMPLES
    line[begin : begin + len(caller)] += caller
    out = through(guard, clock, line)
    assert guard.loss_db is None
    assert share_passed(caller, out[begin : begin + len(caller)]) > 0.95


@pytest.mark.parametrize("begins_seconds", [0.6, 0.8])
def test_a_caller_who_interrupts_the_first_prompt_is_heard_whole_where_there_is_no_echo(
    clock: Clock, begins_seconds: float
) -> None:
    guard = LoudnessEchoSuppressor(clock)
    prompt = speech(4, -18, 1)
    guard.playing(prompt.tobytes())
    line = np.random.default_rng(5).integers(-3, 4, len(prompt)).astype("<i2")
    caller = speech(1.5, -20, 2)
    begin = round(begins_seconds * 50) * FRAME_SAMPLES
    line[begin : begin + len(caller)] += caller
    out = through(guard, clock, line)
    assert share_passed(caller, out[begin : begin + len(caller)]) > 0.9


def test_the_echo_is_known_however_late_a_busy_machine_looks_at_the_frames(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    late = np.random.default_rng(7)
    begun = clock.seconds
    came = 0
    for seed in range(3):
        prompt = speech(4, -18, seed)
        guard.playing(prompt.tobytes())
        echo = softer(prompt, 22, 0.16)
        out = []
        for at in range(0, len(echo), FRAME_SAMPLES):
            came += 1
            clock.seconds = max(clock.seconds, begun + came * FRAME_SECONDS + float(late.choice([0, 0, 0.01, 0.09])))
            out.append(np.frombuffer(guard.process(echo[at : at + FRAME_SAMPLES].tobytes()), "<i2"))
        clock.seconds = begun + came * FRAME_SECONDS
    assert share_passed(echo, np.concatenate(out)) < 0.04
    assert guard.loss_db == pytest.approx(22, abs=2)


def test_a_caller_who_answers_at_once_does_not_make_the_guard_forget_the_echo(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    for seed in range(4):
        prompt = speech(2, -18, seed)
        both = np.concatenate((softer(prompt, 22, 0.16), np.zeros(2 * 8000, "<i2"))).astype(np.int32)
        answer = speech(1.6, -20, 10 + seed)
        both[len(prompt) : len(prompt) + len(answer)] += answer
        guard.playing(prompt.tobytes())
        out = through(guard, clock, np.clip(both, -32768, 32767).astype("<i2"))
        assert share_passed(both[: len(prompt)], out[: len(prompt)]) < 0.05
        assert share_passed(answer, out[len(prompt) : len(prompt) + len(answer)]) > 0.9
    assert guard.loss_db == pytest.approx(22, abs=2)


def test_an_echo_that_is_gone_is_forgotten(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    for seed in range(2):
        prompt = speech(3, -18, seed)
        guard.playing(prompt.tobytes())
        through(guard, clock, softer(prompt, 22, 0.16))
    assert guard.loss_db is not None
    for seed in range(2, 5):  # the caller has taken the receiver up
        prompt = speech(3, -18, seed)
        guard.playing(prompt.tobytes())
        through(guard, clock, np.random.default_rng(seed).integers(-3, 4, len(prompt)).astype("<i2"))
    assert guard.loss_db is None


def test_what_comes_long_after_the_prompt_is_not_touched(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    guard.playing(speech(1, -18, 1).tobytes())
    clock.seconds += 1.6
    soft = speech(1, -45, 3)
    assert np.array_equal(through(guard, clock, soft), soft)


def test_what_was_flushed_has_no_echo(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    guard.playing(speech(5, -18, 1).tobytes())
    clock.seconds += 1
    guard.flushed()
    clock.seconds += 0.6
    soft = speech(1, -45, 3)
    assert np.array_equal(through(guard, clock, soft), soft)


def test_any_bytes_may_be_played_or_come_in(clock: Clock) -> None:
    guard = LoudnessEchoSuppressor(clock)
    guard.playing(b"")
    guard.playing(b"\x01\x02\x03")
    guard.flushed()
    assert guard.process(b"") == b""
    assert len(guard.process(bytes(100))) == 100
