"""What shops and carriers tell of deliveries: each one's JSON, read into a :class:`Delivery`.

A carrier's event names a parcel, not always the order's telephone: what is lacking is asked of the order system by
whoever reads (:class:`OrderDetails`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any


@dataclass(frozen=True)
class Told:
    """A delivery as an event tells it; what it does not say is empty."""

    order: str
    delivered_at: datetime
    number: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    parcel: str = ""
    parcels: int = 1
    consent: str = ""
    zone: str = ""
    order_value: Decimal | None = None
    first_order: bool | None = None


class PayloadUnreadable(ValueError):
    """The event is signed, but not what it should be."""


def read_event(scheme: str, data: Any, now: datetime) -> Told | None:
    """Return what an event tells, None when it is not of a delivery. Raises :class:`PayloadUnreadable`."""
    if not isinstance(data, dict):
        raise PayloadUnreadable("the body is no JSON object")
    return _READERS[scheme](data, now)


def _shopify(data: Mapping[str, Any], now: datetime) -> Told | None:
    """``fulfillment_events/create``; picked up in the shop is no home delivery."""
    if _text(data, "status") != "delivered":
        return None
    address = _part(data, "destination")
    return Told(
        order=_needed(data, "order_number", "name", "order_id"),
        delivered_at=_time(data, now, "happened_at", "created_at"),
        number=_text(data, "phone") or _text(address, "phone"),
        name=_text(address, "name"),
        parcel=_text(data, "fulfillment_id"),
    )


def _woocommerce(data: Mapping[str, Any], now: datetime) -> Told | None:
    """``order.updated``; ``completed`` means sent, ``delivered`` comes from a plug-in's status."""
    if _text(data, "status") != "delivered":
        return None
    billing, shipping = _part(data, "billing"), _part(data, "shipping")
    name = f"{_text(shipping, 'first_name')} {_text(shipping, 'last_name')}".strip()
    return Told(
        order=_needed(data, "number", "id"),
        delivered_at=_time(data, now, "date_modified_gmt", utc=True),
        number=_text(shipping, "phone") or _text(billing, "phone"),
        name=name or f"{_text(billing, 'first_name')} {_text(billing, 'last_name')}".strip(),
        order_value=_amount(data.get("total")),
    )


def _aftership(data: Mapping[str, Any], now: datetime) -> Told | None:
    """``tracking_update`` with the tag Delivered."""
    message = _part(data, "msg")
    if _text(data, "event") not in ("tracking_update", "") or _text(message, "tag") != "Delivered":
        return None
    return Told(
        order=_needed(message, "order_number", "order_id"),
        delivered_at=_time(message, now, "shipment_delivery_date", "updated_at"),
        number=_first(message.get("smses")),
        name=_text(message, "customer_name"),
        parcel=_text(message, "tracking_number"),
    )


def _easypost(data: Mapping[str, Any], now: datetime) -> Told | None:
    """``tracker.updated``; the order's number is the shipment's reference."""
    result = _part(data, "result")
    if _text(data, "description") != "tracker.updated" or _text(result, "status") != "delivered":
        return None
    return Told(
        order=_needed(result, "reference", "shipment_id"),
        delivered_at=_time(result, now, "updated_at"),
        parcel=_text(result, "tracking_code"),
    )


def _standard(data: Mapping[str, Any], now: datetime) -> Told | None:
    """Your own system: ``{"type": "delivery.completed", "data": {...}}`` (docs/outbound.md)."""
    if _text(data, "type") != "delivery.completed":
        return None
    inner = _part(data, "data")
    parcels = inner.get("parcels", 1)
    first = inner.get("first_order")
    if not isinstance(parcels, int) or isinstance(parcels, bool) or not 0 < parcels < 1000:
        raise PayloadUnreadable("data.parcels is no number of parcels")
    return Told(
        order=_needed(inner, "order"),
        delivered_at=_time(inner, now, "delivered_at"),
        number=_text(inner, "phone"),
        name=_text(inner, "name"),
        parcel=_text(inner, "parcel"),
        parcels=parcels,
        consent=_text(inner, "consent"),
        zone=_text(inner, "zone"),
        order_value=_amount(inner.get("order_value")),
        first_order=first if isinstance(first, bool) else None,
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any], datetime], Told | None]] = {
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "aftership": _aftership,
    "easypost": _easypost,
    "standard": _standard,
}


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _text(data: Mapping[str, Any], name: str) -> str:
    found = data.get(name)
    return str(found).strip()[:200] if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _needed(data: Mapping[str, Any], *names: str) -> str:
    found = next((text for name in names if (text := _text(data, name))), "")
    if not found:
        raise PayloadUnreadable(f"{' or '.join(names)} is missing")
    return found


def _time(data: Mapping[str, Any], now: datetime, *names: str, utc: bool = False) -> datetime:
    """The first of these that is a moment, not later than now: a clock that is ahead makes no call later.

    A time without an offset is nobody's, unless the field is ``utc``; a date alone is the beginning of that day.
    """
    _needed(data, *names)
    for name in names:
        text = _text(data, name)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        if moment.tzinfo is None and (utc or len(text) == len("2026-06-01")):
            moment = moment.replace(tzinfo=UTC)
        if moment.tzinfo is not None:
            return min(moment, now)
    raise PayloadUnreadable(f"{' or '.join(names)} is no time with an offset")


def _amount(value: object) -> Decimal | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _first(value: object) -> str:
    return str(value[0])[:40] if isinstance(value, list) and value else ""
