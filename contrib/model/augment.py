"""The telephone line, drawn anew each time an utterance is used: speed, channel, room, level, noise, silence, codec.

All sound here is 8 kHz, 32-bit floats on the scale of 16-bit samples. ``rng`` decides everything.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import scipy.fft
import soundfile
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from contrib.model.features import RATE, Sound

FULL_SCALE = 32768.0
LINE_FILTERS = [
    butter(order, [low, high], "bandpass", fs=RATE)
    for order in (2, 3)
    for low in (150, 200, 250, 300)
    for high in (3200, 3400, 3600)
]
"""What a telephone line lets through, as filter coefficients."""


def rms(sound: NDArray[np.floating]) -> float:
    """The root mean square of a sound; never nought."""
    return float(np.sqrt(np.mean(np.square(sound)) + 1e-9))


def _ripple(bins: int, decibels: float, rng: Generator, knots: int = 8) -> NDArray[np.float64]:
    """A smooth random frequency response of up to +-``decibels``."""
    gains = rng.uniform(-decibels, decibels, knots)
    return 10 ** (np.interp(np.linspace(0, RATE / 2, bins), np.linspace(0, RATE / 2, knots), gains) / 20)


def _channel(bins: int, rng: Generator) -> NDArray[np.float64]:
    """A telephone's own response: some ripple, and in seven of ten a limited band."""
    response = _ripple(bins, rng.uniform(0, 5), rng)
    if rng.random() < 0.7:
        hertz = np.linspace(0, RATE / 2, bins) + 1e-3
        low, high, order = rng.uniform(120, 330), rng.uniform(3200, 3900), rng.integers(2, 7)
        response *= 1 / np.sqrt(1 + (low / hertz) ** (2 * order)) / np.sqrt(1 + (hertz / high) ** (2 * order))
    return response


def to_line_rate(sound: Sound, speed: float, rng: Generator, rate: int = 16_000) -> Sound:
    """Bring stored speech to 8 kHz, ``speed`` times as fast (pitch and formants move along), through a channel."""
    size = scipy.fft.next_fast_len(len(sound) + 200)
    spectrum = scipy.fft.rfft(sound, size)
    new_size = round(size * RATE / rate / speed)
    bins = new_size // 2 + 1
    shorter = np.zeros(bins, spectrum.dtype)
    kept = min(bins, len(spectrum))
    shorter[:kept] = spectrum[:kept]
    length = int(len(sound) * RATE / rate / speed)
    return (scipy.fft.irfft(shorter * _channel(bins, rng), new_size) * (new_size / size))[:length].astype(np.float32)


