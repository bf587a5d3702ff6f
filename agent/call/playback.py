"""Playback of one turn's prompts: piece by piece, stopped on a barge-in, resumed where it stopped."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.call.ports import EchoSuppressor, Media, NoEchoSuppression, Voice
from agent.common.audio import SAMPLE_RATE
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import Prompt

log = logging.getLogger(__name__)

MARK_GRACE_SECONDS = 2.0
"""A mark that is this late will not come any more; the prompt counts as heard."""


@dataclass(frozen=True)
class PromptPiece:
    """A sentence of a prompt: what is synthesised, cached and played as one."""

    prompt_id: str
    text: str
    mark: str


class PromptPlayback:
    """Speaks one turn's prompts.

    The first piece is played as soon as it is there, the next ones are rendered while it plays. :meth:`stop` flushes;
    :meth:`resume` goes on with the piece that was interrupted. ``on_first_audio`` gets the clock time at which the
    first audio was handed over.
    """

    def __init__(
        self,
        voice: Voice,
        media: Media,
        prompts: Sequence[Prompt],
        marks: itertools.count[int],
        clock: Callable[[], float],
        on_first_audio: Callable[[float], object],
        echo: EchoSuppressor | None = None,
    ) -> None:
        self._voice = voice
        self._media = media
        self._clock = clock
        self._marks = marks
        self._pieces = [
            PromptPiece(prompt.id, part, f"m{next(marks)}")
            for prompt in prompts
            for part in voice.pieces(prompt.id, prompt.text)
            if part.strip()
        ]
        self._echo: EchoSuppressor = echo if echo is not None else NoEchoSuppression()
        self._heard = 0
        self._stopped = False
        self._audible_until: float = 0.0
        self._task: asyncio.Task[None] | None = None
        self._on_first_audio: Callable[[float], object] | None = on_first_audio

    @property
    def text(self) -> str:
        """All that this turn says."""
        return " ".join(piece.text for piece in self._pieces)

    @property
    def finished(self) -> bool:
        """True when everything has been heard (or given up)."""
        return self._heard >= len(self._pieces)

    @property
    def active(self) -> bool:
        """True while something of this turn is, or is about to be, audible."""
        return not self.finished and not self._stopped

    def start(self) -> None:
        """Begin to speak; a no-op for a turn without words."""
        self._stopped = False
        if self._pieces:
            self._task = asyncio.create_task(self._play(self._pieces[self._heard :]))

    async def _play(self, pieces: Sequence[PromptPiece]) -> None:
        rendered = [asyncio.create_task(self._audio(piece)) for piece in pieces]
        try:
            for piece, audio in zip(pieces, rendered, strict=True):
                pcm = await audio
                if piece is not pieces[-1]:
                    pcm += self._voice.pause_after(piece.text)
                now = self._clock()
                self._audible_until = max(self._audible_until, now) + len(pcm) / 2 / SAMPLE_RATE
                self._echo.playing(pcm)
                await self._media.play(pcm, piece.mark)
                if self._on_first_audio is not None:
                    self._on_first_audio(now)
                    self._on_first_audio = None
        finally:
            await cancel_and_wait(*rendered)

    async def _audio(self, piece: PromptPiece) -> bytes:
        cached = self._voice.cached(piece.prompt_id, piece.text)
        return cached if cached is not None else await self._voice.render(piece.prompt_id, piece.text)

    def played(self, mark: str) -> bool:
        """Take a mark; True when it was the last one of this turn."""
        for index, piece in enumerate(self._pieces):
            if piece.mark == mark:
                self._heard = max(self._heard, index + 1)
                return self.finished
        return False

    def check(self) -> bool:
        """True when there is nothing more to wait for; raises what stopped the speaking, VoiceError for one.

        A mark can get lost. When all audio was handed over and should have been heard long ago, it counts as heard.
        """
        if self._task is not None and self._task.done():
            if not self._task.cancelled() and (error := self._task.exception()) is not None:
                raise error
            if not self.finished and self._clock() > self._audible_until + MARK_GRACE_SECONDS:
                log.warning("No mark came for %r; it counts as heard", self._pieces[-1].text)
                self._heard = len(self._pieces)
        return self.finished

    async def stop(self) -> None:
        """Fall silent at once; what was not heard yet waits for :meth:`resume`."""
        self._stopped = True
        await self._cancel()
        self._echo.flushed()
        await self._media.flush()

    async def repeat(self) -> None:
        """Say everything again from its beginning."""
        self._heard = 0
        await self.resume()

    async def resume(self) -> None:
        """Go on with the piece that was interrupted."""
        await self._cancel()
        # the flushed marks will never come: new ones tell the old audio from the new
        self._pieces[self._heard :] = [
            PromptPiece(piece.prompt_id, piece.text, f"m{next(self._marks)}") for piece in self._pieces[self._heard :]
        ]
        self.start()

    async def _cancel(self) -> None:
        if self._task is not None:
            await cancel_and_wait(self._task)
            self._task = None

    async def close(self) -> None:
        """Stop the rendering without touching the line."""
        await self._cancel()
