"""The demo shop behind the shop's Protocols: two SQLite files, one made again every day, one kept for tickets."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.common import file_lock
from agent.common.service_error import ServiceError
from agent.shop.demo import schema
from agent.shop.demo.database import DemoDatabase, connect
from agent.shop.demo.fixed_data import NON_RETURNABLE
from agent.shop.demo.generator import SEED, demo_shop_version, make_demo_shop
from agent.shop.demo.order_changes import DemoOrderChanges
from agent.shop.demo.orders import DemoCustomers, DemoOrders
from agent.shop.demo.returns import DemoReturns
from agent.shop.demo.shipments import DemoShipments
from agent.shop.demo.tickets_and_messages import DemoMessages, DemoTickets
from agent.shop.policy import Policy
from agent.shop.protocols import ShopSystems

POLICY = Policy(non_returnable=NON_RETURNABLE, second_facts=("postcode", "phone", "email", "name"))
"""The demo shop's rules."""
SHOP_FILE, KEPT_FILE = "shop.sqlite", "tickets.sqlite"


@dataclass(frozen=True)
class DemoShop:
    """The demo shop's systems, opened. Close it."""

    orders: DemoOrders
    customers: DemoCustomers
    tickets: DemoTickets
    shipments: DemoShipments
    returns: DemoReturns
    messages: DemoMessages
    order_changes: DemoOrderChanges
    database: DemoDatabase
    policy: Policy = POLICY

    @property
    def systems(self) -> ShopSystems:
        """All doors of the shop."""
        return ShopSystems(
            orders=self.orders,
            customers=self.customers,
            tickets=self.tickets,
            shipments=self.shipments,
            returns=self.returns,
            loyalty=self.customers,
            messages=self.messages,
            order_changes=self.order_changes,
        )

    async def close(self) -> None:
        """Close the files; idempotent."""
        await self.database.close()


async def open_demo_shop(
    folder: Path,
    *,
    now: Callable[[], dt.datetime],
    seed: int = SEED,
    renew: bool = True,
) -> DemoShop:
    """Open the demo shop in ``folder`` (``shop.sqlite`` and ``tickets.sqlite``), making what is missing.

    ``now`` gives the local time with its offset. With ``renew`` the orders are made again when they are of another
    day, seed or version, so that "tomorrow" stays tomorrow; tickets and messages are always kept, and so are returns
    and changes, but those of another day belong to orders that are no more and do not count.
    Raises ``ServiceError`` with code ``unavailable`` when the files cannot be made or read.
    """
    try:
        await asyncio.to_thread(prepare, folder, now().date(), seed=seed, renew=renew)
    except (OSError, sqlite3.Error) as error:
        raise ServiceError("unavailable", f"the demo shop in {folder} cannot be made: {error}") from error
    database = DemoDatabase(folder / SHOP_FILE, folder / KEPT_FILE)
    demo = DemoShop(
        orders=DemoOrders(database),
        customers=DemoCustomers(database),
        tickets=DemoTickets(database, now),
        shipments=DemoShipments(database),
        returns=DemoReturns(database),
        messages=DemoMessages(database, now),
        order_changes=DemoOrderChanges(database),
        database=database,
    )
    try:
        await database.run(lambda db: db.execute("SELECT 1 FROM orders").fetchone())
    except ServiceError:
        await demo.close()
        raise
    return demo


def prepare(folder: Path, today: dt.date, *, seed: int = SEED, renew: bool = True, again: bool = False) -> None:
    """Make what is missing of the demo shop's files; with ``again`` the orders whatever is there.

    Raises ``OSError`` or ``sqlite3.Error``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / SHOP_FILE
    # Two agents that start together on one folder must not swap the file under each other.
    with (folder / "shop.lock").open("w") as lock:
        file_lock.lock(lock)
        made = demo_shop_version(path)
        if (
            again
            or made is None
            or made[0] != schema.SHOP_VERSION
            or (renew and made != (schema.SHOP_VERSION, seed, today))
        ):
            make_demo_shop(path, today=today, seed=seed)
        _prepare_kept(folder / KEPT_FILE)


def _prepare_kept(path: Path) -> None:
    with closing(connect(path)) as db:
        db.executescript(schema.TICKETS_SCHEMA)
        for (table, column), kind in schema.ADDED.items():
            if column not in [row[1] for row in db.execute(f"PRAGMA table_info({table})")]:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        with db:
            db.executemany(
                "INSERT INTO sqlite_sequence (name, seq) SELECT ?, ?"
                " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)",
                [(table, first - 1, table) for table, first in schema.FIRST_NUMBERS.items()],
            )
