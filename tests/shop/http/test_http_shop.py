"""Operations over a mapped system: what is asked, what comes back, what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from pytest_httpserver import HTTPServer

from agent.common.service_error import ServiceError
from agent.shop.models import OrderItem, TicketDraft
from tests.shop.http.mapped import NOW, ORDER_MAPPING, PHONE, TICKET_MAPPING, OpenShop, order


class TestFindingAnOrder:
    async def test_the_answer_becomes_the_shops_own_noun(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/api/orders/10473").respond_with_json(order())
        found = await open_shop(ORDER_MAPPING).systems.orders.find("10473")
        assert (found.number, found.status, found.currency, found.total) == (
            "10473",
            "shipped",
            "USD",
            Decimal("49.90"),
        )
        assert (found.placed_on, found.postcode, found.phone) == (dt.date(2026, 11, 20), "60614", PHONE)
        assert found.items == (OrderItem("MUG", "Mug", 2, Decimal("24.95")),)

    async def test_404_is_not_found_where_the_mapping_says_so(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request("/api/orders/1").respond_with_json({}, status=404)
        with pytest.raises(ServiceError) as caught:
            await open_shop(ORDER_MAPPING).systems.orders.find("1")
        assert caught.value.code == "not_found"


async def test_a_ticket_is_made_with_typed_values(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    expected = {"subject": "Call: no_match", "verified": True, "priority": 3, "lines": ["a", "b"], "api": 2}
    httpserver.expect_oneshot_request("/desk/tickets", method="POST", json=expected).respond_with_json(
        {"ticket": {"id": 35, "created": "2026-11-24T18:00:00Z"}}, status=201
    )
    draft = TicketDraft("no_match", "", verified=True, priority=3, transcript=("a", "b"))
    made = await open_shop(TICKET_MAPPING).systems.tickets.create(draft, "k1")
    assert (made.id, made.created_at, made.draft) == ("35", NOW, draft)
