"""What a mapping can ask: steps, pages, forms, texts, statuses; and that nothing of it stands in the log."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from agent.common.service_error import ServiceError
from agent.shop.http.response import HttpResponse, UnreadableResponse, parse_json
from agent.shop.messages import MessageDraft
from agent.shop.models import Order, OrderItem, TicketDraft
from agent.shop.returns import ReturnDraft
from agent.shop.shipments import Address
from tests.shop.http.mapped import (
    FIELDS,
    ORDER_MAPPING,
    PHONE,
    TICKET_MAPPING,
    OpenShop,
    RawServer,
    http,
    order,
    service_error_of,
)

STEPS = """
system: oscar
base_url: BASE/api
operations:
  orders.find:
    steps:
      - name: search
        get: /orders/
        query: {number: "{{ number }}"}
        not_found_when: "length(results) == `0`"
      - name: lines
        follow: search.results[0].lines
      - name: products
        for_each: lines
        follow: item.product
      - name: notes
        get: /orders/{{ search.results[0].id }}/notes
    fields:
      number: search.results[0].number
      status: {default: placed}
      placed_on: search.results[0].date
      currency: {default: EUR}
      total: search.results[0].total
      postcode: {default: ""}
      phone: {default: ""}
      delay_reason: notes[0].text
      items:
        list: products
        fields: {name: answer.title, sku: answer.upc, quantity: item.quantity, price: item.price}
"""
PAGED = f"""
system: shop
base_url: BASE/api
operations:
  orders.find_by_phone:
    get: /orders
    query: {{phone: "{{{{ phone }}}}"}}
    pages: {{items: orders, PAGES, max_pages: 3}}
    list: "@"
    fields: {FIELDS}
