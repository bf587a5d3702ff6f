"""Asks the order system at intervals what was delivered since the last time; keys make an overlap harmless."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from agent.errors import OrderlineError
from agent.outbound.clock import Clock
from agent.outbound.store import OutboundStore
from agent.outbound.triggers.intake import DeliveryIntake
from agent.outbound.triggers.payloads import Told

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""Systems write deliveries late, and clocks differ."""
FIRST_LOOK_BACK = timedelta(hours=24)


class DeliveryList(Protocol):
    """An order system that lists deliveries."""

    async def delivered_since(self, moment: datetime) -> Sequence[Told]:
        """Return what was delivered from a moment on. Raises OrderlineError."""
        ...


class DeliveryPoller:
    """Polls one system. ``wake`` is called when jobs were added."""

    def __init__(
        self,
        name: str,
        system: DeliveryList,
        intake: DeliveryIntake,
        store: OutboundStore,
        clock: Clock,
        *,
        consent: str,
        zone: str = "",
        every_seconds: float = 300.0,
        wake: Callable[[], object] = lambda: None,
    ) -> None:
        self._name = name
        self._system = system
        self._intake = intake
        self._store = store
        self._clock = clock
        self._consent = consent
        self._zone = zone
        self._every_seconds = every_seconds
        self._wake = wake

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll until ``stopping`` is set; what fails is tried again the next time."""
        while not stopping.is_set():
            try:
                await self.poll()
            except OrderlineError as error:
                log.warning("deliveries of %s cannot be listed: %s", self._name, error.message)
            await self._clock.wait(stopping, self._every_seconds)

    async def poll(self) -> int:
        """Take in what was delivered since the last time; returns how many jobs were added. Raises OrderlineError.

        The time is moved on only when all of it was taken.
        """
        now = self._clock.now()
        last = await self._store.polled(self._name)
        since = (last or now - FIRST_LOOK_BACK) - OVERLAP
        added = 0
        for told in await self._system.delivered_since(since):
            added += len(await self._intake.take(told, f"poll:{self._name}", consent=self._consent, zone=self._zone))
        await self._store.set_polled(self._name, now)
        if added:
            self._wake()
        return added
