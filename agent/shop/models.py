"""Models shared by all shop code: orders, parcels, items, customers and tickets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, get_args

OrderStatus = Literal[
    "placed",
    "awaiting_payment",
    "packed",
    "shipped",
    "in_transit",
    "out_for_delivery",
    "delivered",
    "delayed",
    "held_at_customs",
    "cancelled",
    "returned",
    "refunded",
    "on_hold",
    "partly_shipped",
    "delivery_attempted",
    "delivery_failed",
    "ready_for_pickup",
    "picked_up",
    "completed",
    "unknown",
]
"""Where an order or a parcel is. ``refunded``: the money is back; ``returned``: the goods are, the money is not yet.

``partly_shipped``: some of it is still with the shop. ``completed``: done, and nothing had to be shipped. ``unknown``:
the system uses a word that nobody has told us the meaning of.
"""

CancelReason = Literal["", "customer", "payment", "stock", "address", "shop"]
"""``customer`` wanted it; ``payment`` did not come; ``stock``: sold out; ``address``: nothing can be sent there;
``shop``: another decision of the shop, which only people tell."""
ORDER_STATUSES: tuple[OrderStatus, ...] = get_args(OrderStatus)


@dataclass(frozen=True)
class OrderItem:
    """One line of an order."""

    sku: str
    """The article; not every shop gives one, and two lines may have the same: see :func:`line_keys`."""
    name: str
    """As the shop writes it; cleaned for speech by whoever speaks it."""
    quantity: int | Decimal | None
    """Pieces, or a weight or a length (1.52); None when it is not known."""
    price: Decimal | None
    """For one piece, in the order's currency; None when it is not known in that currency."""
    line: str = field(default="", compare=False)
    """The system's own id of this line, which is nothing that was bought; empty when it does not tell."""


@dataclass(frozen=True)
class Parcel:
    """One box on its way."""

    number: str
    """The carrier's tracking number."""
    status: OrderStatus
    carrier: str
    place: str | None = None
    """City it was last seen in, or is going to."""
    expected_on: dt.date | None = None
    delivered_on: dt.date | None = None
    left_at: str | None = None
    """Where the driver says it was left: ``front porch``, ``with a neighbor``."""


