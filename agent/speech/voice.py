"""Synthesises prompts: recordings first, then cached audio, then the first engine that works."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from agent.call.errors import VoiceError
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import Prompt
from agent.speech.cache import DiskCache, MemoryCache
from agent.speech.engines.base import Engine, EngineError
from agent.speech.engines.child import piper_engine, pyttsx3_engine
from agent.speech.engines.hibari import HibariEngine
from agent.speech.engines.recorded import RecordedPrompts
from agent.speech.sentence_splitter import pause_after, split_for_speech

log = logging.getLogger(__name__)

ENGINES: dict[str, Callable[..., Engine]] = {
    "hibari": HibariEngine,
    "pyttsx3": pyttsx3_engine,
    "piper": piper_engine,
}
"""Engines by their name in the settings. Each takes ``voice`` and ``speed``, both optional."""


@dataclass(frozen=True)
class PromptSynthesizerOptions:
    """How the voice works."""

    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Texts synthesised at once, each on one thread."""
    memory_bytes: int = 64 * 2**20
    """Audio kept in memory: 64 MB is over an hour of speech."""
    engine_seconds: float = 10.0
    """An engine that takes longer than this for one text has failed."""
    unhealthy_seconds: float = 30.0
    """How long a failed engine is left alone before it is tried again."""


@dataclass(frozen=True)
class PrerenderReport:
    """What :meth:`PromptSynthesizer.prerender` did."""

    ready: int
    """Pieces that can be played without synthesis now."""
    failed: tuple[str, ...]
    """Texts no engine could speak."""