def noise(length: int, rng: Generator, other_speech: Callable[[Generator], Sound] | None) -> Sound:
    """Noise of any level: babble of two to six voices, coloured noise, hum, or noise that comes and goes."""
    way = rng.random()
    if way < 0.35 and other_speech is not None:
        babble = np.zeros(length, np.float32)
        for _ in range(rng.integers(2, 7)):
            voice = other_speech(rng)
            voice = np.tile(voice, length // len(voice) + 1) if len(voice) < length else voice
            start = rng.integers(0, len(voice) - length + 1)
            babble += voice[start : start + length] * np.float32(rng.uniform(0.3, 1))
        return babble
    spectrum = scipy.fft.rfft(rng.standard_normal(length).astype(np.float32))
    spectrum *= (np.linspace(0, 1, len(spectrum)) + 0.01) ** -rng.uniform(0, 1.2) * _ripple(len(spectrum), 6, rng)
    sound = scipy.fft.irfft(spectrum, length).astype(np.float32)
    if way > 0.85:
        swell = np.repeat(rng.uniform(0, 1, length // 1600 + 2) ** 2, 1600)[:length]
        return sound * swell.astype(np.float32)
    if 0.6 < way < 0.7:
        time = np.arange(length) / RATE
        mains = rng.choice([50, 60])
        hum = sum(
            rng.uniform(0, 1.5) * np.sin(2 * np.pi * mains * k * time + rng.uniform(0, 2 * np.pi)) for k in range(1, 8)
        )
        return (sound / (sound.std() + 1e-9) + hum).astype(np.float32)
    return sound


def _room(sound: Sound, rng: Generator) -> Sound:
    """The sound with a room's reverberation of 0.08 to 0.45 s."""
    length = int(rng.uniform(0.08, 0.45) * RATE)
    echo = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    echo[: int(rng.uniform(8, 60))] = 0
    echo *= 10 ** (-rng.uniform(2, 16) / 20) / np.sqrt((echo**2).sum() + 1e-9)
    echo[0] = 1
    size = scipy.fft.next_fast_len(len(sound) + length)
    both = scipy.fft.rfft(sound, size) * scipy.fft.rfft(echo, size)
    return scipy.fft.irfft(both, size)[: len(sound)].astype(np.float32)


def coded(sound: Sound, codec: str) -> Sound:
    """The sound behind a codec: "mulaw", "alaw", "gsm", or "" for none."""
    sound = np.clip(np.round(sound), -32767, 32767)
    size = np.abs(sound) / FULL_SCALE
    if codec == "mulaw":
        mu = 255.0
        step = np.round(np.log1p(mu * size) / np.log1p(mu) * 127) / 127
        sound = np.sign(sound) * (np.power(1 + mu, step) - 1) / mu * FULL_SCALE
    elif codec == "alaw":
        a, scale = 87.6, 1 + np.log(87.6)
        step = np.where(size < 1 / a, a * size / scale, (1 + np.log(np.maximum(a * size, 1e-9))) / scale)
        step = (np.floor(step * 128) + 0.5) / 128
        sound = np.sign(sound) * np.where(step < 1 / scale, step * scale / a, np.exp(step * scale - 1) / a) * FULL_SCALE
    elif codec == "gsm":
        file = io.BytesIO()
        soundfile.write(file, sound.astype(np.int16), RATE, format="WAV", subtype="GSM610")
        file.seek(0)
        decoded, _ = soundfile.read(file, dtype="int16")
        sound = np.zeros(len(sound), np.float32)
        sound[: len(decoded)] = decoded[: len(sound)]
    return np.clip(np.round(sound), -32768, 32767).astype(np.float32)


def on_the_line(
    pieces: Sequence[Sound],
    lead: int,
    gaps: Sequence[int],
    length: int,
    rng: Generator,
    other_speech: Callable[[Generator], Sound] | None = None,
) -> Sound:
    """Pieces of speech one after another as they arrive at the agent.

    ``lead`` samples of silence come first, ``gaps[i]`` behind piece ``i``; the whole has ``length`` samples. No pieces:
    a line on which nobody speaks.
    """
    line = np.zeros(length, np.float32)
    place = lead
    for number, piece in enumerate(pieces):
        end = min(length, place + len(piece))
        line[place:end] += piece[: end - place]
        place = end + (gaps[number] if number < len(gaps) else 0)
    speech_rms = max([rms(piece[np.abs(piece) > 0.02 * np.abs(piece).max()]) for piece in pieces] or [3000.0])
    if rng.random() < 0.25:
        line = _room(line, rng)
    decibels = rng.uniform(-57, -8) if rng.random() < 0.65 else rng.uniform(-34, -12)
    level = 10 ** (decibels / 20) * FULL_SCALE
    line *= level / max(speech_rms, 1e-3)
    if pieces and rng.random() < 0.08:  # overdriven somewhere before the line
        limit = level * rng.uniform(1.2, 4)
        line = np.clip(line, -limit, limit)
    way = rng.random()
    if way < 0.60:
        hiss = noise(length, rng, other_speech)
        hiss *= level / rms(hiss) * 10 ** (-rng.uniform(6, 38) / 20)
        if pieces and rng.random() < 0.30:  # a gate or silence suppression: noise around the speech, with hard edges
            heard = np.zeros(length, np.float32)
            begin = max(0, lead - int(rng.uniform(0, 0.3) * RATE))
            heard[begin : min(length, place + int(rng.uniform(0, 0.45) * RATE))] = 1
            hiss *= heard
        line += hiss
    elif way < 0.75:
        line += rng.standard_normal(length).astype(np.float32) * np.float32(rng.uniform(0.3, 12))
    # else: digital silence between the words, as mobiles and softphones send it
    if rng.random() < 0.55:  # the line limits voice and noise alike, and adds a faint noise of its own
        line = lfilter(*LINE_FILTERS[rng.integers(len(LINE_FILTERS))], line).astype(np.float32)
        if rng.random() < 0.6:
            line += rng.standard_normal(length).astype(np.float32) * np.float32(rng.uniform(0.3, 8))
    codec = rng.choice(["mulaw", "alaw", "gsm", ""], p=[0.32, 0.22, 0.18, 0.28])
    return coded(line, str(codec))
