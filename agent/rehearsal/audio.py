"""8 kHz audio at the caller's end: levels, time-stamped frames, and recordings in real time."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import soxr

from agent.common.audio import FRAME_BYTES, FRAME_MS, SAMPLE_RATE, FrameCutter

Pcm = npt.NDArray[np.int16]
"""Samples, 8 kHz mono."""

FRAME_SAMPLES = FRAME_BYTES // 2
FRAME_SECONDS = FRAME_MS / 1000
FULL_SCALE = 32768.0
VOICED_DBFS = -45.0
"""A 20 ms frame at least this loud (RMS) holds sound. Telephone silence is near -75 dBFS, speech near -20."""

_BURST_SECONDS = 0.06
"""Frames that arrive together are laid end to end; once the recording runs this far ahead of the clock it is pulled
back by leaving silent frames out."""


@dataclass
class AudioTrack:
    """One direction of a call: 20 ms frames, each with the moment (monotonic seconds) it passed the caller's phone."""

    stamps: list[float] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    levels_dbfs: list[float] = field(default_factory=list)
    _cutter: FrameCutter = field(default_factory=FrameCutter, repr=False)

    def add(self, stamp: float, pcm: bytes) -> None:
        """Append audio in pieces of any length; what is no whole frame yet waits for the next piece."""
        for frame in self._cutter.take(pcm):
            self.stamps.append(stamp)
            self.frames.append(frame)
            self.levels_dbfs.append(level_dbfs(np.frombuffer(frame, "<i2")))

    def samples(self, start: float, end: float) -> Pcm:
        """Return what passed from ``start`` to ``end`` (monotonic seconds) on a real time line."""
        return pcm_on_timeline(self, start, max(0.0, end - start))


def level_dbfs(pcm: Pcm) -> float:
    """RMS level in dB below full scale; -120 for silence or nothing."""
    if not len(pcm):
        return -120.0
    mean_square = float(np.mean(np.square(pcm.astype(np.float64)))) / FULL_SCALE**2
    return max(-120.0, 10 * float(np.log10(mean_square))) if mean_square > 0 else -120.0


def frame_levels_dbfs(pcm: Pcm) -> npt.NDArray[np.float64]:
    """Level of each whole 20 ms frame."""
    whole = len(pcm) // FRAME_SAMPLES
    frames = pcm[: whole * FRAME_SAMPLES].astype(np.float64).reshape(whole, FRAME_SAMPLES) / FULL_SCALE
    return cast(npt.NDArray[np.float64], 10 * np.log10(np.maximum(np.mean(frames * frames, axis=1), 1e-12)))


def voiced_span(pcm: Pcm, *, below_peak_db: float = 30.0) -> tuple[int, int] | None:
    """Return (first, one past last) sample that carries voice, or None for silence.

    Works on 5 ms pieces. A piece carries voice when it is within ``below_peak_db`` of the loudest one: recordings start
    and end with silence of their own, and the end of a sentence is soft, so the measure goes by the recording's own
    peak and not by an absolute level (but never below -60 dBFS).
    """
    piece = SAMPLE_RATE // 200
    count = -(-len(pcm) // piece)
    if count == 0:
        return None
    padded = np.zeros(count * piece, np.float64)
    padded[: len(pcm)] = pcm.astype(np.float64) / FULL_SCALE
    power = np.mean(np.square(padded.reshape(count, piece)), axis=1)
    levels = 10 * np.log10(np.maximum(power, 1e-12))
    voiced = np.flatnonzero(levels >= max(float(levels.max()) - below_peak_db, -60.0))
    if not len(voiced):
        return None
    return int(voiced[0]) * piece, min(len(pcm), (int(voiced[-1]) + 1) * piece)


def scaled_to_level(pcm: Pcm, dbfs: float) -> Pcm:
    """Return the audio with its voiced frames at this RMS level, limited at full scale."""
    levels = frame_levels_dbfs(pcm)
    if not len(levels):
        return pcm
    voiced = levels[levels >= levels.max() - 25.0]
    active_dbfs = 10 * float(np.log10(np.mean(10 ** (voiced / 10))))
    if active_dbfs <= -100.0:
        return pcm
    return to_pcm(pcm.astype(np.float64) / FULL_SCALE * 10 ** ((dbfs - active_dbfs) / 20))


def to_pcm(samples: npt.NDArray[np.floating]) -> Pcm:
    """Return floating samples (-1..1) as 16-bit samples, clipped at full scale."""
    return np.clip(np.round(samples * FULL_SCALE), -32768, 32767).astype("<i2")


def resampled(samples: npt.NDArray[np.floating], rate: int) -> Pcm:
    """Return floating samples of any rate as 8 kHz audio."""
    mono = np.asarray(samples, dtype=np.float32).reshape(-1)
    return to_pcm(mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE))


def read_wav(path: Path) -> Pcm:
    """Read a 16-bit WAV of any rate; several channels are averaged. Raises OSError, ValueError."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path} is not a readable WAV file: {error}") from error
    if width != 2:
        raise ValueError(f"{path}: {8 * width}-bit samples; 16-bit are needed")
    samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
    if rate == SAMPLE_RATE and channels == 1:
        return samples.reshape(-1)
    return resampled(samples.astype(np.float64).mean(axis=1) / FULL_SCALE, rate)


def write_wav(path: Path, *channels: Pcm) -> None:
    """Write 8 kHz 16-bit audio; shorter channels are filled up with silence."""
    longest = max((len(channel) for channel in channels), default=0)
    data = np.zeros((longest, len(channels)), "<i2")
    for index, channel in enumerate(channels):
        data[: len(channel), index] = channel
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(data.tobytes())


def pcm_on_timeline(track: AudioTrack, start: float, seconds: float) -> Pcm:
    """Lay a track's frames on a time line that begins at ``start`` (monotonic seconds) and lasts ``seconds``.

    A frame follows the one before without a gap as long as its stamp is within one frame of that; a later one leaves
    real silence before it.
    """
    out = np.zeros(max(0, round(seconds * SAMPLE_RATE)), "<i2")
    end = 0
    for stamp, frame, level in zip(track.stamps, track.frames, track.levels_dbfs, strict=True):
        due = round((stamp - start) * SAMPLE_RATE)
        if due - end > FRAME_SAMPLES or end == 0:
            end = max(0, due)
        elif end - due > _BURST_SECONDS * SAMPLE_RATE and level < VOICED_DBFS:
            continue
        if due < -FRAME_SAMPLES:
            end = 0
            continue
        room = min(FRAME_SAMPLES, len(out) - end)
        if room <= 0:
            break
        out[end : end + room] = np.frombuffer(frame, "<i2")[:room]
        end += room
    return out


def write_call(path: Path, spoken: AudioTrack, heard: AudioTrack) -> None:
    """Write a call as a stereo WAV: left the caller, right what the caller heard, both on one real time line."""
    stamps = [*spoken.stamps[:1], *heard.stamps[:1]]
    if not stamps:
        write_wav(path, np.zeros(0, "<i2"), np.zeros(0, "<i2"))
        return
    start = min(stamps)
    seconds = max(*spoken.stamps[-1:], *heard.stamps[-1:], start) - start + 0.1
    write_wav(path, pcm_on_timeline(spoken, start, seconds), pcm_on_timeline(heard, start, seconds))
