"""Calls that another instance of the agent had, which is dead or hangs: the dialplan sends them here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError, AriNotFound
from agent.asterisk.channel import BEGUN, AsteriskCallerLine, StasisOptions
from agent.asterisk.presentation import CallerPresentation
from agent.asterisk.stasis_ports import RecordTaken, TakeStranded
from agent.asterisk.transfers import entry_of
from agent.call.errors import CallReclaimedError, LineGone
from agent.call.handover import Handover

log = logging.getLogger(__name__)


class StrandedCalls:
    """Takes such calls over, or gives them to the staff."""

    def __init__(
        self,
        ari: AriClient,
        options: StasisOptions,
        take: TakeStranded | None,
        record: RecordTaken | None,
        presentation: CallerPresentation,
    ) -> None:
        """``take`` notes that a call is this instance's, and tells whether its conversation is known here.

        ``record`` writes the record of one that ended before it could go on.
        """
        self._ari = ari
        self._options = options
        self._take = take
        self._record = record
        self._presentation = presentation

    async def line_of(self, channel: Mapping[str, Any], args: list[str]) -> AsteriskCallerLine | None:
        """Return the line of a call that goes on here, ``adopted`` where it was in a conversation.

        ``args`` are those of ``Stasis()``. None for a conversation that nobody knows: its caller is with the staff.
        """
        channel_id = str(channel["id"])
        answered = channel.get("state") == "Up" and await self._has_begun(channel_id)
        known = await self._take(channel_id, answered=answered) if self._take is not None else ""
        if not answered:  # the caller has heard nothing of an agent: a new call
            line = AsteriskCallerLine(self._ari, channel, entry_of(args), self._options)
            line.taken = True
            return line
        line = AsteriskCallerLine(self._ari, channel, entry_of(args), self._options, adopted=True, known_as=known)
        if known:
            line.taken = True
            log.warning("Call %s is taken from an instance that is dead or hangs", line.id)
            return line
        log.warning("Call %s was with an instance that is dead or hangs; nobody here knows what was said", line.id)
        await self._presentation.apply(line)
        try:
            await Handover(line).emergency("controller_restarted")
        except (LineGone, CallReclaimedError, AriError) as error:
            log.info("Call %s: %s", line.id, error)
        return None

    async def record_unheld(self, line: AsteriskCallerLine) -> None:
        """Have a call recorded that is over here and was taken, but had no session; of any other nothing is done.

        The instance that it was taken from leaves its record to this one.
        """
        if line.taken and not line.held and self._record is not None:
            await self._record(line, hung_up=line.hanging_up.is_set() or await self._has_gone(line.channel_id))

    async def _has_begun(self, channel_id: str) -> bool:
        """Return whether an instance has had the call; True when Asterisk does not tell."""
        try:
            return bool(await self._ari.channels.get_variable(channel_id, BEGUN))
        except AriError:
            return True

    async def _has_gone(self, channel_id: str) -> bool:
        try:
            await self._ari.channels.get(channel_id)
        except AriNotFound:
            return True
        except AriError:
            return False
        return False
