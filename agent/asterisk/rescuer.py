"""The independent rescuer: frees callers whose controller is dead or hangs. Knows nothing but ARI's REST interface."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriAuthFailed, AriConflict, AriError, AriNotFound
from agent.asterisk.feature_codes import CONTROL
from agent.asterisk.heartbeat import heartbeat_variable
from agent.asterisk.orphans import OrphanChannel, is_in_application, orphan_channels
from agent.asterisk.outbound_entry import CONTEXT, MESSAGE
from agent.asterisk.transfers import came_by_dialplan
from agent.common.backoff import Backoff

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.5
LAST_DELAY_SECONDS = 10.0
OVERDUE_SECONDS = 15.0
"""A call this long past the dialplan's own deadline is freed even from a controller that beats."""
_DEADLINE_EVERY = 10
"""Deadlines are looked at in every tenth round."""


@dataclass(frozen=True)
class RescuerOptions:
    """When and where to."""

    after_seconds: float = 4.0
    poll_seconds: float = 1.0
    context: str = "orderline-rescue"


class Rescuer:
    """Looks once a second. Use :meth:`run`, or :meth:`look` for one round."""

    def __init__(
        self,
        ari: AriClient,
        options: RescuerOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` measures how long the heartbeat has stood still. Deadlines are judged by Asterisk's own clock."""
        self._ari = ari
        self._options = options
        self._clock = clock
        self._stamp: str | None = None
        self._changed_at = 0.0
        self._since: dict[str, float] = {}
        """When each caller was first seen in the application."""
        self._rounds = 0
        self.rescued = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Look until ``stop`` is set. Raises AriAuthFailed when Asterisk refuses us from the beginning.

        An absent Asterisk, or one that refuses us later, is waited for with growing pauses.
        """
        pauses = Backoff(FIRST_DELAY_SECONDS, LAST_DELAY_SECONDS)
        while not stop.is_set():
            pause_seconds = self._options.poll_seconds
            try:
                await self.look()
                pauses.reset()
            except AriError as error:
                if isinstance(error, AriAuthFailed) and not self._rounds:
                    raise  # a mistake in the settings; later on the client takes a changed password up
                pause_seconds = pauses.next_seconds()
                log.warning("Asterisk does not answer: %s Trying again in %.1f s.", error, pause_seconds)
                self._stamp = None  # what was seen before says nothing any more
            try:
                async with asyncio.timeout(pause_seconds):
                    await stop.wait()
            except TimeoutError:
                continue

    async def look(self) -> int:
        """Look once and free whom nobody looks after; returns how many. Raises AriError."""
        ari, now = self._ari, self._clock()
        stamp = await ari.system.get_variable(heartbeat_variable(ari.app))
        if stamp != self._stamp:
            self._stamp, self._changed_at = stamp, now
        strays = orphan_channels(await ari.channels.list(), ari.app)
        ids = {str(stray.channel["id"]) for stray in strays}
        self._since = {channel_id: self._since.get(channel_id, now) for channel_id in ids}
        self._rounds += 1
        dead_for = now - self._changed_at
        # a caller who has just come in is given the same time: the controller may be starting
        alone = [s for s in strays if now - self._since[str(s.channel["id"])] >= self._options.after_seconds]
        if dead_for >= self._options.after_seconds:
            return await self._free(alone, f"no heartbeat for {dead_for:.1f} s")
        if left := [stray for stray in alone if not came_by_dialplan(stray.args) and stray.args[:1] != (CONTROL,)]:
            return await self._free(left, "a transfer brought it, and it was not taken in")
        if self._rounds % _DEADLINE_EVERY == 0:
            overdue = await self._overdue(strays)
            return await self._free(overdue, "far past its deadline")
        return 0

    async def _overdue(self, strays: Sequence[OrphanChannel]) -> list[OrphanChannel]:
        now = await self._ari.system.clock() if strays else None
        return [] if now is None else [stray for stray in strays if await self._is_overdue(stray, now)]

    async def _is_overdue(self, stray: OrphanChannel, now: float) -> bool:
        try:
            deadline = await self._ari.channels.get_variable(str(stray.channel["id"]), "ORDERLINE_DEADLINE")
        except (AriNotFound, AriConflict):
            return False
        return deadline.isdigit() and now > float(deadline) + OVERDUE_SECONDS

    async def _free(self, strays: list[OrphanChannel], why: str) -> int:
        freed = 0
        for stray in strays:
            channel_id = str(stray.channel["id"])
            try:
                channel = await self._ari.channels.get(channel_id)
                if not is_in_application(channel, self._ari.app):
                    continue  # the dialplan has given it to another instance, or to the staff
                context, extension = (CONTEXT, MESSAGE) if stray.is_outbound else (self._options.context, "s")
                await self._ari.channels.continue_in_dialplan(channel_id, context=context, extension=extension)
            except (AriNotFound, AriConflict):
                continue  # it has left by itself
            freed += 1
            self.rescued += 1
            log.error("Rescued %s (%s): %s", channel_id, ",".join(stray.args), why)
        return freed
