"""Tells how an attempt ended from what Asterisk says of its channel: SIP status, Q.850 cause, ringing, and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent.call.dialling import DialEnd

_EARLY_SECONDS = 0.5
"""Asterisk's own clock of the ring time and ours may differ by so much."""
_SIP_GIVES_UP_SECONDS = 30.0
"""SIP itself gives up a server that sends nothing after 32 s (timer B) and says 408 then, as a far end does at once."""

_BY_SIP: Mapping[int, DialEnd] = {
    401: DialEnd.TRUNK_FAULT,  # our account is refused
    402: DialEnd.TRUNK_FAULT,
    403: DialEnd.REFUSED,
    404: DialEnd.BAD_NUMBER,
    407: DialEnd.TRUNK_FAULT,
    408: DialEnd.NO_ANSWER,
    410: DialEnd.BAD_NUMBER,
    415: DialEnd.TRUNK_FAULT,
    416: DialEnd.BAD_NUMBER,
    433: DialEnd.REFUSED,  # the far end wants a caller id
    480: DialEnd.NO_ANSWER,
    484: DialEnd.BAD_NUMBER,
    485: DialEnd.BAD_NUMBER,
    486: DialEnd.BUSY,
    488: DialEnd.TRUNK_FAULT,
    600: DialEnd.BUSY,
    603: DialEnd.DECLINED,
    604: DialEnd.BAD_NUMBER,
    606: DialEnd.TRUNK_FAULT,
    607: DialEnd.DECLINED,
    608: DialEnd.DECLINED,
}
_BY_CAUSE: Mapping[int, DialEnd] = {
    1: DialEnd.BAD_NUMBER,
    3: DialEnd.TRUNK_FAULT,  # Asterisk itself has no way there; from the network it comes as 404
    17: DialEnd.BUSY,
    18: DialEnd.NO_ANSWER,
    19: DialEnd.NO_ANSWER,
    20: DialEnd.TRUNK_FAULT,  # the trunk is not registered; a customer who is away comes as 480
    21: DialEnd.REFUSED,
    22: DialEnd.BAD_NUMBER,
    23: DialEnd.FORWARDED,
    27: DialEnd.TRUNK_FAULT,
    28: DialEnd.BAD_NUMBER,
    31: DialEnd.NO_ANSWER,
    34: DialEnd.TRUNK_FAULT,
    38: DialEnd.TRUNK_FAULT,
    41: DialEnd.TRUNK_FAULT,
    42: DialEnd.TRUNK_FAULT,
    44: DialEnd.TRUNK_FAULT,
    47: DialEnd.TRUNK_FAULT,
    50: DialEnd.TRUNK_FAULT,
    58: DialEnd.TRUNK_FAULT,
    65: DialEnd.TRUNK_FAULT,
    66: DialEnd.TRUNK_FAULT,
    88: DialEnd.TRUNK_FAULT,
    127: DialEnd.TRUNK_FAULT,
}
_ENDED_BY_US = frozenset({0, 16, 26, 32})
"""Causes of a channel that was hung up on this side."""


@dataclass(frozen=True)
class ChannelEnd:
    """What is known of a channel that was dialled and is gone."""

    cause: int
    """Q.850; 0 when not known."""
    tech_cause: int
    """SIP status; 0 where the channel is none of SIP's, or Asterisk is too old to tell."""
    rang: bool
    """Ringing or early media came."""
    lasted_seconds: float
    """From the dial to the end."""
    ring_seconds: float
    """How long it was to ring at most."""
    answered: bool = False
    cancelled: bool = False
    """We have hung up ourselves."""
    forwarded: bool = False
    """The far end asked for another number to be called."""


def dial_end(end: ChannelEnd) -> DialEnd:
    """Return why the attempt ended.

    A trunk that is dead looks like a customer who does not answer (cause 19), except that it never rang: whoever
    refuses without ringing does so long before the ring time is over.
    """
    if end.answered:
        return DialEnd.ANSWERED
    if end.forwarded or end.cause == 23 or 300 <= end.tech_cause < 400:
        return DialEnd.FORWARDED
    if end.cancelled and (end.cause in _ENDED_BY_US or end.tech_cause == 487):
        return DialEnd.CANCELLED
    found = _BY_SIP.get(end.tech_cause) or _BY_CAUSE.get(end.cause)
    if found is None:
        found = DialEnd.TRUNK_FAULT if 500 <= end.tech_cause < 600 else DialEnd.UNKNOWN
    if found is DialEnd.NO_ANSWER and not end.rang and _nobody_answered_at_all(end):
        return DialEnd.TRUNK_FAULT
    return found


def _nobody_answered_at_all(end: ChannelEnd) -> bool:
    return end.lasted_seconds >= min(end.ring_seconds - _EARLY_SECONDS, _SIP_GIVES_UP_SECONDS)
