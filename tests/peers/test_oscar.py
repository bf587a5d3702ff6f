"""Orders from a real django-oscar, by the mapping that comes with Orderline."""

from __future__ import annotations

import dataclasses
import datetime as dt
import urllib.error
import urllib.request
from decimal import Decimal

import pytest
import pytest_asyncio

from agent.common.service_error import ServiceError
from agent.shop.models import OrderItem, Parcel
from agent.shop.services import ShopServices
from tests.peers.conftest import OpenMapped
from tests.peers.oscar import BoughtItem, NewOrder, Oscar, ShippingEvent

PHONE, OTHER_PHONE = "+12025550123", "+12025550124"
SOCKS, MUG = BoughtItem("SOCK-1", "Wool socks", "12.50", 2), BoughtItem("MUG-1", "Blue mug", "9.00")
TRACKING = "1Z999AA10123456784"
SHIPPED = NewOrder(
    "10473",
    PHONE,
    "60614",
    (SOCKS, MUG),
    placed_at="2026-01-05T10:00:00+00:00",
    statuses=("Being processed",),
    events=(ShippingEvent("Shipped", "2026-01-06T09:00:00+00:00", TRACKING),),
)
ORDERS = (
    SHIPPED,
    NewOrder("10480", PHONE, "60614", (MUG,), placed_at="2026-01-07T10:00:00+00:00"),
    NewOrder("10481", OTHER_PHONE, "02139", (MUG,), statuses=("Being processed",)),
    NewOrder("10482", OTHER_PHONE, "02139", (MUG,), statuses=("Cancelled",)),
    NewOrder(
        "10483",
        OTHER_PHONE,
        "02139",
        (SOCKS, MUG),
        statuses=("Being processed", "Complete"),
        events=(
            ShippingEvent("Shipped", "2026-01-06T09:00:00+00:00", "BOX-1", ("SOCK-1",)),
            ShippingEvent("Shipped", "2026-01-06T10:00:00+00:00", "BOX-2", ("MUG-1",)),
            ShippingEvent("Delivered", "2026-01-08T20:00:00+00:00", "BOX-1", ("SOCK-1",)),
            ShippingEvent("Delivered", "2026-01-09T03:00:00+00:00", "BOX-2", ("MUG-1",)),
        ),
    ),
    NewOrder(
        "10484",
        OTHER_PHONE,
        "02139",
        (SOCKS, MUG),
        statuses=("Being processed",),
        events=(ShippingEvent("Shipped", "2026-01-06T09:00:00+00:00", "BOX-3", ("SOCK-1",)),),
    ),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def orders(oscar: Oscar) -> None:
    await oscar.place(ORDERS)


async def test_an_order_is_found_by_its_number_as_it_stands_in_oscars_database(
    oscar: Oscar, open_mapped: OpenMapped
) -> None:
    stored = oscar.rows(
        "SELECT number, status, currency, total_incl_tax, postcode, phone_number, line4 FROM order_order AS o"
        " JOIN order_shippingaddress AS a ON a.id = o.shipping_address_id WHERE number = ?",
        "10473",
    )[0]

    found = await open_mapped(oscar=oscar).systems.orders.find("10473")

    assert (found.number, found.postcode, found.phone) == ("10473", stored["postcode"], stored["phone_number"])
    assert (found.currency, found.total) == (stored["currency"], Decimal(str(stored["total_incl_tax"])))
    assert (found.status, found.placed_on) == ("shipped", dt.date(2026, 1, 5))
    assert found.items == (
        OrderItem("SOCK-1", "Wool socks", 2, Decimal("12.50")),
        OrderItem("MUG-1", "Blue mug", 1, Decimal("9.00")),
    )
    assert (found.carrier, found.place) == ("UPS Ground", stored["line4"])
    assert found.parcels == (Parcel(TRACKING, "shipped", "UPS Ground"),)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        *(("10480", "placed"), ("10481", "packed"), ("10482", "cancelled"), ("10483", "delivered")),
        ("10484", "partly_shipped"),
    ],
)
async def test_the_status_is_the_shops_own_in_our_words(
    oscar: Oscar, open_mapped: OpenMapped, number: str, status: str
) -> None:
    assert (await open_mapped(oscar=oscar).systems.orders.find(number)).status == status


async def test_an_order_in_two_parcels_is_delivered_with_the_last_one_on_the_shops_day(
    oscar: Oscar, open_mapped: OpenMapped
) -> None:
    found = await open_mapped(oscar=oscar).systems.orders.find("10483")

    # the second parcel arrived on the 9th in UTC, which is the evening of the 8th at the shop
    assert found.delivered_on == dt.date(2026, 1, 8)
    assert [(parcel.number, parcel.status, parcel.delivered_on) for parcel in found.parcels] == [
        ("BOX-1", "delivered", dt.date(2026, 1, 8)),
        ("BOX-2", "delivered", dt.date(2026, 1, 8)),
    ]


