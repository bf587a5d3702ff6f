"""Sound levels in dBFS: 0 is a full-scale square wave, -20 a normal voice on the telephone, -90 digital silence."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

SILENCE_DBFS = -90.3
"""The level of a signal one step high, the lowest that is told apart."""


def samples(pcm: bytes) -> NDArray[np.float32]:
    """Return 16-bit little-endian audio as floats, -32768..32767."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32)


def level_dbfs(frame: NDArray[np.float32]) -> float:
    """Return the RMS level of samples in -32768..32767."""
    power = float(frame @ frame) / max(1, len(frame))
    return max(SILENCE_DBFS, 10.0 * math.log10(max(power, 1e-3)) + SILENCE_DBFS)


__all__ = ["SILENCE_DBFS", "level_dbfs", "samples"]
