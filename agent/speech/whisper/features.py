"""Makes whisper's input of audio: log-mel features of a window of fixed length. Pure."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

RATE = 16000
"""Samples a second that whisper was trained with."""
_WINDOW, _HOP = 400, 160
FRAMES_PER_SECOND = RATE // _HOP
_FLOOR = 1e-10
_RANGE = 8.0
"""What is so many powers of ten below the loudest is taken for silence."""
_LINEAR_HZ, _LINEAR_MELS = 1000.0, 15.0
"""Up to here mels are linear (66.7 Hz each), above they are logarithmic: 27 of them for a factor of 6.4."""
_STEP = float(np.log(6.4)) / 27.0


def log_mel(samples: NDArray[np.float32], frames: int, bands: int = 80) -> NDArray[np.float32]:
    """Return features of the shape (1, ``bands``, ``frames``) of 16 kHz samples between -1 and 1.

    The window holds ``frames`` / 100 seconds: shorter audio is followed by silence, longer audio is cut off.
    """
    length = frames * _HOP
    padded = np.zeros(length, np.float32)
    padded[: min(length, len(samples))] = samples[:length]
    padded = np.pad(padded, _WINDOW // 2, mode="reflect")
    slices = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:frames]
    spectrum = np.fft.rfft(slices * _hann(), axis=1).astype(np.complex64)
    power = np.square(np.abs(spectrum))
    mel = np.log10(np.maximum(power @ mel_filters(bands).T, _FLOOR))
    mel = (np.maximum(mel, mel.max() - _RANGE) + 4.0) / 4.0
    return np.ascontiguousarray(mel.T[np.newaxis], dtype=np.float32)


@functools.cache
def mel_filters(bands: int) -> NDArray[np.float32]:
    """Return the weights of (``bands``, frequencies): triangles of equal area, equally wide in mels, up to 8 kHz."""
    frequencies = np.fft.rfftfreq(_WINDOW, 1.0 / RATE)
    edges = _hertz(np.linspace(0.0, _mel(RATE / 2), bands + 2))
    rising = (frequencies[np.newaxis] - edges[:-2, np.newaxis]) / (edges[1:-1] - edges[:-2])[:, np.newaxis]
    falling = (edges[2:, np.newaxis] - frequencies[np.newaxis]) / (edges[2:] - edges[1:-1])[:, np.newaxis]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(triangles * (2.0 / (edges[2:] - edges[:-2]))[:, np.newaxis], dtype=np.float32)


def _mel(hertz: float) -> float:
    return _LINEAR_MELS + float(np.log(hertz / _LINEAR_HZ)) / _STEP


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * _LINEAR_HZ / _LINEAR_MELS
    return np.where(mels < _LINEAR_MELS, linear, _LINEAR_HZ * np.exp(_STEP * (mels - _LINEAR_MELS)))


@functools.cache
def _hann() -> NDArray[np.float32]:
    """Return a periodic Hann window."""
    return np.asarray(np.hanning(_WINDOW + 1)[:-1], dtype=np.float32)


__all__ = ["FRAMES_PER_SECOND", "RATE", "log_mel", "mel_filters"]
