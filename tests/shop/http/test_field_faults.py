"""Faults that real orders have shown, kind by kind, each through a whole call over the shipped mappings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from agent.common.service_error import ServiceError
from tests.shop.http.mapped import PHONE
from tests.shop.http.spoken_calls import SECRETS, MadeUpShop, days_ago, served

STATUS, REFUND, RETURN, SEND_BACK = (
    *("where is my order", "where is my refund", "where is my return", "i want to return something"),
)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "secret")


def money(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": currency}}


def parcel(status: str | None, delivered: str | None = None) -> dict[str, Any]:
    tracking = [{"number": "1Z1", "company": "UPS"}]
    return {"displayStatus": status, "estimatedDeliveryAt": None, "deliveredAt": delivered, "trackingInfo": tracking}


def line(name: str, price: str, sku: str | None = None, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "name": name, "quantity": 1, "originalUnitPriceSet": money(price), **more}


def shopify_order(**changes: Any) -> dict[str, Any]:
    """Return a delivered order of two things without SKU."""
    return {
        "name": "#20022",
        "createdAt": days_ago(9),
        "cancelledAt": None,
        "phone": None,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "totalPriceSet": money("75.00"),
        "totalRefundedSet": money("0.0"),
        "shippingAddress": {"zip": "60614", "city": "Chicago", "phone": "(202) 555-0143"},
        "billingAddress": {"zip": "60614", "phone": None},
        "customer": None,
        "lineItems": {"nodes": [line("Tin kettle", "15"), line("Wool blanket", "60")]},
        "fulfillments": [parcel("DELIVERED", days_ago(4))],
        **changes,
    }


def woo_order(**changes: Any) -> dict[str, Any]:
    """Return a shipped order."""
    return {
        "id": 20022,
        "number": "20022",
        "status": "completed",
        "currency": "EUR",
        "date_created_gmt": "2026-11-15T03:30:00",
        "total": "31.50",
        "billing": {"postcode": "60614", "phone": "(202) 555-0143"},
        "shipping": {"postcode": "60614"},
        "meta_data": [],
        "refunds": [],
        "line_items": [{"id": 1, "name": "Olives", "quantity": 3, "sku": "O", "price": 10.5}],
        **changes,
    }


def shopify_return(*names: str, status: str = "CLOSED", refunds: list[Any] | None = None) -> dict[str, Any]:
    lines = [
        {
            "returnReason": "UNWANTED",
            "quantity": 1,
            "fulfillmentLineItem": {"lineItem": {"sku": None, "name": name}, "discountedTotalSet": money("15")},
        }
        for name in names
    ]
    return {
        "name": "#20022-R1",
        "status": status,
        "createdAt": days_ago(3),
        "closedAt": None,
        "refunds": {"nodes": refunds or []},
        "returnLineItems": {"nodes": lines},
    }


@pytest.fixture
def ask(httpserver: HTTPServer) -> Callable[..., str]:
    """Return what is said to a caller with order 20022 who asks something."""

    def asked(name: str, made_up: MadeUpShop, question: str, *lines: str) -> str:
        httpserver.clear()
        with served(httpserver, name, made_up) as shop:
            return shop.call(question, "#20022", "#60614", *lines)[-1]

    return asked


Ask = Callable[..., str]


class TestOneOddField:
    """Kind 1: what is odd is not known; the order is told, and its neighbours are not hidden."""

    @pytest.mark.parametrize(
        "change",
        [
            {"line_items": [{"id": 1, "name": "Olives per kilo", "quantity": 0.75, "sku": "O", "price": 20}]},
            {"line_items": [{"id": 1, "name": "Olives", "quantity": "three", "sku": ["O"], "price": "free"}]},
            {"line_items": [None, {"id": 1, "name": None, "quantity": -1}]},
            {"line_items": {"1": "Olives"}},
            {"status": "hand-painting"},
            {"status": None},
            {"total": "", "currency": None, "date_created_gmt": "long ago"},
            {"meta_data": [{"key": "_wc_shipment_tracking_items", "value": "none"}]},
            {"refunds": None},
        ],
    )
    def test_the_order_is_told(self, ask: Ask, change: dict[str, Any]) -> None:
        said = ask("woocommerce", MadeUpShop([woo_order(**change)]), STATUS)
        assert "see orders" not in said
        assert "order" in said

    def test_a_weight_is_no_number_of_pieces(self, ask: Ask) -> None:
        lines = [{"id": 1, "name": "Olives per kilo", "quantity": 1.52, "sku": "O", "price": 20}]
        said = ask("woocommerce", MadeUpShop([woo_order(line_items=lines)]), "what did i order")
        assert "You ordered: Olives per kilo." in said

    def test_a_word_of_the_shops_own_is_not_guessed_at(self, ask: Ask) -> None:
        said = ask("woocommerce", MadeUpShop([woo_order(status="hand-painting")]), STATUS)
        assert "I've found your order, but I can't see how far it is" in said

    @pytest.mark.parametrize("name", ["shopify", "woocommerce"])
    def test_one_order_that_cannot_be_read_does_not_hide_the_others(self, httpserver: HTTPServer, name: str) -> None:
        if name == "shopify":
            good, broken = shopify_order(), shopify_order(name={"no": "name"})
        else:
            good, broken = woo_order(), woo_order(number=["no number"])
        with served(httpserver, name, MadeUpShop([broken, good])) as shop:
            found = shop.perform("orders.find_by_phone", phone=PHONE)
        assert [order["number"] for order in found["orders"]] == ["20022"]
        assert found["more"] is True


class TestIdentity:
    """Kind 2: goods without a SKU, or with the same one, are told apart."""

    REFUNDED = (shopify_return("Tin kettle", refunds=[{"createdAt": days_ago(2), "totalRefundedSet": money("15")}]),)

    def test_the_line_that_was_not_returned_may_come_back(self, httpserver: HTTPServer) -> None:
        with served(httpserver, "shopify", MadeUpShop([shopify_order()], self.REFUNDED)) as shop:
            found = shop.perform("returns.eligibility", number="20022")["eligibility"]
            said = shop.call(SEND_BACK, "#20022", "#60614", "the blanket")[-1]
        assert [(item["name"], item["allowed"]) for item in found["items"]] == [
            ("Tin kettle", False),
            ("Wool blanket", True),
        ]
        assert found["items"][1]["price"] == 60
        assert "The Wool blanket. Did you change your mind" in said

    def test_two_lines_with_one_sku_and_one_name_are_two_lines(self, httpserver: HTTPServer) -> None:
        twins = [line("Sock", "5", "S", id="gid://shopify/LineItem/7"), line("Sock", "5", "S")]
        order = shopify_order(lineItems={"nodes": twins})
        with served(httpserver, "shopify", MadeUpShop([order], [shopify_return("Sock")])) as shop:
            items = shop.perform("returns.eligibility", number="20022")["eligibility"]["items"]
        assert len({item["line"] for item in items}) == 2
        assert [item["allowed"] for item in items] == [False, True]

    def test_a_return_of_several_lines_is_a_return_of_each(self, httpserver: HTTPServer) -> None:
        back = [shopify_return("Tin kettle", "Wool blanket", status="OPEN")]
        with served(httpserver, "shopify", MadeUpShop([shopify_order()], back)) as shop:
            found = shop.perform("returns.eligibility", number="20022")["eligibility"]
            said = shop.call(RETURN, "#20022", "#60614")[-1]
        assert found["reason"] == "return_exists"
        assert "Your return of the Tin kettle and Wool blanket is open" in said

    def test_money_back_for_something_that_stays_with_the_customer_is_no_return_of_it(
        self, httpserver: HTTPServer
    ) -> None:
        refund = {"id": 9, "date_created_gmt": "2026-11-19T10:00:00", "amount": "2.00"}
        refund["line_items"] = [{"name": "Olives", "quantity": 0, "sku": "O", "total": "-2.00"}]
        order = woo_order(status="delivered", refunds=[{"id": 9, "total": "-2.00"}])
        with served(httpserver, "woocommerce", MadeUpShop([order], [refund])) as shop:
            assert shop.perform("returns.eligibility", number="20022")["eligibility"]["allowed"] is True


class TestUnknown:
    """Kind 3: what is not known is said to be not known, or is looked up."""

    def test_money_that_went_back_without_a_return(self, ask: Ask) -> None:
        order = shopify_order(displayFinancialStatus="PARTIALLY_REFUNDED", totalRefundedSet=money("12.0"))
        said = ask("shopify", MadeUpShop([order]), REFUND)
        assert "twelve dollars went back to you." in said

    def test_a_system_that_does_not_tell_refunds(self, ask: Ask) -> None:
        order = {"number": "20022", "status": "Complete", "date_placed": days_ago(5), "currency": "EUR"}
        order |= {"shipping_address": {"postcode": "60614"}, "lines": [], "parcels": []}
        said = ask("oscar", MadeUpShop([order]), REFUND)
        assert "I can't see from here whether money has gone back" in said
        assert "no refund" not in said

    def test_a_cancelled_order_whose_money_is_not_seen(self, ask: Ask) -> None:
        said = ask("shopify", MadeUpShop([shopify_order(cancelledAt=days_ago(1))]), REFUND)
        assert "I can't see a refund for it" in said
        assert "charged" not in said

    def test_a_return_that_was_closed_without_money(self, ask: Ask) -> None:
        said = ask("shopify", MadeUpShop([shopify_order()], [shopify_return("Tin kettle")]), RETURN)
        assert "is closed, and I can't see a refund for it" in said
        assert "on its way" not in said

    def test_a_return_that_nobody_has_answered_yet(self, ask: Ask) -> None:
        back = [shopify_return("Tin kettle", status="REQUESTED")]
        assert "we haven't answered it yet" in ask("shopify", MadeUpShop([shopify_order()], back), RETURN)

    def test_a_delivery_without_a_day_may_have_been_yesterday(self, ask: Ask) -> None:
        order = shopify_order(createdAt=days_ago(40), fulfillments=[parcel("DELIVERED")])
        said = ask("shopify", MadeUpShop([order]), SEND_BACK)
        assert "I can't tell from here whether that can go back" in said
        assert "too long ago" not in said

    def test_an_order_without_lines_has_no_return(self, ask: Ask) -> None:
        said = ask("shopify", MadeUpShop([shopify_order(lineItems={"nodes": []})]), SEND_BACK)
        assert "I can't tell from here" in said
        assert "a return for that already" not in said


class TestChildrenThatNoLongerCount:
    """Kind 4."""

    def test_a_cancelled_parcel(self, ask: Ask) -> None:
        order = shopify_order(fulfillments=[parcel("CANCELED"), parcel("DELIVERED", days_ago(4))])
        said = ask("shopify", MadeUpShop([order]), STATUS)
        assert "Your order was delivered Friday." in said
        assert "parcels" not in said

    def test_a_fulfillment_that_failed_at_the_warehouse(self, ask: Ask) -> None:
        failed = {**parcel("FULFILLED"), "status": "ERROR"}
        order = shopify_order(fulfillments=[parcel("DELIVERED", days_ago(4)), failed])
        assert "Your order was delivered Friday." in ask("shopify", MadeUpShop([order]), STATUS)

    def test_a_thing_that_was_taken_out_of_the_order(self, ask: Ask) -> None:
        lines = [line("Tin kettle", "15", currentQuantity=0), line("Wool blanket", "60", currentQuantity=1)]
        shop = MadeUpShop([shopify_order(lineItems={"nodes": lines})])
        assert "You ordered: Wool blanket." in ask("shopify", shop, "what did i order")
        assert "The Wool blanket." in ask("shopify", shop, SEND_BACK)

    def test_an_order_of_which_all_was_refunded_was_shipped_all_the_same(self, ask: Ask) -> None:
        lines = [line("Tin kettle", "15", currentQuantity=0, requiresShipping=True)]
        order = shopify_order(lineItems={"nodes": lines}, fulfillments=[parcel("IN_TRANSIT")])
        assert "on its way" in ask("shopify", MadeUpShop([order]), STATUS)
        order |= {"displayFinancialStatus": "REFUNDED", "totalRefundedSet": money("15")}
        assert "You ordered: Tin kettle." in ask("shopify", MadeUpShop([order]), "what did i order")

    def test_a_return_that_was_cancelled(self, ask: Ask) -> None:
        back = [shopify_return("Tin kettle", status="CANCELED")]
        said = ask("shopify", MadeUpShop([shopify_order()], back), RETURN)
        assert "I can't see a return" in said

    def test_a_line_that_was_cancelled(self, ask: Ask) -> None:
        order = {"number": "20022", "status": "Complete", "date_placed": days_ago(5), "currency": "EUR"}
        lines = [
            {"id": 1, "title": "Tea", "quantity": 1},
            {"id": 2, "title": "Cup", "quantity": 1, "status": "Cancelled"},
        ]
        order |= {"shipping_address": {"postcode": "60614"}, "lines": lines, "parcels": []}
        assert "You ordered: Tea." in ask("oscar", MadeUpShop([order]), "what did i order")


class TestStates:
    """Kind 5: states of theirs are not forced into ours."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"fulfillments": [parcel("READY_FOR_PICKUP")]}, "ready to be picked up"),
            (
                {"fulfillments": [parcel("READY_FOR_PICKUP")], "displayFulfillmentStatus": "UNFULFILLED"},
                "ready to be picked up",
            ),
            ({"fulfillments": [parcel("PICKED_UP")]}, "was picked up"),
            ({"fulfillments": [parcel("ATTEMPTED_DELIVERY")]}, "tried to deliver"),
            ({"fulfillments": [parcel("NOT_DELIVERED")]}, "couldn't deliver"),
            ({"fulfillments": [parcel("LABEL_VOIDED")]}, "can't see how far"),
            ({"fulfillments": [parcel("A_NEW_WORD")]}, "can't see how far"),
            ({"displayFulfillmentStatus": "PARTIALLY_FULFILLED"}, "The rest is still to come"),
            ({"displayFulfillmentStatus": "ON_HOLD", "fulfillments": []}, "on hold"),
            (
                {
                    "lineItems": {"nodes": [line("Gift card", "50", requiresShipping=False)]},
                    "fulfillments": [parcel(None)],
                },
                "nothing in it had to be shipped",
            ),
        ],
    )
    def test_an_order_is_told_as_it_is(self, ask: Ask, changes: dict[str, Any], words: str) -> None:
        said = ask("shopify", MadeUpShop([shopify_order(**changes)]), STATUS)
        assert words in said
        assert "has been shipped" not in said

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"shipping_lines": [{"method_id": "local_pickup"}]}, "nothing in it had to be shipped"),
            ({"shipping_lines": []}, "nothing in it had to be shipped"),
            ({"shipping_lines": [{"method_id": "flat_rate"}]}, "has been shipped"),
            ({"status": "failed"}, "waiting for the payment"),
        ],
    )
    def test_what_completed_means(self, ask: Ask, changes: dict[str, Any], words: str) -> None:
        assert words in ask("woocommerce", MadeUpShop([woo_order(**changes)]), STATUS)


