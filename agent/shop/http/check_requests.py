"""The requests of orderline shop check: every operation with samples, its result described without values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import normalise
from agent.shop.http.operations import OPERATIONS
from agent.shop.http.shop import HttpShop
from agent.shop.messages import MessageDraft
from agent.shop.models import Order, TicketDraft, line_keys
from agent.shop.returns import ReturnDraft
from agent.shop.shipments import Address

NO_SUCH_NUMBER = "99999999"
"""Looked for where no sample is given: that it is not found is a good answer."""
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "orders.find_by_phone": ("phone",),
    "customers.by_phone": ("phone",),
    "loyalty.used_promotions": ("phone",),
    "messages.send": ("phone",),
    "shipments.streets": ("postcode",),
    "shipments.change_address": ("order", "postcode"),
    "shipments.reschedule": ("order",),
    "shipments.investigate": ("order",),
    "returns.of_order": ("order",),
    "returns.create": ("order",),
    "shipments.leave_note": ("order",),
    "orders.cancel": ("order",),
    "orders.remove_line": ("order",),
    "orders.set_quantity": ("order",),
    "orders.set_option": ("order",),
}
_SAMPLES: Mapping[str, Any] = {
    "verified": True,
    "priority": 1,
    "transcript": ["Agent: Hello.", "Caller: Hello."],
    "facts": {"item": "Mug"},
    "page": "",
    "order": {"number": "10473", "items": [{"sku": "MUG", "name": "Mug", "quantity": 1, "price": 9.5}]},
    "day": "2030-01-07",
    "answer_by": "2030-01-07",
    "amount": "9.50",
    "phone": "+12025550143",
    "since": "2030-01-07T12:00:00+00:00",
}


@dataclass(frozen=True)
class CheckSamples:
    """What to ask with."""

    order: str = ""
    phone: str = ""
    """E.164."""
    postcode: str = ""
    write: bool = False
    """True makes a ticket, sends a message, ...: real ones."""


def sample_arguments(operation: str) -> dict[str, Any]:
    """Return made-up values for everything an operation's templates may use."""
    return {name: _SAMPLES.get(name, "sample") for name in OPERATIONS[operation].arguments}


def odd_sample(
    operation: str, samples: CheckSamples, region: str
) -> tuple[Mapping[str, Any], tuple[str, Callable[[Any], bool]] | None] | None:
    """Return arguments of a read whose answer may be odd, and how to know the sample in it; None without a sample."""
    if operation == "orders.find" and samples.order:
        number = normalise.order_number(samples.order)
        return {"number": number}, ("number", lambda value: normalise.same_number(number, str(value)))
    if operation == "orders.find_by_phone" and samples.phone:
        phone = samples.phone
        return {"phone": phone}, ("phone", lambda value: normalise.same_phone(phone, str(value), region))
    return None


class CheckRequests:
    """Asks the operations of a mapped shop with samples."""

    def __init__(self, shop: HttpShop, samples: CheckSamples, today: dt.date) -> None:
        self._shop = shop
        self._samples = samples
        self._today = today
        self._key = f"orderline-check-{today.isoformat()}"

    def missing(self, operation: str) -> str:
        """Return the options that are needed to ask an operation, ``""`` when all are there."""
        return " and ".join(f"--{need}" for need in _NEEDS.get(operation, ()) if not getattr(self._samples, need))

    async def ask(self, operation: str) -> str:
        """Ask an operation; returns what came, in words. Raises ServiceError."""
        shop, samples = self._shop, self._samples
        match operation:
            case "orders.find":
                return _told(await shop.orders.find(samples.order or NO_SUCH_NUMBER))
            case "orders.find_by_phone":
                found = await shop.orders.find_by_phone(samples.phone)
                return f"{len(found)} orders" if found else "but no order has this phone number"
            case "orders.delivered_since":
                return await self._deliveries()
            case "customers.by_phone":
                return await self._customer()
            case "loyalty.used_promotions":
                customer = await shop.customers.by_phone(samples.phone)
                return f"{len(await shop.loyalty.used_promotions(customer.id))} used promotions"
            case "shipments.streets":
                return f"{len((await shop.shipments.streets(samples.postcode)).streets)} streets"
            case "returns.of_order":
                return f"{len(await shop.returns.of_order(samples.order))} returns"
            case _:
                return await self._change(operation)

    async def _deliveries(self) -> str:
        if self._shop.deliveries is None:
            raise ServiceError("unavailable", "no system lists deliveries")
        yesterday = dt.datetime.combine(self._today - dt.timedelta(days=1), dt.time(), dt.UTC)
        return f"{len(await self._shop.deliveries.since(yesterday))} deliveries since yesterday"

    async def _customer(self) -> str:
        found = await self._shop.customers.by_phone(self._samples.phone)
        unknown = [name for name in ("name", "tier", "points", "orders_count") if getattr(found, name) in ("", None)]
        return f"a customer; not known: {', '.join(unknown)}" if unknown else "a customer"

    async def _order_change(self, operation: str, order: Order, key: str) -> str:
        changes = self._shop.order_changes
        if operation == "orders.cancel":
            return f"cancelled: {(await changes.cancel(order, key)).confirmation or 'without a number'}"
        if not order.items:
            raise ServiceError("bad_request", "the order has no lines to change")
        line = line_keys(order.items)[0]
        if operation == "orders.remove_line":
            made = await changes.remove_line(order, line, key)
        elif operation == "orders.set_quantity":
            made = await changes.set_quantity(order, line, 2, key)
        else:
            made = await changes.set_option(order, line, "large", key)
        return f"changed: {made.confirmation or 'without a number'}"

    async def _change(self, operation: str) -> str:
        shop, samples, key, today = self._shop, self._samples, self._key, self._today
        if operation == "tickets.create":
            draft = TicketDraft("check", "A test by orderline shop check; please close it.")
            return f"made ticket {(await shop.tickets.create(draft, key)).id}"
        if operation == "messages.send":
            text = "This is a test of the shop's phone agent."
            message = await shop.messages.send(MessageDraft("check", samples.order, samples.phone, text), key)
            return f"sent message {message.id}"
        order = await shop.orders.find(samples.order)
        if operation == "shipments.change_address":
            address = Address("1", "Example Street", "Example", samples.postcode)
            return f"changed: {(await shop.shipments.change_address(order, address, key)).confirmation}"
        if operation == "shipments.reschedule":
            day = today + dt.timedelta(days=7)
            return f"changed: {(await shop.shipments.reschedule(order, day, '', key)).confirmation}"
        if operation == "shipments.leave_note":
            return f"left note {(await shop.shipments.leave_note(order, 'check', key)).confirmation}"
        if operation.startswith("orders."):
            return await self._order_change(operation, order, key)
        if operation == "shipments.investigate":
            case = await shop.shipments.investigate(order, "check", today + dt.timedelta(days=3), key)
            return f"opened case {case.number}"
        if not order.items:
            raise ServiceError("bad_request", "the order has no lines to return")
        line = order.items[0]
        made = await shop.returns.create(
            ReturnDraft(order.number, line.name, "changed_mind", "unopened", "label", "original"),
            order,
            line.sku,
            today,
            key,
        )
        return f"opened return {made.number}"


def _told(order: Order) -> str:
    missing = [name for name in ("postcode", "phone", "items") if not getattr(order, name)]
    told = f"an order with {len(order.items)} lines and {len(order.parcels)} parcels, {order.status}"
    return f"but without {' and '.join(missing)}: {told}" if missing else told
