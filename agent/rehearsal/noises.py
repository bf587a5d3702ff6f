"""Makes sounds that are not the caller's words: white noise, hum, babble, coughs, recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import FULL_SCALE, Pcm, read_wav, to_pcm
from agent.rehearsal.errors import CallerVoiceError
from agent.rehearsal.script import Noise

LOOP_SECONDS = 10.0
"""Noise that lasts the whole call is a loop of this length."""
_HUM_HZ = 60.0
_HUM_HARMONICS = (2, 3, 4, 5, 6, 8, 10, 12)
"""The mains frequency itself does not pass a telephone; what is heard of a hum are its harmonics."""
_TALKERS = (
    ("vm-instructions", 0.84),
    ("demo-instruct", 0.92),
    ("conf-adminmenu", 1.0),
    ("vm-options", 1.08),
    ("demo-moreinfo", 1.16),
    ("vm-review", 0.88),
)
"""Recorded prompts and the pitch each is moved to: one speaker becomes six."""


def make_noise(noise: Noise, sounds_dir: Path | None, *, seed: int = 1) -> Pcm:
    """Return the sound at its level. Raises CallerVoiceError when its recordings are missing."""
    seconds = noise.seconds or LOOP_SECONDS
    count = int(seconds * SAMPLE_RATE)
    random = np.random.default_rng(seed)
    if noise.kind == "white":
        samples = random.standard_normal(count)
    elif noise.kind == "hum":
        moments = np.arange(count) / SAMPLE_RATE
        samples = np.sum([np.sin(2 * np.pi * _HUM_HZ * n * moments) / n for n in _HUM_HARMONICS], axis=0)
    elif noise.kind == "cough":
        samples = _cough(count, random)
    elif noise.kind == "babble":
        samples = _babble(count, sounds_dir)
    else:
        samples = _from_file(noise, count)
    return _at_rms(samples, noise.level_dbfs)


def _at_rms(samples: npt.NDArray[np.floating], dbfs: float) -> Pcm:
    rms = float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
    return to_pcm(samples / rms * 10 ** (dbfs / 20)) if rms > 0 else np.zeros(len(samples), "<i2")


def _cough(count: int, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Two bursts of throat-shaped noise: a sharp one and, 60 % on, a softer one."""
    noise = random.standard_normal(count)
    # A cough has most of its energy between 300 and 1500 Hz; this shapes it in the frequency domain.
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum *= np.exp(-(((hertz - 700) / 600) ** 2)) + 0.15 * np.exp(-(((hertz - 2300) / 500) ** 2))
    shaped = np.fft.irfft(spectrum, count)
    moments = np.arange(count) / max(1, count)
    first = np.minimum(moments / 0.02, 1.0) * np.exp(-moments / 0.18)
    second = np.where(moments > 0.6, 0.5 * np.exp(-np.maximum(moments - 0.6, 0) / 0.15), 0.0)
    return np.asarray(shaped * (first + second))


def _babble(count: int, sounds_dir: Path | None) -> npt.NDArray[np.float64]:
    if sounds_dir is None:
        raise CallerVoiceError("Babble is made of Asterisk's recorded prompts, and no sounds folder is configured.")
    total = np.zeros(count)
    for index, (name, pitch) in enumerate(_TALKERS):
        path = sounds_dir / f"{name}.wav"
        if not path.is_file():
            raise CallerVoiceError(f"Babble needs {path}: install the package asterisk-core-sounds-en-wav.")
        voice = read_wav(path).astype(np.float32) / FULL_SCALE
        talker = np.asarray(soxr.resample(voice, SAMPLE_RATE * pitch, SAMPLE_RATE), dtype=np.float64)
        talker /= max(1e-6, float(np.sqrt(np.mean(talker**2))))
        total += np.roll(np.resize(talker, count), index * count // len(_TALKERS))
    return total


def _from_file(noise: Noise, count: int) -> npt.NDArray[np.float64]:
    if noise.file is None:
        raise CallerVoiceError("A noise from a file needs the file's name.")
    try:
        samples = read_wav(noise.file)
    except (OSError, ValueError) as error:
        raise CallerVoiceError(f"The noise {noise.file} cannot be read: {error}") from error
    if not len(samples):
        raise CallerVoiceError(f"The noise {noise.file} is empty.")
    wanted = count if noise.seconds else max(count, len(samples))
    return np.resize(samples.astype(np.float64) / FULL_SCALE, wanted)
