"""Reads a call's inbox so that every wait has an end and a hang-up is noticed everywhere."""

from __future__ import annotations

import asyncio

from agent.call.errors import CallReclaimedError, CallTakenOver, HandOverRequired, LineGone, MediaLostError
from agent.call.inbox_events import (
    AudioFrame,
    CallerHungUp,
    CallReclaimed,
    HandOverRequested,
    Inbox,
    InboxEvent,
    MediaLost,
    TakeOverRequested,
)
from agent.common.audio import FRAME_BYTES, FRAME_MS

_QUIET_MS = 200
_QUIET = AudioFrame(bytes(FRAME_BYTES * (_QUIET_MS // FRAME_MS)))


class InboxReader:
    """What happens on the line, one event after the other."""

    def __init__(self, inbox: Inbox, *, quiet_after_seconds: float | None = _QUIET_MS / 1000) -> None:
        """Assume silence when nothing comes for so long; None waits, for a line that is not in real time."""
        self._inbox = inbox
        self._quiet_after_seconds = quiet_after_seconds

    async def next(self) -> InboxEvent:
        """The next event; 200 ms of silence when none comes (a phone may send nothing while its owner is silent).

        Raises LineGone when the caller hung up, CallTakenOver when a supervisor wants the call, MediaLostError when
        the audio broke, HandOverRequired when the call has to go to staff, CallReclaimedError when it is there already.
        """
        try:
            async with asyncio.timeout(self._quiet_after_seconds):
                event = await self._inbox.get()
        except TimeoutError:
            return _QUIET
        if isinstance(event, CallerHungUp):
            raise LineGone("The caller hung up.")
        if isinstance(event, TakeOverRequested):
            raise CallTakenOver(event.by)
        if isinstance(event, MediaLost):
            raise MediaLostError(f"The audio of the call broke: {event.why}.")
        if isinstance(event, HandOverRequested):
            raise HandOverRequired(event.reason)
        if isinstance(event, CallReclaimed):
            raise CallReclaimedError(f"The call was taken to the dialplan: {event.why}.")
        return event

    def wake_up(self) -> None:
        """Make a waiting :meth:`next` return now."""
        self._inbox.put_nowait(AudioFrame(b""))
