"""Detects sound and silence in what the caller hears while the call goes on."""

from __future__ import annotations

import math

from agent.rehearsal.audio import FRAME_SECONDS, VOICED_DBFS, AudioTrack
from agent.rehearsal.caller_measures import MERGE_GAP_SECONDS, ONSET_FRAMES


class SoundDetector:
    """Follows a track while it grows; the the rules of :func:`agent.rehearsal.caller_measures.sounds`."""

    def __init__(self, track: AudioTrack) -> None:
        self._track = track
        self._read = 0
        self._run = 0
        self._previous = -math.inf
        self._onsets: list[float] = []
        self._last_loud = -math.inf

    def quiet_seconds(self, now: float) -> float:
        """For how long nothing was heard; infinite when nothing ever was."""
        self._follow()
        return max(0.0, now - self._last_loud)

    def onset_since(self, moment: float) -> float | None:
        """When the first sound began that was still to be heard after ``moment``; None when there was none."""
        self._follow()
        later = [onset for onset in self._onsets if onset >= moment]
        if self._onsets and self._last_loud > moment and self._onsets[-1] < moment:
            return self._onsets[-1]
        return later[0] if later else None

    def _follow(self) -> None:
        while self._read < len(self._track.stamps):
            stamp, level = self._track.stamps[self._read], self._track.levels_dbfs[self._read]
            self._read += 1
            if stamp - self._previous > MERGE_GAP_SECONDS:
                self._run = 0  # while nothing came there was silence
            self._previous = stamp
            if level < VOICED_DBFS:
                self._run = 0
                continue
            self._run += 1
            if self._run < ONSET_FRAMES:
                continue
            if stamp - self._last_loud > MERGE_GAP_SECONDS + FRAME_SECONDS:
                self._onsets.append(stamp - (ONSET_FRAMES - 1) * FRAME_SECONDS)
            self._last_loud = stamp + FRAME_SECONDS
