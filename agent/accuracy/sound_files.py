"""Reads a piece of a sound file (FLAC, WAV, ...) as telephone audio."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np

from agent.accuracy.errors import AccuracyError
from agent.rehearsal.audio import Pcm, resampled


def read_span(file: Path, first: int, end: int) -> Pcm:
    """Return samples ``first`` to ``end`` of a sound file as 8 kHz audio. Raises :class:`AccuracyError`."""
    try:
        soundfile = importlib.import_module("soundfile")
    except ImportError as error:
        raise AccuracyError(f"{file} is read by soundfile: pip install 'orderline[bench]' ({error})") from error
    try:
        samples, rate = soundfile.read(file, start=first, stop=end, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise AccuracyError(f"{file} cannot be read: {error}") from error
    return resampled(np.asarray(samples).mean(axis=1), rate)


__all__ = ["read_span"]