BOTH = {**money("32.40"), "presentmentMoney": {"amount": "30.00", "currencyCode": "EUR"}}
"""What a buyer paid in euros at a shop that counts in dollars."""


class TestMoney:
    """Kind 6: the buyer's currency, or none."""

    def test_a_refund_in_the_buyers_currency(self, ask: Ask) -> None:
        order = shopify_order(displayFinancialStatus="REFUNDED", totalPriceSet=BOTH, totalRefundedSet=BOTH)
        for question in (STATUS, REFUND):
            said = ask("shopify", MadeUpShop([order]), question)
            assert "thirty euros" in said
            assert "dollars" not in said

    def test_a_refund_that_is_told_in_the_shops_currency_alone(self, ask: Ask) -> None:
        order = shopify_order(displayFinancialStatus="REFUNDED", totalPriceSet=BOTH, totalRefundedSet=money("32.40"))
        said = ask("shopify", MadeUpShop([order]), REFUND)
        assert "The money went back to you" in said
        assert "thirty" not in said

    def test_a_price_in_another_currency_is_not_the_orders(self, httpserver: HTTPServer) -> None:
        with served(httpserver, "shopify", MadeUpShop([shopify_order(totalPriceSet=BOTH)])) as shop:
            assert [item["price"] for item in shop.perform("orders.find", number="20022")["order"]["items"]] == [
                None,
                None,
            ]

    def test_a_return_of_an_order_in_two_currencies(self, ask: Ask) -> None:
        back = [shopify_return("Tin kettle", refunds=[{"createdAt": days_ago(2), "totalRefundedSet": BOTH}])]
        said = ask("shopify", MadeUpShop([shopify_order(totalPriceSet=BOTH)], back), RETURN)
        assert "thirty euros went back to you" in said


