"""Noise behind a caller: white, babble, street. Made from a seed, so that a run can be repeated to the sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agent.accuracy.errors import AccuracyError
from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import FULL_SCALE, Pcm, frame_levels_dbfs, to_pcm

Samples = npt.NDArray[np.float64]

KINDS = ("white", "babble", "street")
TALKERS = 6
"""So many voices talk at once in babble: single words cannot be told apart any more."""
_CAR_SECONDS = (3.0, 7.0)
"""How long a passing car is heard."""


def make_noise(kind: str, count: int, seed: int, talk: Sequence[Pcm] = ()) -> Samples:
    """Return ``count`` samples of noise with RMS 1. ``talk`` is other people's speech, for babble.

    Raises :class:`AccuracyError` for an unknown kind, and for babble without talk.
    """
    random = np.random.default_rng(seed)
    if kind == "white":
        samples = random.standard_normal(count)
    elif kind == "street":
        samples = _street(count, random)
    elif kind == "babble":
        if not talk:
            raise AccuracyError("Babble is made of other voices, and none of them could be rendered.")
        samples = _babble(count, random, talk)
    else:
        raise AccuracyError(f"There is no noise {kind!r}; there are {', '.join(KINDS)}.")
    return samples / max(1e-9, float(np.sqrt(np.mean(np.square(samples)))))


def with_noise(speech: Pcm, noise: Samples, snr_db: float) -> Pcm:
    """Lay noise under speech; ``snr_db`` counts from the level of the speech while it lasts (voiced frames)."""
    levels = frame_levels_dbfs(speech)
    voiced = levels[levels >= levels.max() - 25.0] if len(levels) else levels
    speech_power = float(np.mean(10 ** (voiced / 10))) if len(voiced) else 0.0
    wanted_rms = np.sqrt(speech_power) * 10 ** (-snr_db / 20)
    return to_pcm(speech.astype(np.float64) / FULL_SCALE + noise[: len(speech)] * wanted_rms)


def _babble(count: int, random: np.random.Generator, talk: Sequence[Pcm]) -> Samples:
    """Several people at once, each beginning somewhere in the middle of what they say."""
    total = np.zeros(count)
    for index in range(TALKERS):
        voice = talk[index % len(talk)].astype(np.float64)
        voice /= max(1e-9, float(np.sqrt(np.mean(np.square(voice)))))
        total += np.roll(np.resize(np.roll(voice, int(random.integers(len(voice)))), count), index)
    return total


def _street(count: int, random: np.random.Generator) -> Samples:
    """Traffic: a low rumble that never stops, cars that come and go, now and then a horn."""
    rumble = _coloured(random.standard_normal(count), slope_db_per_octave=-4.5)
    moments = np.arange(count) / SAMPLE_RATE
    total = rumble / max(1e-9, float(np.std(rumble)))
    seconds = count / SAMPLE_RATE
    for _ in range(max(1, round(seconds / 3))):
        middle = random.uniform(0, seconds)
        width = random.uniform(*_CAR_SECONDS) / 4
        tyres = _coloured(random.standard_normal(count), slope_db_per_octave=-2.5)
        total += 2.5 * tyres / max(1e-9, float(np.std(tyres))) * np.exp(-(((moments - middle) / width) ** 2))
    if random.random() < seconds / 20:
        at, pitch = random.uniform(0, max(0.1, seconds - 0.6)), random.uniform(380, 460)
        sounding = (moments >= at) & (moments < at + 0.5)
        total += np.where(sounding, np.sin(2 * np.pi * pitch * moments) + np.sin(2 * np.pi * 1.26 * pitch * moments), 0)
    return total


def _coloured(white: Samples, slope_db_per_octave: float) -> Samples:
    """Tilt a white spectrum; below 120 Hz nothing passes a telephone."""
    spectrum = np.fft.rfft(white)
    hertz = np.fft.rfftfreq(len(white), 1 / SAMPLE_RATE)
    gain = (np.maximum(hertz, 120.0) / 1000.0) ** (slope_db_per_octave / 6.02)
    spectrum *= np.where(hertz < 120.0, 0.0, gain)
    return np.asarray(np.fft.irfft(spectrum, len(white)))


__all__ = ["KINDS", "make_noise", "with_noise"]
