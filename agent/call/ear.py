"""The agent's ear for one turn: gathers frames into chunks and keeps the recogniser's latest text at hand."""

from __future__ import annotations

import asyncio

from agent.call.protocols import FRAME_BYTES, Hearing, Recognition


class Ear:
    """Feeds a :class:`Hearing` from a task of its own, so that the call never waits for the recogniser.

    ``chunk_frames`` is how many 20 ms frames are handed over together at least; what piles up while the recogniser is
    busy goes in one larger chunk.
    """

    def __init__(self, hearing: Hearing, chunk_frames: int) -> None:
        self.text = ""
        """What has been recognised so far."""
        self._hearing = hearing
        self._chunk_bytes = chunk_frames * FRAME_BYTES
        self._waiting = bytearray()
        self._ready = asyncio.Event()
        self._stopping = False
        self._task = asyncio.create_task(self._listen())

    def take(self, pcm: bytes) -> None:
        """Take audio of any length."""
        self._waiting += pcm
        if len(self._waiting) >= self._chunk_bytes:
            self._ready.set()

    async def _listen(self) -> None:
        while True:
            await self._ready.wait()
            self._ready.clear()
            if self._stopping:
                return
            chunk, self._waiting = bytes(self._waiting), bytearray()
            self.text = await self._hearing.feed(chunk)

    def check(self) -> None:
        """Raise what stopped the ear, if anything did."""
        if self._task.done() and not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    async def finish(self) -> Recognition:
        """Take the rest of the audio and return the final result. Raises what the recogniser raises."""
        self._stopping = True
        self._ready.set()
        await self._task  # a chunk under way is finished first: a hearing takes one at a time
        if self._waiting:
            await self._hearing.feed(bytes(self._waiting))
        return await self._hearing.finish()

    async def close(self) -> None:
        """Stop listening; nothing more is wanted."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
