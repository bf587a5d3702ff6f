"""Applies the phone line to a voice: level, background noise, codec, packet loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from agent.accuracy.codecs import packet_losses, through_codec
from agent.accuracy.noise import make_noise, with_noise
from agent.accuracy.trial_types import LineCondition
from agent.common.audio import FRAME_BYTES, SAMPLE_RATE
from agent.rehearsal.audio import FRAME_SAMPLES, FULL_SCALE, Pcm, scaled_to_level, to_pcm

BEFORE_SECONDS = 0.5
"""Line without words before the caller speaks; the noise is there already."""
AFTER_SECONDS = 4.0
"""The same behind the last word: long enough for every end of a turn."""

_EDGE_HZ = 100.0
"""Within so much beyond its edges the band of a line falls to nothing."""


def over_phone_line(speech: Pcm, condition: LineCondition, seed: int, talk: Sequence[Pcm] = ()) -> Pcm:
    """Return what the agent's end of the line gets, with quiet line before and after the words.

    Noise is laid behind the voice before the line and its codec, as in a real room; ``talk`` is what babble is made of.
    """
    before, after = (np.zeros(int(seconds * SAMPLE_RATE), "<i2") for seconds in (BEFORE_SECONDS, AFTER_SECONDS))
    pcm = np.concatenate((before, scaled_to_level(speech, condition.level_dbfs), after))
    if condition.noise:
        pcm = with_noise(pcm, make_noise(condition.noise, len(pcm), seed, talk), condition.snr_db)
    if condition.band_hz is not None:
        pcm = band_limited(pcm, *condition.band_hz)
    count = -(-len(pcm) // FRAME_SAMPLES)
    lost = packet_losses(count, condition.loss, condition.burst, seed + 1) if condition.loss else None
    return through_codec(pcm, condition.codec, lost)


def band_limited(pcm: Pcm, lowest_hz: float, highest_hz: float) -> Pcm:
    """Return 8 kHz audio without what lies below and above; the edges fall over :data:`_EDGE_HZ`."""
    spectrum = np.fft.rfft(pcm.astype(np.float64) / FULL_SCALE)
    hertz = np.fft.rfftfreq(len(pcm), 1 / SAMPLE_RATE)
    inside = np.minimum(hertz - lowest_hz, highest_hz - hertz)
    return to_pcm(np.fft.irfft(spectrum * np.clip(1 + inside / _EDGE_HZ, 0.0, 1.0), len(pcm)))


def frames(pcm: Pcm) -> Iterator[bytes]:
    """Yield 20 ms frames; when the audio is over the last second of the line goes on and on."""
    data = pcm.astype("<i2").tobytes()
    data = data[: len(data) // FRAME_BYTES * FRAME_BYTES]
    start = max(0, len(data) - SAMPLE_RATE * 2)
    for at in range(0, len(data), FRAME_BYTES):
        yield data[at : at + FRAME_BYTES]
    while True:
        for at in range(start, len(data), FRAME_BYTES):
            yield data[at : at + FRAME_BYTES]
        if start >= len(data):
            yield bytes(FRAME_BYTES)


__all__ = ["AFTER_SECONDS", "BEFORE_SECONDS", "band_limited", "frames", "over_phone_line"]
