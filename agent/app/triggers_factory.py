"""Builds the listener for webhooks that make jobs, and lets it look orders up in the shop's own systems."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from datetime import timedelta

from agent.common.phone_numbers import e164
from agent.common.service_error import ServiceError
from agent.config.outbound import SurveySelectionSettings
from agent.config.settings import Settings
from agent.outbound.clock import SystemClock
from agent.outbound.store import OutboundStore
from agent.outbound.triggers.intake import DeliveryIntake, OrderDetails
from agent.outbound.triggers.listener import TriggerListener, TriggerSource
from agent.outbound.triggers.survey_selection import SelectionRules
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
    store = OutboundStore(settings.state_directory)
    stack.push_async_callback(store.close)
    clock = SystemClock()
    intake = DeliveryIntake(
        store,
        outbound.job_times(settings.shop.name, settings.shop.country),
        outbound.purposes_taken_in(),
        selection_rules(outbound.survey),
        clock,
        ShopDirectory(systems, settings.shop.country, with_customer=outbound.survey.first_order),
    )
    listener = TriggerListener(
        triggers.host, triggers.port, sources, intake, clock, most_bytes=triggers.most_bytes, wake=wake
    )
    await listener.start()
    stack.push_async_callback(listener.close)
    log.info("Webhooks that make jobs are taken at http://%s:%d/triggers/NAME", triggers.host, listener.port)
    return listener


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
