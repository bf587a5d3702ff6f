"""Recordings of finished calls: found by the call's id, never by a path; 16-bit stereo for browsers; peaks to draw."""

from __future__ import annotations

import asyncio
import sqlite3
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import OrderlineError
from agent.records import sounds_sql
from agent.records.database import RecordsUnavailable, connect
from agent.records.sound_files import SoundDirectory

MOST_BYTES = 512 * 1024 * 1024
"""Four hours of two channels are 230 MB."""
LISTENING_SECONDS = 600.0
"""Who asks for the same recording again within this time listens on; after it, anew."""
_MOST_LISTENINGS = 10_000
_PCM, _MULAW, _EXTENSIBLE = 1, 7, 0xFFFE
Samples = npt.NDArray[np.int16]


class SoundUnreadable(OrderlineError):
    """A recording is there and cannot be read."""

    code = "sound"


@dataclass(frozen=True)
class WavFormat:
    """What the head of a WAV file says, and where its samples are."""

    kind: int
    channels: int
    rate: int
    bits: int
    begin: int
    length: int
    """Bytes."""

    @property
    def plays_everywhere(self) -> bool:
        """Whether every browser plays it as it is, on two channels."""
        return self.kind == _PCM and self.bits == 16 and self.channels == 2


class Listenings:
    """Tells when somebody begins to listen to a recording: a player asks for it in many ranges."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives monotonic seconds."""
        self._clock = clock
        self._begun: dict[tuple[str, str, int], float] = {}

    def begins(self, listening: tuple[str, str, int]) -> bool:
        """Return whether this (session, call, part) is a new listening, and remember it."""
        now = self._clock()
        if len(self._begun) > _MOST_LISTENINGS:
            self._begun = {key: at for key, at in self._begun.items() if now - at < LISTENING_SECONDS}
        begun = self._begun.get(listening)
        if begun is not None and now - begun < LISTENING_SECONDS:
            return False
        self._begun[listening] = now
        return True

    def forget(self, listening: tuple[str, str, int]) -> None:
        """Take one back that was not noted."""
        self._begun.pop(listening, None)


class CallRecordings:
    """The recordings of this node's calls, of all its instances."""

    def __init__(self, calls_files: Callable[[], Sequence[Path]], directory: SoundDirectory) -> None:
        """``calls_files()`` gives the ``calls.sqlite`` of each instance."""
        self._calls_files = calls_files
        self._directory = directory

    async def find(self, call_id: str, part: int = 0) -> Path | None:
        """Return the file of a call's recording, None where there is none. Raises :class:`SoundUnreadable`."""
        return await asyncio.to_thread(self._find, call_id, part)

    async def count(self, call_id: str) -> int:
        """Return how many recordings there are of a call: 0 or 1, more where it went on in another process."""
        return len(await asyncio.to_thread(self._names, call_id))

    def _find(self, call_id: str, part: int) -> Path | None:
        names = self._names(call_id)
        if not 0 <= part < len(names):
            return None
        file = self._directory.kept_file(names[part])
        return file if file.is_file() else None

    def _names(self, call_id: str) -> list[str]:
        names: list[str] = []
        for file in self._calls_files():
            if not file.is_file():
                continue
            try:
                with closing(connect(file)) as db:
                    names += sounds_sql.names_of(db, call_id)
            except (sqlite3.Error, RecordsUnavailable) as error:
                raise SoundUnreadable(f"{file} cannot be read: {error}") from error
        return names


def wav_format(file: Path) -> WavFormat:
    """Read the head of a WAV file. Raises :class:`SoundUnreadable`."""
    try:
        with file.open("rb") as opened:
            head = opened.read(4096)
        size = file.stat().st_size
    except OSError as error:
        raise SoundUnreadable(f"the recording cannot be read: {error.strerror}") from error
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE" or size > MOST_BYTES:
        raise SoundUnreadable("the recording is no WAV file, or too large")
    at, told = 12, None
    while at + 8 <= len(head):
        name, length = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"fmt " and length >= 16 and at + 24 <= len(head):
            kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", head, at + 8)
            if kind == _EXTENSIBLE and length >= 26 and at + 34 <= len(head):
                kind = struct.unpack_from("<H", head, at + 32)[0]
            told = (kind, channels, rate, bits)
        if name == b"data" and told is not None:
            begin = at + 8
            return WavFormat(*told, begin, min(length, max(0, size - begin)))
        at += 8 + length + length % 2
    raise SoundUnreadable("the recording is no WAV file with samples")


def samples_of(file: Path, form: WavFormat) -> Samples:
    """Return the samples as (frames, 2), mono on both sides. Raises :class:`SoundUnreadable`."""
    if form.channels not in (1, 2):
        raise SoundUnreadable(f"the recording has {form.channels} channels")
    with file.open("rb") as opened:
        opened.seek(form.begin)
        raw = opened.read(form.length)
    if form.kind == _PCM and form.bits == 16:
        flat = np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2").astype(np.int16)
    elif form.kind == _MULAW and form.bits == 8:
        flat = _mulaw()[np.frombuffer(raw, dtype=np.uint8)]
    else:
        raise SoundUnreadable(f"the recording is of a kind that is not played (format {form.kind}, {form.bits} bits)")
    frames = flat[: len(flat) // form.channels * form.channels].reshape(-1, form.channels)
    return frames if form.channels == 2 else np.repeat(frames, 2, axis=1)


def wav_of(samples: Samples, rate: int) -> bytes:
    """Return a WAV file of 16-bit stereo PCM."""
    body = samples.astype("<i2").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, _PCM, 2, rate, rate * 4, 4, 16, b"data", len(body)),
    )
    return head + body


def peaks_of(file: Path, buckets: int) -> Mapping[str, Any]:
    """Return the outline of a recording: of each side the least and greatest sample per bucket (-1 to 1).

    ``{"seconds", "rate", "caller": [[least, greatest], ...], "agent": [...]}``. Raises :class:`SoundUnreadable`.
    """
    form = wav_format(file)
    samples = samples_of(file, form)
    told: dict[str, Any] = {"seconds": round(len(samples) / max(1, form.rate), 3), "rate": form.rate}
    buckets = max(1, min(buckets, len(samples)))
    starts = np.linspace(0, len(samples), buckets, endpoint=False).astype(np.intp)
    for side, column in (("caller", 0), ("agent", 1)):
        if not len(samples):
            told[side] = []
            continue
        part = samples[:, column]
        least, most = np.minimum.reduceat(part, starts), np.maximum.reduceat(part, starts)
        told[side] = (np.stack((least, most), axis=1) / 32768).round(3).tolist()
    return told


def _mulaw() -> Samples:
    """Return the sample of each byte of mu-law (G.711)."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent = ((code >> 4) & 7).astype(np.int32)
    magnitude = ((((code & 15).astype(np.int32) << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
