"""The demo shop's warehouse and carriers: streets, changed deliveries, searches."""

from __future__ import annotations

import datetime as dt
import sqlite3

from agent.common.service_error import ServiceError
from agent.shop import shipments
from agent.shop.demo.database import DemoDatabase
from agent.shop.models import Order
from agent.shop.shipments import Address, DeliveryChange, ParcelInvestigation, Streets


class DemoShipments:
    """Implements :class:`agent.shop.protocols.Shipments`."""

    def __init__(self, database: DemoDatabase) -> None:
        self._database = database

    async def streets(self, postcode: str) -> Streets:
        """Return the streets of a postcode. Raises ``not_found``."""
        rows = await self._database.run(
            lambda db: db.execute("SELECT * FROM streets WHERE postcode = ? ORDER BY street", (postcode,)).fetchall()
        )
        if not rows:
            raise ServiceError("not_found", "the address directory has no such postcode")
        return Streets(postcode, rows[0]["city"], tuple(row["street"] for row in rows))

    async def change_address(self, order: Order, address: Address, key: str) -> DeliveryChange:
        """Send an order elsewhere, or return the change this key has made."""
        shipments.check_address(order)
        return await self._change(order, key, address.house, address.street, address.city, address.postcode, None, None)

    async def reschedule(self, order: Order, day: dt.date, window: str, key: str) -> DeliveryChange:
        """Have an order come on another day, or return the change this key has made."""
        return await self._change(order, key, None, None, None, None, day.isoformat(), window or None)

    async def leave_note(self, order: Order, note: str, key: str) -> DeliveryChange:
        """Leave a note for the driver, or return the one this key has left."""
        shipments.check_note(order)

        def leave(db: sqlite3.Connection) -> sqlite3.Row:
            db.execute(
                "INSERT INTO delivery_notes (key, made_on, order_number, note)"
                " SELECT ?, today, ?, ? FROM made WHERE true ON CONFLICT (key) DO NOTHING",
                (key, order.number, note),
            )
            row: sqlite3.Row = db.execute("SELECT * FROM delivery_notes WHERE key = ?", (key,)).fetchone()
            return row

        row = await self._database.run(leave)
        return DeliveryChange(f"D-{row['number']}", row["order_number"], note=row["note"])

    async def investigate(self, order: Order, note: str, answer_by: dt.date, key: str) -> ParcelInvestigation:
        """Open a search for a parcel, or return the one there is for this order."""

        def open_case(db: sqlite3.Connection) -> tuple[sqlite3.Row, bool]:
            # whoever asks a second time, with whatever key, gets the search there is
            opened = db.execute(
                "INSERT INTO cases (key, made_on, order_number, note, answer_by)"
                " SELECT ?, today, ?, ?, ? FROM made WHERE true ON CONFLICT DO NOTHING",
                (key, order.number, note, answer_by.isoformat()),
            ).rowcount
            found = "SELECT * FROM cases WHERE order_number = ? AND made_on = (SELECT today FROM made) OR key = ?"
            return db.execute(found, (order.number, key)).fetchone(), opened == 0

        row, found = await self._database.run(open_case)
        existing = found and row["key"] != key
        return ParcelInvestigation(
            f"N-{row['number']}", row["order_number"], dt.date.fromisoformat(row["answer_by"]), existing
        )

    async def _change(self, order: Order, key: str, *what: str | None) -> DeliveryChange:
        def change(db: sqlite3.Connection) -> sqlite3.Row:
            db.execute(
                "INSERT INTO changes (key, made_on, order_number, house, street, city, postcode, day, day_window)"
                " SELECT ?, today, ?, ?, ?, ?, ?, ?, ? FROM made WHERE true ON CONFLICT (key) DO NOTHING",
                (key, order.number, *what),
            )
            row: sqlite3.Row = db.execute("SELECT * FROM changes WHERE key = ?", (key,)).fetchone()
            return row

        row = await self._database.run(change)
        confirmation = f"C-{row['number']}"
        if row["day"] is not None:
            day = dt.date.fromisoformat(row["day"])
            return DeliveryChange(confirmation, row["order_number"], day=day, window=row["day_window"] or "")
        address = Address(row["house"], row["street"], row["city"], row["postcode"])
        return DeliveryChange(confirmation, row["order_number"], address)
