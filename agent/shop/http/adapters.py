"""The shop's Protocols over mapped operations: orders, customers, tickets, used promotions, messages.

An answer that is about something else than was asked for is never used: an order must have the number, an order or
customer found by phone must have that phone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import normalise
from agent.shop.deliveries import DeliveredOrder
from agent.shop.http.system import HttpSystem
from agent.shop.messages import Message, MessageDraft
from agent.shop.models import Customer, Order, PartialOrders, Ticket, TicketDraft
from agent.shop.protocols import CUT_OFF, Customers, Loyalty, Messages, NotServed, Orders, Tickets

SystemsByOperation = Mapping[str, HttpSystem]
"""Which system serves which operation."""


def unmapped_operation(name: str) -> ServiceError:
    """Return the failure of an operation that no system serves."""
    return NotServed("unavailable", f"no system maps {name}")


class HttpOrders:
    """The order system, mapped; what is not mapped is asked of ``otherwise``."""

    def __init__(self, served: SystemsByOperation, otherwise: Orders | None = None) -> None:
        self._served = served
        self._otherwise = otherwise

    async def find(self, number: str) -> Order:
        """See :class:`agent.shop.protocols.Orders`."""
        system = self._served.get("orders.find")
        if system is None:
            if self._otherwise is None:
                raise unmapped_operation("orders.find")
            return await self._otherwise.find(number)
        runner, arguments = system.runner, {"number": number}
        if not system.has_list("orders.find"):
            order: Order = (await runner.one("orders.find", arguments)).order(system.region)
            if not normalise.same_number(number, order.number):
                system.reject_mismatch("orders.find", "the order it gives has another number")
            return order

        def fits(value: Any) -> bool:
            return isinstance(value, str | int) and normalise.same_number(number, str(value))

        found = await runner.many("orders.find", arguments, keep=("number", fits))
        wanted = normalise.order_number(number)
        exact = [one for one in found.nouns if normalise.order_number(one.number) == wanted]
        candidates = exact or list(found.nouns)
        if not candidates and found.cut_off:
            raise _cut_off(system.name, "orders.find")
        if not candidates:
            raise ServiceError("not_found", "there is no order with this number")
        if len(candidates) > 1:
            system.reject_mismatch("orders.find", "several orders have this number")
        first: Order = candidates[0].order(system.region)
        return first

    async def find_by_phone(self, phone: str) -> Sequence[Order]:
        """See :class:`agent.shop.protocols.Orders`."""
        name = "orders.find_by_phone"
        system = self._served.get(name)
        if system is None:
            if self._otherwise is None:
                raise unmapped_operation(name)
            return await self._otherwise.find_by_phone(phone)
        region = system.region
        keep = None if system.finds_each(name) else ("phone", _is_phone(phone, region))
        try:
            found = await system.runner.many(name, {"phone": phone}, keep=keep)
        except ServiceError as error:
            if error.code != "not_found":
                raise
            return []
        orders = [one.order(region) for one in found.nouns]
        fitting = {one.number: one for one in orders if one.phone == phone}
        if not fitting and found.cut_off:
            raise _cut_off(system.name, name)
        newest_first = sorted(fitting.values(), key=lambda one: one.placed_on or dt.date.min, reverse=True)
        return newest_first if found.complete else PartialOrders(newest_first)


class HttpDeliveries:
    """The list of deliveries, mapped; implements :class:`agent.shop.deliveries.Deliveries`."""

    def __init__(self, system: HttpSystem) -> None:
        """``system`` serves ``orders.delivered_since``."""
        self._system = system

    async def since(self, moment: dt.datetime) -> Sequence[DeliveredOrder]:
        """See :class:`agent.shop.deliveries.Deliveries`."""
        name, system = "orders.delivered_since", self._system
        try:
            found = await system.runner.many(name, {"since": moment.astimezone(dt.UTC).isoformat(timespec="seconds")})
        except ServiceError as error:
            if error.code != "not_found":
                raise
            return []
        if found.cut_off:
            raise _cut_off(system.name, name)
        return [one.delivered(system.region) for one in found.nouns]


def _cut_off(system: str, name: str) -> ServiceError:
    """Return the failure of a search whose end was not seen: nobody may say that there is no such order."""
    message = f"{system}: {name}: not among the results that were looked at, and there are more"
    return ServiceError("unavailable", message, reason=CUT_OFF)


class HttpCustomers:
    """The CRM, mapped. Where no system has customers, nobody is known."""

    def __init__(self, served: SystemsByOperation, otherwise: Customers | None = None) -> None:
        self._served = served
        self._otherwise = otherwise

    async def by_phone(self, phone: str) -> Customer:
        """See :class:`agent.shop.protocols.Customers`."""
        name = "customers.by_phone"
        system = self._served.get(name)
        if system is None:
            if self._otherwise is None:
                raise ServiceError("not_found", "no system knows customers")
            return await self._otherwise.by_phone(phone)
        if system.has_list(name):
            keep = ("phone", _is_phone(phone, system.region))
            found = (await system.runner.many(name, {"phone": phone}, keep=keep)).nouns
            if not found:
                raise ServiceError("not_found", "no customer has this phone number")
            if len({one.id for one in found}) > 1:
                # a family or an office: whoever it is, it cannot be told who calls
                raise ServiceError("not_found", "several customers have this phone number")
            only: Customer = found[0].customer(system.region)
            return only
        customer: Customer = (await system.runner.one(name, {"phone": phone})).customer(system.region)
        if customer.phone != phone:
            system.reject_mismatch(name, "the customer it gives has another phone number")
        return customer


class HttpTickets:
    """The ticket system, mapped."""

    def __init__(
        self, served: SystemsByOperation, now: Callable[[], dt.datetime], otherwise: Tickets | None = None
    ) -> None:
        self._served = served
        self._now = now
        self._otherwise = otherwise

    async def create(self, draft: TicketDraft, key: str) -> Ticket:
        """See :class:`agent.shop.protocols.Tickets`."""
        system = self._served.get("tickets.create")
        if system is None:
            if self._otherwise is None:
                raise unmapped_operation("tickets.create")
            return await self._otherwise.create(draft, key)
        arguments = {
            "reason": draft.reason,
            "summary": draft.summary,
            "caller": draft.caller,
            "order_number": draft.order_number,
            "verified": draft.verified,
            "priority": draft.priority,
            "transcript": list(draft.transcript),
            "facts": dict(draft.facts),
            "page": draft.page,
        }
        made = await system.runner.change("tickets.create", arguments, key)
        return Ticket(made.id, made.created_at or self._now(), draft)


class HttpLoyalty:
    """Who has used which promotion, mapped. Where no system knows, nobody is taken to have used any."""

    def __init__(self, served: SystemsByOperation, otherwise: Loyalty | None = None) -> None:
        self._served = served
        self._otherwise = otherwise

    async def used_promotions(self, customer_id: str) -> Collection[str]:
        """See :class:`agent.shop.protocols.Loyalty`."""
        system = self._served.get("loyalty.used_promotions")
        if system is None:
            return () if self._otherwise is None else await self._otherwise.used_promotions(customer_id)
        found = await system.runner.one("loyalty.used_promotions", {"customer_id": customer_id})
        return tuple(found.promotions)


class HttpMessages:
    """The SMS gateway, mapped."""

    def __init__(self, served: SystemsByOperation, otherwise: Messages | None = None) -> None:
        self._served = served
        self._otherwise = otherwise

    async def send(self, draft: MessageDraft, key: str) -> Message:
        """See :class:`agent.shop.protocols.Messages`."""
        system = self._served.get("messages.send")
        if system is None:
            if self._otherwise is None:
                raise unmapped_operation("messages.send")
            return await self._otherwise.send(draft, key)
        arguments = {
            "template": draft.template,
            "number": draft.order_number,
            "phone": draft.phone,
            "text": draft.text,
        }
        made = await system.runner.change("messages.send", arguments, key)
        return Message(made.id, draft.phone)


def _is_phone(phone: str, region: str) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, str | int):
            return False
        return bool(phone) and normalise.phone(str(value)[:100], region) == phone

    return fits
