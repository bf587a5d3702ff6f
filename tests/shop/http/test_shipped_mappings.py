"""The mappings that come with Orderline, against servers that answer in the shape the systems document.

The payloads are hand-written after the public descriptions: Shopify's GraphQL Admin API 2025-10 (objects Order,
Customer, Return), WooCommerce's REST API v3 (orders, order refunds), Zendesk's Ticketing API (tickets, idempotency).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.shop.http.mapping_files import shipped
from agent.shop.models import Parcel, TicketDraft
from tests.shop.http.mapped import PHONE, OpenShop, service_error_of


def mapping(name: str) -> str:
    """Return a shipped mapping with the test server's address in it."""
    text = shipped()[name].read_text(encoding="utf-8")
    return re.sub(r"(?m)^base_url: https://[^/\s]+", "base_url: BASE", text)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SHOPIFY_TOKEN", "WOOCOMMERCE_KEY", "WOOCOMMERCE_SECRET", "ZENDESK_TOKEN"):
        monkeypatch.setenv(name, name.lower())


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}


class TestShopify:
    PATH = "/admin/api/2025-10/graphql.json"

    def order(self, **changes: Any) -> dict[str, Any]:
        return {
            "name": "#1001",
            "createdAt": "2026-11-20T03:30:00Z",
            "cancelledAt": None,
            "phone": None,
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "FULFILLED",
            "totalPriceSet": money("409.94"),
            "totalRefundedSet": {"shopMoney": {"amount": "0.0"}},
            "shippingAddress": {"zip": "60614-1234", "city": "Chicago", "phone": "(202) 555-0143"},
            "billingAddress": {"zip": "60601", "phone": None},
            "customer": {"defaultPhoneNumber": {"phoneNumber": PHONE}},
            "lineItems": {
                "nodes": [{"sku": "IPOD", "name": "Pod - 8GB", "quantity": 1, "originalUnitPriceSet": money("199.00")}]
            },
            "fulfillments": [self.parcel()],
            **changes,
        }

    def parcel(self, status: str = "IN_TRANSIT", **changes: Any) -> dict[str, Any]:
        return {
            "displayStatus": status,
            "estimatedDeliveryAt": "2026-11-26T18:00:00Z",
            "deliveredAt": None,
            "trackingInfo": [{"number": "1Z999", "company": "UPS"}],
            **changes,
        }

    def serve(self, httpserver: HTTPServer, data: object, **more: object) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def answer(request: Request) -> Response:
            asked.append(json.loads(request.data))
            return Response(json.dumps({"data": data, **more}), mimetype="application/json")

        headers = {"X-Shopify-Access-Token": "shopify_token", "Content-Type": "application/json"}
        httpserver.expect_request(self.PATH, method="POST", headers=headers).respond_with_handler(answer)
        return asked

    async def test_an_order_by_its_name(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        asked = self.serve(httpserver, {"orders": {"nodes": [self.order(name="#11001", phone=5), self.order()]}})
        found = await open_shop(mapping("shopify")).systems.orders.find("1001")
        assert (found.number, found.status, found.placed_on) == ("1001", "in_transit", dt.date(2026, 11, 19))
        assert (found.postcode, found.phone, found.total) == ("60614-1234", PHONE, Decimal("409.94"))
        assert found.parcels == (Parcel("1Z999", "in_transit", "UPS", expected_on=dt.date(2026, 11, 26)),)
        assert (found.carrier, found.expected_on, found.delivered_on) == ("UPS", dt.date(2026, 11, 26), None)
        assert [(item.sku, item.name, item.quantity, item.price) for item in found.items] == [
            ("IPOD", "Pod - 8GB", 1, Decimal("199.00"))
        ]
        assert asked[0]["variables"] == {"q": "name:'#1001'"}
        query = asked[0]["query"]
        assert query.startswith("query($q: String!) { orders(first: 5, query: $q) { nodes { name createdAt")
        assert query.count("{") == query.count("}")

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"fulfillments": [], "displayFulfillmentStatus": "UNFULFILLED"}, "placed"),
            (
                {"fulfillments": [], "displayFulfillmentStatus": "UNFULFILLED", "displayFinancialStatus": "PENDING"},
                "awaiting_payment",
            ),
            ({"fulfillments": [], "displayFulfillmentStatus": "IN_PROGRESS"}, "placed"),
            ({"displayFulfillmentStatus": "PARTIALLY_FULFILLED"}, "partly_shipped"),
            ({"cancelledAt": "2026-11-21T00:00:00Z"}, "cancelled"),
            ({"displayFinancialStatus": "REFUNDED"}, "refunded"),
        ],
    )
    async def test_what_has_become_of_an_order(
        self, open_shop: OpenShop, httpserver: HTTPServer, changes: dict[str, Any], status: str
    ) -> None:
        self.serve(httpserver, {"orders": {"nodes": [self.order(**changes)]}})
        assert (await open_shop(mapping("shopify")).systems.orders.find("1001")).status == status

    async def test_an_order_is_delivered_when_its_last_parcel_is(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        arrived = self.parcel("DELIVERED", deliveredAt="2026-11-23T20:00:00Z")
        self.serve(httpserver, {"orders": {"nodes": [self.order(fulfillments=[arrived, self.parcel()])]}})
        shop = open_shop(mapping("shopify"))
        assert (await shop.systems.orders.find("1001")).status == "in_transit"
        httpserver.clear()
        self.serve(httpserver, {"orders": {"nodes": [self.order(fulfillments=[arrived, arrived])]}})
        found = await shop.systems.orders.find("1001")
        assert (found.status, found.delivered_on, found.expected_on) == ("delivered", dt.date(2026, 11, 23), None)

    async def test_no_such_order(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        self.serve(httpserver, {"orders": {"nodes": []}})
        assert (await service_error_of(open_shop(mapping("shopify")).systems.orders.find("1001"))).code == "not_found"

    async def test_an_error_with_a_good_status_is_one(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        self.serve(httpserver, None, errors=errors)
        assert (await service_error_of(open_shop(mapping("shopify")).systems.orders.find("1001"))).code == "unavailable"

    async def test_orders_and_customer_by_phone(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        customer = {
            "id": "gid://shopify/Customer/544365967",
            "displayName": "Maria Lopez",
            "numberOfOrders": "3",
            "defaultPhoneNumber": {"phoneNumber": PHONE},
            "defaultEmailAddress": {"emailAddress": "maria@example.com"},
            "orders": {"nodes": [self.order(), self.order(name="#1002", createdAt="2026-11-22T12:00:00Z")]},
        }
        asked = self.serve(httpserver, {"customers": {"nodes": [customer]}})
        shop = open_shop(mapping("shopify"))
        assert [one.number for one in await shop.systems.orders.find_by_phone(PHONE)] == ["1002", "1001"]
        known = await shop.systems.customers.by_phone(PHONE)
        assert (known.id, known.first_name, known.orders_count) == ("544365967", "Maria", 3)
        assert (known.points, known.tier) == (None, "")
        assert [body["variables"]["q"] for body in asked] == [f"phone:'{PHONE}'"] * 2
        assert asked[0]["query"].count("{") == asked[0]["query"].count("}")

    @pytest.mark.parametrize(
        ("refunds", "status", "state", "updated"),
        [
            ([], "OPEN", "open", dt.date(2026, 11, 21)),
            ([], "DECLINED", "rejected", dt.date(2026, 11, 21)),
            (
                [{"createdAt": "2026-11-23T12:00:00Z", "totalRefundedSet": money("199.00")}],
                "CLOSED",
                "refunded",
                dt.date(2026, 11, 23),
            ),
        ],
    )
    async def test_returns_and_where_the_money_is(
        self, open_shop: OpenShop, httpserver: HTTPServer, refunds: list[Any], status: str, state: str, updated: dt.date
    ) -> None:
        line = {
            "returnReason": "SIZE_TOO_SMALL",
            "quantity": 1,
            "fulfillmentLineItem": {
                "lineItem": {"sku": "IPOD", "name": "Pod - 8GB"},
                "discountedTotalSet": money("199.0"),
            },
        }
        made = {
            "name": "#1001-R1",
            "status": status,
            "createdAt": "2026-11-21T12:00:00Z",
            "closedAt": None,
            "refunds": {"nodes": refunds},
            "returnLineItems": {"nodes": [line]},
        }
        self.serve(httpserver, {"orders": {"nodes": [{"returns": {"nodes": [made]}}]}})
        (found,) = await open_shop(mapping("shopify")).systems.returns.of_order("1001")
        assert (found.number, found.sku, found.reason, found.state) == ("1001-R1", "IPOD", "wrong_size", state)
        assert (found.amount, found.currency, found.updated_on) == (Decimal("199"), "USD", updated)


class TestWooCommerce:
    def order(self, **changes: Any) -> dict[str, Any]:
        return {
            "id": 727,
            "number": "727",
            "status": "processing",
            "currency": "USD",
            "date_created": "2026-11-21T21:30:00",
            "date_created_gmt": "2026-11-22T03:30:00",
            "date_completed_gmt": None,
            "total": "29.35",
            "customer_id": 0,
            "billing": {"first_name": "John", "postcode": "94103", "phone": "(202) 555-0143"},
            "shipping": {"first_name": "John", "postcode": "94107", "city": "San Francisco"},
            "meta_data": [],
            "line_items": [
                {
                    "id": 315,
                    "name": "Woo Single #1",
                    "product_id": 93,
                    "quantity": 2,
                    "total": "6.00",
                    "sku": "",
                    "price": 3,
                },
                {"id": 316, "name": "Ship Your Idea", "quantity": 1, "total": "12.00", "sku": "SHIP", "price": 12.5},
            ],
            "refunds": [],
            **changes,
        }

    async def test_an_order_by_its_number(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        authorization = {"Authorization": "Basic d29vY29tbWVyY2Vfa2V5Ondvb2NvbW1lcmNlX3NlY3JldA=="}
        httpserver.expect_request(
            "/wp-json/wc/v3/orders", query_string={"search": "727", "per_page": "50"}, headers=authorization
        ).respond_with_json([self.order(id=7270, number="7270"), self.order()])
        found = await open_shop(mapping("woocommerce")).systems.orders.find("727")
        assert (found.number, found.status, found.placed_on) == ("727", "placed", dt.date(2026, 11, 21))
        assert (found.postcode, found.phone, found.total) == ("94107", PHONE, Decimal("29.35"))
        assert [(item.name, item.sku, item.quantity, item.price) for item in found.items] == [
            ("Woo Single #1", "", 2, Decimal(3)),
            ("Ship Your Idea", "SHIP", 1, Decimal("12.5")),
        ]
        assert (found.parcels, found.refund_amount) == ((), Decimal(0))

    async def test_money_back_and_parcels_of_the_tracking_extension(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        tracking = [{"tracking_provider": "", "custom_tracking_provider": "DHL", "tracking_number": "JD01"}]
        found = self.order(
            status="refunded",
            refunds=[{"id": 1, "reason": "", "total": "-10.10"}, {"id": 2, "reason": "", "total": "-0.20"}],
            meta_data=[
                {"id": 1, "key": "x", "value": "y"},
                {"id": 2, "key": "_wc_shipment_tracking_items", "value": tracking},
            ],
        )
        httpserver.expect_request("/wp-json/wc/v3/orders").respond_with_json([found])
        order = await open_shop(mapping("woocommerce")).systems.orders.find("727")
        assert (order.status, order.refund_amount) == ("refunded", Decimal("10.3"))
        assert order.parcels == (Parcel("JD01", "shipped", "DHL"),)

    async def test_orders_by_phone_over_pages(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        query = {"search": "0143", "per_page": "100", "orderby": "date", "order": "desc"}
        second = httpserver.url_for("/wp-json/wc/v3/orders") + "?search=0143&page=2"
        other = self.order(number="5", billing={"phone": "202 555 9143"})
        httpserver.expect_request("/wp-json/wc/v3/orders", query_string=query).respond_with_json(
            [self.order(), other], headers={"Link": f'<{second}>; rel="next"'}
        )
        httpserver.expect_request(
            "/wp-json/wc/v3/orders", query_string={"search": "0143", "page": "2"}
        ).respond_with_json([self.order(number="700", date_created_gmt="2026-10-01T10:00:00")])
        found = await open_shop(mapping("woocommerce")).systems.orders.find_by_phone(PHONE)
        assert [one.number for one in found] == ["727", "700"]

    async def test_refunds_of_an_order(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        line = {"id": 314, "name": "Woo Album #2", "quantity": -1, "total": "-9.00", "sku": "ALBUM", "price": -9}
        refund = {
            "id": 726,
            "date_created_gmt": "2026-11-21T20:07:11",
            "amount": "9.00",
            "reason": "",
            "line_items": [line],
        }
        httpserver.expect_request("/wp-json/wc/v3/orders/727/refunds").respond_with_json([refund])
        (found,) = await open_shop(mapping("woocommerce")).systems.returns.of_order("727")
        assert (found.number, found.state, found.sku, found.amount) == ("726", "refunded", "ALBUM", Decimal("9.00"))


class TestZendesk:
    async def test_a_ticket_with_the_whole_story(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        asked: list[Request] = []

        def answer(request: Request) -> Response:
            asked.append(request)
            ticket = {
                "url": "https://x.zendesk.com/api/v2/tickets/35436.json",
                "id": 35436,
                "created_at": "2026-11-24T18:00:00Z",
            }
            return Response(json.dumps({"ticket": ticket, "audit": {}}), 201, mimetype="application/json")

        httpserver.expect_request("/api/v2/tickets.json", method="POST").respond_with_handler(answer)
        draft = TicketDraft(
            "caller_asked",
            'Wants to know "why" \\ when',
            caller=PHONE,
            order_number="10473",
            verified=True,
            priority=3,
            transcript=("Agent: Hello.", "Caller: A person, please."),
            facts={"item": "Mug", "nothing": ""},
        )
        made = await open_shop(mapping("zendesk")).systems.tickets.create(draft, "call-7")
        assert made.id == "35436"
        assert asked[0].headers["Idempotency-Key"] == "call-7"
        assert asked[0].authorization is not None
        assert asked[0].authorization.parameters == {
            "username": "phone-agent@example.com/token",
            "password": "zendesk_token",
        }
        paged = replace(draft, page='# A page\n\n- "quoted"')
        await open_shop(mapping("zendesk")).systems.tickets.create(paged, "call-8")
        assert json.loads(asked[1].data)["ticket"]["comment"]["body"] == '# A page\n\n- "quoted"'
        assert json.loads(asked[0].data) == {
            "ticket": {
                "subject": "Phone: caller asked, order 10473",
                "comment": {
                    "public": False,
                    "body": 'Wants to know "why" \\ when\n\n'
                    f"Caller: {PHONE}, verified\nOrder: 10473\nitem: Mug\n\n"
                    "Agent: Hello.\nCaller: A person, please.",
                },
                "priority": "high",
                "external_id": "call-7",
                "tags": ["orderline", "caller_asked"],
            }
        }
