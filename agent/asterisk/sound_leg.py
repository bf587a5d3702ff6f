"""Has Asterisk record the agent's side of one call: both directions, each into a file of its own.

MixMonitor runs on the media leg, not on the caller's channel. So the recording ends with the leg, however the call is
handed over and whatever dies, and what the PBX records of the caller's channel is left alone. ARI cannot start an
application of the dialplan, and the manager interface lets only users start MixMonitor who may run any command on the
machine (class ``system``); therefore the leg goes through ``[orderline-sound]`` of the dialplan and comes back.
"""

from __future__ import annotations

import asyncio
import logging
import time

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.call.errors import MediaLostError

log = logging.getLogger(__name__)

CONTEXT = "orderline-sound"
SOUND = "sound"
"""How the leg comes back: the second argument of ``Stasis()``."""
MODULE = "app_mixmonitor.so"
_READY_SECONDS = 1.0
"""A caller waits for the first word meanwhile."""
RETURN_SECONDS = 2.0
"""The leg is back within some milliseconds; one that is not back after this long never will be."""


class MediaLegRecorder:
    """Implements :class:`agent.call.sound.SoundLeg` for the media leg of one call."""

    def __init__(self, ari: AriClient, channel_id: str, bridge_id: str) -> None:
        self._ari = ari
        self._channel_id = channel_id
        self._bridge_id = bridge_id

    async def start(self, path: str) -> float | None:
        """Begin to record into ``path-caller.sln`` and ``path-agent.sln`` (8 kHz, 16 bit, no header).

        Returns the monotonic time of the first sample, None when nothing can be recorded: the call goes on then.
        Raises MediaLostError when the leg did not come back: the caller would hear nothing any more.
        """
        try:
            ready = await asyncio.wait_for(self._make_ready(path), _READY_SECONDS)
        except (AriError, TimeoutError) as error:
            log.warning("Nothing is recorded: %s", error or f"Asterisk has not answered for {_READY_SECONDS:g} s")
            return None
        return await self._through_the_dialplan() if ready else None

    async def _make_ready(self, path: str) -> bool:
        if not await self._ari.system.module_running(MODULE):
            log.error("Nothing is recorded: %s is not running in Asterisk; see orderline check", MODULE)
            return False
        there = await self._ari.channels.get_variable(self._channel_id, f"DIALPLAN_EXISTS({CONTEXT},s,1)")
        if there != "1":
            log.error("Nothing is recorded: the dialplan has no [%s]; see orderline check", CONTEXT)
            return False
        for variable, value in (("ORDERLINE_SOUND", path), ("ORDERLINE_APP", self._ari.app)):
            await self._ari.channels.set_variable(self._channel_id, variable, value)
        return True

    async def _through_the_dialplan(self) -> float:
        try:
            with self._ari.entering_stasis(self._channel_id) as back:
                await self._ari.channels.continue_in_dialplan(self._channel_id, context=CONTEXT, extension="s")
                async with asyncio.timeout(RETURN_SECONDS):
                    await back.wait()
            began = time.monotonic()
            await self._ari.bridges.add_channel(self._bridge_id, [self._channel_id])
        except (AriError, TimeoutError) as error:
            raise MediaLostError(f"the media leg did not come back from [{CONTEXT}]: {error or 'no answer'}") from error
        return began
