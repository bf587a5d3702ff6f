"""How a call to a customer enters: what the dialplan is told of it, and what its ``Stasis()`` tells us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.call.dialling import DialRequest

ENTRY = "outbound"
"""First argument of ``Stasis()`` for a call that we have placed."""
CONTEXT = "orderline-outbound"
MESSAGE = "message"
"""The extension of :data:`CONTEXT` at which a callee hears the information message, and the call ends."""
MARKERS = "orderline_outbound"
"""Family of Asterisk's database in which the dialplan notes answers, by month and attempt."""
DEADMAN_SECONDS = 4
"""A callee whose agent has died hears the information message after this long, whatever is set for callers."""


@dataclass(frozen=True)
class OutboundCall:
    """What is known of a call that we have placed, wherever it stands."""

    job: str
    attempt: str
    purpose: str
    number: str
    """The callee's; the channel itself carries our own number."""

    @classmethod
    def of(cls, args: Sequence[str]) -> OutboundCall | None:
        """Read the arguments of ``Stasis()``: ``outbound,JOB,ATTEMPT,PURPOSE,NUMBER``; None for any other call.

        A call to a customer that comes back from the queue has ``ENTRY,DETAIL`` in front of the same four.
        """
        rest = args[1:] if args and args[0] == ENTRY else args[2:]
        if len(rest) < 4 or not rest[1]:
            return None
        job, attempt, purpose, number = rest[:4]
        return cls(job, attempt, purpose, number)


def dialplan_variables(request: DialRequest, message_file: str, app: str) -> dict[str, str]:
    """Return the channel variables of an attempt: those of the dialler, and what ``[orderline-outbound]`` reads.

    ``app`` is the application that has the call when it is answered.
    """
    return {
        **request.variables,
        "ORDERLINE_JOB": request.job,
        "ORDERLINE_ATTEMPT": request.attempt,
        "ORDERLINE_PURPOSE": request.purpose,
        "ORDERLINE_NUMBER": request.number,
        "ORDERLINE_MESSAGE": message_file,
        "ORDERLINE_APP": app,
        "CHANNEL(accountcode)": request.attempt,
    }
