"""The shop's Protocol of order changes over mapped operations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from agent.shop.http.adapters import SystemsByOperation, unmapped_operation
from agent.shop.models import Order, order_data
from agent.shop.order_changes import ChangeKind, OrderChange
from agent.shop.protocols import OrderChanges
from agent.shop.returns import order_line

_OPERATIONS: dict[ChangeKind, str] = {
    "cancel": "orders.cancel",
    "remove": "orders.remove_line",
    "quantity": "orders.set_quantity",
    "option": "orders.set_option",
}


class HttpOrderChanges:
    """Changes of orders that have not been sent, mapped."""

    def __init__(
        self, served: SystemsByOperation, orders_served: bool = False, otherwise: OrderChanges | None = None
    ) -> None:
        """``orders_served``: orders themselves are mapped, and so another shop's changes would be of other orders."""
        self._served = served
        self._otherwise = None if orders_served else otherwise

    @property
    def can_change(self) -> Collection[str]:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        mapped = {kind for kind, name in _OPERATIONS.items() if name in self._served}
        return mapped | (set() if self._otherwise is None else set(self._otherwise.can_change))

    async def made_before(self, kind: ChangeKind, order: Order, key: str) -> OrderChange | None:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        name = _OPERATIONS[kind]
        if name not in self._served:
            return None if self._otherwise is None else await self._otherwise.made_before(kind, order, key)
        made = await self._served[name].runner.made_before(name, key)
        if made is None:
            return None
        return OrderChange(
            order.number,
            kind,
            made.confirmation,
            refunded=made.refunded,
            amount=made.amount,
            currency=made.currency or order.currency,
            pending=made.pending,
        )

    async def cancel(self, order: Order, key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        if "orders.cancel" not in self._served:
            return await self._other("orders.cancel").cancel(order, key)
        return await self._change("cancel", order, key)

    async def remove_line(self, order: Order, line: str, key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        if "orders.remove_line" not in self._served:
            return await self._other("orders.remove_line").remove_line(order, line, key)
        return await self._change("remove", order, key, line)

    async def set_quantity(self, order: Order, line: str, quantity: int, key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        if "orders.set_quantity" not in self._served:
            return await self._other("orders.set_quantity").set_quantity(order, line, quantity, key)
        return await self._change("quantity", order, key, line, quantity=quantity)

    async def set_option(self, order: Order, line: str, option: str, key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        if "orders.set_option" not in self._served:
            return await self._other("orders.set_option").set_option(order, line, option, key)
        return await self._change("option", order, key, line, option=option)

    def _other(self, name: str) -> OrderChanges:
        if self._otherwise is None:
            raise unmapped_operation(name)
        return self._otherwise

    async def _change(
        self,
        kind: ChangeKind,
        order: Order,
        key: str,
        line: str = "",
        *,
        quantity: int | None = None,
        option: str = "",
    ) -> OrderChange:
        name = _OPERATIONS[kind]
        arguments: dict[str, Any] = {"number": order.number, "id": order.id or order.number, "order": order_data(order)}
        item = order_line(order, line) if line else None
        if item is not None:
            arguments |= {"line": item.line, "sku": item.sku, "item": item.name}
        if kind == "quantity":
            price = None if item is None or item.price is None else str(item.price)
            arguments |= {"quantity": quantity, "price": price}
        if kind == "option":
            arguments["option"] = option
        made = await self._served[name].runner.change(name, arguments, key)
        return OrderChange(
            order_number=order.number,
            kind=kind,
            confirmation=made.confirmation,
            line=line,
            item="" if item is None else item.name,
            quantity=quantity,
            option=option,
            refunded=made.refunded,
            amount=made.amount,
            currency=made.currency or order.currency,
            pending=made.pending,
        )
