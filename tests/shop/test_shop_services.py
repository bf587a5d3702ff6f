"""What the call may ask of the shop, and what it is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.common.service_error import ServiceError
from agent.shop.attempts_sqlite import SqliteAttemptLimits
from agent.shop.demo.shop import DemoShop, open_demo_shop
from agent.shop.models import Order
from agent.shop.normalise import phone, postcode, same_postcode
from agent.shop.services import VERIFY_FLOOR_SECONDS, ShopServices

NOW = dt.datetime(2026, 11, 22, 15, 30, tzinfo=dt.UTC)


class Clock:
    """Time that passes only by pausing or by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    async def pause(self, seconds: float) -> None:
        self.seconds += seconds


class SlowOrders:
    """Orders that take time by a clock: longer for those that exist."""

    def __init__(self, orders: Any, clock: Clock) -> None:
        self.orders = orders
        self.clock = clock
        self.asked: list[str] = []

    async def find(self, number: str) -> Order:
        self.asked.append(number)
        self.clock.seconds += 0.010
        order: Order = await self.orders.find(number)
        self.clock.seconds += 0.150
        return order

    async def find_by_phone(self, phone: str) -> Sequence[Order]:
        raise ServiceError("unavailable", "the order system is down", retryable=True)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[DemoShop]:
    shop = await open_demo_shop(tmp_path, now=lambda: NOW)
    yield shop
    await shop.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(shop: DemoShop, clock: Clock) -> ShopServices:
    return ShopServices(shop.orders, shop.customers, shop.tickets, pause=clock.pause, clock=clock)


async def refusal(services: ShopServices, name: str, **arguments: object) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await services.perform(name, arguments, "key-1")
    return caught.value


