"""Orders changed before they are sent: what may be changed, once, and what the order is then."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent.common.service_error import ServiceError
from agent.shop import normalise, order_changes
from agent.shop.demo.shop import DemoShop, open_demo_shop
from agent.shop.models import Order, OrderItem, Parcel
from agent.shop.policy import Policy
from agent.shop.services import ShopServices

NOW = dt.datetime(2026, 11, 23, 15, 30, tzinfo=dt.UTC)
ORDER = Order(
    number="1",
    status="placed",
    placed_on=NOW.date(),
    currency="USD",
    total=Decimal(64),
    postcode="60614",
    phone="",
    items=(OrderItem("MUG", "Mug", 1, Decimal(14)), OrderItem("PAN", "Pan", 2, Decimal(25))),
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[DemoShop]:
    opened = await open_demo_shop(tmp_path, now=lambda: NOW)
    yield opened
    await opened.close()


def services_of(shop: DemoShop, **policy: Any) -> ShopServices:
    rules = replace(shop.policy, **policy)
    return ShopServices.of(shop.systems, policy=rules, today=lambda: NOW.date(), verify_floor_seconds=0)


async def refused(services: ShopServices, operation: str, /, **arguments: object) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        await services.perform(operation, arguments, "refused")
    return caught.value.code, caught.value.reason


@pytest.mark.parametrize(
    ("status", "parcels", "refusal"),
    [
        ("placed", (), ""),
        ("awaiting_payment", (), ""),
        ("on_hold", (), ""),
        ("packed", (), "packed"),
        ("placed", (Parcel("1", "in_transit", "UPS"),), "already_shipped"),
        ("placed", (Parcel("1", "packed", "UPS"),), ""),
        ("partly_shipped", (), "already_shipped"),
        ("delivered", (), "delivered"),
        ("cancelled", (), "cancelled"),
        ("unknown", (), "unknown"),
    ],
)
def test_only_what_has_not_left_is_cancelled(status: Any, parcels: tuple[Parcel, ...], refusal: str) -> None:
    order = replace(ORDER, status=status, parcels=parcels)
    assert order_changes.cancel_refusal(order, Policy(), ("cancel",)) == refusal


def test_what_the_system_cannot_do_is_told_as_such() -> None:
    assert order_changes.cancel_refusal(ORDER, Policy(), ()) == "not_served"
    assert order_changes.changeable_data(ORDER, Policy(), ("remove",))["kinds"] == ["remove"]


def test_a_shop_that_wants_it_done_by_people_says_so() -> None:
    assert order_changes.cancel_refusal(ORDER, Policy(cancel_while=()), ("cancel",)) == "not_allowed"


async def test_a_cancelled_order_is_cancelled_and_its_money_goes_back(shop: DemoShop) -> None:
    services = services_of(shop)
    before = (await services.perform("orders.find", {"number": "41286"}, ""))["order"]
    made = (await services.perform("orders.cancel", {"number": "41286"}, "key-1"))["order_change"]
    assert (made["refunded"], made["refund_due"], made["amount"]) == (True, False, before["total"])
    again = (await services.perform("orders.find", {"number": "41286"}, ""))["order"]
    assert (again["status"], again["refund_amount"]) == ("cancelled", before["total"])
    assert await refused(services, "orders.cancel", number="41286") == ("not_allowed", "cancelled")


async def test_an_order_that_was_not_paid_gives_nothing_back(shop: DemoShop) -> None:
    made = (await services_of(shop).perform("orders.cancel", {"number": "52719"}, "key-1"))["order_change"]
    assert (made["refunded"], made["refund_due"], made["amount"]) == (False, False, None)


async def test_a_line_is_taken_out_and_another_number_and_option_ordered(shop: DemoShop) -> None:
    services = services_of(shop)
    found = (await services.perform("orders.changeable", {"number": "41286"}, ""))["changeable"]
    first, second = found["items"]
    change = {"number": "41286", "line": first["line"]}
    await services.perform("orders.set_quantity", {**change, "quantity": "3"}, "key-1")
    await services.perform("orders.set_option", {**change, "option": "blue"}, "key-2")
    await services.perform("orders.remove_line", {"number": "41286", "line": second["line"]}, "key-3")
    order = (await services.perform("orders.find", {"number": "41286"}, ""))["order"]
    assert [(item["name"], item["quantity"]) for item in order["items"]] == [(f"{first['name']}, blue", 3)]
    assert order["total"] == pytest.approx(found["total"] + 2 * first["price"] - second["price"] * second["quantity"])
    assert await refused(services, "orders.remove_line", **change) == ("not_allowed", "only_item")


async def test_the_same_key_changes_once(shop: DemoShop) -> None:
    services = services_of(shop)
    line = (await services.perform("orders.changeable", {"number": "41286"}, ""))["changeable"]["items"][0]["line"]
    one = await services.perform("orders.set_quantity", {"number": "41286", "line": line, "quantity": 2}, "key-1")
    two = await services.perform("orders.set_quantity", {"number": "41286", "line": line, "quantity": 2}, "key-1")
    assert one["order_change"]["confirmation"] == two["order_change"]["confirmation"]


async def test_a_change_that_is_asked_for_again_with_its_key_is_answered_though_the_order_no_longer_allows_it(
    shop: DemoShop,
) -> None:
    services = services_of(shop)
    line = (await services.perform("orders.changeable", {"number": "41286"}, ""))["changeable"]["items"][1]["line"]
    for name, arguments in (("orders.remove_line", {"line": line}), ("orders.cancel", {})):
        one = await services.perform(name, {"number": "41286", **arguments}, f"key-{name}")
        two = await services.perform(name, {"number": "41286", **arguments}, f"key-{name}")
        assert one["order_change"]["confirmation"] == two["order_change"]["confirmation"]


async def test_what_makes_no_sense_is_refused_and_changes_nothing(shop: DemoShop) -> None:
    services = services_of(shop)
    line = (await services.perform("orders.changeable", {"number": "41286"}, ""))["changeable"]["items"][0]["line"]
    for quantity in ("0", "100", "two", -1, ""):
        code, _ = await refused(services, "orders.set_quantity", number="41286", line=line, quantity=quantity)
        assert code == "bad_request"
    assert await refused(services, "orders.remove_line", number="41286", line="no such line") == ("not_found", "")
    assert await refused(services, "orders.cancel", number="10473") == ("not_allowed", "already_shipped")


class TestSecondFacts:
    async def test_each_fact_the_shop_takes_opens_the_order(self, shop: DemoShop) -> None:
        services = services_of(shop)
        email = (await shop.orders.find("10473")).email
        for fact in ({"postcode": "60614"}, {"phone": "202-555-0143"}, {"email": email}, {"name": "Maria Lopez"}):
            found = await services.perform("orders.verify", {"number": "10473", **fact}, "")
            assert found["order"]["number"] == "10473"

    async def test_a_fact_the_shop_does_not_take_is_refused(self, shop: DemoShop) -> None:
        services = services_of(shop, second_facts=("postcode",))
        found = await refused(services, "orders.verify", number="10473", name="Maria Lopez")
        assert found == ("not_allowed", "fact_not_taken")

    async def test_of_two_facts_both_must_fit(self, shop: DemoShop) -> None:
        code, _ = await refused(services_of(shop), "orders.verify", number="10473", postcode="60614", name="Jane Roe")
        assert code == "not_found"

    @pytest.mark.parametrize(
        ("said", "known", "same"),
        [
            ("j a n e dot doe at example dot com", "Jane.Doe@example.com", True),
            ("jane underscore doe seven at example dot com", "jane_doe7@example.com", True),
            ("jane doe at example dot com", "jane.doe@example.org", False),
            ("at example dot com", "jane@example.com", False),
            ("jane", "", False),
            ("", "", False),
        ],
    )
    def test_a_spelled_address_is_compared_by_letters_and_digits(self, said: str, known: str, same: bool) -> None:
        assert normalise.same_email(said, known) is same

    @pytest.mark.parametrize(
        ("said", "known", "same"),
        [
            ("maria lopez", "Maria López", True),
            ("lopez maria", "Maria Lopez", True),
            ("mrs maria lopez", "Maria Lopez", True),
            ("maria", "Maria Lopez", False),
            ("lopez", "Lopez", False),
            ("maria perez", "Maria Lopez", False),
            ("", "", False),
        ],
    )
    def test_a_name_counts_as_a_whole(self, said: str, known: str, same: bool) -> None:
        assert normalise.same_name(said, known) is same
