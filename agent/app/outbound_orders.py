"""How an order stands at the moment of dialling: asked of the shop's order system, and of the records of calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from agent.call.ports import Services
from agent.common.phone_numbers import keyed_forms
from agent.common.service_error import ServiceError
from agent.errors import OrderlineError
from agent.outbound.model import Job, Purpose
from agent.outbound.ports import OrderNow, OrderUnreadable
from agent.records.earlier_calls import ContactsSince

ORDER_SECONDS = 4.0
"""For the order system to say how an order stands; later the job is not dialled now."""

Contacts = Callable[[Collection[str], str, float], Awaitable[ContactsSince]]
"""``contacts(numbers, order, since)``, as :meth:`agent.records.call_store.CallStore.contacts_since`."""


class ShopOrders:
    """Implements :class:`agent.outbound.ports.OrderLookup` with the order system and the records of calls."""

    def __init__(self, services: Services, contacts: Contacts | None, region: str = "US") -> None:
        """``contacts`` is None where calls are no reason not to call; ``region`` is the shop's country."""
        self._services = services
        self._contacts = contacts
        self._region = region

    async def order_now(self, job: Job) -> OrderNow:
        """Ask for the order; a call that was promised is dropped by nothing but a later call of the customer's."""
        number = job.facts.order_number
        if not number and job.purpose is not Purpose.CALLBACK:
            return OrderNow()
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                if job.purpose is Purpose.CALLBACK:
                    return OrderNow(called_in=(await self._contacts_about(job, "")).called_in)
                found = await self._services.perform("orders.find", {"number": number}, "")
                contacts = await self._contacts_about(job, number)
        except (OrderlineError, ServiceError, TimeoutError) as error:
            raise OrderUnreadable(f"order of {job.key}: {error or 'too slow'}") from error
        order = found.get("order")
        if not isinstance(order, Mapping):
            raise OrderUnreadable(f"order of {job.key}: the answer holds none")
        return order_as_it_stands(order, contacts, job)

    async def _contacts_about(self, job: Job, order: str) -> ContactsSince:
        if self._contacts is None or job.created_at is None:
            return ContactsSince()
        numbers = {job.number, *keyed_forms(job.number, self._region)}
        return await self._contacts(numbers, order, job.created_at.timestamp())


def order_as_it_stands(order: Mapping[str, Any], contacts: ContactsSince, job: Job) -> OrderNow:
    """Return what speaks against a call about an order.

    That a customer has called keeps no survey from them: it would ask only those who had nothing to say. Nor does it
    end an appointment: who rings back may have named the hour on that very call.
    """
    status = str(order.get("status") or "")
    return OrderNow(
        cancelled=status == "cancelled",
        returned=status == "returned",
        refunded=status == "refunded",
        complained=contacts.complained,
        ticket_open=contacts.ticket,
        called_in=contacts.called_in and job.purpose is not Purpose.SURVEY and not job.appointment,
    )
