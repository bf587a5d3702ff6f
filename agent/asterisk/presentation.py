"""Withheld numbers: what the caller does not want shown is taken off the call before anybody sees it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.channel import AsteriskCallerLine
from agent.call.records import Caller

_NUMBER, _NAME = "CALLERID(num-pres)", "CALLERID(name-pres)"
_ALLOWED = "allowed"
"""May be shown: ``allowed``, ``allowed_not_screened``, ...; the others are ``prohib...`` and ``unavailable``."""
_NO_NUMBERS = frozenset({"anonymous", "unknown", "unavailable", "restricted", "private", "withheld"})
"""What trunks deliver in place of a number (``anonymous`` is RFC 3323's)."""


async def respect_presentation(ari: AriClient, line: AsteriskCallerLine) -> Caller | None:
    """Take number and name off the line where the caller withholds them; returns what was withheld, or None.

    Call it before anything reads ``line.caller``. When Asterisk does not tell, the number counts as withheld. Raises
    nothing: a caller who has gone meanwhile is noticed by whoever speaks to the line next.
    """
    given = line.caller
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
