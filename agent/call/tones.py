"""Finds single tones in a line's audio: the beep of a voicemail, the tone of a fax or a modem. Pure, frame by frame."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

SAMPLES_A_SECOND = 8000
LOWEST_HZ, HIGHEST_HZ = 350.0, 2200.0
"""Beeps lie between; below is hum, above is hiss."""
ONE_TONE_SHARE = 0.9
"""A frame is a tone when so much of its energy lies at one frequency."""
BEEP_MS = 160
FAX_MS = 400
_FAX_HZ = 2100.0
"""Of a fax that answers; 1100 Hz is the sound of one that calls."""
_FAX_WIDTH_HZ = 40.0
_STEADY_HZ = 60.0
"""A tone does not move more than this from frame to frame."""
_FAINTEST_RMS = 150.0
"""Of 16-bit samples: what is quieter is no beep for a caller's ears."""
_TRANSFORM = 512
_BINS_BESIDE = 8
"""The bins of a windowed tone: 125 Hz to either side."""


class Tone(StrEnum):
    """What sounds on the line now."""

    NONE = "none"
    BEEP = "beep"
    FAX = "fax"
    UNSURE = "unsure"
    """A beep that may become the tone of a fax: of its frequency, and not so long yet."""


class ToneFinder:
    """One line's tones. :meth:`process` takes 20 ms frames of 16-bit audio with 8000 samples a second."""

    def __init__(self) -> None:
        self._hz = 0.0
        self._lasted_ms = 0
        self._tone = Tone.NONE

    def process(self, pcm: bytes) -> Tone:
        """Take a frame and say whether a tone that is long enough sounds at its end."""
        hz = frequency_of(pcm)
        frame_ms = round(len(pcm) / 2 / SAMPLES_A_SECOND * 1000)
        before, self._tone = self._tone, Tone.NONE
        if hz is None:
            self._lasted_ms = 0
            return Tone.BEEP if before is Tone.UNSURE else Tone.NONE  # it has ended: it was a beep
        steady = self._lasted_ms > 0 and abs(hz - self._hz) <= _STEADY_HZ
        self._hz, self._lasted_ms = hz, (self._lasted_ms if steady else 0) + frame_ms
        if self._lasted_ms >= BEEP_MS:
            self._tone = self._long_tone(hz)
        return self._tone

    def _long_tone(self, hz: float) -> Tone:
        if abs(hz - _FAX_HZ) > _FAX_WIDTH_HZ:
            return Tone.BEEP
        return Tone.FAX if self._lasted_ms >= FAX_MS else Tone.UNSURE


def frequency_of(pcm: bytes) -> float | None:
    """Return the frequency, in Hz, of a frame that is one tone; None for speech, noise and silence."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    if samples.size == 0 or float(np.sqrt(np.mean(samples**2))) < _FAINTEST_RMS:
        return None
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size), _TRANSFORM)) ** 2
    peak = int(np.argmax(power))
    hz = peak * SAMPLES_A_SECOND / _TRANSFORM
    near = power[max(0, peak - _BINS_BESIDE) : peak + _BINS_BESIDE + 1]
    one_tone = float(near.sum()) >= ONE_TONE_SHARE * float(power.sum())
    return hz if one_tone and LOWEST_HZ <= hz <= HIGHEST_HZ else None
