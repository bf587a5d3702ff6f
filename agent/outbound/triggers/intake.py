"""Takes in deliveries, whoever tells of them, and makes jobs of them; what it says is on the disk when it returns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from agent.common.phone_numbers import e164
from agent.errors import OrderlineError
from agent.outbound.clock import Clock
from agent.outbound.erasure import NOTE
from agent.outbound.model import NewJob, Purpose
from agent.outbound.store import OutboundStore
from agent.outbound.triggers.deliveries import Delivery, DeliveryRefused, JobTimes, delivery_job, survey_job
from agent.outbound.triggers.payloads import Told
from agent.outbound.triggers.survey_selection import Excluded, SelectionRules, select

log = logging.getLogger(__name__)

DETAILS_SECONDS = 2.0
"""For the order system's answer; whoever sent a webhook waits meanwhile."""
MISSING_PARCELS = timedelta(days=3)
"""An order of which parcels are on their way is asked about after so long, unless the last one arrives before."""


@dataclass(frozen=True)
class OrderDetails:
    """What the order system knows of an order that an event may not tell."""

    number: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    zone: str = ""
    parcels: int = 1
    all_delivered: bool = True
    order_value: Decimal | None = None
    first_order: bool | None = None
    complained: bool = False


class OrderDirectory(Protocol):
    """Looks orders up."""

    async def details(self, order: str) -> OrderDetails | None:
        """Return what is known of an order, None when there is none. Raises OrderlineError when nobody can say."""
        ...


class TryLater(OrderlineError):
    """The event was not taken, and should be sent again: the order system does not answer."""

    code = "try_later"
    retryable = True


class DeliveryIntake:
    """Makes jobs of deliveries. ``directory`` is None where there is no order system to ask."""

    def __init__(
        self,
        store: OutboundStore,
        times: JobTimes,
        purposes: Collection[Purpose],
        selection: SelectionRules,
        clock: Clock,
        directory: OrderDirectory | None = None,
    ) -> None:
        self._store = store
        self._times = times
        self._purposes = frozenset(purposes)
        self._selection = selection
        self._clock = clock
        self._directory = directory

    async def take(self, told: Told, source: str, *, consent: str = "", zone: str = "") -> list[str]:
        """Make the jobs that follow from a delivery; returns the keys of the new ones.

        ``consent`` and ``zone`` stand in where the event names none. A delivery that nobody can be called about is
        left for a person. Raises :class:`TryLater`, and OutboundUnavailable when the file cannot be used.
        """
        details = await self._details(told)
        delivery = _delivery(told, details, consent, zone)
        now = self._clock.now()
        added = []
        try:
            if Purpose.DELIVERY in self._purposes:
                added += await self._add(self._delivery_job(delivery, details, source), details, now)
            if Purpose.SURVEY in self._purposes:
                added += await self._survey(delivery, details, source, now)
        except DeliveryRefused as error:
            log.warning("nobody can be called about order %s (%s): %s", told.order, source, error.message)
            await self._store.note(f"{NOTE}{told.order}", error.message, now)
        return added

    async def _details(self, told: Told) -> OrderDetails | None:
        if self._directory is None:
            return None
        try:
            async with asyncio.timeout(DETAILS_SECONDS):
                return await self._directory.details(told.order)
        except (OrderlineError, TimeoutError) as error:
            if told.number:
                return None  # the event says enough; the order is asked about once more before the dial
            raise TryLater(f"order {told.order}: the order system does not answer") from error

    def _delivery_job(self, delivery: Delivery, details: OrderDetails | None, source: str) -> NewJob:
        job = delivery_job(delivery, self._times, source)
        if details is None or details.all_delivered:
            return job
        return replace(job, due_at=job.due_at + MISSING_PARCELS, not_after=job.not_after + MISSING_PARCELS)

    async def _add(self, job: NewJob, details: OrderDetails | None, now: datetime) -> list[str]:
        """Add a job; where nobody knows how many parcels there are, the one that arrives last sets the time."""
        if details is None:
            known = await self._store.job(job.key)
            if known is not None and known.due_at >= job.due_at:
                return []
        [done] = await self._store.add([job], now)
        return [job.key] if done == "added" else []

    async def _survey(
        self, delivery: Delivery, details: OrderDetails | None, source: str, now: datetime
    ) -> Sequence[str]:
        job = survey_job(delivery, self._times, source)
        if await self._store.job(job.key) is not None:
            return []
        number = e164(delivery.number, self._times.country)
        why = select(
            delivery,
            self._selection,
            asked_lately=await self._store.surveyed_since(number, now - self._selection.quarantine),
            suppressed=await self._store.scopes(number),
            complained=details is not None and details.complained,
        )
        if why is not None:
            await self._exclude(job.key, why, now)
            return []
        [done] = await self._store.add([job], now)
        return [job.key] if done == "added" else []

    async def _exclude(self, key: str, why: Excluded, now: datetime) -> None:
        log.info("%s is not asked about: %s", key, why)
        await self._store.exclude(key, why, now)


def _delivery(told: Told, details: OrderDetails | None, consent: str, zone: str) -> Delivery:
    known = details or OrderDetails()
    return Delivery(
        order=told.order,
        number=told.number or known.number,
        delivered_at=told.delivered_at,
        name=told.name or known.name,
        consent=told.consent or consent,
        zone=told.zone or known.zone or zone,
        parcels=max(told.parcels, known.parcels),
        order_value=told.order_value if told.order_value is not None else known.order_value,
        first_order=told.first_order if told.first_order is not None else known.first_order,
    )
