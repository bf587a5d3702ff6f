"""Supervisors' phones in our application: a call taken over, the agent paused or put back to work, by feature code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from agent.asterisk.ari import Ari
from agent.asterisk.ari_errors import AriError, Conflict, NotFound
from agent.asterisk.telephony import AsteriskLine
from agent.call.pausing import PauseFlag
from agent.call.protocols import TakenOver

log = logging.getLogger(__name__)

ENTRIES = ("take_over", "pause", "resume", "state")
"""First arguments of Stasis() with which a supervisor's phone comes in, not a caller."""
TAKEN_CONTEXT = "orderline-taken-over"
_LETS_GO_SECONDS = 3.0


class LiveLines(Protocol):
    """The calls that the agent holds."""

    def find(self, wanted: str) -> tuple[AsteriskLine, asyncio.Task[None]] | None:
        """Return a call by its short number or the name of one of its channels."""


class Supervising:
    """Does what a supervisor's feature code asks; the dialplan tells the supervisor by ``ORDERLINE_ANSWER``."""

    def __init__(self, ari: Ari, lines: LiveLines, pause: PauseFlag) -> None:
        self._ari = ari
        self._lines = lines
        self._pause = pause

    async def take(self, channel: Mapping[str, Any], args: Sequence[str]) -> None:
        """Take one phone that entered with ``args``; it goes back to the dialplan with the answer."""
        channel_id = str(channel["id"])
        who = str(channel.get("caller", {}).get("number", ""))
        try:
            answer = await self._do(channel, who, args)
        except (AriError, OSError) as error:
            log.error("Supervisor %s, %s: %s", who, " ".join(args), error)
            answer = "failed"
        log.info("Supervisor %s: %s: %s", who, " ".join(args), answer)
        with contextlib.suppress(AriError):  # the supervisor may have hung up
            await self._ari.channels.set_variable(channel_id, "ORDERLINE_ANSWER", answer)
            await self._ari.request("POST", f"/channels/{channel_id}/continue")

    async def _do(self, channel: Mapping[str, Any], who: str, args: Sequence[str]) -> str:
        act = args[0]
        if act == "take_over":
            return await self._take_over(channel, who, args[1] if len(args) > 1 else "")
        if act != "state":
            await self._pause.set_pause(f"by phone {who}".strip() if act == "pause" else "")
        return "paused" if self._pause.pause.is_on else "working"

    async def _take_over(self, channel: Mapping[str, Any], who: str, wanted: str) -> str:
        found = self._lines.find(wanted)
        if found is None:
            return "no_such_call"
        line, call = found
        if not line.is_answered:
            return "no_such_call"
        line.inbox.put_nowait(TakenOver(who))
        await asyncio.wait([call], timeout=_LETS_GO_SECONDS)
        if not call.done() or line.released:
            return "too_late"
        line.released = True
        set_variable = self._ari.channels.set_variable
        try:
            # a supervisor's phone is named by the phone's own PBX, not by a caller
            await set_variable(line.channel_id, "ORDERLINE_SUPERVISOR", str(channel["name"]))
            await self._ari.channels.continue_in_dialplan(line.channel_id, context=TAKEN_CONTEXT, extension="s")
        except (NotFound, Conflict):
            return "too_late"
        return "taken"
