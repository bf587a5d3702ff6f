"""Suppresses the agent's own voice coming back from a speakerphone, told by its loudness and timing.

What is played is known frame by frame. An echo is the same envelope, some ten milliseconds later and so many decibels
softer; a caller is not. Until a call has shown whether its telephone lets an echo through, whatever is much softer than
what is being played counts as one, unless silence at the right moment has shown already that there is none; afterwards
only what the measured echo explains does. Frames that count as echo become silence, before any
other part of the recognition sees them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.speech.level import level_dbfs, samples

FRAME_SECONDS = 0.02
FRAME_SAMPLES = 160
_FULL_SCALE_DB = 20.0 * np.log10(32768.0)
_SILENCE = bytes(2 * FRAME_SAMPLES)


@dataclass(frozen=True)
class EchoOptions:
    """The defaults are for telephones: their own echo cancellers leave a little, later than a room would."""

    longest_delay_seconds: float = 0.5
    """From the moment audio is handed over until its echo comes in: buffers, network, telephone and room."""
    unknown_loss_db: float = 14.0
    """So much softer than what is played counts as echo before the echo has been measured."""
    margin_db: float = 7.0
    """A measured echo may come in so much louder than expected."""
    jitter_frames: int = 3
    """A measured echo may come so much earlier or later than expected."""
    least_frames: int = 60
    """Frames over a prompt that are compared before the echo counts as measured."""
    least_correlation: float = 0.6
    quiet_dbfs: float = -60.0
    """What is softer is silence, and no echo of anything."""
    none_below_db: float = 34.0
    """An echo of what is played comes in no softer than this; where something softer came, there was no echo."""
    none_frames: int = 4
    """So many frames without the echo of a loud sound show that there is none with that delay."""
    gap_seconds: float = 0.2
    """Frames come every 20 ms. One that comes so much later than its turn comes after frames nobody looked at."""


class LoudnessEchoSuppressor:
    """One call's guard. Tell it what is played, give it every frame that comes in."""

    def __init__(self, clock: Callable[[], float], options: EchoOptions | None = None) -> None:
        """``clock`` gives monotonic seconds."""
        self._clock = clock
        self._options = options or EchoOptions()
        self._lags = round(self._options.longest_delay_seconds / FRAME_SECONDS)
        self._played: deque[tuple[float, list[float]]] = deque()
        """(when it begins to sound, level of each of its frames)"""
        self._sounds_until = 0.0
        self._compared: deque[tuple[float, list[float]]] = deque(maxlen=4 * self._options.least_frames)
        """(level that came in, what was played at each delay)"""
        self._since_measured = 0
        self._measured = False
        self._echo: tuple[int, float] | None = None
        self._missing = [0] * (self._lags + 1)
        """How often the echo with each delay did not come when it should have."""
        self._next_frame_at = 0.0

    @property
    def loss_db(self) -> float | None:
        """How much softer the echo is than what was played; None while no echo is known."""
        return self._echo[1] if self._echo is not None else None

    def playing(self, pcm: bytes) -> None:
        """Note that this audio (8 kHz 16-bit) was handed over, to sound after what is still sounding."""
        begins = max(self._clock(), self._sounds_until)
        frames = samples(pcm[: len(pcm) // (2 * FRAME_SAMPLES) * 2 * FRAME_SAMPLES]).reshape(-1, FRAME_SAMPLES)
        power = np.maximum(np.square(frames).mean(axis=1), 1e-4)
        self._played.append((begins, (10.0 * np.log10(power) - _FULL_SCALE_DB).tolist()))
        self._sounds_until = begins + len(frames) * FRAME_SECONDS

    def flushed(self) -> None:
        """Note that what has not sounded yet never will."""
        now = self._clock()
        while self._played and self._played[-1][0] > now:
            self._played.pop()
        if self._played:
            begins, levels = self._played[-1]
            self._played[-1] = (begins, levels[: int((now - begins) / FRAME_SECONDS) + 1])
        self._sounds_until = now

    def process(self, pcm: bytes) -> bytes:
        """Take one 20 ms frame; return it, or silence when it is the agent's own voice."""
        now = self._came_at(self._clock())
        if now > self._sounds_until + self._options.longest_delay_seconds:
            self._played.clear()
            return pcm
        level = level_dbfs(samples(pcm))
        reference = self._reference(now)
        self._compare(level, reference)
        if self._echo is None and not self._measured:
            self._rule_out(level, reference)
        if level < self._options.quiet_dbfs:
            return pcm
        return _SILENCE[: len(pcm)] if level <= self._explained(reference) else pcm

    def _explained(self, reference: list[float]) -> float:
        """Return up to which level the present frame is explained by what was played."""
        wanted = self._options
        if self._echo is not None:
            lag, loss_db = self._echo
            around = reference[max(0, lag - wanted.jitter_frames) : lag + wanted.jitter_frames + 1]
            return max(around) - loss_db + wanted.margin_db
        if self._measured:
            return -np.inf
        possible = (one for one, missing in zip(reference, self._missing, strict=True) if missing < wanted.none_frames)
        return max(possible, default=-np.inf) - wanted.unknown_loss_db

    def _rule_out(self, level: float, reference: list[float]) -> None:
        """Take note of the delays with which a loud sound should have come back now and did not."""
        for lag, played in enumerate(reference):
            if played - level > self._options.none_below_db:
                self._missing[lag] += 1

    def _came_at(self, now: float) -> float:
        """Return when a frame came in: frames are 20 ms apart, however late a busy machine looks at them."""
        at = min(now, self._next_frame_at)
        if now - at > self._options.gap_seconds:
            at = now
        self._next_frame_at = at + FRAME_SECONDS
        return at

    def _reference(self, now: float) -> list[float]:
        """Return what was played now, one frame ago, two frames ago, ..."""
        found = [-np.inf] * (self._lags + 1)
        for begins, levels in self._played:
            newest = int((now - begins) / FRAME_SECONDS)
            first, last = max(0, newest - len(levels) + 1), min(self._lags, newest)
            if first <= last:
                found[first : last + 1] = levels[newest - last : newest - first + 1][::-1]
        while len(self._played) > 1 and self._played[1][0] < now - self._options.longest_delay_seconds:
            self._played.popleft()
        return found

    def _compare(self, level: float, reference: list[float]) -> None:
        self._compared.append((level, reference))
        self._since_measured += 1
        if len(self._compared) < self._options.least_frames or self._since_measured < self._options.least_frames // 2:
            return
        self._since_measured = 0
        floor = self._options.quiet_dbfs - 20.0
        came = np.maximum([one for one, _ in self._compared], floor)
        played = np.maximum([levels for _, levels in self._compared], floor)
        came_varies, played_varies = came.std(), played.std(axis=0)
        if not played_varies.any():
            return
        if came_varies < 1.0:  # nothing but the line's own noise came in
            self._measured, self._echo = True, None
            return
        centred = (came - came.mean()) / came_varies
        each = (played - played.mean(axis=0)) / np.where(played_varies > 1.0, played_varies, np.inf)
        correlations = centred @ each / len(came)
        lag = int(correlations.argmax())
        if correlations[lag] >= self._options.least_correlation:
            loud = played[:, lag] > played[:, lag].max() - 15.0
            self._measured, self._echo = True, (lag, float(np.median(played[loud, lag] - came[loud])))
        elif self._echo is not None and self._has_gone(came, played, *self._echo):
            self._echo = None

    def _has_gone(self, came: NDArray[np.float64], played: NDArray[np.float64], lag: int, loss_db: float) -> bool:
        """Return whether the known echo did not come when it should have. A caller speaking over it hides it only."""
        expected = played[:, lag] - loss_db
        stop_at_first_audio = expected > self._options.quiet_dbfs + self._options.margin_db
        if stop_at_first_audio.sum() < self._options.least_frames // 2:
            return False
        return bool(
            (came[stop_at_first_audio] < expected[stop_at_first_audio] - 2 * self._options.margin_db).mean() > 0.5
        )
