"""What supervisors do to one call: to the queue with it, or their phone rings to listen or to take it over."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Protocol

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.call.inbox_events import HandOverRequested, Inbox

RING_SECONDS = 20
ENDPOINT = "PJSIP/{phone}"
CONTEXT = "orderline-console"
"""Of the dialplan: extensions ``listen`` and ``take-over``, with the channel in ORDERLINE_WHICH."""


class SupervisedLine(Protocol):
    """What is known of a call's channels."""

    channel_name: str
    media_name: str
    """The agent's side of it, the only one that may be listened to."""
    inbox: Inbox


class SupervisedCalls:
    """Finds a call by its id. The dialplan decides what a phone that is rung may do."""

    def __init__(self, ari: AriClient, line_of: Callable[[str], SupervisedLine | None]) -> None:
        """``line_of(call_id)`` gives the line of a call that the agent has, None where it has none."""
        self._ari = ari
        self._line_of = line_of

    def hand_over(self, call_id: str, reason: str) -> bool:
        """Have one call handed over to staff with its summary; False where the agent has none of this id."""
        line = self._line_of(call_id)
        if line is not None:
            line.inbox.put_nowait(HandOverRequested(reason))
        return line is not None

    async def ring(self, call_id: str, what: str, phone: str) -> str:
        """Ring a phone for ``listen`` or ``take-over``; returns why that cannot be, ``""`` when it rings."""
        line = self._line_of(call_id)
        if line is None:
            return "This call is not with the agent any more."
        which = line.media_name if what == "listen" else line.channel_name
        if not which:
            return "This call cannot be listened to: its audio is not there yet."
        try:
            await self._ari.channels.originate_to_dialplan(
                f"orderline-supervisor-{secrets.token_hex(6)}",
                endpoint=ENDPOINT.format(phone=phone),
                context=CONTEXT,
                extension=what,
                ring_seconds=RING_SECONDS,
                caller_id=f"Orderline <{phone}>",  # the dialplan tells the agent by it who it was
                variables={"ORDERLINE_WHICH": which},
            )
        except AriError as error:
            return f"The phone {phone} cannot be rung: {error.message}"
        return ""
