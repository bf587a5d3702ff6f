"""The demo shop's order system and CRM; orders include the changes that calls have made."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Collection
from decimal import Decimal

from agent.common.service_error import ServiceError
from agent.shop.demo import fixed_data
from agent.shop.demo.database import DemoDatabase
from agent.shop.demo.order_changes import changed
from agent.shop.models import Customer, Order, OrderItem, Parcel


class DemoOrders:
    """Implements :class:`agent.shop.protocols.Orders`."""

    def __init__(self, database: DemoDatabase) -> None:
        self._database = database

    async def find(self, number: str) -> Order:
        """Return the order; raises ``ServiceError`` ``not_found`` or ``unavailable``."""
        if number == fixed_data.SLOW:
            await asyncio.sleep(fixed_data.SLOW_SECONDS)
        if number == fixed_data.BROKEN:
            raise ServiceError("unavailable", "this order's look-up fails, for trying that out")
        orders = await self._database.run(lambda db: _orders(db, "number = ?", number))
        if not orders:
            # callers leave out the letters a shop puts in front of its numbers
            orders = await self._database.run(lambda db: _orders(db, _WITHOUT_PREFIX, number))
        if len(orders) != 1:
            raise ServiceError("not_found", "there is no order with this number")
        return orders[0]

    async def find_by_phone(self, phone: str) -> tuple[Order, ...]:
        """Return the orders placed with this phone (E.164), newest first."""
        return await self._database.run(lambda db: _orders(db, "phone = ?", phone))


class DemoCustomers:
    """Implements :class:`agent.shop.protocols.Customers` and :class:`agent.shop.protocols.Loyalty`."""

    def __init__(self, database: DemoDatabase) -> None:
        self._database = database

    async def by_phone(self, phone: str) -> Customer:
        """Return the customer; raises ``ServiceError`` ``not_found`` or ``unavailable``."""
        row = await self._database.run(
            lambda db: db.execute(
                "SELECT *, (SELECT count(*) FROM orders WHERE customer_id = customers.id) AS orders_count"
                " FROM customers WHERE phone = ?",
                (phone,),
            ).fetchone()
        )
        if row is None:
            raise ServiceError("not_found", "no customer has this phone number")
        return Customer(
            id=row["id"],
            name=row["name"],
            phone=row["phone"],
            email=row["email"],
            tier=row["tier"],
            points=row["points"],
            orders_count=row["orders_count"],
        )

    async def used_promotions(self, customer_id: str) -> Collection[str]:
        """Return the ids of the promotions this customer has used."""
        rows = await self._database.run(
            lambda db: db.execute(
                "SELECT promotion FROM used_promotions WHERE customer_id = ?", (customer_id,)
            ).fetchall()
        )
        return frozenset(row["promotion"] for row in rows)


_WITHOUT_PREFIX = "ltrim(number, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') = ?"


def _orders(db: sqlite3.Connection, condition: str, value: str) -> tuple[Order, ...]:
    # `condition` is one of this module's own three; the value is bound.
    rows = db.execute(f"SELECT * FROM orders WHERE {condition} ORDER BY placed_on DESC, number", (value,))  # noqa: S608
    return tuple(_order(db, row) for row in rows.fetchall())


def _order(db: sqlite3.Connection, row: sqlite3.Row) -> Order:
    number = (row["number"],)
    address = _latest_change(db, row["number"], "postcode")
    day = _latest_change(db, row["number"], "day")
    owner = db.execute("SELECT name, email FROM customers WHERE id = ?", (row["customer_id"],)).fetchone()
    changes = db.execute(
        "SELECT * FROM order_changes WHERE order_number = ? AND made_on = (SELECT today FROM made) ORDER BY number",
        number,
    ).fetchall()
    as_placed = Order(
        number=row["number"],
        status=row["status"],
        placed_on=dt.date.fromisoformat(row["placed_on"]),
        currency=row["currency"],
        total=_amount(row["total_cents"]),
        postcode=row["postcode"] if address is None else address["postcode"],
        phone=row["phone"],
        items=tuple(
            OrderItem(sku=item["sku"], name=item["name"], quantity=item["quantity"], price=_amount(item["price_cents"]))
            for item in db.execute("SELECT * FROM items WHERE order_number = ? ORDER BY position", number)
        ),
        parcels=tuple(
            Parcel(
                number=parcel["number"],
                status=parcel["status"],
                carrier=parcel["carrier"],
                place=parcel["place"],
                expected_on=_day(parcel["expected_on"] if day is None or parcel["delivered_on"] else day["day"]),
                delivered_on=_day(parcel["delivered_on"]),
                left_at=parcel["left_at"],
            )
            for parcel in db.execute("SELECT * FROM parcels WHERE order_number = ? ORDER BY number", number)
        ),
        expected_on=_day(row["expected_on"] if day is None else day["day"]),
        expected_window=row["expected_window"] if day is None else day["day_window"],
        delivered_on=_day(row["delivered_on"]),
        carrier=row["carrier"],
        place=row["place"],
        delay_reason=row["delay_reason"],
        # it is the demo shop's own books that hold no refund: none has been made
        refund_amount=_amount(row["refund_cents"] or 0),
        email=owner["email"] if owner else "",
        name=owner["name"] if owner else "",
        cancel_reason=fixed_data.CANCEL_REASONS.get(row["number"], "") if row["status"] == "cancelled" else "",
    )
    return changed(as_placed, changes)


def _latest_change(db: sqlite3.Connection, number: str, column: str) -> sqlite3.Row | None:
    # `column` is one of this module's own two
    row: sqlite3.Row | None = db.execute(
        f"SELECT * FROM changes WHERE order_number = ? AND made_on = (SELECT today FROM made) AND {column} IS NOT NULL"  # noqa: S608
        " ORDER BY number DESC LIMIT 1",
        (number,),
    ).fetchone()
    return row


def _amount(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
