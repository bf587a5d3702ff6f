"""What the demo shop does for callers: deliveries, returns, promotions, messages; each change once, and remembered."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.common.service_error import ServiceError
from agent.shop.demo import fixed_data
from agent.shop.demo.shop import DemoShop, open_demo_shop
from agent.shop.services import ShopServices

NOW = dt.datetime(2026, 11, 23, 15, 30, tzinfo=dt.UTC)  # a Monday
TODAY = NOW.date()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[DemoShop]:
    shop = await open_demo_shop(tmp_path, now=lambda: NOW)
    yield shop
    await shop.close()


@pytest.fixture
def services(shop: DemoShop) -> ShopServices:
    return services_of(shop)


def services_of(shop: DemoShop) -> ShopServices:
    async def at_once(_seconds: float) -> None:
        return None

    return ShopServices.of(shop.systems, policy=shop.policy, today=lambda: TODAY, pause=at_once)


async def ask(services: ShopServices, name: str, key: str = "", **arguments: object) -> dict[str, object]:
    result = await services.perform(name, arguments, key)
    (inner,) = result.values() if len(result) == 1 else (result,)
    return inner  # type: ignore[no-any-return]


async def refused(services: ShopServices, name: str, **arguments: object) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        await services.perform(name, arguments, "refused")
    return caught.value.code, caught.value.reason


def in_days(days: int) -> str:
    return (TODAY + dt.timedelta(days=days)).isoformat()


RETURN = {
    "number": "10437",
    "item": "BTS-410-TAN",
    "reason": "wrong_size",
    "condition": "unopened",
    "route": "label",
    "refund": "original",
}


class TestDeliveries:
    async def test_every_postcode_of_a_known_person_has_streets(self, shop: DemoShop) -> None:
        for person in fixed_data.FIXED_CUSTOMERS:
            found = await shop.shipments.streets(person.postcode)
            assert found.city == person.city
            assert len(found.streets) == fixed_data.STREETS_PER_POSTCODE

    async def test_the_recogniser_that_ships_knows_every_street(self) -> None:
        from agent.speech.model import bundled_model

        words = set((bundled_model() / "vocabulary.txt").read_text(encoding="utf-8").split())
        assert {word for name in fixed_data.STREET_NAMES for word in name.lower().split()} <= words

    async def test_a_postcode_nobody_knows_has_none(self, services: ShopServices) -> None:
        assert await refused(services, "shipments.streets", postcode="00000") == ("not_found", "")

    async def test_a_packed_order_goes_to_its_new_address(self, services: ShopServices, shop: DemoShop) -> None:
        address = {"postcode": "98109", "street": "Oak Street", "house": "12"}
        change = await ask(services, "shipments.change_address", "a", number="64350", **address)
        assert change["confirmation"] == "C-3001"
        assert (change["house"], change["street"], change["city"]) == ("12", "Oak Street", "Seattle")
        assert (await shop.orders.find("64350")).postcode == "98109"

    async def test_what_has_left_keeps_its_address(self, services: ShopServices) -> None:
        address = {"postcode": "98109", "street": "Oak Street", "house": "12"}
        assert await refused(services, "shipments.change_address", number="10473", **address) == (
            *("not_allowed", "already_shipped"),
        )

    async def test_a_delivery_comes_on_the_new_day(self, services: ShopServices) -> None:
        change = await ask(services, "shipments.reschedule", "d", number="10473", date=in_days(3), window="17:00-20:00")
        assert (change["date"], change["window"]) == (in_days(3), "17:00-20:00")
        shipment = await ask(services, "shipments.track", number="10473")
        assert (shipment["expected_on"], shipment["expected_window"]) == (in_days(3), "17:00-20:00")

    @pytest.mark.parametrize(("days", "reason"), [(0, "too_early"), (40, "too_late"), (6, "no_delivery_that_day")])
    async def test_days_that_cannot_be_are_refused(self, services: ShopServices, days: int, reason: str) -> None:
        found = await refused(services, "shipments.reschedule", number="10473", date=in_days(days))
        assert found == ("not_allowed", reason)

    async def test_a_parcel_is_searched_for_once(self, services: ShopServices) -> None:
        first = await ask(services, "shipments.investigate", "one", number="36190", note="not with the neighbor")
        again = await ask(services, "shipments.investigate", "two", number="36190")
        assert first == {"number": "N-5001", "order_number": "36190", "answer_by": in_days(3), "existing": False}
        assert again == {**first, "existing": True}

    async def test_nothing_is_searched_for_that_has_not_arrived(self, services: ShopServices) -> None:
        assert await refused(services, "shipments.investigate", number="15862") == ("not_allowed", "not_delivered")


class TestReturns:
    async def test_a_return_is_opened_once_whatever_is_repeated(self, services: ShopServices) -> None:
        made = await asyncio.gather(*(ask(services, "returns.create", "k", **RETURN) for _ in range(8)))
        assert {one["number"] for one in made} == {"R-2101"}
        assert (made[0]["item"], made[0]["amount"]) == ("Leather Boots", 149.5)

    async def test_two_calls_at_once_open_one_return(self, services: ShopServices) -> None:
        made = await asyncio.gather(
            *(services.perform("returns.create", RETURN, f"call-{n}") for n in range(8)), return_exceptions=True
        )
        refusals = [one for one in made if isinstance(one, ServiceError)]
        assert len(refusals) == 7
        assert {one.reason for one in refusals} == {"return_exists"}

    async def test_the_key_holds_after_a_restart(self, services: ShopServices, shop: DemoShop, tmp_path: Path) -> None:
        first = await ask(services, "returns.create", "k", **RETURN)
        await shop.close()
        again = await open_demo_shop(tmp_path, now=lambda: NOW)
        try:
            assert await ask(services_of(again), "returns.create", "k", **RETURN) == first
        finally:
            await again.close()

    async def test_another_days_returns_belong_to_orders_that_are_no_more(
        self, services: ShopServices, shop: DemoShop, tmp_path: Path
    ) -> None:
        await ask(services, "returns.create", "k", **RETURN)
        await shop.close()
        tomorrow = await open_demo_shop(tmp_path, now=lambda: NOW + dt.timedelta(days=1))
        try:
            assert await tomorrow.returns.of_order("10437") == ()
        finally:
            await tomorrow.close()

    async def test_of_three_items_the_candle_stays_sold(self, services: ShopServices) -> None:
        found = await ask(services, "returns.eligibility", number="58124")
        items = found["items"]
        assert isinstance(items, list)
        assert found["allowed"]
        assert {item["name"]: item["reason"] for item in items} == {
            "Rain Jacket": "",
            "Wool Scarf": "",
            "Lavender Candle": "non_returnable",
        }

    @pytest.mark.parametrize(
        ("number", "reason"),
        [("71936", "window_over"), ("47086", "return_exists"), ("10473", "not_delivered"), ("78701", "cancelled")],
    )
    async def test_orders_that_cannot_come_back_say_why(self, services: ShopServices, number: str, reason: str) -> None:
        found = await ask(services, "returns.eligibility", number=number)
        assert (found["allowed"], found["reason"]) == (False, reason)

    async def test_an_open_return_is_found_with_its_state(self, services: ShopServices) -> None:
        result = await services.perform("returns.status", {"number": "47086"}, "")
        assert [(one["number"], one["state"]) for one in result["returns"]] == [("R-2001", "in_transit")]

    @pytest.mark.parametrize(
        ("number", "state"),
        [("47086", "waiting_for_goods"), ("83615", "in_progress"), ("97248", "sent"), ("78701", "cancelled")],
    )
    async def test_the_money_is_where_it_is(self, services: ShopServices, number: str, state: str) -> None:
        assert (await ask(services, "refunds.status", number=number))["state"] == state


class TestOffersAndMessages:
    async def test_whoever_has_ordered_twice_has_used_the_welcome(self, services: ShopServices) -> None:
        welcome = {"id": "welcome", "once": "true"}
        used = await services.perform("promotions.check", {"promotion": welcome, "number": "85512"}, "")
        new = await services.perform("promotions.check", {"promotion": welcome, "number": "41286"}, "")
        assert (used["check"]["reason"], new["check"]["reason"]) == ("used", "")

    async def test_points_are_the_customers(self, services: ShopServices) -> None:
        found = await ask(services, "loyalty.points", number="10437")
        assert (found["points"], found["tier"], found["next_tier"], found["points_to_next"]) == (
            620,
            "silver",
            "gold",
            380,
        )

    async def test_a_message_goes_to_the_orders_phone_once(self, services: ShopServices, shop: DemoShop) -> None:
        values = {"number": "R-2101", "send_by": "Monday"}
        sent = [
            await ask(services, "messages.send", "m", number="10473", template="return_label", values=values)
            for _ in range(2)
        ]
        assert sent == [{"id": "M-1", "to_last_digits": "43"}] * 2
        rows = await shop.database.run(lambda db: db.execute("SELECT phone, text FROM messages").fetchall())
        assert len(rows) == 1
        assert rows[0]["phone"] == "+12025550143"
        assert "R-2101" in rows[0]["text"]


async def test_one_phone_has_three_orders(services: ShopServices) -> None:
    result = await services.perform("orders.find_by_phone", {"phone": "619 555 0107", "postcode": "92103"}, "")
    assert [order["number"] for order in result["orders"]] == ["85512", "26408", "39751"]


class TestOddOrders:
    """The demo shop with goods without SKU, states seldom seen, and numbers without their letters."""

    def change(self, tmp_path: Path, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "shop.sqlite")) as db, db:
            db.execute(statement)

    async def test_two_goods_without_a_sku_come_back_one_after_the_other(
        self, services: ShopServices, tmp_path: Path
    ) -> None:
        self.change(tmp_path, "UPDATE items SET sku = '' WHERE order_number = '58124'")
        how = {"reason": "changed_mind", "condition": "unopened", "route": "label", "refund": "original"}
        first = await ask(services, "returns.create", "k1", number="58124", item="Rain Jacket", **how)
        found = await ask(services, "returns.eligibility", number="58124")
        items = found["items"]
        assert isinstance(items, list)
        assert [(item["name"], item["allowed"]) for item in items] == [
            ("Rain Jacket", False),
            ("Wool Scarf", True),
            ("Lavender Candle", True),
        ]
        second = await ask(services, "returns.create", "k2", number="58124", item=items[1]["line"], **how)
        assert (first["item"], second["item"]) == ("Rain Jacket", "Wool Scarf")
        assert first["amount"] != second["amount"]

    async def test_an_order_to_be_picked_up_is_not_delivered_anywhere(
        self, services: ShopServices, tmp_path: Path
    ) -> None:
        self.change(tmp_path, "UPDATE orders SET status = 'ready_for_pickup' WHERE number = '10473'")
        shipment = await ask(services, "shipments.track", number="10473")
        assert (shipment["address_reason"], shipment["reschedule_reason"]) == ("pickup", "pickup")

    async def test_the_letters_in_front_of_a_number_may_be_left_out(self, services: ShopServices) -> None:
        assert (await ask(services, "orders.find", number="20841"))["number"] == "MF20841"

    async def test_an_order_without_a_refund_is_known_to_have_none(self, services: ShopServices) -> None:
        assert (await ask(services, "refunds.status", number="10437"))["state"] == "none"
