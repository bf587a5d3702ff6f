"""Asks a second recogniser about an answer that the first one left in doubt, without keeping the caller waiting.

It is asked as soon as a pause could be the end of the answer, so that it mostly has answered when the turn ends; what
comes later than the call may wait is dropped. Whatever goes wrong, the call goes on with the first recogniser's text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.common.audio import FRAME_BYTES, FRAME_MS
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import SecondText, TurnInput
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

SecondOutcome = Literal["", "used", "agreed", "late", "busy", "failed"]
"""What came of a second opinion: not asked; its text was used; the first text stayed; it came too late; too many were
waiting; it broke."""
_BEFORE_FRAMES = 500 // FRAME_MS
"""Sound before the caller's voice that goes along."""
_MOST_FRAMES = 14_000 // FRAME_MS
"""Longer answers are not asked about: they do not fit the second recogniser's window."""


class NoSecondOpinion(OrderlineError):
    """The second recogniser gives no answer: it is busy or broken."""

    code = "no_second_opinion"

    def __init__(self, why: Literal["busy", "failed"]) -> None:
        """``why`` goes into the turn's record."""
        super().__init__(f"no second opinion: {why}")
        self.why = why


class SecondRecognizer(Protocol):
    """A larger recogniser that all calls share."""

    async def hear(self, pcm: bytes) -> SecondText:
        """Return what is said in 8 kHz 16-bit audio. Raises :class:`NoSecondOpinion`."""


class OpinionJudge(Protocol):
    """The part of a dialog that says what is in doubt."""

    def doubts(self, heard: TurnInput) -> bool:
        """Return whether an answer is worth asking about."""

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        """Return what to go on with."""


@dataclass(frozen=True)
class SecondOpinionSource:
    """Where calls get a second opinion, and how long they wait for it."""

    recognizer: SecondRecognizer
    wait_seconds: float = 0.7
    """From the end of the turn on."""
    is_ready: Callable[[], bool] = lambda: True
    """Whether the dialog can judge what was heard without loading anything first."""


class TurnSecondOpinion:
    """The second opinion about one turn."""

    def __init__(self, source: SecondOpinionSource, judge: OpinionJudge) -> None:
        self._source = source
        self._judge = judge
        self._before = bytearray()
        self._audio = bytearray()
        self._asked: asyncio.Task[SecondText] | None = None
        self._about: TurnInput | None = None

    def frame(self, pcm: bytes, *, caller_is_speaking: bool) -> None:
        """Take one 20 ms frame of the caller, as it came from the line."""
        if caller_is_speaking:
            if not self._audio:
                self._audio += self._before
            self._audio += pcm
            return
        self._audio.clear()
        self._before += pcm
        del self._before[: -_BEFORE_FRAMES * FRAME_BYTES]

    def paused(self, heard: TurnInput) -> None:
        """The caller pauses, perhaps for good: ask now where what was heard leaves a doubt."""
        if heard == self._about:
            return
        self.spoke_on()
        self._about = heard
        fits = 0 < len(self._audio) <= _MOST_FRAMES * FRAME_BYTES
        if fits and self._source.is_ready() and self._doubts(heard):
            self._asked = asyncio.create_task(self._source.recognizer.hear(bytes(self._audio)), name="second-opinion")
            self._asked.add_done_callback(_note_failure)

    def spoke_on(self) -> None:
        """It was no end: the answer to what was asked is of no use any more."""
        self._about = None
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None

    async def conclude(self, heard: TurnInput) -> tuple[TurnInput, SecondOutcome]:
        """Return what to go on with at the end of the turn, and what came of the second opinion."""
        self.paused(heard)
        if self._asked is None:
            return heard, ""
        await asyncio.wait({self._asked}, timeout=self._source.wait_seconds)
        if not self._asked.done():
            self._asked.cancel()
            return heard, "late"
        if (error := self._asked.exception()) is not None:
            return heard, error.why if isinstance(error, NoSecondOpinion) else "failed"
        try:
            taken = self._judge.reconcile(heard, self._asked.result())
        except Exception:
            log.exception("A second text could not be judged, the call goes on without it")
            return heard, "failed"
        return taken, "agreed" if taken == heard else "used"

    def _doubts(self, heard: TurnInput) -> bool:
        try:
            return self._judge.doubts(heard)
        except Exception:
            log.exception("Whether an answer is in doubt could not be judged, the call goes on without a second one")
            return False

    async def close(self) -> None:
        """Wait no longer."""
        if self._asked is not None:
            await cancel_and_wait(self._asked)


def _note_failure(asked: asyncio.Task[SecondText]) -> None:
    if not asked.cancelled() and (error := asked.exception()) is not None and not isinstance(error, NoSecondOpinion):
        log.error("A second opinion failed, the call goes on without it", exc_info=error)


__all__ = [
    "NoSecondOpinion",
    "OpinionJudge",
    "SecondOpinionSource",
    "SecondOutcome",
    "SecondRecognizer",
    "TurnSecondOpinion",
]
