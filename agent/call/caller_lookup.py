"""Looks up what the shop knows of the calling number: a hint for recogniser and greeting, never proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.call.ports import Services
from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait

log = logging.getLogger(__name__)

LOOK_UP_SECONDS = 4.0
"""Later than this the caller has said the number already."""
_MAX_NUMBERS = 50


@dataclass(frozen=True)
class CallerProfile:
    """What is known about a caller; empty for a stranger."""

    order_numbers: tuple[str, ...] = ()
    """Orders placed with this number: they decide between two readings of what was said, and are never spoken."""
    customer: Mapping[str, Any] = field(default_factory=dict)
    """``first_name``, ``tier``, ``orders_count`` of the customer with this number."""


class CallerLookup:
    """Looks a caller up while the call is being answered. :meth:`close` it when the call is over."""

    def __init__(self, services: Services, phone: str) -> None:
        self._services = services
        self._phone = phone
        self._customer = asyncio.create_task(self._customer_of(), name="caller-customer")
        self._orders = asyncio.create_task(self._orders_of(), name="caller-orders")

    async def customer(self, seconds: float) -> Mapping[str, Any]:
        """Return what is known of the customer, or nothing when it takes longer than ``seconds``."""
        done, _ = await asyncio.wait([self._customer], timeout=seconds)
        return self._customer.result() if done else {}

    def known_as(self) -> str:
        """Return in words for staff who is known by this number, as far as the shop has said so; no proof of it."""
        if not self._customer.done() or self._customer.cancelled():
            return ""
        customer = self._customer.result()
        tier, orders = customer.get("tier"), customer.get("orders_count")
        told = [str(customer.get("first_name") or "")]
        told += [f"{tier} customer"] if tier and tier != "none" else []
        told += [f"{orders} order{'' if orders == 1 else 's'}"] if orders else []
        return ", ".join(part for part in told if part)

    async def whole(self) -> CallerProfile:
        """Return everything, when it is there."""
        return CallerProfile(await self._orders, await self._customer)

    async def close(self) -> None:
        """Stop looking; idempotent."""
        await cancel_and_wait(self._customer, self._orders)

    async def _customer_of(self) -> Mapping[str, Any]:
        found = (await self._ask("customers.by_phone")).get("customer")
        if not isinstance(found, Mapping):
            return {}
        return {name: found[name] for name in ("first_name", "tier", "orders_count") if name in found}

    async def _orders_of(self) -> tuple[str, ...]:
        found = (await self._ask("orders.find_by_phone")).get("orders")
        if not isinstance(found, (list, tuple)):
            return ()
        numbers = (order.get("number") for order in found[:_MAX_NUMBERS] if isinstance(order, Mapping))
        return tuple(str(number) for number in numbers if number)

    async def _ask(self, operation: str) -> Mapping[str, Any]:
        if not self._phone:
            return {}
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                return await self._services.perform(operation, {"phone": self._phone}, "")
        except (ServiceError, TimeoutError) as error:
            # a caller the shop does not know, or a back office that is slow: the call goes on as with any stranger
            log.debug("%s for a caller: %s", operation, error or "too slow")
            return {}