async def test_an_order_whose_second_parcel_has_not_left_is_not_delivered(
    oscar: Oscar, open_mapped: OpenMapped
) -> None:
    found = await open_mapped(oscar=oscar).systems.orders.find("10484")

    assert (found.delivered_on, [parcel.number for parcel in found.parcels]) == (None, ["BOX-3"])


async def test_what_changes_in_oscar_is_told_at_once(oscar: Oscar, open_mapped: OpenMapped) -> None:
    await oscar.place([dataclasses.replace(SHIPPED, number="10490", events=(), statuses=())])
    orders = open_mapped(oscar=oscar).systems.orders
    before = (await orders.find("10490")).status

    oscar.change("UPDATE order_order SET status = 'Being processed' WHERE number = '10490'")

    assert (before, (await orders.find("10490")).status) == ("placed", "packed")


async def test_an_order_without_an_address_is_found_but_nobody_can_be_verified_by_it(
    oscar: Oscar, open_mapped: OpenMapped
) -> None:
    await oscar.place([dataclasses.replace(SHIPPED, number="10491")])
    oscar.change("UPDATE order_order SET shipping_address_id = NULL WHERE number = '10491'")
    systems = open_mapped(oscar=oscar).systems

    found = await systems.orders.find("10491")
    with pytest.raises(ServiceError) as caught:
        await ShopServices.of(systems).perform("orders.verify", {"number": "10491", "postcode": ""}, "")

    assert (found.postcode, found.phone, found.status) == ("", "", "shipped")
    assert caught.value.code in ("not_found", "bad_request")


@pytest.mark.parametrize("number", ["99999", "1047", "104730"])
async def test_a_number_that_is_not_there_is_not_found(oscar: Oscar, open_mapped: OpenMapped, number: str) -> None:
    with pytest.raises(ServiceError) as caught:
        await open_mapped(oscar=oscar).systems.orders.find(number)
    assert caught.value.code == "not_found"


async def test_the_orders_of_a_phone_come_newest_first_and_nobody_elses(oscar: Oscar, open_mapped: OpenMapped) -> None:
    numbers = [
        row["number"]
        for row in oscar.rows(
            "SELECT number FROM order_order AS o JOIN order_shippingaddress AS a ON a.id = o.shipping_address_id"
            " WHERE phone_number = ? ORDER BY date_placed DESC",
            PHONE,
        )
    ]

    found = await open_mapped(oscar=oscar).systems.orders.find_by_phone(PHONE)

    assert numbers[0] == "10480"
    assert sorted(order.number for order in found) == sorted(numbers)
    assert [order.placed_on for order in found] == sorted((order.placed_on for order in found), reverse=True)
    assert {order.phone for order in found} == {PHONE}
    assert await open_mapped(oscar=oscar).systems.orders.find_by_phone("+12025550199") == []


async def test_a_caller_is_verified_by_number_and_postcode(oscar: Oscar, open_mapped: OpenMapped) -> None:
    services = ShopServices.of(open_mapped(oscar=oscar).systems)

    answer = await services.perform("orders.verify", {"number": "10473", "postcode": "60614"}, "")
    with pytest.raises(ServiceError) as caught:
        await services.perform("orders.verify", {"number": "10473", "postcode": "60615"}, "")

    assert answer["order"]["status"] == "shipped"
    assert caught.value.code == "not_found"


async def test_a_wrong_token_is_unavailable_and_says_where_the_right_one_belongs(
    oscar: Oscar, open_mapped: OpenMapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_mapped(oscar=oscar)
    monkeypatch.setenv("ORDERLINE_OSCAR_TOKEN", "wrong")

    with pytest.raises(ServiceError, match="ORDERLINE_OSCAR_TOKEN") as caught:
        await shop.systems.orders.find("10473")

    assert caught.value.code == "unavailable"


def test_the_agents_user_sees_single_orders_and_nothing_else(oscar: Oscar) -> None:
    statuses = {path: status(oscar, path) for path in ("phone-orders/", "admin/orders/", "orders/1/", "users/2/")}

    assert statuses == {"phone-orders/": 400, "admin/orders/": 404, "orders/1/": 403, "users/2/": 403}
    assert status(oscar, "phone-orders/?number=10473") == 200
    assert status(oscar, "phone-orders/?number=10473", token="wrong") == 401
    [user] = oscar.rows("SELECT is_staff, is_superuser, password FROM auth_user WHERE username = ?", oscar.user)
    assert (user["is_staff"], user["is_superuser"]) == (0, 0)
    assert user["password"].startswith("!")  # unusable


def status(oscar: Oscar, path: str, token: str = "") -> int:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{oscar.url}/api/{path}", headers={"Authorization": f"Bearer {token or oscar.token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)
