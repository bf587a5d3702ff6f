"""Converts an engine's raw output to telephone audio: 8 kHz, one level, trimmed ends."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from agent.common.audio import SAMPLE_RATE
from agent.speech.engines.base import EngineError, Pcm

SPEECH_DBFS = -20.0
"""RMS level of the voiced parts. 0 dBFS is a full-scale square wave; telephone speech sits near -20."""
PEAK = 0.89
"""Loudest sample allowed (-1 dBFS); a prompt that would exceed it is turned down whole."""
LEAD_MS = 4
"""Left before the first sound: the caller hears the agent at once."""
TAIL_MS = 20
"""Left after the last sound."""
SOUND_BELOW_LOUDEST_DB = 42.0
"""A 5 ms stretch within this of the loudest one belongs to the speech."""
_STEP = SAMPLE_RATE * 5 // 1000


def to_telephone_audio(audio: NDArray[np.float32], rate: int) -> Pcm:
    """Return speech as it is played: resampled to 8 kHz, trimmed, faded at the ends, at :data:`SPEECH_DBFS`.

    ``audio`` is mono in -1..1 at ``rate`` Hz. Raises :class:`EngineError` when there is no sound in it.
    """
    narrow = audio if rate == SAMPLE_RATE else soxr.resample(audio, rate, SAMPLE_RATE)
    steps = len(narrow) // _STEP
    if steps == 0:
        raise EngineError("The engine returned no audio.")
    levels = np.sqrt(np.mean(np.square(narrow[: steps * _STEP].reshape(steps, _STEP)), axis=1))
    loudest = float(levels.max())
    if loudest < 1e-4:
        raise EngineError("The engine returned silence.")
    sounding = np.flatnonzero(levels > loudest * 10 ** (-SOUND_BELOW_LOUDEST_DB / 20))
    begin = max(0, int(sounding[0]) * _STEP - LEAD_MS * SAMPLE_RATE // 1000)
    end = min(len(narrow), int(sounding[-1] + 1) * _STEP + TAIL_MS * SAMPLE_RATE // 1000)
    voiced = levels[levels > loudest * 10 ** (-30 / 20)]
    factor = 10 ** (SPEECH_DBFS / 20) / float(np.sqrt(np.mean(np.square(voiced))))
    spoken = narrow[begin:end] * min(factor, PEAK / float(np.abs(narrow).max()))
    return (_faded(spoken) * 32767.0).round().astype(np.int16)


def _faded(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Glide from and to silence in the lead and the tail: no click."""
    faded = audio.copy()
    for count, part in ((LEAD_MS, slice(None)), (TAIL_MS, slice(None, None, -1))):
        length = min(len(faded), count * SAMPLE_RATE // 1000)
        faded[part][:length] *= np.linspace(0.0, 1.0, length, dtype=np.float32)
    return faded


def read_wav(source: Path | bytes) -> tuple[NDArray[np.float32], int]:
    """Return a WAV file's audio as mono in -1..1, and its rate. Raises :class:`EngineError` unless 16-bit PCM."""
    name = str(source) if isinstance(source, Path) else "the engine's output"
    try:
        with wave.open(str(source) if isinstance(source, Path) else io.BytesIO(source)) as file:
            if file.getsampwidth() != 2:
                raise EngineError(f"{name} has {8 * file.getsampwidth()}-bit samples; 16-bit PCM is needed.")
            frames = file.readframes(file.getnframes())
            audio = np.frombuffer(frames, dtype="<i2").reshape(-1, file.getnchannels()).mean(axis=1) / 32768.0
            return audio.astype(np.float32), file.getframerate()
    except (wave.Error, EOFError, OSError) as error:
        raise EngineError(f"{name} is not a readable WAV file: {error}") from error


__all__ = ["SPEECH_DBFS", "read_wav", "to_telephone_audio"]
