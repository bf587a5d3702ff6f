"""Who is speaking: a real voice against the noises of a telephone line."""

import logging

import numpy as np
import pytest

from agent.call.ports import VoiceActivityDetector
from agent.common.audio import FRAME_BYTES
from agent.rehearsal.espeak import EspeakVoice
from agent.speech import vad
from agent.speech.engines.hibari import HibariEngine
from agent.speech.vad import EnergyVoiceActivity, SileroModel, SileroVoiceActivity, VoiceActivityFactory

SPEECH = 0.5


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


@pytest.fixture(scope="module")
def spoken() -> np.ndarray:
    return HibariEngine().synthesise("I want to return my order.").astype(float)


def quiet(seconds: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 6, round(seconds * 8000))


def judge(activity: VoiceActivityDetector, *parts: np.ndarray) -> list[bool]:
    audio = np.concatenate(parts).clip(-32768, 32767).astype("<i2").tobytes()
    count = len(audio) // FRAME_BYTES
    return [activity.process(audio[n * FRAME_BYTES : (n + 1) * FRAME_BYTES]) >= SPEECH for n in range(count)]


@pytest.mark.parametrize("gain_db", [-25, -15, 0, 8])
def test_speech_is_seen_within_160_ms_and_its_end_within_80_ms(model, spoken, gain_db):
    seen = judge(SileroVoiceActivity(model), quiet(0.5), spoken * 10 ** (gain_db / 20), quiet(1.0))
    begin, end = seen.index(True), len(seen) - 1 - seen[::-1].index(True)
    voice_ends = 25 + len(spoken) / 160
    assert 24 <= begin <= 25 + 8
    assert voice_ends - 4 <= end <= voice_ends + 4


def longest_run(seen: list[bool]) -> int:
    return max(len(run) for run in "".join(".#"[one] for one in seen).split("."))


@pytest.mark.parametrize("offset", range(0, vad.WINDOW, 32))
def test_a_soft_word_out_of_digital_silence_is_speech(model, offset):
    """Wherever the network's windows fall in it: without noise under it, about half of these show 60 ms or less."""
    soft = EspeakVoice("en-us+linda").speak("no").astype(float)
    soft *= 3276.8 / np.sqrt(np.mean(soft**2))
    seen = judge(SileroVoiceActivity(model), np.zeros(3 * 8000 + offset), soft, np.zeros(4000))
    assert longest_run(seen) >= 6


def burst(milliseconds: float, level: float, decay_ms: float) -> np.ndarray:
    length = round(milliseconds * 8)
    return np.random.default_rng(4).normal(0, level, length) * np.exp(-np.arange(length) / (decay_ms * 8))


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param([quiet(0.3), burst(300, 9000, 60), quiet(0.5)], id="a bang"),
        pytest.param([part for _ in range(8) for part in (burst(20, 9000, 3), quiet(0.15))], id="typing"),
        pytest.param([np.random.default_rng(5).normal(0, 500, 16000)], id="hiss"),
        pytest.param([1500 * np.sin(2 * np.pi * 100 * np.arange(16000) / 8000)], id="mains hum"),
        pytest.param([quiet(0.3), burst(250, 7000, 90), quiet(0.1), burst(200, 6000, 80), quiet(0.5)], id="a cough"),
    ],
)
def test_noise_that_is_not_speech_does_not_count(model, noise):
    assert sum(judge(SileroVoiceActivity(model), quiet(0.5), *noise)) <= 2


def test_calls_do_not_disturb_one_another(model, spoken):
    alone = judge(SileroVoiceActivity(model), quiet(0.5), spoken)
    first, second = SileroVoiceActivity(model), SileroVoiceActivity(model)
    audio = np.concatenate([quiet(0.5), spoken]).astype("<i2").tobytes()
    mixed = []
    for at in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES):
        mixed.append(first.process(audio[at : at + FRAME_BYTES]) >= SPEECH)
        second.process(bytes(FRAME_BYTES))
    assert mixed == alone


def test_by_level_alone_speech_is_seen_and_a_quiet_line_is_not(spoken):
    seen = judge(EnergyVoiceActivity(), quiet(0.5), spoken, quiet(0.5))
    assert not any(seen[:25])
    assert sum(seen[25 : 25 + len(spoken) // 160]) > 0.6 * len(spoken) / 160
    assert not any(seen[-15:])


def test_without_the_network_the_level_decides_and_the_log_says_so(monkeypatch, caplog, spoken):
    monkeypatch.setattr(vad, "NETWORK_PACKAGE", "orderline_has_no_such_package")
    with caplog.at_level(logging.WARNING):
        activity = VoiceActivityFactory().new()
    assert "install the package" in caplog.text
    assert any(judge(activity, quiet(0.5), spoken))
