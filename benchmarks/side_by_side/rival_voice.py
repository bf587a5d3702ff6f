"""Voice of the rival bot: pyttsx3 into files that Asterisk can play, made anew or kept."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from pathlib import Path

from agent.rehearsal.audio import write_wav
from agent.speech.engines.base import EngineError
from agent.speech.engines.child import SubprocessEngine

log = logging.getLogger(__name__)

VOICE = "en-us"
ENGINES = 4
"""pyttsx3 sometimes never ends when a text follows the last one at once, so texts go to several engines in turn."""
WARM_UPS = 5
TEXT_SECONDS = 1.0
"""It usually needs 10 to 30 ms; one that needs longer than this is begun anew."""


class RivalVoice:
    """Writes prompts as 8 kHz WAV files below ``folder``.

    pyttsx3 runs in processes of its own (espeak-ng hangs with several threads), and its output is trimmed and levelled
    as Orderline's own voice is: what differs is when it is synthesised, not how. A synthesis that hangs is tried once
    more, which is more than samples do.
    """

    def __init__(self, folder: Path, *, keep: bool) -> None:
        self._folder = folder
        self._keep = keep
        made = [SubprocessEngine("pyttsx3", VOICE, 1.0, text_seconds=TEXT_SECONDS) for _ in range(ENGINES)]
        self._engines = tuple(made)
        self._next_engine = itertools.cycle(made)
        self._kept: dict[str, Path] = {}
        self._names = itertools.count(1)

    @property
    def identity(self) -> str:
        """Engine, version, voice and speed."""
        return self._engines[0].identity

    async def warm_up(self) -> None:
        """Let every engine speak a few times: pyttsx3 hangs most often in its first texts."""
        for engine in self._engines:
            for _ in range(WARM_UPS):
                with contextlib.suppress(EngineError):
                    await asyncio.to_thread(engine.synthesise, "Thanks for calling.")

    async def file(self, text: str) -> Path:
        """Return a file with the spoken text, without its ending. Raises EngineError."""
        if text in self._kept:
            return self._kept[text]
        path = self._folder / f"prompt-{next(self._names)}"
        await asyncio.to_thread(self._write, text, path.with_suffix(".wav"))
        if self._keep:
            self._kept[text] = path
        return path

    def _write(self, text: str, path: Path) -> None:
        began = time.monotonic()
        try:
            spoken = next(self._next_engine).synthesise(text)
        except EngineError as error:
            log.warning("pyttsx3: %s Once more.", error)
            spoken = next(self._next_engine).synthesise(text)
        write_wav(path, spoken)
        log.info("%.0f ms for %r", (time.monotonic() - began) * 1000, text)

    def done_with(self, path: Path) -> None:
        """Remove a file that will not be played again."""
        if not self._keep:
            path.with_suffix(".wav").unlink(missing_ok=True)

    def close(self) -> None:
        """End the engine."""
        for engine in self._engines:
            engine.close()