class PromptSynthesizer:
    """Renders prompts: implements :class:`agent.call.ports.Voice`.

    ``engines`` are tried in order; one that fails is left alone for a while and the next one speaks. ``cache_dir`` may
    be shared by several processes; None keeps nothing on disk. Use one event loop.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        cache_dir: Path | None = None,
        recordings_dir: Path | None = None,
        options: PromptSynthesizerOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engines = tuple(engines)
        self._options = options or PromptSynthesizerOptions()
        self._clock = clock
        self._memory = MemoryCache(self._options.memory_bytes, clock)
        self._disk = DiskCache(cache_dir) if cache_dir is not None else None
        self._recordings = RecordedPrompts(recordings_dir)
        self._threads = ThreadPoolExecutor(self._options.workers, thread_name_prefix="speak")
        self._rendering: dict[str, asyncio.Task[bytes]] = {}
        self._unhealthy_until: dict[str, float] = {}

    async def load_engines(self) -> None:
        """Load the engines for texts that nobody has spoken yet; one that cannot be loaded rests for a while."""
        loop = asyncio.get_running_loop()
        for engine in self._engines:
            try:
                await loop.run_in_executor(self._threads, engine.load)
            except EngineError as error:
                self._failed(engine, error)

    @property
    def healthy(self) -> dict[str, bool]:
        """Engine name -> whether it would be asked now."""
        now = self._clock()
        return {engine.name: self._unhealthy_until.get(engine.name, 0.0) <= now for engine in self._engines}

    def pieces(self, prompt_id: str, text: str) -> list[str]:
        """Return the parts of a prompt to render and play one after the other: sentences, or all of a recording."""
        return [text] if self._recordings.find(prompt_id, text) is not None else split_for_speech(text)

    def pause_after(self, piece: str) -> bytes:
        """Return the silence that belongs between this piece and the next one."""
        return pause_after(piece)

    def cached(self, prompt_id: str, text: str) -> bytes | None:
        """Return the audio (8 kHz 16-bit) if it is in memory or recorded, else None. Never blocks."""
        return self._recordings.find(prompt_id, text) or self._memory.get(text)

    async def render(self, prompt_id: str, text: str) -> bytes:
        """Return the audio (8 kHz 16-bit), from disk or an engine if needed.

        Calls that ask for the same text at the same time share one synthesis, which goes on when one of them leaves.
        Raises :class:`~agent.call.errors.VoiceError` when no engine can speak.
        """
        ready = self.cached(prompt_id, text)
        if ready is not None:
            return ready
        task = self._rendering.get(text)
        if task is None:
            task = asyncio.create_task(self._make(text))
            self._rendering[text] = task
            task.add_done_callback(lambda done: self._rendered(text, done))
        return await asyncio.shield(task)

    async def prerender(
        self, prompts: Iterable[Prompt], progress: Callable[[int, int], None] | None = None
    ) -> PrerenderReport:
        """Render prompts before they are needed; ``progress`` gets how many pieces are done, of how many.

        A text that cannot be spoken does not stop the others.
        """
        wanted = dict.fromkeys(
            (prompt.id, piece) for prompt in prompts for piece in self.pieces(prompt.id, prompt.text)
        )
        slots = asyncio.Semaphore(self._options.workers)
        failed: list[str] = []
        done = 0

        async def one(prompt_id: str, text: str) -> None:
            nonlocal done
            async with slots:
                try:
                    await self.render(prompt_id, text)
                except VoiceError as error:
                    log.warning("%s", error)
                    failed.append(text)
            done += 1
            if progress is not None:
                progress(done, len(wanted))

        await asyncio.gather(*(one(prompt_id, text) for prompt_id, text in wanted))
        return PrerenderReport(ready=len(wanted) - len(failed), failed=tuple(failed))

    def rendered(self, prompts: Iterable[Prompt]) -> tuple[int, int]:
        """Count the pieces of prompts that are recorded or on disk, and those that are not. Call it in a thread."""
        wanted = dict.fromkeys(
            (prompt.id, piece) for prompt in prompts for piece in self.pieces(prompt.id, prompt.text)
        )
        ready = sum(
            self._recordings.find(prompt_id, text) is not None
            or (self._disk is not None and any(self._disk.path(e.identity, text).is_file() for e in self._engines))
            for prompt_id, text in wanted
        )
        return ready, len(wanted) - ready

    async def close(self) -> None:
        """Stop rendering and release the engines."""
        await cancel_and_wait(*self._rendering.values())
        self._threads.shutdown(wait=False, cancel_futures=True)
        for engine in self._engines:
            await asyncio.to_thread(engine.close)

    def _rendered(self, text: str, task: asyncio.Task[bytes]) -> None:
        self._rendering.pop(text, None)
        if not task.cancelled():
            task.exception()  # seen here: every caller may have left

    async def _make(self, text: str) -> bytes:
        """Return the audio of a text from the first engine that has or makes it."""
        problems: list[str] = []
        for engine in self._engines:
            pcm = await self._from_disk(engine, text)
            if pcm is None and self.healthy[engine.name]:
                try:
                    pcm = await self._synthesise(engine, text)
                except EngineError as error:
                    problems.append(error.message)
                    self._failed(engine, error)
            if pcm is not None:
                # A stand-in's voice is kept only until the engines before it are tried again.
                ahead = self._engines[: self._engines.index(engine)]
                until = min((self._unhealthy_until.get(one.name, 0.0) for one in ahead), default=float("inf"))
                self._memory.put(text, pcm, until=until)
                return pcm
            if not self.healthy[engine.name] and not problems:
                problems.append(f"{engine.name} has failed a moment ago")
        reasons = "; ".join(problems) or "no voice engine is configured"
        raise VoiceError(f"The prompt {text!r} cannot be spoken: {reasons}.")

    async def _from_disk(self, engine: Engine, text: str) -> bytes | None:
        if self._disk is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._disk.read, engine.identity, text)

    async def _synthesise(self, engine: Engine, text: str) -> bytes:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._threads, self._speak, engine, text)
        done, _ = await asyncio.wait({future}, timeout=self._options.engine_seconds)
        if not done:
            future.cancel()
            raise EngineError(f"{engine.name} did not finish within {self._options.engine_seconds:g} s")
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, EngineError):
            raise error
        raise EngineError(f"{engine.name} failed: {type(error).__name__}: {error}") from error

    def _speak(self, engine: Engine, text: str) -> bytes:
        pcm = engine.synthesise(text).tobytes()
        if self._disk is not None:
            self._disk.write(engine.identity, text, pcm)
        return pcm

    def _failed(self, engine: Engine, error: EngineError) -> None:
        self._unhealthy_until[engine.name] = self._clock() + self._options.unhealthy_seconds
        log.warning(
            "The voice engine %s failed and rests for %g s: %s",
            engine.name,
            self._options.unhealthy_seconds,
            error.message,
        )


def build_engines(names: Sequence[str], *, load: bool = True) -> list[Engine]:
    """Return the engines of these names, in order; those that cannot work here are logged and left out.

    With ``load`` each is loaded, which takes up to a second; without it that is left to :meth:`Engine.load`, or to the
    first text that is not in the cache. A name may carry a voice: ``piper:/srv/voices/amy.onnx``, ``pyttsx3:en-gb+f3``.
    Raises :class:`~agent.call.errors.VoiceError` when none is left.
    """
    engines: list[Engine] = []
    for entry in names:
        name, _, voice = entry.partition(":")
        try:
            if name not in ENGINES:
                raise EngineError(f"There is no voice engine {name!r}; there are {', '.join(ENGINES)}.")
            engine = ENGINES[name](voice=voice) if voice else ENGINES[name]()
            if load:
                engine.load()
            engines.append(engine)
        except EngineError as error:
            log.warning("The voice engine %s is not used: %s", entry, error.message)
    if not engines:
        raise VoiceError(f"None of the configured voice engines works here: {', '.join(names) or 'none configured'}.")
    return engines


__all__ = [
    "ENGINES",
    "PrerenderReport",
    "PromptSynthesizer",
    "PromptSynthesizerOptions",
    "build_engines",
    "split_for_speech",
]
