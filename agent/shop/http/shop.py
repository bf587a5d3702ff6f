"""HttpShop: the shop built from mapping files; unmapped operations go to another shop or fail."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.shop.http.adapters import (
    HttpCustomers,
    HttpDeliveries,
    HttpLoyalty,
    HttpMessages,
    HttpOrders,
    HttpTickets,
)
from agent.shop.http.fulfilment import HttpReturns, HttpShipments
from agent.shop.http.idempotency_cache import IdempotencyCache
from agent.shop.http.idempotency_store import IdempotencyStore
from agent.shop.http.mapping import SystemMapping
from agent.shop.http.order_changes import HttpOrderChanges
from agent.shop.http.system import HttpSystem
from agent.shop.protocols import ShopSystems


@dataclass(frozen=True)
class HttpShop:
    """The mapped systems, opened. Close it."""

    orders: HttpOrders
    customers: HttpCustomers
    tickets: HttpTickets
    shipments: HttpShipments
    returns: HttpReturns
    loyalty: HttpLoyalty
    messages: HttpMessages
    order_changes: HttpOrderChanges
    deliveries: HttpDeliveries | None
    """None where no system lists deliveries."""
    mapped: Mapping[str, HttpSystem]
    """By name."""

    @property
    def systems(self) -> ShopSystems:
        """All doors of the shop."""
        return ShopSystems(
            orders=self.orders,
            customers=self.customers,
            tickets=self.tickets,
            shipments=self.shipments,
            returns=self.returns,
            loyalty=self.loyalty,
            messages=self.messages,
            order_changes=self.order_changes,
            deliveries=self.deliveries,
        )

    def status(self) -> Mapping[str, Any]:
        """Return each system's breaker and last failure, for the agent's health."""
        return {name: system.status() for name, system in self.mapped.items()}

    async def close(self) -> None:
        """Close every connection; idempotent."""
        for system in self.mapped.values():
            await system.close()


def open_http_shop(
    specs: Sequence[SystemMapping],
    *,
    now: Callable[[], dt.datetime],
    otherwise: ShopSystems | None = None,
    region: str = "US",
    kept: IdempotencyStore | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> HttpShop:
    """Open the systems; call it in a running loop. Nothing is asked of them yet.

    ``now`` gives the shop's local time, aware. ``otherwise`` serves the operations that no system maps; without it
    they fail as ``unavailable`` (customers: nobody is known; used promotions: none). ``kept`` remembers changes over a
    restart; whoever opened it closes it.
    Raises ServiceError ``unavailable`` for a CA file that cannot be used.
    """
    repeats = IdempotencyCache(kept)
    mapped = {spec.system: HttpSystem(spec, now, region, repeats, clock) for spec in specs}
    served = {name: system for system in mapped.values() for name in system.spec.operations}
    for system in mapped.values():
        system.open()
    return HttpShop(
        orders=HttpOrders(served, otherwise.orders if otherwise else None),
        customers=HttpCustomers(served, otherwise.customers if otherwise else None),
        tickets=HttpTickets(served, now, otherwise.tickets if otherwise else None),
        shipments=HttpShipments(served, otherwise.shipments if otherwise else None),
        returns=HttpReturns(served, lambda: now().date(), otherwise.returns if otherwise else None),
        loyalty=HttpLoyalty(served, otherwise.loyalty if otherwise else None),
        messages=HttpMessages(served, otherwise.messages if otherwise else None),
        order_changes=HttpOrderChanges(served, "orders.find" in served, otherwise.order_changes if otherwise else None),
        deliveries=HttpDeliveries(listing) if (listing := served.get("orders.delivered_since")) else None,
        mapped=mapped,
    )