class TestVerification:
    async def test_both_facts_open_the_order_and_tell_nothing_of_its_owner(self, services: ShopServices) -> None:
        result = await services.perform("orders.verify", {"number": "10473", "postcode": "60614"}, "")
        order = result["order"]
        assert {"status": "in_transit", "expected_on": "2026-11-23", "place": "Chicago"}.items() <= order.items()
        text = json.dumps(result)
        assert "60614" not in text
        assert "5550143" not in text
        assert set(order) == {
            *("number", "status", "placed_on", "expected_on", "expected_window", "delivered_on", "carrier", "place"),
            *(
                "items",
                "more_items",
                "goods",
                "parcels",
                "delay_reason",
                "refund_amount",
                "currency",
                "total",
                "cancel_reason",
            ),
        }
        assert set(order["items"][0]) == {"name", "quantity", "sku", "price"}
        assert set(order["parcels"][0]) == {
            *("number", "status", "carrier", "place", "expected_on", "delivered_on", "left_at"),
        }

    @pytest.mark.parametrize(("number", "code"), [(" 10-473 ", "60614-1234"), (10473, 60614), ("１０４７３", "60 614")])
    async def test_facts_are_compared_however_they_are_written(
        self, services: ShopServices, number: object, code: object
    ) -> None:
        result = await services.perform("orders.verify", {"number": number, "postcode": code}, "")
        assert result["order"]["number"] == "10473"

    async def test_a_wrong_number_and_a_wrong_postcode_are_refused_in_the_same_words_after_the_same_time(
        self, shop: DemoShop, clock: Clock
    ) -> None:
        services = ShopServices(
            SlowOrders(shop.orders, clock), shop.customers, shop.tickets, pause=clock.pause, clock=clock
        )
        outcomes = []
        for number, code in (("10472", "60614"), ("10473", "60615")):
            clock.seconds = 0.0
            error = await refusal(services, "orders.verify", number=number, postcode=code)
            outcomes.append((error.code, error.message, error.retryable, round(clock.seconds, 6)))
        assert outcomes[0] == outcomes[1]
        assert outcomes[0][0] == "not_found"
        assert outcomes[0][3] == VERIFY_FLOOR_SECONDS

    async def test_a_shop_that_answers_slowly_takes_longer_to_refuse(self, shop: DemoShop, clock: Clock) -> None:
        services = ShopServices(
            shop.orders, shop.customers, shop.tickets, pause=clock.pause, clock=clock, verify_floor_seconds=0.9
        )
        await refusal(services, "orders.verify", number="10473", postcode="60615")
        assert clock.seconds == pytest.approx(0.9)

    async def test_a_right_answer_does_not_wait(self, services: ShopServices, clock: Clock) -> None:
        await services.perform("orders.verify", {"number": "10473", "postcode": "60614"}, "")
        assert clock.seconds == 0.0

    async def test_a_system_that_is_down_is_not_taken_for_a_wrong_number(self, shop: DemoShop, clock: Clock) -> None:
        class Down(SlowOrders):
            async def find(self, number: str) -> Order:
                raise ServiceError("unavailable", "the order system is down", retryable=True)

        services = ShopServices(Down(shop.orders, clock), shop.customers, shop.tickets, pause=clock.pause, clock=clock)
        assert (await refusal(services, "orders.verify", number="10473", postcode="60614")).code == "unavailable"

    @pytest.mark.parametrize("phone", ["202-555-0143", "+1 (202) 555-0143"])
    async def test_the_phone_given_with_the_order_may_be_the_second_fact(
        self, services: ShopServices, phone: str
    ) -> None:
        result = await services.perform("orders.verify", {"number": "10473", "phone": phone}, "")
        assert result["order"]["number"] == "10473"

    @pytest.mark.parametrize(
        "facts",
        [
            {"phone": "202-555-0144"},
            {"phone": "nonsense"},
            {"phone": "202-555-0143", "postcode": "60615"},
            {"phone": "202-555-0144", "postcode": "60614"},
        ],
    )
    async def test_every_fact_that_is_given_must_fit(self, services: ShopServices, facts: dict[str, str]) -> None:
        error = await refusal(services, "orders.verify", number="10473", **facts)
        assert error.code == "not_found"

    async def test_without_a_second_fact_nothing_is_verified(self, services: ShopServices) -> None:
        for facts in ({}, {"postcode": ""}, {"phone": ""}):
            assert (await refusal(services, "orders.verify", number="10473", **facts)).code == "bad_request"

    async def test_strangers_who_lock_an_order_do_not_lock_out_the_phone_it_belongs_to(
        self, shop: DemoShop, clock: Clock, tmp_path: Path
    ) -> None:
        limits = SqliteAttemptLimits(tmp_path / "attempts.sqlite")
        services = ShopServices(
            shop.orders, shop.customers, shop.tickets, limits=limits, pause=clock.pause, clock=clock
        )
        for stranger in range(5):
            guess = {"number": "10473", "postcode": "00000", "caller": f"+1202555017{stranger}"}
            assert (await refusal(services, "orders.verify", **guess)).code == "not_found"
        right = {"number": "10473", "postcode": "60614"}
        stranger_now = await refusal(services, "orders.verify", **right, caller="+12025550188")
        assert (stranger_now.code, stranger_now.reason) == ("not_allowed", "locked")
        hidden = await refusal(services, "orders.verify", **right, caller="")
        assert hidden.reason == "locked"
        owner = {"caller": "+12025550143"}
        for _ in range(5):
            assert (await refusal(services, "orders.verify", number="10473", postcode="1", **owner)).code == "not_found"
        assert (await refusal(services, "orders.verify", **right, **owner)).reason == "locked", (
            "a forged number, perhaps"
        )
        await limits.close()

    async def test_the_owner_of_a_locked_order_is_answered_and_nobody_needs_to_know_that_it_was(
        self, shop: DemoShop, clock: Clock, tmp_path: Path
    ) -> None:
        limits = SqliteAttemptLimits(tmp_path / "attempts.sqlite")
        services = ShopServices(
            shop.orders, shop.customers, shop.tickets, limits=limits, pause=clock.pause, clock=clock
        )
        for stranger in range(5):
            await limits.failed(f"+1202555017{stranger}", "10473")
            await limits.failed(f"+1202555017{stranger}", "+12025550143")
        arguments = {"number": "10473", "postcode": "60614", "caller": "2025550143"}
        assert (await services.perform("orders.verify", arguments, "k"))["order"]["number"] == "10473"
        by_phone = {"phone": "2025550143", "postcode": "60614", "caller": "2025550143"}
        assert (await services.perform("orders.find_by_phone", by_phone, "k"))["orders"]
        await limits.close()

    async def test_words_that_match_no_postcode_never_verify(self, services: ShopServices) -> None:
        for code in ("no postcode", "nopostcode", "--"):
            error = await refusal(services, "orders.verify", number="10472", postcode=code)
            assert error.code == "not_found"


