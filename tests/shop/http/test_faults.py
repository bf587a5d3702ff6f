"""What a system can do wrong, on real sockets: each ends in a typed failure in time, and nothing false is used."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait
from agent.shop.models import TicketDraft
from agent.shop.services import ShopServices
from tests.shop.http.mapped import (
    ORDER_MAPPING,
    PHONE,
    TICKET_MAPPING,
    OpenShop,
    RawServer,
    http,
    order,
    service_error_of,
)

ORDER = "/api/orders/10473"
DRAFT = TicketDraft("no_match", "")


async def failure(open_shop: OpenShop, mapping: str = ORDER_MAPPING) -> tuple[str, str]:
    """Look the order up; returns code and message of the failure."""
    error = await service_error_of(open_shop(mapping).systems.orders.find("10473"))
    return error.code, error.message


class TestASystemThatIsDown:
    async def test_a_refused_connection_is_unavailable(self, open_shop: OpenShop) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            mapping = ORDER_MAPPING.replace("BASE", f"http://127.0.0.1:{free.getsockname()[1]}")
            code, message = await failure(open_shop, mapping)
        assert (code, "no connection" in message) == ("unavailable", True)

    async def test_a_host_that_is_not_in_the_dns(self, open_shop: OpenShop) -> None:
        code, message = await failure(open_shop, ORDER_MAPPING.replace("BASE", "http://no-such-host.invalid"))
        assert (code, message) == ("unavailable", "shop: there is no host 'no-such-host.invalid' in the DNS")

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_a_server_error(self, open_shop: OpenShop, httpserver: HTTPServer, status: int) -> None:
        httpserver.expect_request(ORDER).respond_with_data("<h1>Oops</h1>", status=status)
        assert (await failure(open_shop))[0] == ("timed_out" if status == 504 else "unavailable")

    async def test_one_hiccup_is_not_noticed(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_ordered_request(ORDER).respond_with_data("", status=503)
        httpserver.expect_ordered_request(ORDER).respond_with_json(order())
        assert (await open_shop(ORDER_MAPPING).systems.orders.find("10473")).number == "10473"

    async def test_a_broken_connection_is_tried_once_more(self, open_shop: OpenShop) -> None:
        async def hang_up(_: asyncio.StreamWriter) -> None:
            return

        async with RawServer(hang_up) as server:
            code, message = await failure(open_shop, ORDER_MAPPING.replace("BASE", server.url))
        assert (code, "connection broke" in message, len(server.requests)) == ("unavailable", True, 2)


class TestASlowSystem:
    async def test_no_answer_ends_at_the_deadline(self, open_shop: OpenShop) -> None:
        over = asyncio.Event()

        async def wait(_: asyncio.StreamWriter) -> None:
            await over.wait()

        async with RawServer(wait) as server:
            mapping = ORDER_MAPPING.replace("BASE", server.url).replace("timeout_seconds: 1", "timeout_seconds: 0.3")
            code, _ = await asyncio.wait_for(failure(open_shop, mapping), 5)
            over.set()
        assert (code, len(server.requests)) == ("timed_out", 1)

    async def test_an_answer_that_drips_ends_at_the_deadline_too(self, open_shop: OpenShop) -> None:
        async def drip(writer: asyncio.StreamWriter) -> None:
            writer.write(http(b"{}").replace(b"Content-Length: 2", b"Content-Length: 100000"))
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)

        async with RawServer(drip) as server:
            mapping = ORDER_MAPPING.replace("BASE", server.url).replace("timeout_seconds: 1", "timeout_seconds: 0.3")
            code, _ = await asyncio.wait_for(failure(open_shop, mapping), 5)
        assert code == "timed_out"

    async def test_too_many_requests_waits_only_while_there_is_time(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_ordered_request(ORDER).respond_with_data("", status=429, headers={"Retry-After": "0"})
        httpserver.expect_ordered_request(ORDER).respond_with_json(order())
        shop = open_shop(ORDER_MAPPING)
        assert (await shop.systems.orders.find("10473")).number == "10473"
        httpserver.expect_ordered_request(ORDER).respond_with_data("", status=429, headers={"Retry-After": "60"})
        error = await service_error_of(shop.systems.orders.find("10473"))
        assert (error.code, error.retryable) == ("unavailable", True)


class TestNonsense:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b'"10473"',
            b"NaN",
            b"\xff\xfe{",
            b"[" * 100_000,
            b'{"number": "10473"}',
            b"1" * 9000,
        ],
    )
    async def test_a_malformed_answer(self, open_shop: OpenShop, httpserver: HTTPServer, body: bytes) -> None:
        httpserver.expect_request(ORDER).respond_with_data(body, content_type="application/json")
        assert (await failure(open_shop))[0] == "unavailable"

    async def test_a_web_page_where_an_api_should_be(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(ORDER).respond_with_data("<html>Log in</html>", content_type="text/html")
        code, message = await failure(open_shop)
        assert (code, "is no JSON but text/html" in message) == ("unavailable", True)

    async def test_a_huge_answer_is_not_read_to_its_end(self, open_shop: OpenShop) -> None:
        written = 0

        async def flood(writer: asyncio.StreamWriter) -> None:
            nonlocal written
            writer.write(http(b"").replace(b"Content-Length: 0", b"Content-Length: 100000000"))
            for _ in range(1000):
                writer.write(b" " * 100_000)
                await writer.drain()
                written += 100_000

        async with RawServer(flood) as server:
            code, message = await failure(open_shop, ORDER_MAPPING.replace("BASE", server.url) + "max_bytes: 10000\n")
        assert (code, "is larger than 10000 bytes" in message) == ("unavailable", True)
        assert written < 50_000_000

    async def test_a_small_answer_that_unpacks_to_a_huge_one(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        bomb = gzip.compress(b" " * 50_000_000)
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        httpserver.expect_request(ORDER).respond_with_data(bomb, headers=headers)
        code, message = await failure(open_shop)
        assert (code, "is larger than 2000000 bytes" in message) == ("unavailable", True)

    async def test_a_packed_answer_is_unpacked(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:

        packed = gzip.compress(json.dumps(order()).encode())
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        httpserver.expect_request(ORDER).respond_with_data(packed, headers=headers)
        assert (await open_shop(ORDER_MAPPING).systems.orders.find("10473")).number == "10473"

    async def test_an_answer_that_is_not_packed_as_it_says(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(ORDER).respond_with_data(b"{}", headers={"Content-Encoding": "gzip"})
        assert (await failure(open_shop))[0] == "unavailable"

    async def test_something_that_is_no_http(self, open_shop: OpenShop) -> None:
        async def mumble(writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.example.com ESMTP\r\n\r\n")

        async with RawServer(mumble) as server:
            assert (await failure(open_shop, ORDER_MAPPING.replace("BASE", server.url)))[0] == "unavailable"


class TestLies:
    @pytest.mark.parametrize("number", ["10474", "104733", ""])
    async def test_another_order_is_never_used(self, open_shop: OpenShop, httpserver: HTTPServer, number: str) -> None:
        httpserver.expect_request(ORDER).respond_with_json(order(number=number))
        assert (await failure(open_shop))[0] == "unavailable"

    @pytest.mark.parametrize(
        "change",
        [{"number": {"teleported": 1}}, {"number": None}, {"ship_to": []}, {"ship_to": {"zip": {"teleported": 1}}}],
    )
    async def test_a_needed_field_of_the_wrong_type_is_named_without_its_value(
        self, open_shop: OpenShop, httpserver: HTTPServer, change: dict[str, object]
    ) -> None:
        httpserver.expect_request(ORDER).respond_with_json(order(**change))
        code, message = await failure(open_shop)
        assert (code, message.startswith("shop: orders.find: field ")) == ("unavailable", True)
        assert "teleported" not in message

    async def test_orders_of_another_phone_are_left_out(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        mine, others = order(), order(number="10474", ship_to={"zip": "60614", "phone": "202-555-0199"}, state="??")
        httpserver.expect_request("/api/orders", query_string={"phone": PHONE}).respond_with_json(
            {"orders": [others, mine]}
        )
        found = await open_shop(ORDER_MAPPING).systems.orders.find_by_phone(PHONE)
        assert [one.number for one in found] == ["10473"]

    async def test_a_ticket_without_an_id_is_none_and_nobody_says_that_none_was_made(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request("/desk/tickets").respond_with_json({"ticket": {}}, status=201)
        error = await service_error_of(open_shop(TICKET_MAPPING).systems.tickets.create(DRAFT, "k"))
        assert error.code == "timed_out"
        assert "field id: is missing (path 'ticket.id'; the keys there: ticket)" in error.message


class TestRedirects:
    async def test_to_another_host_is_not_followed_and_gets_no_secret(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        async def answer(writer: asyncio.StreamWriter) -> None:
            writer.write(http(b"{}"))

        async with RawServer(answer) as other:
            httpserver.expect_request(ORDER).respond_with_data(
                "", status=302, headers={"Location": f"{other.url}{ORDER}"}
            )
            code, message = await failure(open_shop)
            assert (code, "another host" in message, other.requests) == ("unavailable", True, [])

    async def test_on_the_same_host_is_followed_once(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(ORDER).respond_with_data("", status=301, headers={"Location": "/api/v2/orders/1"})
        httpserver.expect_request("/api/v2/orders/1").respond_with_json(order())
        assert (await open_shop(ORDER_MAPPING).systems.orders.find("10473")).number == "10473"

    async def test_round_in_a_circle_is_not(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(ORDER).respond_with_data("", status=302, headers={"Location": ORDER})
        code, message = await failure(open_shop)
        assert (code, "redirects more than once" in message) == ("unavailable", True)

    async def test_of_a_change_is_never_followed(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/desk/tickets").respond_with_data("", status=307, headers={"Location": "/desk/t"})
        error = await service_error_of(open_shop(TICKET_MAPPING).systems.tickets.create(DRAFT, "k"))
        assert (error.code, len(httpserver.log)) == ("unavailable", 1)


class TestCertificates:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def secure(self, authority: trustme.CA) -> Iterator[HTTPServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        with HTTPServer(host="localhost", ssl_context=context) as server:
            server.expect_request(ORDER).respond_with_json(order())
            yield server

    def mapping(self, server: HTTPServer, host: str = "localhost") -> str:
        return ORDER_MAPPING.replace("BASE", f"https://{host}:{server.port}")

    async def test_an_unknown_authority_is_refused(self, open_shop: OpenShop, secure: HTTPServer) -> None:
        code, message = await failure(open_shop, self.mapping(secure))
        assert (code, "the certificate is not trusted" in message) == ("unavailable", True)
        assert not secure.log

    async def test_the_shops_own_authority_is_taken(
        self, open_shop: OpenShop, secure: HTTPServer, authority: trustme.CA, tmp_path: Path
    ) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        mapping = self.mapping(secure) + f"tls: {{ca_file: {tmp_path / 'ca.pem'}}}\n"
        assert (await open_shop(mapping).systems.orders.find("10473")).number == "10473"

    async def test_an_authority_that_cannot_be_read_is_told_at_the_start(
        self, open_shop: OpenShop, tmp_path: Path
    ) -> None:
        (tmp_path / "ca.pem").write_text("no certificate")
        for file in (tmp_path / "ca.pem", tmp_path / "none.pem"):
            with pytest.raises(ServiceError, match=f"shop: tls.ca_file {file} cannot be used"):
                open_shop(ORDER_MAPPING + f"tls: {{ca_file: {file}}}\n")

    async def test_a_certificate_of_another_host_is_refused(
        self, open_shop: OpenShop, secure: HTTPServer, authority: trustme.CA, tmp_path: Path
    ) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        mapping = self.mapping(secure, "127.0.0.1") + f"tls: {{ca_file: {tmp_path / 'ca.pem'}}}\n"
        code, message = await failure(open_shop, mapping)
        assert (code, "the certificate is not trusted" in message) == ("unavailable", True)


class TestTheBreaker:
    BREAKING = ORDER_MAPPING + "breaker: {failures: 2, pause_seconds: 10}\n"

    async def test_a_system_that_keeps_failing_is_left_alone_and_tried_again(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        now = 0.0
        shop = open_shop(self.BREAKING, clock=lambda: now)
        broken = True

        def answer(_: Request) -> Response:
            return Response("", 500) if broken else Response(json.dumps(order()), mimetype="application/json")

        httpserver.expect_request(ORDER).respond_with_handler(answer)
        for _ in range(3):
            assert (await service_error_of(shop.systems.orders.find("10473"))).code == "unavailable"
        assert len(httpserver.log) == 2
        assert shop.status() == {"shop": {"breaker": "open", "last_error": "orders.find: unavailable"}}
        now, broken = 10.0, False
        assert (await shop.systems.orders.find("10473")).number == "10473"
        assert shop.status() == {"shop": {"breaker": "closed", "last_error": ""}}

    async def test_answers_that_are_no_failures_do_not_open_it(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request(ORDER).respond_with_json({}, status=404)
        shop = open_shop(self.BREAKING)
        for _ in range(5):
            assert (await service_error_of(shop.systems.orders.find("10473"))).code == "not_found"
        assert shop.status()["shop"]["breaker"] == "closed"

    @pytest.mark.parametrize(("waited", "state"), [(0.4, "closed"), (0.6, "open")])
    async def test_callers_who_waited_long_in_vain_count(self, open_shop: OpenShop, waited: float, state: str) -> None:
        now = 0.0
        over, asked = asyncio.Event(), asyncio.Event()

        async def wait(_: asyncio.StreamWriter) -> None:
            asked.set()
            await over.wait()

        async with RawServer(wait) as server:
            shop = open_shop(self.BREAKING.replace("BASE", server.url), clock=lambda: now)
            for _ in range(2):
                asked.clear()
                work = asyncio.create_task(shop.systems.orders.find("10473"))
                await asked.wait()
                now += waited
                await cancel_and_wait(work)
            over.set()
        assert shop.status()["shop"]["breaker"] == state

    async def test_look_ups_that_a_call_can_do_without_do_not_open_it(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        status = 503

        def answer(_: Request) -> Response:
            return Response("", status) if status != 200 else Response(json.dumps(order()), mimetype="application/json")

        httpserver.expect_request(re.compile("/api/orders/.*")).respond_with_handler(answer)
        shop = open_shop(ORDER_MAPPING)
        services = ShopServices.of(shop.systems)
        numbers = {"numbers": [f"1047{digit}" for digit in range(8)]}
        for burst in range(1, 4):
            await service_error_of(services.perform("orders.existing", numbers, ""))
            assert len(httpserver.log) == burst * 4  # two numbers, each of them tried twice
        assert shop.status()["shop"]["breaker"] == "closed"
        status = 200
        assert (await services.perform("orders.find", {"number": "10473"}, ""))["order"]["number"] == "10473"

    async def test_they_are_not_sent_while_a_system_is_tried_out(
        self, open_shop: OpenShop, httpserver: HTTPServer
    ) -> None:
        now, status = 0.0, 500

        def answer(_: Request) -> Response:
            return Response("", status) if status != 200 else Response(json.dumps(order()), mimetype="application/json")

        httpserver.expect_request(ORDER).respond_with_handler(answer)
        shop = open_shop(self.BREAKING, clock=lambda: now)
        services = ShopServices.of(shop.systems)
        for _ in range(2):
            await service_error_of(services.perform("orders.find", {"number": "10473"}, ""))
        now, status = 10.0, 200
        assert shop.status()["shop"]["breaker"] == "half_open"
        await service_error_of(services.perform("orders.existing", {"numbers": ["10473"]}, ""))
        assert len(httpserver.log) == 2
        assert (await services.perform("orders.find", {"number": "10473"}, ""))["order"]["number"] == "10473"
        assert await services.perform("orders.existing", {"numbers": ["10473"]}, "") == {"numbers": ["10473"]}

    async def test_one_system_down_leaves_the_others_alone(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(ORDER).respond_with_data("", status=500)
        httpserver.expect_request("/desk/tickets").respond_with_json({"ticket": {"id": 1}})
        shop = open_shop(self.BREAKING, TICKET_MAPPING)
        for _ in range(3):
            await service_error_of(shop.systems.orders.find("10473"))
        assert (await shop.systems.tickets.create(DRAFT, "k")).id == "1"
        assert shop.status()["desk"] == {"breaker": "closed", "last_error": ""}