class TestSearches:
    """Kind 7: a search that is cut off is no "there is none"; prefixes may be left out."""

    def test_an_order_on_the_second_page_is_found(self, ask: Ask) -> None:
        others = [woo_order(id=at, number=str(at), billing={"phone": "020022"}) for at in range(3000, 3060)]
        said = ask("woocommerce", MadeUpShop([*others, woo_order()]), STATUS)
        assert "has been shipped" in said

    def test_a_search_without_an_end_is_told_as_that(self, httpserver: HTTPServer) -> None:
        others = [woo_order(id=at, number=str(at), billing={"phone": "020022"}) for at in range(3000, 3400)]
        with served(httpserver, "woocommerce", MadeUpShop(others)) as shop:
            with pytest.raises(ServiceError) as caught:
                shop.perform("orders.find", number="20022")
            said = shop.call(STATUS, "#20022", "#60614")[-1]
        assert (caught.value.code, caught.value.reason) == ("unavailable", "cut_off")
        assert "I couldn't look through all the orders" in said

    def test_orders_of_a_phone_that_are_not_all_seen(self, httpserver: HTTPServer) -> None:
        many = [woo_order(id=at, number=str(at)) for at in range(3000, 3400)]
        with served(httpserver, "woocommerce", MadeUpShop(many)) as shop:
            found = shop.perform("orders.find_by_phone", phone=PHONE)
        assert (len(found["orders"]), found["more"]) == (10, True)

    @pytest.mark.parametrize("number", ["WEB-20022", "20022", "#20022"])
    def test_what_a_shop_puts_in_front_may_be_left_out(self, ask: Ask, number: str) -> None:
        assert "has been shipped" in ask("woocommerce", MadeUpShop([woo_order(number=number)]), STATUS)

    def test_the_refunds_of_an_order_with_another_id(self, ask: Ask) -> None:
        refund = {"id": 9, "date_created_gmt": "2026-11-19T10:00:00", "amount": "4.00", "line_items": []}
        order = woo_order(id=815, number="WEB-20022", refunds=[{"id": 9, "total": "-4.00"}])
        said = ask("woocommerce", MadeUpShop([order], [refund]), REFUND)
        assert "four euros went back to you Thursday" in said

    def test_a_prefix_in_shopify(self, httpserver: HTTPServer) -> None:
        made_up = MadeUpShop([shopify_order(name="EN-20022")])

        def change(text: str) -> str:
            return text.replace('number_prefix: "#"', 'number_prefix: "EN-"')

        with served(httpserver, "shopify", made_up, change) as shop:
            assert shop.perform("orders.find", number="20022")["order"]["number"] == "EN-20022"
            assert "delivered" in shop.call(STATUS, "#20022", "#60614")[-1]

    def test_a_prefix_in_oscar(self, httpserver: HTTPServer) -> None:
        order = {"number": "WEB-20022", "status": "Complete", "date_placed": days_ago(5), "currency": "EUR"}
        order |= {"shipping_address": {"postcode": "60614"}, "lines": [], "parcels": []}

        def change(text: str) -> str:
            return text.replace('number_prefix: ""', 'number_prefix: "WEB-"')

        with served(httpserver, "oscar", MadeUpShop([order]), change) as shop:
            assert "has been shipped" in shop.call(STATUS, "#20022", "#60614")[-1]


