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
from agent.common.audio import FRAME_BYTES, FRAME_MS, SAMPLE_RATE, FrameCutter

_QUIET_MS = 200
_LONGEST_QUIET_MS = 600
_PACKETS_LATE = 1.5
"""A line is quiet when nothing has come for this many of its packets (and for 200 ms): iLBC has packets of 300 ms."""


class InboxReader:
    """What happens on the line, one event after the other."""

    def __init__(self, inbox: Inbox, *, quiet_after_seconds: float | None = _QUIET_MS / 1000) -> None:
        """Assume silence when nothing comes for so long; None waits, for a line that is not in real time."""
        self._inbox = inbox
        self._quiet_after_seconds = quiet_after_seconds
        self._cutter = FrameCutter()

    async def next(self) -> InboxEvent:
        """The next event; silence when none comes for 200 ms (a phone may send nothing while its owner is silent).

        Audio comes in whole 20 ms frames, in whatever pieces it arrives; ``AudioFrame(b"")`` while there is less.

        Raises LineGone when the caller hung up, CallTakenOver when a supervisor wants the call, MediaLostError when
        the audio broke, HandOverRequired when the call has to go to staff, CallReclaimedError when it is there already.
        """
        try:
            async with asyncio.timeout(self._quiet_after_seconds):
                event = await self._inbox.get()
        except TimeoutError:
            return AudioFrame(bytes(FRAME_BYTES * round((self._quiet_after_seconds or 0) * 1000 / FRAME_MS)))
        if isinstance(event, AudioFrame):
            self._allow_for_packets_of(len(event.pcm))
            return AudioFrame(b"".join(self._cutter.take(event.pcm)))
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

    def _allow_for_packets_of(self, size_bytes: int) -> None:
        """Do not take the time between two long packets for silence."""
        if self._quiet_after_seconds is not None:
            packet_seconds = size_bytes / 2 / SAMPLE_RATE
            allowed = min(_PACKETS_LATE * packet_seconds, _LONGEST_QUIET_MS / 1000)
            self._quiet_after_seconds = max(self._quiet_after_seconds, allowed)

    def wake_up(self) -> None:
        """Make a waiting :meth:`next` return now."""
        self._inbox.put_nowait(AudioFrame(b""))