"""
ORDER = Order(
    "10473",
    "packed",
    dt.date(2026, 11, 20),
    "USD",
    Decimal("49.90"),
    "60614",
    PHONE,
    (OrderItem("M", "Mug", 2, Decimal("9.95")),),
)


class TestSteps:
    def serve(self, httpserver: HTTPServer, **first: object) -> None:
        found = {"id": 5, "number": "10473", "date": "2026-11-20", "total": "9.90", "lines": "/api/orders/5/lines/"}
        httpserver.expect_request("/api/orders/", query_string={"number": "10473"}).respond_with_json(
            {"results": [{**found, **first}]}
        )
        lines = [{"product": httpserver.url_for(f"/api/products/{n}/"), "quantity": n, "price": "4.95"} for n in (1, 2)]
        httpserver.expect_request("/api/orders/5/lines/").respond_with_json(lines)
        for n in (1, 2):
            httpserver.expect_request(f"/api/products/{n}/").respond_with_json({"title": f"Book {n}", "upc": f"B{n}"})
        httpserver.expect_request("/api/orders/5/notes").respond_with_json([{"text": "Snow"}])

    async def test_each_looks_into_what_came_before(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        self.serve(httpserver)
        found = await open_shop(STEPS).systems.orders.find("10473")
        assert [(item.name, item.sku, item.quantity) for item in found.items] == [
            ("Book 1", "B1", 1),
            ("Book 2", "B2", 2),
        ]
        assert (found.total, found.delay_reason) == (Decimal("9.90"), "Snow")

    async def test_nothing_found_ends_them(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/api/orders/").respond_with_json({"results": []})
        assert (await service_error_of(open_shop(STEPS).systems.orders.find("10473"))).code == "not_found"
        assert len(httpserver.log) == 1

    async def test_an_address_on_another_host_is_not_followed(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        self.serve(httpserver, lines="http://evil.example.com/lines")
        error = await service_error_of(open_shop(STEPS).systems.orders.find("10473"))
        assert (error.code, "leads to another host" in error.message) == ("unavailable", True)

    @pytest.mark.parametrize("address", [None, 5, "http://[", ""])
    async def test_an_address_that_is_none(self, open_shop: OpenShop, httpserver: HTTPServer, address: object) -> None:
        self.serve(httpserver, lines=address)
        assert (await service_error_of(open_shop(STEPS).systems.orders.find("10473"))).code == "unavailable"


class TestPages:
    @pytest.mark.parametrize(
        ("pages", "second"),
        [
            ("next: links.next", {"phone": PHONE, "n": "2"}),
            ("link_header: yes", {"phone": PHONE, "n": "2"}),
            ("page: page", {"phone": PHONE, "page": "2"}),
            ("cursor: after, cursor_path: cursor, more: more", {"phone": PHONE, "after": "c&2"}),
        ],
    )
    async def test_the_pages_are_joined(
        self, open_shop: OpenShop, httpserver: HTTPServer, pages: str, second: dict[str, str]
    ) -> None:
        query = "/api/orders?phone=%2B12025550143&n=2"
        body = {"orders": [order()], "links": {"next": query}, "cursor": "c&2", "more": True}
        link = {"Link": f'<{query}>; rel="next", </x>; rel="prev"'}
        httpserver.expect_request("/api/orders", query_string={"phone": PHONE}).respond_with_json(body, headers=link)
        httpserver.expect_oneshot_request("/api/orders", query_string=second).respond_with_json(
            {"orders": [order(number="10474")], "more": False}
        )
        httpserver.expect_request("/api/orders").respond_with_json({"orders": []})
        found = await open_shop(PAGED.replace("PAGES", pages)).systems.orders.find_by_phone(PHONE)
        assert {one.number for one in found} == {"10473", "10474"}

    async def test_an_endless_list_ends_at_its_bound(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/api/orders").respond_with_json({"orders": [order()]})
        await open_shop(PAGED.replace("PAGES", "page: page")).systems.orders.find_by_phone(PHONE)
        assert len(httpserver.log) == 3

    async def test_a_circle_is_walked_once(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        body = {"orders": [order()], "links": {"next": "/api/orders?phone=%2B12025550143"}}
        httpserver.expect_request("/api/orders").respond_with_json(body)
        await open_shop(PAGED.replace("PAGES", "next: links.next")).systems.orders.find_by_phone(PHONE)
        assert len(httpserver.log) == 1

    async def test_the_next_page_is_never_on_another_host(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        body = {"orders": [order()], "links": {"next": "https://evil.example.com/orders"}}
        httpserver.expect_request("/api/orders").respond_with_json(body)
        shop = open_shop(PAGED.replace("PAGES", "next: links.next"))
        assert (await service_error_of(shop.systems.orders.find_by_phone(PHONE))).code == "unavailable"


class TestLists:
    MAPPING = ORDER_MAPPING.replace("get: /orders/{{ number }}", 'get: /search\n    list: "@"')

    async def test_of_candidates_the_one_asked_for_is_taken_and_broken_neighbours_do_no_harm(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request("/api/search").respond_with_json(
            [{"number": "1"}, 5, order(), order(number="104731")]
        )
        assert (await open_shop(self.MAPPING).systems.orders.find("10473")).number == "10473"

    async def test_none_of_them_is_not_found(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/api/search").respond_with_json([order(number="104731")])
        assert (await service_error_of(open_shop(self.MAPPING).systems.orders.find("10473"))).code == "not_found"

    async def test_two_of_them_are_a_lie(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/api/search").respond_with_json([order(), order()])
        assert (await service_error_of(open_shop(self.MAPPING).systems.orders.find("10473"))).code == "unavailable"

    async def test_numbers_are_looked_up_one_by_one(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        mapping = ORDER_MAPPING.split("    list: orders")[0] + "    find_each: orders[].id\n"
        httpserver.expect_request("/api/orders").respond_with_json({"orders": [{"id": 1}, {"id": "2"}]})
        httpserver.expect_request("/api/orders/1").respond_with_json(order(number="1"))
        httpserver.expect_request("/api/orders/2").respond_with_json(order(number="2", created="2026-11-22"))
        assert [one.number for one in await open_shop(mapping).systems.orders.find_by_phone(PHONE)] == ["2", "1"]


class TestRefusals:
    MAPPING = """
system: warehouse
base_url: BASE
operations:
  shipments.reschedule:
    put: /orders/{{ number }}/delivery
    form: {day: "{{ day }}", window: "{{ window }}"}
    status:
      409: {code: not_allowed, reason: {path: error.code, map: {E17: already_shipped}, default: refused}}
      404: not_found
    fails_when:
      - {when: "state == 'rejected'", code: not_allowed, reason: why}
    fields: {confirmation: reference}