class TestLookUps:
    async def test_orders_are_found_by_number(self, services: ShopServices) -> None:
        result = await services.perform("orders.find", {"number": "20518"}, "")
        assert len(result["order"]["parcels"]) == 2

    async def test_orders_are_found_by_phone_newest_first(self, services: ShopServices) -> None:
        result = await services.perform("orders.find_by_phone", {"phone": "(202) 555-0143"}, "")
        assert result["orders"][0]["number"] == "10473"
        placed = [order["placed_on"] for order in result["orders"]]
        assert placed == sorted(placed, reverse=True)
        assert len(placed) > 1

    async def test_a_phone_with_the_wrong_postcode_is_refused_like_an_unknown_phone(
        self, services: ShopServices, clock: Clock
    ) -> None:
        wrong = await refusal(services, "orders.find_by_phone", phone="202-555-0143", postcode="99999")
        unknown = await refusal(services, "orders.find_by_phone", phone="202-555-0199", postcode="60614")
        assert (wrong.code, wrong.message) == (unknown.code, unknown.message) == ("not_found", wrong.message)
        assert clock.seconds == pytest.approx(2 * VERIFY_FLOOR_SECONDS)

    async def test_a_phone_and_its_postcode_give_the_orders(self, services: ShopServices) -> None:
        result = await services.perform("orders.find_by_phone", {"phone": "2025550143", "postcode": "60614"}, "")
        assert result["orders"][0]["number"] == "10473"

    async def test_customers_are_known_by_phone(self, services: ShopServices) -> None:
        customer = (await services.perform("customers.by_phone", {"phone": "+1 202 555 0143"}, ""))["customer"]
        assert (customer["first_name"], customer["tier"], customer["first_order"]) == ("Maria", "gold", False)
        assert "email" not in customer

    @pytest.mark.parametrize("number", ["anonymous", "100", "sip:alice@example.com", "+99999999999999999"])
    async def test_a_caller_id_that_is_no_phone_number_is_simply_unknown(
        self, services: ShopServices, number: str
    ) -> None:
        assert (await refusal(services, "customers.by_phone", phone=number)).code == "not_found"


class TestTickets:
    async def test_a_ticket_keeps_what_the_flow_knows(self, services: ShopServices, shop: DemoShop) -> None:
        result = await services.perform(
            "tickets.create",
            {
                "reason": "caller_asked",
                "summary": "Asks for a person.",
                "caller": "+12025550143",
                "order_number": "10473",
                "verified": True,
                "priority": 1,
                "transcript": ["agent: Hello", "caller: agent"],
                "mood": "calm",
            },
            "call-1/3",
        )
        ticket = await shop.tickets.find(result["ticket"]["id"])
        assert result["ticket"]["id"] == "T-1042"
        assert ticket.draft.verified is True
        assert ticket.draft.transcript == ("agent: Hello", "caller: agent")
        assert ticket.draft.facts == {"mood": "calm"}

    async def test_the_turns_of_a_call_are_told_as_a_line_for_each_who_spoke(
        self, services: ShopServices, shop: DemoShop
    ) -> None:
        turns = [{"agent": "How can I help?", "caller": "a person"}, {"agent": "One moment.", "caller": ""}]
        draft = {"reason": "x", "summary": "y", "transcript": turns}

        result = await services.perform("tickets.create", draft, "call-1/turns")

        ticket = await shop.tickets.find(result["ticket"]["id"])
        assert ticket.draft.transcript == ("agent: How can I help?", "caller: a person", "agent: One moment.")

    async def test_a_repeat_with_the_same_key_returns_the_same_ticket(self, services: ShopServices) -> None:
        arguments = {"reason": "no_match", "summary": "Could not understand."}
        results = [await services.perform("tickets.create", arguments, "call-1/3") for _ in range(3)]
        assert results[0] == results[1] == results[2]

    async def test_half_characters_in_a_caller_name_do_not_lose_the_ticket(self, services: ShopServices) -> None:
        result = await services.perform("tickets.create", {"reason": "x", "summary": "caller \ud800 asks"}, "call-1")
        assert result["ticket"]["id"] == "T-1042"

    @pytest.mark.parametrize(
        "change",
        [
            {"reason": ""},
            {"reason": None},
            {"summary": 3.5},
            {"verified": "yes"},
            {"priority": "high"},
            {"priority": 10**30},
            {"transcript": 7},
            {"facts": ["a"]},
        ],
    )
    async def test_a_draft_that_makes_no_sense_is_a_bad_request(
        self, services: ShopServices, change: dict[str, object]
    ) -> None:
        error = await refusal(services, "tickets.create", **{"reason": "x", "summary": "y"} | change)
        assert error.code == "bad_request"
        assert next(iter(change)) in error.message

    async def test_without_a_key_nothing_is_created(self, services: ShopServices) -> None:
        with pytest.raises(ServiceError) as caught:
            await services.perform("tickets.create", {"reason": "x", "summary": "y"}, "")
        assert caught.value.code == "bad_request"


