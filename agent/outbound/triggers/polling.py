"""Asks the order system at intervals what was delivered since the last time; keys make an overlap harmless."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from agent.errors import OrderlineError
from agent.outbound.clock import Clock
from agent.outbound.erasure import NOTE
from agent.outbound.store import OutboundStore
from agent.outbound.triggers.intake import DeliveryIntake, TryLater
from agent.outbound.triggers.payloads import Told

log = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""Systems write deliveries late, and clocks differ."""
GIVEN_UP_AFTER = timedelta(hours=24)
"""So long after its delivery an order is asked about again and again."""
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

        The time is moved on only when all of it was taken. An order of which the system tells nothing holds up no
        other one, and the time for a day at most: then it is left for a person.
        """
        now = self._clock.now()
        last = await self._store.polled(self._name)
        since = (last or now - FIRST_LOOK_BACK) - OVERLAP
        added, waits = 0, False
        for told in await self._system.delivered_since(since):
            try:
                new = await self._intake.take(told, f"poll:{self._name}", consent=self._consent, zone=self._zone)
            except TryLater as error:
                log.warning("a delivery of %s is not taken in yet: %s", self._name, error.message)
                await self._store.note(f"{NOTE}{told.order}", error.message, now)
                waits = waits or told.delivered_at > now - GIVEN_UP_AFTER
                continue
            added += len(new)
        if not waits:
            await self._store.set_polled(self._name, now)
        if added:
            self._wake()
        return added
