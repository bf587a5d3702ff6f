"""What arrives in the inbox of one call: audio, keys, the end of a prompt, a hang-up, a hold, a wish to hand over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class AudioFrame:
    """A piece of the caller's voice as it arrived, of any length; the inbox's reader makes whole 20 ms frames of it."""

    pcm: bytes


@dataclass(frozen=True)
class JudgedAudio:
    """Whole frames that were given to voice activity; those that a turn did not need are the next one's."""

    frames: Sequence[tuple[bytes, float | asyncio.Future[float]]]
    """Each with its probability of speech, now or to come."""


@dataclass(frozen=True)
class KeyPressed:
    """One keypad key, 0-9 * #."""

    digit: str


@dataclass(frozen=True)
class PlaybackFinished:
    """The audio pushed with this mark has been played to its end."""

    mark: str


@dataclass(frozen=True)
class CallerHungUp:
    """The caller's channel is gone."""

    cause: str = ""


@dataclass(frozen=True)
class CallTransferred:
    """Another party has taken the caller's place on the line, by a transfer: this call is over for the caller."""


@dataclass(frozen=True)
class HoldBegan:
    """The caller's phone has put the agent on hold: nobody listens, and what is heard is no caller."""


@dataclass(frozen=True)
class HoldEnded:
    """The caller is back from a hold."""


@dataclass(frozen=True)
class MediaLost:
    """The media leg broke while the caller is still there."""

    why: str = ""


class TakeOverClaim:
    """Settles once whether a call is given to a supervisor: the call's session accepts, or who asked withdraws."""

    def __init__(self) -> None:
        self._settled: Literal["", "accepted", "withdrawn"] = ""

    def accept(self) -> bool:
        """Give the call; False when the wish was withdrawn: the supervisor has been told no."""
        self._settled = self._settled or "accepted"
        return self._settled == "accepted"

    def withdraw(self) -> bool:
        """Take the wish back; False when the call is being given already."""
        self._settled = self._settled or "withdrawn"
        return self._settled == "withdrawn"


@dataclass(frozen=True)
class TakeOverRequested:
    """A supervisor wants the call."""

    by: str = ""
    claim: TakeOverClaim = field(default_factory=TakeOverClaim, compare=False, repr=False)


@dataclass(frozen=True)
class CallReclaimed:
    """The channel has left the agent without our doing: the dead-man timer or a rescuer took it to the dialplan."""

    why: str = ""


@dataclass(frozen=True)
class HandOverRequested:
    """The agent must hand the call over to staff now, with the summary."""

    reason: str
    """Machine word of the hand-over."""


InboxEvent = (
    AudioFrame
    | JudgedAudio
    | KeyPressed
    | PlaybackFinished
    | CallerHungUp
    | CallTransferred
    | HoldBegan
    | HoldEnded
    | MediaLost
    | TakeOverRequested
    | CallReclaimed
    | HandOverRequested
)
Inbox = asyncio.Queue[InboxEvent]
"""Everything that happens on the line, in order, in one queue per call."""
