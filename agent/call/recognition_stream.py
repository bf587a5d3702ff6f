"""The recognition stream of one turn: feeds audio in chunks and holds the recogniser's latest text."""

from __future__ import annotations

import asyncio

from agent.call.ports import RecognitionResult, UtteranceRecognizer
from agent.common.audio import FRAME_BYTES
from agent.common.tasks import cancel_and_wait


class RecognitionStream:
    """Feeds a :class:`UtteranceRecognizer` from a task of its own, so that the call never waits for the recogniser.

    ``chunk_frames`` is how many 20 ms frames are handed over together at least; what piles up while the recogniser is
    busy goes in one larger chunk.

    In a pause the caller's words can be settled before it is known whether the turn is over (:meth:`settle`): the
    recogniser gives its final text, which is whole where the running text still lags, and :meth:`finish` has it ready.
    Silence that follows is kept back; when the caller speaks on (:meth:`go_on`) it is caught up with.

    A stream may take the place of another (``instead_of``). It begins when the recogniser has answered what it was
    given before: one that hangs is found out then, however often its streams are replaced meanwhile.
    """

    def __init__(
        self, hearing: UtteranceRecognizer, chunk_frames: int, instead_of: RecognitionStream | None = None
    ) -> None:
        self.text = ""
        """What has been recognised so far."""
        self._hearing = hearing
        self._chunk_bytes = chunk_frames * FRAME_BYTES
        self._waiting = bytearray()
        self._kept_back = bytearray()
        self._ready = asyncio.Event()
        self._stopping = False
        self._settling = False
        self.pauses = 0
        """How often something was settled."""
        self._settled: RecognitionResult | None = None
        self._before = instead_of
        self._task = asyncio.create_task(self._listen())

    @property
    def settled(self) -> bool:
        """True from :meth:`settle` to :meth:`go_on`."""
        return self._settling

    @property
    def final(self) -> RecognitionResult | None:
        """The final text of what was settled, as soon as it is there."""
        return self._settled

    def take(self, pcm: bytes) -> None:
        """Take audio of any length."""
        if self._settling:
            self._kept_back += pcm
            return
        self._waiting += pcm
        if len(self._waiting) >= self._chunk_bytes:
            self._ready.set()

    def settle(self) -> None:
        """Have the final text worked out now: the caller pauses, and this may be the end."""
        self._settling = True
        self.pauses += 1
        self._ready.set()

    def go_on(self) -> None:
        """The caller speaks on: it was not the end."""
        self._settling, self._settled = False, None
        kept_back, self._kept_back = bytes(self._kept_back), bytearray()
        self.take(kept_back)

    async def _listen(self) -> None:
        if self._before is not None:
            await self._before.stop()
            self._before = None
        while True:
            await self._ready.wait()
            self._ready.clear()
            if self._stopping:
                return
            chunk, self._waiting = bytes(self._waiting), bytearray()
            if chunk:
                self.text = await self._hearing.feed(chunk)
            if self._settling and self._settled is None:
                pause = self.pauses
                final = await self._hearing.finish()
                if self._settling and pause == self.pauses:  # the caller may have gone on meanwhile
                    self._settled, self.text = final, final.text

    def check(self) -> None:
        """Raise what stopped the recogniser, if anything did."""
        if self._task.done() and not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    async def stop(self) -> None:
        """Take nothing more; return when a chunk under way is finished. Raises what the recogniser raises."""
        self._stopping = True
        self._ready.set()
        await self._task

    async def finish(self) -> RecognitionResult:
        """Take the rest of the audio and return the final result. Raises what the recogniser raises."""
        await self.stop()
        if self._settled is not None:
            return self._settled
        if self._waiting:
            await self._hearing.feed(bytes(self._waiting))
        return await self._hearing.finish()

    async def close(self) -> None:
        """Stop listening; nothing more is wanted."""
        await cancel_and_wait(self._task)
        if self._before is not None:
            await self._before.close()
