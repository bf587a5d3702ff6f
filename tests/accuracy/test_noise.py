"""Noise is repeatable, at the level that was asked for, and of the colour its name says."""

from __future__ import annotations

import numpy as np
import pytest

from agent.accuracy.errors import AccuracyError
from agent.accuracy.noise import KINDS, make_noise, with_noise
from agent.rehearsal.audio import Pcm, frame_levels_dbfs


def talk() -> list[Pcm]:
    random = np.random.default_rng(5)
    return [(random.standard_normal(9000) * 3000).astype("<i2") for _ in range(3)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_noise_of_unit_loudness(kind: str) -> None:
    one = make_noise(kind, 16000, 1, talk())
    assert np.array_equal(one, make_noise(kind, 16000, 1, talk()))
    assert not np.array_equal(one, make_noise(kind, 16000, 2, talk()))
    assert np.sqrt(np.mean(np.square(one))) == pytest.approx(1.0, abs=1e-6)


def test_a_street_is_deeper_than_white_noise() -> None:
    def middle_hertz(kind: str) -> float:
        power = np.abs(np.fft.rfft(make_noise(kind, 32000, 1))) ** 2
        return float((power * np.fft.rfftfreq(32000, 1 / 8000)).sum() / power.sum())

    assert middle_hertz("street") < 0.65 * middle_hertz("white")


@pytest.mark.parametrize("snr_db", [20.0, 5.0])
def test_the_ratio_counts_from_the_voice_and_not_from_its_pauses(snr_db: float) -> None:
    moments = np.arange(8000) / 8000
    voice = (np.sin(2 * np.pi * 300 * moments) * 8000).astype("<i2")
    speech = np.concatenate((np.zeros(16000, "<i2"), voice))
    noisy = with_noise(speech, make_noise("white", len(speech), 1), snr_db)
    noise_dbfs = 10 * np.log10(np.mean(10 ** (frame_levels_dbfs(noisy[:16000]) / 10)))
    voice_dbfs = float(np.mean(frame_levels_dbfs(voice)))
    assert voice_dbfs - noise_dbfs == pytest.approx(snr_db, abs=0.5)


def test_babble_without_voices_and_unknown_noise_are_refused() -> None:
    with pytest.raises(AccuracyError, match="other voices"):
        make_noise("babble", 100, 1)
    with pytest.raises(AccuracyError, match=r"waterfall.*white"):
        make_noise("waterfall", 100, 1)