"""
    DAY = dt.date(2026, 11, 30)

    @pytest.mark.parametrize(
        ("status", "body", "code", "reason"),
        [
            (409, {"error": {"code": "E17"}}, "not_allowed", "already_shipped"),
            (409, {"error": {"code": "E99"}}, "not_allowed", "refused"),
            (409, None, "not_allowed", "refused"),
            (404, None, "not_found", ""),
            (200, {"state": "rejected", "why": "TOO-LATE"}, "not_allowed", "too_late"),
            (
                200,
                {"state": "rejected", "why": "Maria Lopez has moved to 12 Long Street, Joliet"},
                "not_allowed",
                "refused",
            ),
            (422, {}, "bad_request", ""),
        ],
    )
    async def test_a_refusal_has_a_word_for_why(
        self, open_shop: OpenShop, httpserver: HTTPServer, status: int, body: object, code: str, reason: str
    ) -> None:
        httpserver.expect_request("/orders/10473/delivery", method="PUT").respond_with_json(body, status=status)
        error = await service_error_of(open_shop(self.MAPPING).systems.shipments.reschedule(ORDER, self.DAY, "", "k"))
        assert (error.code, error.reason) == (code, reason)

    async def test_a_confirmation_is_the_systems_own(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(
            "/orders/10473/delivery", method="PUT", data="day=2026-11-30&window=09%3A00-12%3A00"
        ).respond_with_json({"reference": "C-1"})
        shipments = open_shop(self.MAPPING).systems.shipments
        change = await shipments.reschedule(ORDER, self.DAY, "09:00-12:00", "k")
        assert (change.confirmation, change.day, change.window) == ("C-1", self.DAY, "09:00-12:00")

    async def test_what_no_system_maps_is_unavailable(self, open_shop: OpenShop) -> None:
        shop = open_shop(self.MAPPING)
        assert shop.systems.shipments is not None
        error = await service_error_of(shop.systems.shipments.change_address(ORDER, Address("1", "A", "B", "C"), "k"))
        assert (error.code, error.message) == ("unavailable", "no system maps shipments.change_address")
        assert (await service_error_of(shop.systems.customers.by_phone(PHONE))).code == "not_found"


class TestReturnsAndMessages:
    RETURNS = """
system: returns
base_url: BASE
operations:
  returns.create:
    post: /returns
    json: {order: "{{ number }}", lines: [{sku: "{{ sku }}"}], amount: "{{ amount }}", key: "{{ key }}"}
    idempotency: {declared: yes}
    fields: {number: rma}
  returns.of_order:
    get: /returns
    query: {order: "{{ number }}"}
    list: returns
    fields: {number: rma, sku: sku, item: name, state: {path: state, map: {new: open}}, amount: amount, created_on: at}
"""
    SMS = """
system: sms
base_url: BASE
operations:
  messages.send:
    get: /cgi-bin/sendsms
    query: {to: "{{ phone }}", text: "{{ text }}"}
    response: text
    pattern: '^0: Accepted'
    fields: {id: {value: "{{ key }}"}}
