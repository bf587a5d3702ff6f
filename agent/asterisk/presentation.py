"""Withheld numbers and names are taken off a call before anybody sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.channel import AsteriskCallerLine
from agent.call.records import OUTBOUND, Caller

_NUMBER, _NAME = "CALLERID(num-pres)", "CALLERID(name-pres)"
_ALLOWED = "allowed"
"""May be shown: ``allowed``, ``allowed_not_screened``, ...; the others are ``prohib...`` and ``unavailable``."""
_NO_NUMBERS = frozenset({"anonymous", "unknown", "unavailable", "restricted", "private", "withheld"})
"""What trunks deliver in place of a number (``anonymous`` is RFC 3323's)."""

WithheldListener = Callable[[str, Caller], Awaitable[None]]
"""Told the id of a call and what was withheld; nobody else learns of it."""


class CallerPresentation:
    """What may be seen of the callers of one Asterisk."""

    def __init__(self, ari: AriClient, on_withheld: WithheldListener | None = None) -> None:
        self._ari = ari
        self._on_withheld = on_withheld

    async def apply(self, line: AsteriskCallerLine) -> None:
        """Take off the line what is withheld; call it before anything reads ``line.caller``. Raises nothing."""
        withheld = await respect_presentation(self._ari, line)
        if withheld is not None and self._on_withheld is not None:
            await self._on_withheld(line.id, withheld)


async def respect_presentation(ari: AriClient, line: AsteriskCallerLine) -> Caller | None:
    """Take number and name off the line where the caller withholds them; returns what was withheld, or None.

    When Asterisk does not tell, the number counts as withheld. Raises nothing.
    """
    given = line.caller
    if line.origin.direction == OUTBOUND:  # the channel shows our own number; the customer's was given to us
        return None
    if not (given.number or given.name):
        return None
    try:
        number_may, name_may = await asyncio.gather(
            ari.channels.get_variable(line.channel_id, _NUMBER), ari.channels.get_variable(line.channel_id, _NAME)
        )
    except AriError:
        number_may = name_may = "unavailable"
    if given.number.lower() in _NO_NUMBERS:
        line.caller = replace(given, number="", name="")
        return None
    if not _shown(number_may):  # a name tells who it is as well
        line.caller = replace(given, number="", name="")
        return given
    if not _shown(name_may):
        line.caller = replace(given, name="")
    return None


def _shown(presentation: str) -> bool:
    return presentation.startswith(_ALLOWED)
