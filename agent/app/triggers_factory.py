"""Builds what makes jobs by itself (webhooks, polling), and lets it look orders up in the shop's own systems."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from agent.common.phone_numbers import e164
from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.base import SettingsError
from agent.config.outbound import SurveySelectionSettings
from agent.config.settings import Settings
from agent.outbound.clock import SystemClock
from agent.outbound.store import OutboundStore
from agent.outbound.triggers.intake import DeliveryIntake, OrderDetails
from agent.outbound.triggers.listener import TriggerListener, TriggerSource
from agent.outbound.triggers.payloads import Told
from agent.outbound.triggers.polling import DeliveryPoller
from agent.outbound.triggers.survey_selection import SelectionRules
from agent.shop.deliveries import Deliveries
from agent.shop.protocols import ShopSystems

log = logging.getLogger(__name__)


async def open_triggers(
    settings: Settings,
    systems: ShopSystems,
    stack: contextlib.AsyncExitStack,
    wake: Callable[[], object] = lambda: None,
) -> TriggerListener | None:
    """Listen where that is switched on; ``stack`` closes it. A running dialler sees new jobs within a second.

    Jobs are taken in on every node, dialled on one. Raises SettingsError for a secret that is nowhere, and OSError when
    the port is taken.
    """
    outbound = settings.outbound
    triggers = outbound.triggers
    if not triggers.enabled:
        return None
    sources = {
        name: TriggerSource(name, source.scheme, source.secrets(name), source.consent, source.zone)
        for name, source in triggers.sources.items()
    }
    store = OutboundStore(settings.shared_directory)
    stack.push_async_callback(store.close)
    clock = SystemClock()
    intake = _intake(settings, systems, store)
    listener = TriggerListener(
        triggers.host, triggers.port, sources, intake, clock, most_bytes=triggers.most_bytes, wake=wake
    )
    await listener.start()
    stack.push_async_callback(listener.close)
    log.info("Webhooks that make jobs are taken at http://%s:%d/triggers/NAME", triggers.host, listener.port)
    return listener


async def open_polling(settings: Settings, systems: ShopSystems, stack: contextlib.AsyncExitStack) -> None:
    """Ask what was delivered where that is switched on, until ``stack`` is closed.

    Raises SettingsError when no system lists deliveries.
    """
    polling = settings.outbound.polling
    if not polling.enabled:
        return
    if systems.deliveries is None:
        raise SettingsError("outbound.polling.enabled: no mapping file maps orders.delivered_since (docs/shop-http.md)")
    store = OutboundStore(settings.shared_directory)
    stack.push_async_callback(store.close)
    poller = DeliveryPoller(
        "orders",
        ListedDeliveries(systems.deliveries),
        _intake(settings, systems, store),
        store,
        SystemClock(),
        consent=polling.consent,
        zone=polling.zone,
        every_seconds=polling.every_minutes * 60,
    )
    stopping = asyncio.Event()
    polls = asyncio.create_task(poller.run(stopping), name="poll-deliveries")
    polls.add_done_callback(report_failure)
    stack.push_async_callback(cancel_and_wait, polls)


class ListedDeliveries:
    """Implements :class:`agent.outbound.triggers.polling.DeliveryList` with a system of the shop."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    async def delivered_since(self, moment: datetime) -> Sequence[Told]:
        """Return what was delivered from a moment on. Raises ServiceError."""
        return [
            Told(one.number, one.delivered_at, number=one.phone, name=one.name, parcel=one.parcel)
            for one in await self._deliveries.since(moment)
        ]


def _intake(settings: Settings, systems: ShopSystems, store: OutboundStore) -> DeliveryIntake:
    outbound = settings.outbound
    return DeliveryIntake(
        store,
        outbound.job_times(settings.shop.name, settings.shop.country),
        outbound.purposes_taken_in(),
        selection_rules(outbound.survey),
        SystemClock(),
        ShopDirectory(systems, settings.shop.country, with_customer=outbound.survey.first_order),
    )


def selection_rules(settings: SurveySelectionSettings) -> SelectionRules:
    """Return whom a survey calls."""
    return SelectionRules(
        settings.order_value, settings.first_order, settings.share, timedelta(days=settings.quarantine_days)
    )


class ShopDirectory:
    """Implements :class:`agent.outbound.triggers.intake.OrderDirectory` with the shop's order system."""

    def __init__(self, systems: ShopSystems, country: str, *, with_customer: bool) -> None:
        self._systems = systems
        self._country = country
        self._with_customer = with_customer

    async def details(self, order: str) -> OrderDetails | None:
        """Return what is known of an order. Raises ServiceError when nobody can say."""
        try:
            found = await self._systems.orders.find(order)
        except ServiceError as error:
            if error.code == "not_found":
                return None
            raise
        number = e164(found.phone, self._country)
        return OrderDetails(
            number=number,
            name=found.name,
            parcels=max(1, len(found.parcels)),
            all_delivered=all(parcel.status == "delivered" for parcel in found.parcels),
            order_value=found.total,
            first_order=await self._first_order(number),
        )

    async def _first_order(self, number: str) -> bool | None:
        if not self._with_customer or not number:
            return None
        try:
            return (await self._systems.customers.by_phone(number)).first_order
        except ServiceError:
            return None
