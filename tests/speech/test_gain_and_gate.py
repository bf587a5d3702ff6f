"""Automatic gain and the noise gate before the recogniser."""

import numpy as np
import pytest

from agent.common.audio import FRAME_BYTES
from agent.speech.gain import AutomaticGain, GainOptions
from agent.speech.gate import GateOptions, SpeechGate
from agent.speech.level import level_dbfs, samples

FRAME = FRAME_BYTES // 2


def noise(seconds: float, dbfs: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), round(seconds * 8000))


def voice(seconds: float, dbfs: float) -> np.ndarray:
    """Three harmonics with syllables of 200 ms, at this RMS level."""
    time = np.arange(round(seconds * 8000)) / 8000
    tone = sum(np.sin(2 * np.pi * 150 * n * time) / n for n in (1, 2, 3)) * (0.6 + 0.4 * np.sin(2 * np.pi * 5 * time))
    return tone / np.sqrt(np.mean(tone**2)) * 32768 * 10 ** (dbfs / 20)


def frames(*parts: np.ndarray) -> list[bytes]:
    audio = np.concatenate(parts).clip(-32768, 32767).astype("<i2").tobytes()
    return [audio[at : at + FRAME_BYTES] for at in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)]


def level(pcm: list[bytes]) -> float:
    return level_dbfs(samples(b"".join(pcm)))


@pytest.mark.parametrize("dbfs", [-48, -40, -30, -20, -12, -8])
def test_after_the_first_sentence_a_caller_of_any_level_is_near_the_target(dbfs: int):
    gain = AutomaticGain()
    for frame in frames(noise(0.5, -75), voice(1.5, dbfs), noise(0.6, -75)):
        gain.process(frame)
    second = [gain.process(frame) for frame in frames(voice(1.0, dbfs))]
    assert level(second) == pytest.approx(-20, abs=8.5)


def test_a_caller_at_a_normal_level_is_passed_unchanged():
    gain = AutomaticGain()
    audio = frames(noise(0.3, -70), voice(1.0, -20), noise(0.3, -70))
    assert [gain.process(frame) for frame in audio] == audio


def test_pauses_are_not_pumped_up():
    gain = AutomaticGain()
    before = frames(noise(0.5, -65), voice(2.0, -38))
    pause = frames(noise(4.0, -65))
    for frame in before:
        gain.process(frame)
    early = level([gain.process(frame) for frame in pause[:50]])
    late = level([gain.process(frame) for frame in pause[50:]])
    assert late <= early + 1
    assert late < -40


def test_noise_alone_is_never_lifted_to_the_level_of_speech():
    gain = AutomaticGain()
    out = [gain.process(frame) for frame in frames(noise(0.5, -70), noise(8.0, -42, seed=2))]
    assert level(out[-100:]) < -25


def test_the_gain_moves_slowly_inside_a_word():
    gain = AutomaticGain()
    for frame in frames(noise(0.4, -75)):
        gain.process(frame)
    moves, last = [], gain.gain_db
    for frame in frames(voice(0.5, -45)):
        gain.process(frame)
        moves.append(gain.gain_db - last)
        last = gain.gain_db
    assert 0 < max(moves) <= GainOptions().up_db + 1e-9


def test_a_shout_is_turned_down_before_the_second_syllable_and_never_clipped():
    gain = AutomaticGain()
    for frame in frames(noise(0.5, -75), voice(1.5, -42), noise(0.5, -75)):
        gain.process(frame)
    shout = [gain.process(frame) for frame in frames(voice(0.8, -10))]
    assert level(shout[10:]) < -7
    assert max(np.abs(samples(frame)).max() for frame in shout) <= 32000


def test_the_level_glides_within_a_frame_so_that_nothing_clicks():
    gain = AutomaticGain()
    tone = 100 * np.sin(2 * np.pi * 200 * np.arange(16000) / 8000)
    for frame in frames(noise(0.4, -75), tone):
        gain.process(frame)
    rising = [gain.process(frame) for frame in frames(np.zeros(1600), tone[:1600])]
    assert gain.gain_db > 10
    out = samples(b"".join(rising[-10:]))
    steepest = np.abs(np.diff(tone)).max() / np.abs(tone).max()
    assert np.abs(np.diff(out)).max() <= 1.1 * steepest * np.abs(out).max() + 2


def test_silence_and_short_frames_keep_their_length():
    gain = AutomaticGain()
    assert gain.process(bytes(FRAME_BYTES)) == bytes(FRAME_BYTES)
    assert gain.process(bytes(100)) == bytes(100)
    assert gain.process(b"") == b""


class TestGate:
    """Frames are told apart by their first sample."""

    options = GateOptions(before_frames=2, after_frames=2, closing_frames=3)

    def run(self, probabilities: list[float]) -> list[list[int]]:
        gate = SpeechGate(self.options)
        passed = []
        for number, probability in enumerate(probabilities, start=1):
            frame = np.full(FRAME, number, dtype="<i2").tobytes()
            out = np.frombuffer(gate.process(frame, probability), dtype="<i2")
            passed.append([int(sample) for sample in out[::FRAME]])
        return passed

    def test_nothing_passes_while_nobody_speaks(self):
        assert self.run([0.0, 0.1, 0.49]) == [[], [], []]

    def test_the_first_speech_brings_what_came_just_before_it(self):
        assert self.run([0, 0, 0, 0.9])[-1] == [2, 3, 4]

    def test_the_end_of_a_word_passes_and_silence_closes_it(self):
        assert self.run([0.9, 0, 0, 0, 0]) == [[1], [2], [3, 0, 0, 0], [], []]

    def test_a_short_gap_passes_as_it_is(self):
        assert self.run([0.9, 0, 0.9, 0.9]) == [[1], [2], [3], [4]]

    def test_frames_go_in_once_and_in_order_over_many_words(self):
        out = [number for part in self.run([0, 0, 0.9, 0, 0, 0, 0, 0.9, 0, 0]) for number in part if number]
        assert out == sorted(set(out)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