"""

    async def test_a_return_knows_what_its_opener_said(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        sent = {"order": "10473", "lines": [{"sku": "M"}], "amount": "19.90", "key": "k"}
        httpserver.expect_request("/returns", method="POST", json=sent).respond_with_json({"rma": 2001}, status=201)
        draft = ReturnDraft("10473", "Mug", "wrong_size", "unopened", "label", "original")
        returns = open_shop(self.RETURNS).systems.returns
        made = await returns.create(draft, ORDER, "M", dt.date(2026, 11, 24), "k")
        assert (made.number, made.item, made.reason, made.state) == ("2001", "Mug", "wrong_size", "open")
        assert (made.amount, made.currency, made.created_on) == (Decimal("19.90"), "USD", dt.date(2026, 11, 24))

    async def test_returns_come_newest_first(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        one = {"sku": "M", "name": "Mug", "state": "new", "amount": 9.95}
        body = {"returns": [{**one, "rma": "R1", "at": "2026-11-01"}, {**one, "rma": "R2", "at": "2026-11-02"}]}
        httpserver.expect_request("/returns", query_string={"order": "10473"}).respond_with_json(body)
        found = await open_shop(self.RETURNS).systems.returns.of_order("10473")
        assert [one.number for one in found] == ["R2", "R1"]

    async def test_a_gateway_that_answers_in_text(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        query = {"to": PHONE, "text": "Your order: 50% off & more"}
        httpserver.expect_oneshot_request("/cgi-bin/sendsms", query_string=query).respond_with_data(
            "0: Accepted for delivery", status=202
        )
        messages = open_shop(self.SMS).systems.messages
        sent = await messages.send(MessageDraft("tracking", "10473", PHONE, query["text"]), "k7")
        assert (sent.id, sent.phone) == ("k7", PHONE)
        httpserver.expect_request("/cgi-bin/sendsms").respond_with_data("3: Queued?", status=200)
        error = await service_error_of(messages.send(MessageDraft("tracking", "10473", PHONE, "x"), "k8"))
        assert error.code == "timed_out"  # whether it was sent, nobody can tell


async def test_no_value_stands_in_the_log_or_in_a_message(
    open_shop: OpenShop, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = ["2025550143", "60614", "t0p-s3cret", "Lopez", "10473", "Mug"]
    monkeypatch.setenv("SHOP_SECRET", "t0p-s3cret")
    caplog.set_level(logging.DEBUG)
    shop = open_shop(ORDER_MAPPING + "auth: {query: {password: {env: SHOP_SECRET}}}\n", TICKET_MAPPING)
    messages = []
    for change in (
        {},
        {"state": "Lopez"},
        {"number": "Lopez"},
        {"money": "Lopez"},
        {"lines": "Lopez"},
        {"created": "Lopez"},
        {"number": {"name": "Lopez"}},
        {"number": None},
        {"ship_to": {"phone": PHONE, "zip": {"Lopez": 1}}},
    ):
        httpserver.clear()
        httpserver.expect_request("/api/orders/10473").respond_with_json(order(**change))
        httpserver.expect_request("/api/orders").respond_with_json({"orders": [order(**change)]})
        for work in (shop.systems.orders.find("10473"), shop.systems.orders.find_by_phone(PHONE)):
            try:
                await work
            except ServiceError as error:
                messages.append(error.message)
    for status, body in ((500, "Lopez 60614"), (401, "Lopez"), (422, '{"error": "Lopez"}'), (200, "Lopez {")):
        httpserver.clear()
        httpserver.expect_request("/desk/tickets").respond_with_data(body, status=status)
        draft = TicketDraft("Lopez", "Lopez", caller=PHONE, facts={"zip": "60614"})
        messages.append((await service_error_of(shop.systems.tickets.create(draft, f"k{status}"))).message)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("agent", "aiohttp", "asyncio"))]
    assert any("GET /orders/{{ number }}: 200 after" in line for line in ours)
    assert len(messages) >= 9
    for line in [*ours, *messages]:
        assert not [value for value in planted if value in line], line


ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(order())), inner, max_size=7),
    max_leaves=15,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=ANSWERS, inside=st.booleans())
async def test_whatever_is_answered_ends_in_an_order_or_a_typed_failure(
    open_shop: OpenShop, httpserver: HTTPServer, answer: object, inside: bool
) -> None:
    whole = {**order(), **answer} if inside and isinstance(answer, dict) else answer
    httpserver.clear()
    httpserver.expect_request("/api/orders/10473").respond_with_json(whole)
    httpserver.expect_request("/api/orders").respond_with_json({"orders": [whole]} if inside else whole)
    shop = open_shop(ORDER_MAPPING)
    for work in (shop.systems.orders.find("10473"), shop.systems.orders.find_by_phone(PHONE)):
        try:
            await work
        except ServiceError as error:
            assert error.code in ("unavailable", "not_found", "timed_out", "bad_request")  # noqa: PT017
    await shop.close()


@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_unreadable(body: bytes) -> None:
    try:
        parse_json(HttpResponse(200, {"content-type": "application/json"}, body))
    except UnreadableResponse as error:
        assert str(error)  # noqa: PT017


class TestTheConnection:
    async def test_no_more_requests_at_once_than_the_system_takes(self, open_shop: OpenShop) -> None:
        now = most = 0

        async def answer(writer: asyncio.StreamWriter) -> None:
            nonlocal now, most
            now += 1
            most = max(most, now)
            for _ in range(20):
                await asyncio.sleep(0)
            now -= 1
            writer.write(http(json.dumps(order()).encode(), "Content-Type: application/json\r\nConnection: close\r\n"))
            await writer.drain()

        async with RawServer(answer) as server:
            shop = open_shop(ORDER_MAPPING.replace("BASE", server.url) + "connections: 2\n")
            await asyncio.gather(*(shop.systems.orders.find("10473") for _ in range(8)))
        assert (len(server.requests), most) == (8, 2)

    async def test_cookies_are_not_kept_and_proxies_of_the_environment_not_used(
        self, open_shop: OpenShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")
        httpserver.expect_request("/api/orders/10473").respond_with_json(
            order(), headers={"Set-Cookie": "session=1; Path=/"}
        )
        shop = open_shop(ORDER_MAPPING)
        for _ in range(2):
            await shop.systems.orders.find("10473")
        assert ["Cookie" in request.headers for request, _ in httpserver.log] == [False, False]
