"""The orders.changeable, orders.cancel, orders.remove_line, orders.set_quantity and orders.set_option operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import arguments as take
from agent.shop import order_changes
from agent.shop.models import Order
from agent.shop.policy import Policy
from agent.shop.protocols import OrderChanges, Orders

MAX_LINE_CHARS = 200
MAX_OPTION_CHARS = 60


class OrderChangeOperations:
    """Changes of an order before it is sent. The caller has been verified: that is the flow's business."""

    def __init__(self, orders: Orders, systems: OrderChanges | None, policy: Policy) -> None:
        """``systems``: None where no system can change orders; then everything says so."""
        self._orders = orders
        self._systems = systems
        self._policy = policy

    @property
    def _can(self) -> frozenset[str]:
        return frozenset() if self._systems is None else frozenset(self._systems.can_change)

    async def changeable(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return what may still be changed about an order."""
        order = await self._orders.find(take.number(arguments))
        return {"changeable": order_changes.changeable_data(order, self._policy, self._can)}

    async def cancel(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Cancel an order that has not been sent."""
        order, systems = await self._of(arguments)
        made = await systems.made_before("cancel", order, key)
        if made is None:
            order_changes.check_cancel(order, self._policy, self._can)
            made = await systems.cancel(order, key)
        return {"order_change": order_changes.order_change_data(made, order)}

    async def remove_line(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Take one line out of an order."""
        order, systems = await self._of(arguments)
        made = await systems.made_before("remove", order, key)
        if made is None:
            made = await systems.remove_line(order, self._line(order, "remove", arguments), key)
        return {"order_change": order_changes.order_change_data(made, order)}

    async def set_quantity(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Order more or fewer pieces of one line."""
        order, systems = await self._of(arguments)
        quantity = _quantity(arguments)
        made = await systems.made_before("quantity", order, key)
        if made is None:
            made = await systems.set_quantity(order, self._line(order, "quantity", arguments), quantity, key)
        return {"order_change": order_changes.order_change_data(made, order)}

    async def set_option(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Order another size or color of one line."""
        order, systems = await self._of(arguments)
        option = take.text(arguments, "option", MAX_OPTION_CHARS)
        made = await systems.made_before("option", order, key)
        if made is None:
            made = await systems.set_option(order, self._line(order, "option", arguments), option, key)
        return {"order_change": order_changes.order_change_data(made, order)}

    async def _of(self, arguments: Mapping[str, Any]) -> tuple[Order, OrderChanges]:
        order = await self._orders.find(take.number(arguments))
        if self._systems is None:
            raise ServiceError("unavailable", "no system of this shop can change orders")
        return order, self._systems

    def _line(self, order: Order, kind: str, arguments: Mapping[str, Any]) -> str:
        line = take.text(arguments, "line", MAX_LINE_CHARS)
        order_changes.check_line(order, self._policy, self._can, kind, line)
        return line


def _quantity(arguments: Mapping[str, Any]) -> int:
    value = take.text(arguments, "quantity", take.MAX_NUMBER_CHARS)
    quantity = int(value) if value.isascii() and value.isdecimal() else 0
    if not 0 < quantity <= order_changes.MAX_QUANTITY:
        raise ServiceError("bad_request", f"argument 'quantity' must be from 1 to {order_changes.MAX_QUANTITY}")
    return quantity
