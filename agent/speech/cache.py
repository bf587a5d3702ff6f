"""Caches of rendered prompts: the recent ones in memory, all of them on disk by content hash."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

FORMAT = b"orderline-prompt-1"
"""First line of a cache file. Changes with the format, the level or the trimming of prompts."""


class DiskCache:
    """Audio files in one folder: a header line with a checksum, then 8 kHz 16-bit samples.

    Every method reads or writes files: call it in a thread. A disk that fails costs the cache, not the prompt.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, identity: str, text: str) -> Path:
        """Return where the audio of ``text`` by the voice ``identity`` belongs."""
        digest = hashlib.sha256("\n".join((FORMAT.decode(), identity, text)).encode()).hexdigest()
        return self._folder / digest[:2] / f"{digest[2:40]}.pcm"

    def read(self, identity: str, text: str) -> bytes | None:
        """Return the audio, None when it is not there or damaged (it is then removed)."""
        path = self.path(identity, text)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        header, _, pcm = content.partition(b"\n")
        if header == self._header(pcm) and pcm:
            return pcm
        log.warning("A damaged prompt in the cache is made again: %s", path)
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def write(self, identity: str, text: str, pcm: bytes) -> None:
        """Keep the audio. Written beside its place and renamed: a reader finds all of it or nothing."""
        path = self.path(identity, text)
        scratch: str | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, scratch = tempfile.mkstemp(dir=path.parent, suffix=".part")
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._header(pcm) + b"\n" + pcm)
            Path(scratch).replace(path)
        except OSError as error:
            log.warning("A prompt could not be kept on disk: %s", error)
            if scratch is not None:
                Path(scratch).unlink(missing_ok=True)

    def _header(self, pcm: bytes) -> bytes:
        return FORMAT + f" {len(pcm)} {zlib.crc32(pcm):08x}".encode()


@dataclass(frozen=True)
class _Kept:
    pcm: bytes
    until: float


class MemoryCache:
    """The prompts used last, up to ``limit_bytes``; safe to ask from the event loop."""

    def __init__(self, limit_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def get(self, text: str) -> bytes | None:
        """Return the audio, None when it is not there or too old."""
        kept = self._kept.get(text)
        if kept is None:
            return None
        if self._clock() >= kept.until:
            self._remove(text)
            return None
        self._kept.move_to_end(text)
        return kept.pcm

    def put(self, text: str, pcm: bytes, *, until: float = float("inf")) -> None:
        """Keep the audio, at most until the clock shows ``until``; the longest unused go when it gets full."""
        self._remove(text)
        self._kept[text] = _Kept(pcm, until)
        self._bytes += len(pcm)
        while self._bytes > self._limit_bytes and len(self._kept) > 1:
            self._remove(next(iter(self._kept)))

    def _remove(self, text: str) -> None:
        kept = self._kept.pop(text, None)
        if kept is not None:
            self._bytes -= len(kept.pcm)


__all__ = ["DiskCache", "MemoryCache"]
