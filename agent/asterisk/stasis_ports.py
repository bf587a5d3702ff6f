"""What the Stasis application asks of the program around it, and of a media leg."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.asterisk.channel import AsteriskCallerLine
from agent.call.ports import Media

HandleCall = Callable[[AsteriskCallerLine, Media], Awaitable[None]]
AdmitCall = Callable[[int], str]
"""Given how many calls go on, returns why a new one is not taken (``paused``, ``overload``, ...), ``""`` when it is."""
RejectToQueue = Callable[[AsteriskCallerLine, str], Awaitable[object]]
"""Sends a call to the queue for a reason, and records it."""
TakeStranded = Callable[..., Awaitable[str]]
"""Given the id of a channel that another instance had, and ``answered``, takes that call over.

Returns the id under which it goes on, ``""`` for a conversation that nobody knows.
"""
RecordTaken = Callable[..., Awaitable[None]]
"""Given a line and ``hung_up``, records a call that was taken from another instance and ended before it had a session.

``hung_up`` is False where the caller is with the staff.
"""


class OpenableMedia(Media, Protocol):
    """A media leg that has to be brought up first."""

    channel_id: str

    async def open(self) -> None:
        """Bring the leg up. Raises AriError."""
