"""Reads a call's inbox so that every wait has an end, and a hang-up or a hold is noticed everywhere."""

from __future__ import annotations

import asyncio
from collections import deque

from agent.call.errors import (
    CallerOnHold,
    CallReclaimedError,
    CallTakenOver,
    HandOverRequired,
    HeldTooLong,
    LineGone,
    MediaLostError,
    TransferredAway,
)
from agent.call.inbox_events import (
    AudioFrame,
    CallerHungUp,
    CallReclaimed,
    CallTransferred,
    HandOverRequested,
    HoldBegan,
    HoldEnded,
    Inbox,
    InboxEvent,
    JudgedAudio,
    KeyPressed,
    MediaLost,
    TakeOverRequested,
)
from agent.common.audio import FRAME_BYTES, FRAME_MS, SAMPLE_RATE, FrameCutter

_QUIET_MS = 200
_LONGEST_QUIET_MS = 600
_PACKETS_LATE = 1.5
"""A line is quiet when nothing has come for this many of its packets (and for 200 ms): iLBC has packets of 300 ms."""
_NOTHING = AudioFrame(b"")
_QUIET = AudioFrame(b"")
"""Put into the inbox when nothing has come for long; told from audio by being this very object."""


class InboxReader:
    """What happens on the line, one event after the other."""

    def __init__(self, inbox: Inbox, *, quiet_after_seconds: float | None = _QUIET_MS / 1000) -> None:
        """Assume silence when nothing comes for so long; None waits, for a line that is not in real time."""
        self._inbox = inbox
        self._quiet_after_seconds = quiet_after_seconds
        self._cutter = FrameCutter()
        self._on_hold = False
        self._quiet_at: float | None = None
        """When the line counts as quiet; None while nobody waits."""
        self._quiet_timer: asyncio.TimerHandle | None = None
        self._early: deque[InboxEvent] = deque()
        """What was taken out of the inbox already and comes next."""
        self._again: KeyPressed | None = None
        """A key that ended a hold: it is the next event."""

    async def next(self) -> InboxEvent:
        """The next event; silence when none comes for 200 ms (a phone may send nothing while its owner is silent).

        Audio comes in whole 20 ms frames, in whatever pieces it arrives; ``AudioFrame(b"")`` while there is less.

        Raises LineGone when the caller hung up, TransferredAway when another party took the caller's place,
        CallTakenOver when a supervisor wants the call, MediaLostError when the audio broke, HandOverRequired when the
        call has to go to staff, CallReclaimedError when it is there already; CallerOnHold when the caller has put the
        agent on hold: :meth:`wait_off_hold` is to be called then.
        """
        if self._again is not None:
            key, self._again = self._again, None
            return key
        if self._on_hold:
            raise CallerOnHold("The caller has put the agent on hold.")
        event = await self._get()
        if event is _QUIET:
            return AudioFrame(bytes(FRAME_BYTES * round((self._quiet_after_seconds or 0) * 1000 / FRAME_MS)))
        if isinstance(event, AudioFrame):
            self._allow_for_packets_of(len(event.pcm))
            return AudioFrame(self._cutter.take_whole(event.pcm))
        if isinstance(event, HoldBegan):
            self._on_hold = True
            raise CallerOnHold("The caller has put the agent on hold.")
        return _NOTHING if isinstance(event, HoldEnded) else _unless_over(event)

    async def _get(self) -> InboxEvent:
        """Return the next event; ``_QUIET`` when none comes in time.

        One timer goes on from wait to wait: a timeout of its own for each packet was 6 % of the main thread's time.
        """
        if self._early:
            return self._early.popleft()
        if self._quiet_after_seconds is None or not self._inbox.empty():
            return await self._inbox.get()
        loop = asyncio.get_running_loop()
        self._quiet_at = loop.time() + self._quiet_after_seconds
        if self._quiet_timer is None:
            self._quiet_timer = loop.call_at(self._quiet_at, self._look_for_quiet, loop)
        try:
            return await self._inbox.get()
        finally:
            self._quiet_at = None

    def _look_for_quiet(self, loop: asyncio.AbstractEventLoop) -> None:
        self._quiet_timer = None
        if self._quiet_at is None or not self._inbox.empty():
            return
        if loop.time() < self._quiet_at:
            self._quiet_timer = loop.call_at(self._quiet_at, self._look_for_quiet, loop)
        else:
            self._inbox.put_nowait(_QUIET)

    def more_audio(self) -> bytes:
        """Return what audio waits already, in whole 20 ms frames, up to the first event of another kind."""
        pieces: list[bytes] = []
        while not self._early and not self._inbox.empty():
            event = self._inbox.get_nowait()
            if isinstance(event, AudioFrame):
                pieces.append(event.pcm)
            else:
                self._early.append(event)
        return self._cutter.take_whole(b"".join(pieces)) if pieces else b""

    def put_back(self, audio: JudgedAudio) -> None:
        """Have this come next."""
        self._early.appendleft(audio)

    async def wait_off_hold(self, patience_seconds: float) -> None:
        """Return when the caller is not, or no longer, holding; until then whatever sounds on the line is no caller.

        What waited in the inbox is taken first: a hold that has begun unnoticed counts. A key ends a hold as well: only
        somebody who is back presses one. Raises HeldTooLong after so many seconds of hold, and what :meth:`next` does.
        """
        while self._early:
            self._take_for_hold(self._early.popleft())
        while not self._inbox.empty():
            self._take_for_hold(self._inbox.get_nowait())
        if not self._on_hold:
            return
        try:
            async with asyncio.timeout(patience_seconds):
                while self._on_hold:
                    self._take_for_hold(await self._inbox.get())
        except TimeoutError as error:
            raise HeldTooLong(f"The caller has held the line for {patience_seconds:g} s.") from error

    def _take_for_hold(self, event: InboxEvent) -> None:
        if isinstance(event, HoldBegan):
            self._on_hold = True
        elif isinstance(event, HoldEnded):
            self._on_hold = False
        elif isinstance(event, KeyPressed) and self._on_hold:
            self._on_hold, self._again = False, event
        elif self._on_hold or not isinstance(event, HandOverRequested | MediaLost):
            _unless_over(event)  # who is on the way to staff already need not be sent there

    def _allow_for_packets_of(self, size_bytes: int) -> None:
        """Do not take the time between two long packets for silence."""
        if self._quiet_after_seconds is not None:
            packet_seconds = size_bytes / 2 / SAMPLE_RATE
            allowed = min(_PACKETS_LATE * packet_seconds, _LONGEST_QUIET_MS / 1000)
            self._quiet_after_seconds = max(self._quiet_after_seconds, allowed)

    def wake_up(self) -> None:
        """Make a waiting :meth:`next` return now."""
        self._inbox.put_nowait(_NOTHING)


def _unless_over(event: InboxEvent) -> InboxEvent:
    """Return an event of a call that goes on; raise what ends one."""
    match event:
        case CallerHungUp():
            raise LineGone("The caller hung up.")
        case CallTransferred():
            raise TransferredAway("The caller transferred the call; another party has the line.")
        case TakeOverRequested(by, claim):
            if claim.accept():
                raise CallTakenOver(by)
            return _NOTHING  # the supervisor was told no meanwhile
        case MediaLost(why):
            raise MediaLostError(f"The audio of the call broke: {why}.")
        case HandOverRequested(reason):
            raise HandOverRequired(reason)
        case CallReclaimed(why):
            raise CallReclaimedError(f"The call was taken to the dialplan: {why}.")
        case _:
            return event
