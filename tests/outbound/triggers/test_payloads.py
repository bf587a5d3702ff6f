from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from agent.outbound.triggers.payloads import PayloadUnreadable, read_event

NOW = datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
SHOPIFY = {
    "status": "delivered",
    "order_id": 820982911,
    "happened_at": "2026-06-01T10:00:00-04:00",
    "fulfillment_id": 77,
    "destination": {"name": "Maria Lopez", "phone": "+12025550143"},
}
WOOCOMMERCE = {
    "number": "727",
    "status": "delivered",
    "date_modified_gmt": "2026-06-01T14:00:00",
    "total": "129.90",
    "billing": {"first_name": "Maria", "last_name": "Lopez", "phone": "(202) 555-0143"},
    "shipping": {"first_name": "", "last_name": "", "phone": ""},
}
AFTERSHIP = {
    "event": "tracking_update",
    "msg": {
        "tag": "Delivered",
        "order_id": "A1",
        "tracking_number": "9400",
        "shipment_delivery_date": "2026-06-01T10:00:00-04:00",
        "smses": ["+12025550143"],
        "customer_name": "Maria Lopez",
    },
}
EASYPOST = {
    "description": "tracker.updated",
    "result": {"status": "delivered", "reference": "A1", "tracking_code": "EZ1", "updated_at": "2026-06-01T14:00:00Z"},
}
STANDARD: dict[str, Any] = {
    "type": "delivery.completed",
    "data": {
        "order": "A1",
        "delivered_at": "2026-06-01T10:00:00-04:00",
        "phone": "+12025550143",
        "name": "Maria Lopez",
        "consent": "checkbox",
        "zone": "America/New_York",
        "parcels": 2,
        "order_value": 129.9,
        "first_order": True,
    },
}
EVENTS: dict[str, dict[str, Any]] = {
    "shopify": SHOPIFY, "woocommerce": WOOCOMMERCE, "aftership": AFTERSHIP, "easypost": EASYPOST, "standard": STANDARD
}  # fmt: skip


@pytest.mark.parametrize("scheme", sorted(EVENTS))
def test_a_delivery_is_read_from_every_system(scheme: str) -> None:
    told = read_event(scheme, EVENTS[scheme], NOW)
    assert told is not None
    assert told.delivered_at == datetime(2026, 6, 1, 14, 0, tzinfo=UTC)
    assert told.order in ("A1", "727", "820982911")
    if scheme != "easypost":  # it knows no telephone: the order system does
        assert told.number
        assert told.name == "Maria Lopez"


def test_what_your_own_system_tells_is_taken_whole() -> None:
    told = read_event("standard", STANDARD, NOW)
    assert told is not None
    assert (told.consent, told.zone, told.parcels) == ("checkbox", "America/New_York", 2)
    assert (told.order_value, told.first_order) == (Decimal("129.9"), True)


@pytest.mark.parametrize(
    ("scheme", "changes"),
    [
        ("shopify", {"status": "picked_up"}),
        ("shopify", {"status": "in_transit"}),
        ("woocommerce", {"status": "completed"}),
        ("aftership", {"msg": {"tag": "Exception"}}),
        ("easypost", {"result": {"status": "out_for_delivery"}}),
        ("standard", {"type": "order.created"}),
    ],
)
def test_what_is_no_delivery_makes_nothing(scheme: str, changes: dict[str, Any]) -> None:
    assert read_event(scheme, EVENTS[scheme] | changes, NOW) is None


@pytest.mark.parametrize("body", [[], "text", None, 7])
@pytest.mark.parametrize("scheme", sorted(EVENTS))
def test_what_is_no_object_is_unreadable(scheme: str, body: Any) -> None:
    with pytest.raises(PayloadUnreadable):
        read_event(scheme, body, NOW)


@pytest.mark.parametrize(
    "data",
    [
        {"order": ""},
        {"order": ["A1"]},
        {"delivered_at": "yesterday"},
        {"delivered_at": "2026-06-01T10:00:00"},
        {"delivered_at": ""},
        {"parcels": "two"},
        {"parcels": True},
    ],
)
def test_a_delivery_without_what_it_needs_is_unreadable(data: dict[str, Any]) -> None:
    with pytest.raises(PayloadUnreadable):
        read_event("standard", STANDARD | {"data": STANDARD["data"] | data}, NOW)


def test_a_clock_that_is_ahead_makes_no_later_call() -> None:
    told = read_event("standard", STANDARD | {"data": STANDARD["data"] | {"delivered_at": "2027-01-01T00:00:00Z"}}, NOW)
    assert told is not None
    assert told.delivered_at == NOW


def test_a_local_time_without_offset_gives_way_to_the_moment_the_event_was_sent() -> None:
    message = EVENTS["aftership"]["msg"] | {
        "shipment_delivery_date": "2026-06-01T10:00:00",
        "updated_at": "2026-06-01T15:00:00+00:00",
    }
    told = read_event("aftership", EVENTS["aftership"] | {"msg": message}, NOW)
    assert told is not None
    assert told.delivered_at == datetime(2026, 6, 1, 15, 0, tzinfo=UTC)
