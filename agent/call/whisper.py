"""Renders the announcement that staff hear before the caller is joined, as a file that Asterisk plays."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.call.ports import Voice
from agent.common.atomic_write import write_bytes
from agent.common.audio import SAMPLE_RATE, wave_file
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

WHISPER_PROMPT = "whisper"
"""The pack's prompt; a recording of this name would say the same to everybody."""
DEADLINE_SECONDS = 1.5
"""The caller does not wait longer for it; without one the staff member hears the caller at once."""
KEPT_SECONDS = 3600.0
_PREFIX = "orderline-whisper-"
_GAP_MS = 200
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


class WhisperFiles:
    """Implements :class:`agent.call.queue_status.WhisperSource` with files in a directory that Asterisk can read.

    ``words(values)`` gives the text, ``""`` for none. A file is kept for an hour: the queue plays it once for every
    staff member who answers.
    """

    def __init__(self, directory: Path, words: Callable[[Mapping[str, Any]], str], voice: Voice) -> None:
        self._directory = directory
        self._words = words
        self._voice = voice

    async def make(self, call_id: str, values: Mapping[str, Any]) -> str:
        """Return the file's path without its ending, ``""`` when nothing could be made in time."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                text = self._words(values)
                pcm = await self._spoken(text) if text else b""
                return await asyncio.to_thread(self._write, call_id, pcm) if pcm else ""
        except (OrderlineError, OSError, TimeoutError) as error:
            log.warning("Call %s: no whisper for the staff: %s", call_id, error or "too slow")
            return ""

    async def _spoken(self, text: str) -> bytes:
        pieces = self._voice.pieces(WHISPER_PROMPT, text)
        gap = bytes(SAMPLE_RATE * _GAP_MS // 1000 * 2)
        return gap + gap.join([await self._voice.render(WHISPER_PROMPT, piece) for piece in pieces])

    def _write(self, call_id: str, pcm: bytes) -> str:
        self._tidy()
        target = self._directory / f"{_PREFIX}{_UNSAFE.sub('-', call_id)}.wav"
        write_bytes(target, wave_file(pcm))  # readable for all: Asterisk often runs as another user
        return str(target.with_suffix(""))

    def _tidy(self) -> None:
        oldest = time.time() - KEPT_SECONDS
        for file in (*self._directory.glob(f"{_PREFIX}*"), *self._directory.glob(f".{_PREFIX}*")):  # also half written
            try:
                if file.stat().st_mtime < oldest:
                    file.unlink()
            except FileNotFoundError:
                continue  # another call was quicker
