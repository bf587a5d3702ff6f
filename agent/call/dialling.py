"""What a dialler needs of the telephone system: place a call, follow it to its end, cancel it, know the trunk's load.

The dialler (``agent.outbound``) decides who is called and when; the adapter (``agent.asterisk``) knows how a call is
placed. Both know this page only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from agent.errors import OrderlineError


class DialState(StrEnum):
    """How far an attempt came on the line."""

    DIALLED = "dialled"
    """The telephone system took the call."""
    RANG = "rang"
    """The far end rang, or sent early media: there is somebody's line."""
    ANSWERED = "answered"
    ENDED = "ended"


class DialEnd(StrEnum):
    """Why a call that was dialled was not answered, or how it ended; told from cause, SIP cause and ringing."""

    ANSWERED = "answered"
    """It was answered; what was said is the call's own record."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    REFUSED = "refused"
    """Refused by the network or the trunk for this number."""
    BAD_NUMBER = "bad_number"
    """The number does not exist, was changed, or is malformed: final."""
    FORWARDED = "forwarded"
    CANCELLED = "cancelled"
    """Cancelled by ourselves while it rang."""
    TRUNK_FAULT = "trunk_fault"
    """Ours, not the customer's: trunk full, down or dead, codec or network fault, the request failed."""
    UNKNOWN = "unknown"
    """Nobody can say what became of it; it may have rung."""


@dataclass(frozen=True)
class DialRequest:
    """One call to be placed. ``attempt`` is its name everywhere: channel id, account code, call record."""

    attempt: str
    job: str
    purpose: str
    number: str
    """E.164 with a plus sign."""
    caller_id: str
    ring_seconds: int
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DialProgress:
    """What became of an attempt; ``ENDED`` comes exactly once, with ``end``."""

    attempt: str
    state: DialState
    end: DialEnd | None = None
    cause: int = 0
    """Q.850 cause; 0 when not known."""
    tech_cause: int = 0
    """SIP status; 0 when not known."""
    rang: bool = False


class DialListener(Protocol):
    """Whoever is told how attempts go."""

    async def dial_progressed(self, progress: DialProgress) -> None:
        """Take one step of an attempt; steps of one attempt come in order."""
        ...


class Trunk(Protocol):
    """A way out to customers' telephones."""

    async def dial(self, request: DialRequest) -> None:
        """Place the call and return when the telephone system has it; its fate comes to the listener.

        Raises:
            DialRefused: certainly no call was placed.
            DialUncertain: it may have been placed (no answer in time); look with :meth:`find` before anything else.
        """
        ...

    async def cancel(self, attempt: str) -> bool:
        """End an attempt that has not been answered; False when it was answered, or is gone."""
        ...

    async def find(self, attempt: str) -> DialState | None:
        """Return how far an attempt is that is on the line now; None when no channel of it is up."""
        ...

    async def was_answered(self, attempt: str) -> bool:
        """Return whether the dialplan noted an answer (also when nobody of us was there to see it)."""
        ...

    async def channels(self) -> int:
        """Return the channels on the trunk now, in and out."""
        ...

    async def on_the_line(self, number: str) -> bool:
        """Return whether a call with this number (E.164) is up now: with the agent, in a queue, or with the staff."""
        ...


class DialRefused(OrderlineError):
    """Certainly no call was placed."""

    code = "dial_refused"


class DialUncertain(OrderlineError):
    """A call may have been placed."""

    code = "dial_uncertain"
