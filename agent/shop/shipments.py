"""Models and pure rules of shipments: what is on its way, what may still be changed and why not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from agent.shop.models import Order, order_data
from agent.shop.policy import Policy
from agent.shop.refusal import Refusal

_WHY_NO_ADDRESS = {
    "shipped": "already_shipped",
    "in_transit": "already_shipped",
    "delayed": "already_shipped",
    "out_for_delivery": "out_for_delivery",
    "held_at_customs": "held_at_customs",
    "delivered": "delivered",
    "cancelled": "cancelled",
    "returned": "returned",
    "refunded": "refunded",
    "partly_shipped": "already_shipped",
    "delivery_attempted": "already_shipped",
    "delivery_failed": "already_shipped",
    "ready_for_pickup": "pickup",
    "picked_up": "pickup",
    "completed": "completed",
    "unknown": "unknown",
}
_WHY_NO_DAY = {
    "awaiting_payment": "awaiting_payment",
    "held_at_customs": "held_at_customs",
    "delivered": "delivered",
    "cancelled": "cancelled",
    "returned": "returned",
    "refunded": "refunded",
    "on_hold": "on_hold",
    "delivery_failed": "delivery_failed",
    "ready_for_pickup": "pickup",
    "picked_up": "pickup",
    "completed": "completed",
    "unknown": "unknown",
}
_NOT_COUNTED = frozenset(("cancelled", "unknown"))
"""Parcels that do not show whether anything has left."""
OFFERED_DAYS = 5
"""How many days a caller is offered at most."""


@dataclass(frozen=True)
class Address:
    """Where an order goes."""

    house: str = field(repr=False)
    street: str = field(repr=False)
    city: str = field(repr=False)
    postcode: str = field(repr=False)


@dataclass(frozen=True)
class Streets:
    """The streets of a postcode, as an address directory knows them."""

    postcode: str
    city: str
    streets: tuple[str, ...]


@dataclass(frozen=True)
class ParcelInvestigation:
    """A search for a parcel that is marked delivered and has not come."""

    number: str
    """What the caller is told: ``N-5001``."""
    order_number: str
    answer_by: dt.date
    existing: bool = False
    """True when it had been opened before."""


@dataclass(frozen=True)
class Shipment:
    """One order's delivery and what may be changed about it."""

    order: Order
    address_refusal: str
    """Why the address cannot be changed any more; ``""`` when it can."""
    reschedule_refusal: str
    """Why the day cannot be changed; ``""`` when it can."""
    days: tuple[dt.date, ...] = ()
    """The next days it could come on instead."""
    latest: dt.date | None = None
    windows: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeliveryChange:
    """A change the carrier or the warehouse has confirmed."""

    confirmation: str
    """What the caller is told: ``C-3001``."""
    order_number: str
    address: Address | None = None
    day: dt.date | None = None
    window: str = ""
    note: str = ""
    """What the driver is told."""


def address_refusal(order: Order) -> str:
    """Return why the delivery address cannot be changed, ``""`` when it can: only before anything has left."""
    moving = any(parcel.status in _WHY_NO_ADDRESS and parcel.status not in _NOT_COUNTED for parcel in order.parcels)
    return _WHY_NO_ADDRESS.get(order.status, "already_shipped" if moving else "")


def shipment(order: Order, policy: Policy, today: dt.date) -> Shipment:
    """Work out what may be changed about an order's delivery."""
    refusal = _WHY_NO_DAY.get(order.status, "")
    if refusal:
        return Shipment(order, address_refusal(order), refusal)
    first = _first_day(order, today)
    latest = first + dt.timedelta(days=policy.reschedule_days)
    possible = (first + dt.timedelta(days=n) for n in range(policy.reschedule_days + 1))
    days = [day for day in possible if day.weekday() not in policy.no_delivery_weekdays and day != order.expected_on]
    return Shipment(order, address_refusal(order), "", tuple(days[:OFFERED_DAYS]), latest, policy.windows)


def check_address(order: Order) -> None:
    """Raise :class:`Refusal` when the address cannot be changed."""
    refusal = address_refusal(order)
    if refusal:
        raise Refusal(refusal, "the delivery address cannot be changed any more")


def check_note(order: Order) -> None:
    """Raise :class:`Refusal` when no driver can be told anything about the order any more."""
    refusal = "out_for_delivery" if order.status == "out_for_delivery" else _WHY_NO_DAY.get(order.status, "")
    if refusal and refusal not in ("awaiting_payment", "on_hold", "held_at_customs"):
        raise Refusal(refusal, "no note can be left for the driver any more")


def check_missing(order: Order) -> None:
    """Raise :class:`Refusal` unless something of the order is marked delivered."""
    if not {"delivered", "picked_up"} & {order.status, *(parcel.status for parcel in order.parcels)}:
        raise Refusal("not_delivered", "nothing of this order is marked delivered yet")


def check_day(order: Order, policy: Policy, today: dt.date, day: dt.date, window: str) -> None:
    """Raise :class:`Refusal` when the order cannot come on this day in this window (``""``: any)."""
    now = shipment(order, policy, today)
    if now.reschedule_refusal or now.latest is None:
        raise Refusal(now.reschedule_refusal, "this delivery cannot be put on another day")
    first = _first_day(order, today)
    if day < first:
        raise Refusal("too_early", f"the first possible day is {first.isoformat()}")
    if day > now.latest:
        raise Refusal("too_late", f"the last possible day is {now.latest.isoformat()}")
    if day.weekday() in policy.no_delivery_weekdays:
        raise Refusal("no_delivery_that_day", "nothing is delivered on that weekday")
    if window and window not in policy.windows:
        raise Refusal("unknown_window", f"the windows are {', '.join(policy.windows)}")


def _first_day(order: Order, today: dt.date) -> dt.date:
    tomorrow = today + dt.timedelta(days=1)
    # What is still far away cannot come sooner than it is expected.
    return tomorrow if order.expected_on is None else max(tomorrow, order.expected_on)


def shipment_data(found: Shipment) -> dict[str, Any]:
    """Return a shipment as JSON-like data for the dialog; no owner's data."""
    order = order_data(found.order)
    names = (
        *("number", "status", "carrier", "place", "expected_on", "expected_window", "delivered_on"),
        *("delay_reason", "parcels"),
    )
    return {
        **{name: order[name] for name in names},
        "can_change_address": not found.address_refusal,
        "address_reason": found.address_refusal,
        "can_reschedule": not found.reschedule_refusal,
        "reschedule_reason": found.reschedule_refusal,
        "days": [day.isoformat() for day in found.days],
        "latest": None if found.latest is None else found.latest.isoformat(),
        "windows": list(found.windows),
    }


def change_data(change: DeliveryChange) -> dict[str, Any]:
    """Return a confirmed change as JSON-like data for the dialog."""
    address = change.address
    return {
        "confirmation": change.confirmation,
        "number": change.order_number,
        "house": address.house if address else None,
        "street": address.street if address else None,
        "city": address.city if address else None,
        "postcode": address.postcode if address else None,
        "date": None if change.day is None else change.day.isoformat(),
        "window": change.window or None,
        "note": change.note or None,
    }


def investigation_data(case: ParcelInvestigation) -> dict[str, Any]:
    """Return a search as JSON-like data for the dialog."""
    return {
        "number": case.number,
        "order_number": case.order_number,
        "answer_by": case.answer_by.isoformat(),
        "existing": case.existing,
    }
