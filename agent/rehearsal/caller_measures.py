"""Response, barge-in and silence times as the caller hears them. Pure functions on recorded audio.

Times are monotonic seconds of one clock; results are milliseconds or seconds as their names say.

- *Heard*: a received 20 ms frame is audible from the moment it arrived, so sample ``i`` of it sounds at
  ``stamp + i / 8000``. (A phone's jitter buffer would add its own 40-100 ms; there is none here.)
- *Spoken*: a phone sends a frame when its last sample has been spoken, so sample ``i`` of a frame that left at
  ``stamp`` was spoken at ``stamp - (160 - i) / 8000``. Counted so, the agent looks up to 20 ms slower, never faster.
- *Loud*: a frame of at least ``VOICED_DBFS`` (-45 dBFS RMS). An onset needs two loud frames in a row, so that a
  click is not taken for a voice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.common.audio import SAMPLE_RATE
from agent.rehearsal.audio import FRAME_SAMPLES, FRAME_SECONDS, VOICED_DBFS, AudioTrack, Pcm

MERGE_GAP_SECONDS = 0.25
"""Quiet shorter than this inside an agent's speech belongs to it (stops, breaths between words)."""
LATE_FRAME_SECONDS = 0.04
"""A phone's jitter buffer hides less than this, and what comes later is a hole in a word."""
ONSET_FRAMES = 2
"""This many loud frames in a row make an onset."""
_QUIET_SAMPLE = 0.1
"""Inside the first loud frame the sound begins at the first sample above this part of the frame's peak."""


@dataclass(frozen=True)
class Span:
    """From ``start`` to ``end``, monotonic seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Length."""
        return self.end - self.start


@dataclass(frozen=True)
class Lateness:
    """How evenly speech arrived: a frame is late when it comes more than 40 ms after the one before it."""

    frames: int = 0
    """Loud frames that followed a loud one."""
    late: int = 0
    worst_ms: float = 0.0
    """The longest time between two of them; 20 ms when all is well."""


@dataclass(frozen=True)
class Percentiles:
    """What a summary says of many times."""

    p50: float | None
    p95: float | None
    n: int


def sounds(track: AudioTrack, after: float = -math.inf, before: float = math.inf) -> tuple[Span, ...]:
    """Return the stretches of sound that were heard in a time window; short gaps inside are part of them."""
    spans: list[Span] = []
    run = 0
    previous = -math.inf
    for index, (stamp, level) in enumerate(zip(track.stamps, track.levels_dbfs, strict=True)):
        if stamp + FRAME_SECONDS <= after or stamp >= before:
            continue
        if stamp - previous > MERGE_GAP_SECONDS:
            run = 0  # while nothing came there was silence
        previous = stamp
        if level < VOICED_DBFS:
            run = 0
            continue
        run += 1
        end = stamp + FRAME_SECONDS
        if spans and stamp - spans[-1].end <= MERGE_GAP_SECONDS:
            # A lone loud frame does not prolong a sound: it may be a click.
            if run >= ONSET_FRAMES or stamp - spans[-1].end < FRAME_SECONDS:
                spans[-1] = Span(spans[-1].start, end)
        elif run == ONSET_FRAMES:
            first = index - ONSET_FRAMES + 1
            spans.append(Span(max(after, _onset(track, first)), end))
    return tuple(spans)


def _onset(track: AudioTrack, index: int) -> float:
    samples = np.abs(np.frombuffer(track.frames[index], "<i2").astype(np.int32))
    loud = np.flatnonzero(samples >= max(1, int(samples.max() * _QUIET_SAMPLE)))
    return track.stamps[index] + int(loud[0]) / SAMPLE_RATE


def first_sound_at(track: AudioTrack, after: float, before: float = math.inf) -> float | None:
    """Return when the first sound after a moment was heard; a sound already going on counts from that moment."""
    found = sounds(track, after, before)
    return found[0].start if found else None


