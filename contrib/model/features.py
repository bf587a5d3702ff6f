"""The features Vosk computes of telephone speech (``conf/mfcc.conf``): 40 cepstra of 40 mel bands, 100 frames a second.

Sound is 8 kHz on the scale of 16-bit samples. Frames are 25 ms every 10 ms; a frame must lie inside the sound.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 8_000
FRAME, SHIFT, TRANSFORM = 200, 80, 256
"""Samples of a frame, from one frame to the next, and of the Fourier transform."""
BANDS = 40
LOWEST_HZ, HIGHEST_HZ = 60.0, 3700.0
LIFTER = 22

Sound = NDArray[np.float32]


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return 1127.0 * np.log(1 + np.asarray(hertz) / 700.0)


@cache
def mel_bands(warp: float) -> Sound:
    """Weights (bands x bins of the transform). ``warp`` stretches the frequencies, as a longer vocal tract does."""
    low, high = _mel(LOWEST_HZ), _mel(HIGHEST_HZ)
    width = (high - low) / (BANDS + 1)
    hertz = np.arange(TRANSFORM // 2) * RATE / TRANSFORM
    knee = HIGHEST_HZ * 0.8
    upper = knee * warp + (hertz - knee) * (RATE / 2 - knee * warp) / (RATE / 2 - knee)
    place = _mel(np.where(hertz <= knee, hertz * warp, upper))
    weights = np.zeros((BANDS, TRANSFORM // 2 + 1))
    for band in range(BANDS):
        left, centre, right = (low + (band + step) * width for step in range(3))
        rising, falling = (place - left) / (centre - left), (right - place) / (right - centre)
        inside = (place > left) & (place < right)
        weights[band, : TRANSFORM // 2] = np.where(inside, np.where(place <= centre, rising, falling), 0.0)
    return weights.astype(np.float32)


def _cosines() -> Sound:
    matrix = np.zeros((BANDS, BANDS))
    matrix[0] = np.sqrt(1 / BANDS)
    for row in range(1, BANDS):
        matrix[row] = np.sqrt(2 / BANDS) * np.cos(np.pi / BANDS * (np.arange(BANDS) + 0.5) * row)
    lifter = 1 + 0.5 * LIFTER * np.sin(np.pi * np.arange(BANDS) / LIFTER)
    return (matrix * lifter[:, None]).astype(np.float32)


WINDOW = ((0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / (FRAME - 1))) ** 0.85).astype(np.float32)
COSINES = _cosines()


def cepstra(sound: Sound, warp: float = 1.0) -> Sound:
    """Features of a sound: frames x 40."""
    sound = np.ascontiguousarray(sound, np.float32)
    if len(sound) < FRAME:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[::SHIFT].astype(np.float32)
    frames = frames - frames.mean(1, keepdims=True)
    frames = (frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], 1)) * WINDOW
    spectrum = np.fft.rfft(frames, TRANSFORM)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    loudness = np.log(np.maximum(power @ mel_bands(round(warp, 2)).T, np.finfo(np.float32).eps))
    return (loudness @ COSINES.T).astype(np.float32)
