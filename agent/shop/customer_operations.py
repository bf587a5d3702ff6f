"""The promotions.check, loyalty.points and messages.send operations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import arguments as take
from agent.shop import promotions
from agent.shop.messages import MessageDraft, compose
from agent.shop.models import Customer, Order
from agent.shop.policy import Policy
from agent.shop.protocols import Customers, Loyalty, Messages, Orders
from agent.shop.refusal import Refusal
from agent.shop.verification import phone_of


class PromotionOperations:
    """``promotions.check`` and ``loyalty.points``."""

    def __init__(
        self,
        orders: Orders,
        customers: Customers,
        loyalty: Loyalty,
        policy: Policy,
        today: Callable[[], dt.date],
        region: str,
    ) -> None:
        self._orders = orders
        self._customers = customers
        self._loyalty = loyalty
        self._policy = policy
        self._today = today
        self._region = region

    async def check(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return why a promotion does not count, as far as the order or the customer is known."""
        promotion = arguments.get("promotion")
        if not isinstance(promotion, Mapping):
            raise ServiceError("bad_request", "argument 'promotion' must be one of the knowledge file's promotions")
        order = await self._orders.find(take.number(arguments)) if arguments.get("number") else None
        customer = await self._customer(arguments, order)
        used = await self._loyalty.used_promotions(customer.id) if customer is not None else ()
        reason = promotions.judge(promotion, self._today(), order=order, customer=customer, used=used)
        return {"check": {"reason": reason, "promotion": dict(promotion)}}

    async def points(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return the points of the customer who placed an order."""
        order = await self._orders.find(take.number(arguments))
        customer = await self._customers.by_phone(order.phone)
        points = customer.points
        if points is None:
            raise ServiceError("unavailable", "no system knows the points of this customer")
        higher = sorted((needed, tier) for tier, needed in self._policy.tiers.items() if needed > points)
        value = points * self._policy.point_value
        return {
            "loyalty": {
                "points": points,
                "value": float(value),
                "currency": self._policy.currency,
                "tier": customer.tier,
                "next_tier": higher[0][1] if higher else None,
                "points_to_next": higher[0][0] - points if higher else None,
            }
        }

    async def _customer(self, arguments: Mapping[str, Any], order: Order | None) -> Customer | None:
        if order is None and not arguments.get("phone"):
            return None
        try:
            phone = order.phone if order is not None else phone_of(arguments, self._region)
            return await self._customers.by_phone(phone)
        except ServiceError as error:
            if error.code != "not_found":
                raise
            return None


class MessageOperations:
    """``messages.send``: only ever to the phone given at checkout."""

    def __init__(self, orders: Orders, systems: Messages, policy: Policy) -> None:
        self._orders = orders
        self._messages = systems
        self._policy = policy

    async def send(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Send one of the shop's messages about an order."""
        order = await self._orders.find(take.number(arguments))
        template = take.text(arguments, "template", take.MAX_NUMBER_CHARS)
        values = arguments.get("values") or {}
        if not isinstance(values, Mapping):
            raise ServiceError("bad_request", "argument 'values' must be a mapping")
        if not order.phone:
            raise Refusal("no_mobile", "the order has no phone number")
        text = compose(template, order.number, values, self._policy)
        sent = await self._messages.send(MessageDraft(template, order.number, order.phone, text), key)
        return {"message": {"id": sent.id, "to_last_digits": sent.phone[-2:]}}
