"""The demo shop's changes of orders that have not been sent: cancelled, a line out, another number or option."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

from agent.shop.demo.database import DemoDatabase
from agent.shop.models import Order, OrderItem, line_keys
from agent.shop.order_changes import KINDS, ChangeKind, OrderChange
from agent.shop.returns import line_amount, order_line


class DemoOrderChanges:
    """Implements :class:`agent.shop.protocols.OrderChanges`. What was paid goes back with the change itself."""

    can_change: Collection[str] = KINDS

    def __init__(self, database: DemoDatabase) -> None:
        self._database = database

    async def made_before(self, kind: ChangeKind, order: Order, key: str) -> OrderChange | None:
        """Return the change this key has made, if any."""
        row = await self._database.run(
            lambda db: db.execute(
                "SELECT * FROM order_changes WHERE key = ? AND kind = ? AND order_number = ?", (key, kind, order.number)
            ).fetchone()
        )
        return None if row is None else _read(row, order.currency)

    async def cancel(self, order: Order, key: str) -> OrderChange:
        """Cancel an order, or return the change this key has made."""
        return await self._change(order, key, "cancel")

    async def remove_line(self, order: Order, line: str, key: str) -> OrderChange:
        """Take a line out of an order, or return the change this key has made."""
        return await self._change(order, key, "remove", line)

    async def set_quantity(self, order: Order, line: str, quantity: int, key: str) -> OrderChange:
        """Order another number of pieces, or return the change this key has made."""
        return await self._change(order, key, "quantity", line, quantity)

    async def set_option(self, order: Order, line: str, option: str, key: str) -> OrderChange:
        """Order another size or color, or return the change this key has made."""
        return await self._change(order, key, "option", line, None, option)

    async def _change(
        self, order: Order, key: str, kind: ChangeKind, line: str = "", quantity: int | None = None, option: str = ""
    ) -> OrderChange:
        item = order_line(order, line) if line else None
        back = _goes_back(order, kind, item, quantity)

        def change(db: sqlite3.Connection) -> sqlite3.Row:
            db.execute(
                "INSERT INTO order_changes (key, made_on, order_number, kind, line, item, quantity, option, back_cents)"
                " SELECT ?, today, ?, ?, ?, ?, ?, ?, ? FROM made WHERE true ON CONFLICT (key) DO NOTHING",
                (key, order.number, kind, line, item.name if item else "", quantity, option, back),
            )
            row: sqlite3.Row = db.execute("SELECT * FROM order_changes WHERE key = ?", (key,)).fetchone()
            return row

        row = await self._database.run(change)
        return _read(row, order.currency)


def _read(row: sqlite3.Row, currency: str) -> OrderChange:
    cents = row["back_cents"]
    return OrderChange(
        order_number=row["order_number"],
        kind=row["kind"],
        confirmation=f"X-{row['number']}",
        line=row["line"],
        item=row["item"],
        quantity=row["quantity"],
        option=row["option"],
        refunded=cents is not None,
        amount=None if cents is None else _money(cents),
        currency=currency,
    )


def _goes_back(order: Order, kind: str, item: OrderItem | None, quantity: int | None) -> int | None:
    """Return what goes back in cents; None when nothing does."""
    if order.status == "awaiting_payment":
        return None
    if kind == "cancel":
        return None if order.total is None else int(order.total * 100)
    if item is None or item.price is None:
        return None
    if kind == "remove":
        amount = line_amount(item)
        return None if amount is None else int(amount * 100)
    if kind == "quantity" and quantity is not None and isinstance(item.quantity, int) and quantity < item.quantity:
        return int(item.price * (item.quantity - quantity) * 100)
    return None


def changed(order: Order, rows: Collection[sqlite3.Row]) -> Order:
    """Return an order as it is after the changes that calls have made, oldest first."""
    items, total, status, refund = list(order.items), order.total, order.status, order.refund_amount
    keys = list(line_keys(order.items))
    for row in rows:
        if row["kind"] == "cancel":
            status, refund = "cancelled", None if row["back_cents"] is None else _money(row["back_cents"])
            continue
        if row["line"] not in keys:
            continue
        at = keys.index(row["line"])
        item = items[at]
        before = line_amount(item)
        if row["kind"] == "remove":
            del keys[at], items[at]
            after = None if before is None else before * 0
        else:
            name = f"{item.name}, {row['option']}" if row["option"] else item.name
            items[at] = replace(item, name=name, quantity=row["quantity"] or item.quantity)
            after = line_amount(items[at])
        if total is not None and before is not None and after is not None:
            total += after - before
    return replace(order, items=tuple(items), total=total, status=status, refund_amount=refund)


def _money(cents: int) -> Decimal:
    return Decimal(cents) / 100