class TestHoles:
    """Kind 8: optional parts that are missing leave whole sentences."""

    def test_a_refund_without_lines(self, ask: Ask) -> None:
        refund = {"id": 9, "date_created_gmt": "2026-11-19T10:00:00", "amount": "4.00", "line_items": []}
        shop = MadeUpShop([woo_order(refunds=[{"id": 9, "total": "-4.00"}])], [refund])
        assert ask("woocommerce", shop, RETURN).startswith("four euros went back to you Thursday.")

    def test_a_refund_without_a_day(self, ask: Ask) -> None:
        refund = {"id": 9, "date_created_gmt": None, "amount": "4.00", "line_items": []}
        shop = MadeUpShop([woo_order(refunds=[{"id": 9, "total": "-4.00"}])], [refund])
        assert ask("woocommerce", shop, RETURN).startswith("four euros went back to you.")

    def test_goods_without_a_name(self, ask: Ask) -> None:
        lines = [line("Tin kettle", "15"), {**line("", "60"), "name": None}]
        shop = MadeUpShop([shopify_order(lineItems={"nodes": lines})])
        assert "You ordered: Tin kettle and one more item." in ask("shopify", shop, "what did i order")


def test_a_failure_after_the_order_was_read_is_not_told_as_orders_that_cannot_be_seen(ask: Ask) -> None:
    said = ask(
        "shopify",
        MadeUpShop([shopify_order()]),
        SEND_BACK,
        *("the blanket", "i changed my mind", "unopened", "by mail", "on my card", "yes"),
    )
    assert "I can't do that here right now" in said
    assert "see orders" not in said
