"""Calls that another instance of the agent had, which is dead or hangs: the dialplan sends them here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.asterisk.presentation import CallerPresentation
from agent.asterisk.stasis_ports import TakeStranded
from agent.asterisk.transfers import entry_of
from agent.call.errors import CallReclaimedError, LineGone
from agent.call.handover import Handover

log = logging.getLogger(__name__)


class StrandedCalls:
    """Takes such calls over, or gives them to the staff."""

    def __init__(
        self, ari: AriClient, options: StasisOptions, take: TakeStranded | None, presentation: CallerPresentation
    ) -> None:
        """``take`` notes that a call is this instance's, and tells whether its conversation is known here."""
        self._ari = ari
        self._options = options
        self._take = take
        self._presentation = presentation

    async def line_of(self, channel: Mapping[str, Any], args: list[str]) -> AsteriskCallerLine | None:
        """Return the line of a call that goes on here, ``adopted`` where it had been answered.

        ``args`` are those of ``Stasis()``. None for a conversation that nobody knows: its caller is with the staff.
        """
        channel_id, answered = str(channel["id"]), channel.get("state") == "Up"
        known = await self._take(channel_id, answered=answered) if self._take is not None else ""
        if not answered:  # the caller has heard nothing but ringing: a new call
            return AsteriskCallerLine(self._ari, channel, entry_of(args), self._options)
        line = AsteriskCallerLine(self._ari, channel, entry_of(args), self._options, adopted=True, known_as=known)
        if known:
            log.warning("Call %s is taken from an instance that is dead or hangs", line.id)
            return line
        log.warning("Call %s was with an instance that is dead or hangs; nobody here knows what was said", line.id)
        await self._presentation.apply(line)
        try:
            await Handover(line).emergency("controller_restarted")
        except (LineGone, CallReclaimedError, AriError) as error:
            log.info("Call %s: %s", line.id, error)
        return None
