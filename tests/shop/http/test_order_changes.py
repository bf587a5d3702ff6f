"""Changes of orders through the mappings that come with Orderline, and through mappings that have none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.shop.http.mapping_files import shipped
from agent.shop.models import Order, OrderItem
from agent.shop.order_changes import OrderChange
from tests.shop.http.mapped import OpenShop, service_error_of

PLACED = Order(
    number="1001",
    status="placed",
    placed_on=None,
    currency="USD",
    total=Decimal(64),
    postcode="60614",
    phone="",
    items=(OrderItem("MUG", "Mug", 1, Decimal(14), "71"), OrderItem("PAN", "Pan", 2, Decimal(25), "72")),
    id="900",
)
SHOPIFY = "/admin/api/2025-10/graphql.json"


def mapping(name: str) -> str:
    text = shipped()[name].read_text(encoding="utf-8")
    return re.sub(r"(?m)^base_url: https://[^/\s]+", "base_url: BASE", text)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPIFY_TOKEN", "WOOCOMMERCE_KEY", "WOOCOMMERCE_SECRET"):
        monkeypatch.setenv(name, name.lower())


def serve(httpserver: HTTPServer, path: str, answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Answer one request after the other; returns the bodies that were asked with."""
    asked: list[dict[str, Any]] = []

    def answer(request: Request) -> Response:
        asked.append(json.loads(request.data))
        return Response(json.dumps(answers[min(len(asked), len(answers)) - 1]), mimetype="application/json")

    httpserver.expect_request(path).respond_with_handler(answer)
    return asked


class TestShopify:
    async def test_an_order_is_cancelled_in_a_moment_of_the_shops_own(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        done = {
            "data": {"orderCancel": {"job": {"id": "gid://shopify/Job/1", "done": False}, "orderCancelUserErrors": []}}
        }
        asked = serve(httpserver, SHOPIFY, [done])
        changes = open_shop(mapping("shopify")).order_changes
        made = await changes.cancel(PLACED, "key-1")
        assert made == OrderChange("1001", "cancel", refunded=True, currency="USD", pending=True)
        assert asked[0]["variables"]["id"] == "gid://shopify/Order/900"
        assert "key-1" in asked[0]["variables"]["note"]
        assert asked[0]["query"].count("{") == asked[0]["query"].count("}")

    async def test_the_same_key_cancels_once(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        done = {"data": {"orderCancel": {"job": {"id": "1", "done": True}, "orderCancelUserErrors": []}}}
        asked = serve(httpserver, SHOPIFY, [done])
        changes = open_shop(mapping("shopify")).order_changes
        assert await changes.cancel(PLACED, "key-1") == await changes.cancel(PLACED, "key-1")
        assert len(asked) == 1

    async def test_an_order_that_cannot_be_cancelled_is_refused(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        refused = {
            "data": {"orderCancel": {"job": None, "orderCancelUserErrors": [{"code": "INVALID", "message": "no"}]}}
        }
        serve(httpserver, SHOPIFY, [refused])
        error = await service_error_of(open_shop(mapping("shopify")).order_changes.cancel(PLACED, "key-1"))
        assert error.code == "not_allowed"

    @pytest.mark.parametrize(("quantity", "sent"), [(None, 0), (3, 3)])
    async def test_a_line_is_changed_in_an_edit_that_is_committed(
        self, open_shop: OpenShop, httpserver: HTTPServer, quantity: int | None, sent: int
    ) -> None:
        edit = {"calculatedOrder": {"id": "gid://shopify/CalculatedOrder/5"}, "userErrors": []}
        asked = serve(
            httpserver,
            SHOPIFY,
            [
                {"data": {"orderEditBegin": edit}},
                {"data": {"orderEditSetQuantity": edit}},
                {"data": {"orderEditCommit": {"order": {"name": "#1001"}, "userErrors": []}}},
            ],
        )
        changes = open_shop(mapping("shopify")).order_changes
        if quantity is None:
            made = await changes.remove_line(PLACED, "72", "key-1")
        else:
            made = await changes.set_quantity(PLACED, "72", quantity, "key-1")
        assert (made.item, made.quantity, made.refunded) == ("Pan", quantity, False)
        assert [one["variables"]["id"] for one in asked] == [
            "gid://shopify/Order/900",
            *["gid://shopify/CalculatedOrder/5"] * 2,
        ]
        assert asked[1]["variables"]["line"] == "gid://shopify/CalculatedLineItem/72"
        assert asked[1]["variables"]["quantity"] == sent

    async def test_an_edit_that_is_not_committed_is_no_change(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        edit = {"calculatedOrder": {"id": "gid://shopify/CalculatedOrder/5"}, "userErrors": []}
        refused = {"data": {"orderEditCommit": {"order": None, "userErrors": [{"message": "no"}]}}}
        serve(
            httpserver, SHOPIFY, [{"data": {"orderEditBegin": edit}}, {"data": {"orderEditSetQuantity": edit}}, refused]
        )
        error = await service_error_of(open_shop(mapping("shopify")).order_changes.remove_line(PLACED, "72", "key-1"))
        assert error.code == "not_allowed"

    async def test_what_it_can(self, open_shop: OpenShop) -> None:
        assert set(open_shop(mapping("shopify")).order_changes.can_change) == {"cancel", "remove", "quantity"}


class TestWooCommerce:
    PATH = "/wp-json/wc/v3/orders/900"

    async def test_an_order_is_cancelled_and_its_money_is_not_back(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        asked = serve(httpserver, self.PATH, [{"id": 900, "status": "cancelled"}])
        made = await open_shop(mapping("woocommerce")).order_changes.cancel(PLACED, "key-1")
        assert (made.refunded, made.pending) == (False, False)
        assert asked == [{"status": "cancelled"}]

    async def test_an_order_that_stays_what_it_was_is_not_cancelled(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        serve(httpserver, self.PATH, [{"id": 900, "status": "completed"}])
        error = await service_error_of(open_shop(mapping("woocommerce")).order_changes.cancel(PLACED, "key-1"))
        assert (error.code, error.reason) == ("not_allowed", "completed")

    async def test_a_line_is_taken_out(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        asked = serve(httpserver, self.PATH, [{"id": 900, "status": "processing"}])
        made = await open_shop(mapping("woocommerce")).order_changes.remove_line(PLACED, "72", "key-1")
        assert made.item == "Pan"
        assert asked == [{"line_items": [{"id": 72, "quantity": 0}]}]

    async def test_what_it_can(self, open_shop: OpenShop) -> None:
        assert set(open_shop(mapping("woocommerce")).order_changes.can_change) == {"cancel", "remove"}


async def test_a_shop_without_such_a_mapping_changes_nothing(open_shop: OpenShop) -> None:
    changes = open_shop(mapping("oscar").replace("{env: ORDERLINE_OSCAR_TOKEN}", "{env: SHOPIFY_TOKEN}")).order_changes
    assert set(changes.can_change) == set()
    error = await service_error_of(changes.cancel(PLACED, "key-1"))
    assert (error.code, error.message) == ("unavailable", "no system maps orders.cancel")
