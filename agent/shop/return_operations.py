"""The returns.* and refunds.* operations: eligibility, opening a return, its status, the refund."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.shop import arguments as take
from agent.shop import returns
from agent.shop.models import Order
from agent.shop.policy import Policy
from agent.shop.protocols import NotServed, Orders, Returns
from agent.shop.returns import Return, ReturnDraft

MAX_ITEM_CHARS = 200


class ReturnOperations:
    """The ``returns.*`` and ``refunds.*`` operations."""

    def __init__(self, orders: Orders, systems: Returns, policy: Policy, today: Callable[[], dt.date]) -> None:
        self._orders = orders
        self._returns = systems
        self._policy = policy
        self._today = today

    async def eligibility(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return whether an order, or one item of it, may come back."""
        order = await self._orders.find(take.number(arguments))
        item = take.text(arguments, "item", MAX_ITEM_CHARS, optional=True)
        reason = take.choice(arguments, "reason", returns.REASONS, optional=True)
        existing = await self._of(order) or ()
        found = returns.eligibility(order, self._policy, existing, self._today(), item=item, reason=reason)
        return {"eligibility": returns.eligibility_data(found, reason)}

    async def create(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Open a return, or return the one this key has opened."""
        draft = ReturnDraft(
            order_number=take.number(arguments),
            item=take.text(arguments, "item", MAX_ITEM_CHARS),
            reason=take.choice(arguments, "reason", returns.REASONS),
            condition=take.choice(arguments, "condition", returns.CONDITIONS),
            route=take.choice(arguments, "route", returns.ROUTES),
            refund=take.choice(arguments, "refund", returns.REFUNDS),
            note=take.text(arguments, "note", MAX_ITEM_CHARS, optional=True, cut=True),
        )
        order = await self._orders.find(draft.order_number)
        existing = await self._of(order) or ()
        # what this very key has made before is no obstacle to itself: the system knows its keys
        others = [known for known in existing if known.key != key]
        item = returns.check_return(draft, order, self._policy, others, self._today())
        made = await self._returns.create(draft, order, item.key, self._today(), key)
        return {"return": returns.return_data(made, self._policy, order)}

    async def status(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return the returns of an order, newest first."""
        order = await self._orders.find(take.number(arguments))
        found = await self._returns.of_order(order.number, order.id)
        return {"returns": [returns.return_data(one, self._policy, order) for one in found]}

    async def refund(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return where the money of an order is."""
        order = await self._orders.find(take.number(arguments))
        found = await self._of(order)
        return {"refund": returns.refund_data(returns.refund_of(order, found, self._policy))}

    async def _of(self, order: Order) -> Sequence[Return] | None:
        """Return the returns of an order; None when no system knows of returns: then nothing is known of them."""
        try:
            return await self._returns.of_order(order.number, order.id)
        except NotServed:
            return None