async def test_an_unknown_service_is_named_together_with_the_known_ones(services: ShopServices) -> None:
    error = await refusal(services, "orders.destroy")
    assert error.code == "bad_request"
    assert "orders.destroy" in error.message
    assert "orders.verify" in error.message


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("orders.find", {}),
        ("orders.find", {"number": "  "}),
        ("orders.find", {"number": "---"}),
        ("orders.find", {"number": "1" * 500}),
        ("orders.find", {"number": ["10473"]}),
        ("orders.verify", {"number": "10473"}),
        ("customers.by_phone", {"phone": None}),
    ],
)
async def test_bad_arguments_are_bad_requests(services: ShopServices, name: str, arguments: dict[str, object]) -> None:
    assert (await refusal(services, name, **arguments)).code == "bad_request"


async def test_every_result_is_plain_json(services: ShopServices) -> None:
    for name, arguments in (
        ("orders.find", {"number": "97248"}),
        ("orders.find_by_phone", {"phone": "2025550143"}),
        ("customers.by_phone", {"phone": "2025550143"}),
        ("tickets.create", {"reason": "x", "summary": "y"}),
    ):
        result = await services.perform(name, arguments, "key")
        assert json.loads(json.dumps(result)) == result


async def test_private_data_stays_out_of_logs(shop: DemoShop) -> None:
    order, customer = await shop.orders.find("10473"), await shop.customers.by_phone("+12025550143")
    assert "60614" not in repr(order)
    assert "555" not in repr(order) + repr(customer).replace(customer.id, "")


def test_postcodes_and_phones_have_one_form() -> None:
    assert postcode(" sw1v 2tt ") == postcode("SW1V2TT") == "SW1V2TT"
    assert same_postcode("02139-4307", "02139")
    assert not same_postcode("", "")
    assert phone("(202) 555-0143") == phone("1-202-555-0143") == phone("+12025550143") == "+12025550143"
    assert phone("020 7946 0018", "GB") == "+442079460018"


async def test_the_first_of_several_numbers_that_exists_is_told(shop: DemoShop) -> None:
    services = ShopServices.of(shop.systems, policy=shop.policy)
    found = await services.perform("orders.existing", {"numbers": ["99998", "10473", "99997", "58124"]}, "")
    assert found == {"numbers": ["10473"]}
    assert await services.perform("orders.existing", {"numbers": ["99998", "99997", "99996"]}, "") == {"numbers": []}
    assert await services.perform("orders.existing", {"numbers": []}, "") == {"numbers": []}


class NotedOrders:
    """The demo's orders, some of which cannot be looked up; notes what is asked for, and how much at once."""

    def __init__(self, orders: Any, broken: Sequence[str] = ()) -> None:
        self.orders = orders
        self.broken = broken
        self.asked: list[str] = []
        self.running = self.most_running = 0

    async def find(self, number: str) -> Order:
        self.asked.append(number)
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await asyncio.sleep(0)  # whoever else was begun is running now
            if number in self.broken:
                raise ServiceError("unavailable", "the order system is down")
            order: Order = await self.orders.find(number)
            return order
        finally:
            self.running -= 1

    async def find_by_phone(self, phone: str) -> Sequence[Order]:
        return ()


def with_orders(orders: NotedOrders, shop: DemoShop) -> ShopServices:
    return ShopServices(orders, shop.systems.customers, shop.systems.tickets)


async def test_numbers_are_only_called_missing_when_they_could_be_looked_up(shop: DemoShop) -> None:
    services = with_orders(NotedOrders(shop.systems.orders, broken=["10473"]), shop)
    for numbers in (["10473", "58124"], ["99998", "10473", "58124"], ["10473"]):
        with pytest.raises(ServiceError, match="is down"):
            await services.perform("orders.existing", {"numbers": numbers}, "")
    found = await services.perform("orders.existing", {"numbers": ["58124", "10473"]}, "")
    assert found == {"numbers": ["58124"]}


async def test_numbers_are_looked_up_in_order_two_at_a_time_until_one_is_found_or_fails(shop: DemoShop) -> None:
    none = [f"9999{digit}" for digit in range(8)]
    orders = NotedOrders(shop.systems.orders)
    assert await with_orders(orders, shop).perform("orders.existing", {"numbers": none}, "") == {"numbers": []}
    assert (orders.asked, orders.most_running) == (none, 2)
    orders = NotedOrders(shop.systems.orders)
    found = await with_orders(orders, shop).perform("orders.existing", {"numbers": [*none[:2], "10473", *none[2:]]}, "")
    assert (found, orders.asked) == ({"numbers": ["10473"]}, [*none[:2], "10473", none[2]])
    orders = NotedOrders(shop.systems.orders, broken=none)
    with pytest.raises(ServiceError, match="is down"):
        await with_orders(orders, shop).perform("orders.existing", {"numbers": none}, "")
    assert orders.asked == none[:2]
