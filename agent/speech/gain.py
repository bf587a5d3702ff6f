"""Automatic gain: brings the caller's voice to a normal level without disturbing the words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.common.audio import FRAME_BYTES
from agent.speech.level import level_dbfs, samples

FRAME_SAMPLES = FRAME_BYTES // 2
FULL_SCALE = 32000.0
"""Loudest sample let out; a frame that would exceed it is turned down whole, so nothing is clipped."""


@dataclass(frozen=True)
class GainOptions:
    """The levels and speeds of the gain; steps are per 20 ms frame."""

    target_dbfs: float = -20.0
    """Level that speech is brought to (the loud syllables of it: frames of 20 ms)."""
    most_gain_db: float = 30.0
    least_gain_db: float = -18.0
    tolerance_db: float = 6.0
    """A caller this near to the target is left alone."""
    up_db: float = 0.4
    """How fast the gain rises while the caller speaks (20 dB a second): faster distorts the word."""
    pause_up_db: float = 1.5
    """How fast it rises, or falls, in a pause, where it can do no harm."""
    overload_dbfs: float = -9.0
    """Frames that would come out louder than this turn the gain down at once."""
    down_db: float = 6.0
    """How fast it falls then."""
    speech_above_floor_db: float = 10.0
    """A frame this far above the noise floor is taken for speech."""
    least_speech_dbfs: float = -62.0
    floor_up_db: float = 0.06
    """How fast the noise floor follows a rising noise (3 dB a second)."""
    least_noise_headroom_db: float = 12.0
    """The gain never lifts the noise floor closer than this to the target."""


class AutomaticGain:
    """One call's gain. Give it every frame of the call, in order.

    The caller's level is followed by frames well above the noise floor: fast up, slowly down. The gain moves to where
    that level meets the target mainly in pauses and slowly within words, because recognition suffers from a gain
    that moves inside a word more than from a wrong level (docs/speech.md). Within a frame it glides: no clicks.
    """

    def __init__(self, options: GainOptions | None = None) -> None:
        self._options = options or GainOptions()
        self._ramp = np.arange(1, FRAME_SAMPLES + 1, dtype=np.float32) / FRAME_SAMPLES
        self._floor_dbfs = -65.0
        self._speech_dbfs: float | None = None
        self._gain_db = 0.0
        self._factor = 1.0

    @property
    def gain_db(self) -> float:
        """The gain at this moment."""
        return self._gain_db

    def process(self, pcm: bytes) -> bytes:
        """Take one 20 ms frame (8 kHz 16-bit little-endian); return it at the wanted level, same length."""
        frame = samples(pcm)
        self._follow(level_dbfs(frame))
        factor = 10.0 ** (self._gain_db / 20.0)
        peak = float(np.abs(frame).max(initial=0.0))
        if peak * max(factor, self._factor) > FULL_SCALE:
            factor = min(factor, FULL_SCALE / peak)
            self._factor = min(self._factor, factor)
        if factor == self._factor == 1.0:
            return pcm
        ramp = self._ramp if len(frame) == FRAME_SAMPLES else np.linspace(0.0, 1.0, len(frame), dtype=np.float32)
        out = frame * (self._factor + (factor - self._factor) * ramp)
        self._factor = factor
        return bytes(out.astype("<i2").tobytes())

    def _follow(self, level: float) -> None:
        wanted = self._options
        self._floor_dbfs = max(-80.0, level) if level <= self._floor_dbfs else self._floor_dbfs + wanted.floor_up_db
        speaking = level >= max(self._floor_dbfs + wanted.speech_above_floor_db, wanted.least_speech_dbfs)
        if speaking:
            if self._speech_dbfs is None:
                self._speech_dbfs = level
            self._speech_dbfs += (0.3 if level > self._speech_dbfs else 0.01) * (level - self._speech_dbfs)
        if self._speech_dbfs is None:
            return
        if speaking and level + self._gain_db > wanted.overload_dbfs:
            self._gain_db -= min(wanted.down_db, level + self._gain_db - wanted.overload_dbfs)
            return
        error = self._target_db(self._speech_dbfs) - self._gain_db
        if abs(error) <= wanted.tolerance_db:
            return
        step = wanted.up_db if speaking else wanted.pause_up_db
        self._gain_db += max(-step, min(step, error))

    def _target_db(self, speech_dbfs: float) -> float:
        wanted = self._options
        most = min(
            wanted.most_gain_db, max(0.0, wanted.target_dbfs - wanted.least_noise_headroom_db - self._floor_dbfs)
        )
        return min(most, max(wanted.least_gain_db, wanted.target_dbfs - speech_dbfs))


__all__ = ["AutomaticGain", "GainOptions"]
