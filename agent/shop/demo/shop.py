"""The demo shop behind the shop's Protocols: two SQLite files, one made again every day, one kept for tickets."""

from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from agent.call.errors import ServiceError
from agent.shop.demo import schema
from agent.shop.demo.database import Database
from agent.shop.demo.generator import SEED, made_for, make_demo_shop
from agent.shop.models import Customer, Item, Order, Parcel, Ticket, TicketDraft


class DemoOrders:
    """Implements :class:`agent.shop.protocols.Orders`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, number: str) -> Order:
        """Return the order; raises ``ServiceError`` ``not_found`` or ``unavailable``."""
        orders = await self._database.run(lambda db: _orders(db, "number = ?", number))
        if not orders:
            raise ServiceError("not_found", "there is no order with this number")
        return orders[0]

    async def find_by_phone(self, phone: str) -> tuple[Order, ...]:
        """Return the orders placed with this phone (E.164), newest first."""
        return await self._database.run(lambda db: _orders(db, "phone = ?", phone))


class DemoCustomers:
    """Implements :class:`agent.shop.protocols.Customers`."""

    def __init__(self, database: Database) -> None:
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


class DemoTickets:
    """Implements :class:`agent.shop.protocols.Tickets`; the numbers start at T-1042."""

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    async def create(self, draft: TicketDraft, key: str) -> Ticket:
        """Create the ticket, or return the one this key created before. Raises ``ServiceError`` ``unavailable``."""
        created_at = self._now()
        row = await self._database.run(lambda db: _create_ticket(db, draft, key, created_at))
        if row is None:
            raise ServiceError("unavailable", "the ticket was written but cannot be read back", retryable=True)
        return _ticket(row)

    async def find(self, ticket_id: str) -> Ticket:
        """Return a ticket by its id (``T-1042``). Raises ``ServiceError`` ``not_found`` or ``unavailable``."""
        number = ticket_id.removeprefix("T-")
        row = await self._database.run(
            lambda db: db.execute("SELECT * FROM tickets WHERE CAST(number AS TEXT) = ?", (number,)).fetchone()
        )
        if row is None:
            raise ServiceError("not_found", f"there is no ticket {ticket_id!r}")
        return _ticket(row)


@dataclass(frozen=True)
class DemoShop:
    """The demo shop's systems, opened. Close it."""

    orders: DemoOrders
    customers: DemoCustomers
    tickets: DemoTickets
    databases: tuple[Database, ...]

    async def close(self) -> None:
        """Close the files; idempotent."""
        for database in self.databases:
            await database.close()


async def open_demo_shop(
    folder: Path,
    *,
    now: Callable[[], dt.datetime],
    seed: int = SEED,
    renew: bool = True,
) -> DemoShop:
    """Open the demo shop in ``folder`` (``shop.sqlite`` and ``tickets.sqlite``), making what is missing.

    ``now`` gives the local time with its offset. With ``renew`` the orders are made again when they are of another
    day, seed or version, so that "tomorrow" stays tomorrow; tickets are always kept.
    Raises ``ServiceError`` with code ``unavailable`` when the files cannot be made or read.
    """
    try:
        await asyncio.to_thread(_prepare, folder, now().date(), seed, renew)
    except (OSError, sqlite3.Error) as error:
        raise ServiceError("unavailable", f"the demo shop in {folder} cannot be made: {error}") from error
    shop, tickets = Database(folder / "shop.sqlite"), Database(folder / "tickets.sqlite")
    demo = DemoShop(DemoOrders(shop), DemoCustomers(shop), DemoTickets(tickets, now), (shop, tickets))
    try:
        await tickets.run(_prepare_tickets)
        await shop.run(lambda db: db.execute("SELECT 1 FROM orders").fetchone())
    except ServiceError:
        await demo.close()
        raise
    return demo


def _prepare(folder: Path, today: dt.date, seed: int, renew: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "shop.sqlite"
    # Two agents that start together on one folder must not swap the file under each other.
    with (folder / "shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = made_for(path)
        if made is None or made[0] != schema.SHOP_VERSION or (renew and made != (schema.SHOP_VERSION, seed, today)):
            make_demo_shop(path, today=today, seed=seed)


def _prepare_tickets(db: sqlite3.Connection) -> None:
    db.executescript(schema.TICKETS)
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'tickets', ?"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tickets')",
        (schema.FIRST_TICKET - 1,),
    )


def _orders(db: sqlite3.Connection, condition: str, value: str) -> tuple[Order, ...]:
    # `condition` is one of this module's own two; the value is bound.
    rows = db.execute(f"SELECT * FROM orders WHERE {condition} ORDER BY placed_on DESC, number", (value,))  # noqa: S608
    return tuple(_order(db, row) for row in rows.fetchall())


def _order(db: sqlite3.Connection, row: sqlite3.Row) -> Order:
    number = (row["number"],)
    return Order(
        number=row["number"],
        status=row["status"],
        placed_on=dt.date.fromisoformat(row["placed_on"]),
        currency=row["currency"],
        total=_amount(row["total_cents"]),
        postcode=row["postcode"],
        phone=row["phone"],
        items=tuple(
            Item(sku=item["sku"], name=item["name"], quantity=item["quantity"], price=_amount(item["price_cents"]))
            for item in db.execute("SELECT * FROM items WHERE order_number = ? ORDER BY position", number)
        ),
        parcels=tuple(
            Parcel(
                number=parcel["number"],
                status=parcel["status"],
                carrier=parcel["carrier"],
                place=parcel["place"],
                expected_on=_day(parcel["expected_on"]),
                delivered_on=_day(parcel["delivered_on"]),
                left_at=parcel["left_at"],
            )
            for parcel in db.execute("SELECT * FROM parcels WHERE order_number = ? ORDER BY number", number)
        ),
        expected_on=_day(row["expected_on"]),
        expected_window=row["expected_window"],
        delivered_on=_day(row["delivered_on"]),
        carrier=row["carrier"],
        place=row["place"],
        delay_reason=row["delay_reason"],
        refund_amount=None if row["refund_cents"] is None else _amount(row["refund_cents"]),
    )


def _create_ticket(db: sqlite3.Connection, draft: TicketDraft, key: str, created_at: dt.datetime) -> sqlite3.Row | None:
    # The insert itself refuses a doubled key (two processes); looking first keeps the numbers without gaps.
    found = "SELECT * FROM tickets WHERE key = ?"
    row: sqlite3.Row | None = db.execute(found, (key,)).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO tickets (key, created_at, reason, summary, caller, order_number, verified, priority,"
            " transcript, facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (
                *(key, created_at.isoformat(timespec="seconds"), draft.reason, draft.summary, draft.caller),
                *(draft.order_number, int(draft.verified), draft.priority),
                *(json.dumps(draft.transcript), json.dumps(dict(draft.facts), default=str)),
            ),
        )
        row = db.execute(found, (key,)).fetchone()
    return row


def _ticket(row: sqlite3.Row) -> Ticket:
    return Ticket(
        id=f"T-{row['number']}",
        created_at=dt.datetime.fromisoformat(row["created_at"]),
        draft=TicketDraft(
            reason=row["reason"],
            summary=row["summary"],
            caller=row["caller"],
            order_number=row["order_number"],
            verified=bool(row["verified"]),
            priority=row["priority"],
            transcript=tuple(json.loads(row["transcript"])),
            facts=json.loads(row["facts"]),
        ),
    )


def _amount(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)