def greeting_ms(heard: AudioTrack, answered_at: float) -> float | None:
    """Answer, as the caller's phone saw it -> the agent's first sound."""
    at = first_sound_at(heard, answered_at)
    return None if at is None else (at - answered_at) * 1000


def response_ms(heard: AudioTrack, ended_at: float, until: float = math.inf) -> float | None:
    """End of the caller's voice (or last key) -> the agent's first sound after it; None when none came by ``until``.

    A prompt that was going on when the caller ended is no response: the next one counts.
    """
    for span in sounds(heard, before=until):
        if span.start >= ended_at:
            return (span.start - ended_at) * 1000
    return None


def barge_in_stop_ms(heard: AudioTrack, voice: Span) -> float | None:
    """Caller's first voiced sample -> end of the agent's last loud frame; None when the agent was not speaking.

    The agent that does not stop is measured to the end of its prompt.
    """
    over = [span for span in sounds(heard) if span.start <= voice.start < span.end]
    if not over:
        # The caller may have begun in a pause of the prompt that went on.
        over = [span for span in sounds(heard) if voice.start < span.start < voice.end][:1]
    return (over[-1].end - voice.start) * 1000 if over else None


def longest_silence(heard: AudioTrack, spoken: Sequence[Span], start: float, end: float) -> Span:
    """Return the longest time in which neither side made a sound."""
    busy = sorted([*sounds(heard, start, end), *spoken], key=lambda span: span.start)
    longest, quiet_from = Span(start, start), start
    for span in [*busy, Span(end, end)]:
        if min(span.start, end) - quiet_from > longest.seconds:
            longest = Span(quiet_from, min(span.start, end))
        quiet_from = max(quiet_from, span.end)
    return longest


def lateness(heard: AudioTrack) -> Lateness:
    """Return how evenly the speech in a track arrived. Only from one loud frame to the next: pauses do not count.

    Speech that goes on after 250 ms or more without a frame is new speech, as everywhere here.
    """
    frames, late, worst = 0, 0, 0.0
    loud_before, previous = False, -math.inf
    for stamp, level in zip(heard.stamps, heard.levels_dbfs, strict=True):
        loud = level >= VOICED_DBFS
        gap = stamp - previous
        if loud and loud_before and gap < MERGE_GAP_SECONDS:
            frames += 1
            late += gap > LATE_FRAME_SECONDS
            worst = max(worst, gap)
        loud_before, previous = loud, stamp
    return Lateness(frames, late, worst * 1000)


def correlation_peak(sent: Pcm, received: Pcm) -> float:
    """How surely ``received`` holds ``sent``, 0..1: the peak of their normalised cross-correlation at any delay.

    Both are cut to 4 s. Speech that came through (mu-law, any delay) scores above 0.8; other speech below 0.3.
    """
    a = sent[: 4 * SAMPLE_RATE].astype(np.float64)
    b = received.astype(np.float64)
    if len(a) < FRAME_SAMPLES or len(b) < len(a) or not a.any() or not b.any():
        return 0.0
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    products = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)[: len(b) - len(a) + 1]
    sums = np.concatenate([[0.0], np.cumsum(b * b)])
    energies = sums[len(a) :] - sums[: len(b) - len(a) + 1]
    # Where hardly anything was received a quotient would be noise divided by noise.
    floor = max(1.0, float(energies.max()) * 0.01)
    scores = products / np.sqrt(np.maximum(energies, floor) * float(a @ a))
    return float(min(1.0, max(0.0, scores.max())))


def percentiles(values: Sequence[float]) -> Percentiles:
    """Return median and 95th percentile (nearest rank) and the count."""
    if not values:
        return Percentiles(None, None, 0)
    ordered = sorted(values)

    def rank(part: float) -> float:
        return ordered[max(0, math.ceil(part * len(ordered)) - 1)]

    return Percentiles(rank(0.5), rank(0.95), len(ordered))