@dataclass(frozen=True)
class Order:
    """One order. The fields that identify its owner stay out of ``repr`` and out of :func:`order_data`."""

    number: str
    status: OrderStatus
    placed_on: dt.date | None
    """None when it is not known."""
    currency: str
    """ISO 4217: what the buyer saw and paid; empty when it is not known."""
    total: Decimal | None
    """None when it is not known."""
    postcode: str = field(repr=False)
    """Of the delivery address: the usual second fact of a verification."""
    phone: str = field(repr=False)
    """As given at checkout."""
    items: tuple[OrderItem, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    expected_on: dt.date | None = None
    expected_window: str | None = None
    """``09:00-12:00``, local time of the delivery address."""
    delivered_on: dt.date | None = None
    carrier: str | None = None
    place: str | None = None
    delay_reason: str | None = None
    """In the carrier's words, which may be anything."""
    refund_amount: Decimal | None = None
    """What has gone back of it so far; zero when nothing has, None when it is not known."""
    id: str = ""
    """The system's own id, where its requests need that instead of the number."""
    more_items: bool = False
    """True when there are lines that the system has not told."""
    email: str = field(default="", repr=False)
    """As given at checkout; empty when it is not known."""
    name: str = field(default="", repr=False)
    """Of whom it is sent to; empty when it is not known."""
    cancel_reason: CancelReason = ""
    """Why it was cancelled; empty when it was not, or when that is not known."""


class PartialOrders(tuple[Order, ...]):
    """Orders of a search, but not all: some could not be read, or the search was cut off."""

    __slots__ = ()


@dataclass(frozen=True)
class Customer:
    """Someone who has ordered before."""

    id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    email: str = field(repr=False)
    tier: str = "none"
    """Loyalty tier: ``none``, ``silver``, ``gold`` or what the shop calls them; empty when it is not known."""
    points: int | None = 0
    """None when the shop has no points, or they are not known."""
    orders_count: int | None = 0
    """None when it is not known."""

    @property
    def first_name(self) -> str:
        """The name to greet with."""
        return self.name.split()[0] if self.name.split() else ""

    @property
    def first_order(self) -> bool:
        """True when the customer has ordered exactly once."""
        return self.orders_count == 1


@dataclass(frozen=True)
class TicketDraft:
    """What a person needs to take over without asking again."""

    reason: str
    """Short machine word: ``caller_asked``, ``no_match``, ``back_office_down``, ..."""
    summary: str
    caller: str = field(default="", repr=False)
    """Number the call came from; a hint, never proof."""
    order_number: str = ""
    verified: bool = False
    """True when the caller gave both facts of the order."""
    priority: int = 0
    """0 is usual; higher is more urgent."""
    transcript: tuple[str, ...] = field(default=(), repr=False)
    """One line an utterance, already redacted."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Everything else worth keeping, JSON-like."""
    page: str = field(default="", repr=False)
    """Markdown: the whole story for whoever takes over; redacted."""


@dataclass(frozen=True)
class Ticket:
    """A ticket that stands in the ticket system."""

    id: str
    """What the caller and the human are told: ``T-1042``."""
    created_at: dt.datetime
    draft: TicketDraft


def order_data(order: Order) -> dict[str, Any]:
    """Return the order as JSON-like data for the dialog: ISO dates, amounts as numbers, no owner's data."""
    return {
        "number": order.number,
        "status": order.status,
        "placed_on": _iso(order.placed_on),
        "expected_on": _iso(order.expected_on),
        "expected_window": order.expected_window,
        "delivered_on": _iso(order.delivered_on),
        "carrier": order.carrier,
        "place": order.place,
        "items": [
            {
                "name": item.name,
                "quantity": quantity_data(item.quantity),
                "sku": item.sku,
                "price": amount_data(item.price),
            }
            for item in order.items
        ],
        "more_items": order.more_items,
        "goods": _goods(order.items),
        "parcels": [
            {
                "number": parcel.number,
                "status": parcel.status,
                "carrier": parcel.carrier,
                "place": parcel.place,
                "expected_on": _iso(parcel.expected_on),
                "delivered_on": _iso(parcel.delivered_on),
                "left_at": parcel.left_at,
            }
            for parcel in order.parcels
        ],
        "delay_reason": order.delay_reason,
        "cancel_reason": order.cancel_reason,
        "refund_amount": amount_data(order.refund_amount),
        "currency": order.currency,
        "total": amount_data(order.total),
    }


def line_keys(items: Sequence[OrderItem]) -> tuple[str, ...]:
    """Return for each line of an order what tells it from the others: its id, its SKU, its name, or its place.

    SKU and name only where no other line has the same one: goods without a SKU are common, and so are two sizes of one.
    """
    keys: list[str] = []
    for place, item in enumerate(items, 1):
        for read in (_line_of, _sku_of, _name_of):
            own = read(item)
            if own and sum(read(other) == own for other in items) == 1 and own not in keys:
                keys.append(own)
                break
        else:
            keys.append(f"line {place}")
    return tuple(keys)


def _line_of(item: OrderItem) -> str:
    return item.line


def _sku_of(item: OrderItem) -> str:
    return item.sku


def _name_of(item: OrderItem) -> str:
    return item.name


def amount_data(amount: Decimal | None) -> float | None:
    """Return an amount as JSON-like data."""
    return None if amount is None else float(amount)


def quantity_data(quantity: Decimal | int | None) -> float | int | None:
    """Return a quantity as JSON-like data: a whole number where it is one."""
    if quantity is None or isinstance(quantity, int):
        return quantity
    return int(quantity) if quantity == int(quantity) else float(quantity)


def customer_data(customer: Customer) -> dict[str, Any]:
    """Return the customer as JSON-like data for the dialog; the mail address stays behind."""
    return {
        "id": customer.id,
        "name": customer.name,
        "first_name": customer.first_name,
        "phone": customer.phone,
        "tier": customer.tier,
        "points": customer.points,
        "orders_count": customer.orders_count,
        "first_order": customer.first_order,
    }


def ticket_data(ticket: Ticket) -> dict[str, Any]:
    """Return what the dialog says and hands over about a ticket."""
    return {
        "id": ticket.id,
        "created_at": ticket.created_at.isoformat(timespec="seconds"),
        "reason": ticket.draft.reason,
        "priority": ticket.draft.priority,
    }


def _goods(items: tuple[OrderItem, ...]) -> str:
    """Name an order by what is in it, the way its owner would: its first item that has a name."""
    return next((item.name for item in items if item.name), "")


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
