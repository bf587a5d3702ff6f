"""Changes: what is asked twice is made once, and what may have happened is never called a failure."""

from __future__ import annotations

import asyncio
import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.shop.models import TicketDraft
from tests.shop.http.mapped import TICKET_MAPPING, OpenShop, RawServer, http, service_error_of

DRAFT = TicketDraft("no_match", "")
PATH = "/desk/tickets"
WITH_HEADER = TICKET_MAPPING + "    idempotency: {header: Idempotency-Key}\n"
FIND_FIRST = (
    TICKET_MAPPING
    + """    idempotency:
      find_first:
        get: /tickets
        query: {external_id: "{{ key }}"}
        found: tickets[0]
        fields: {id: id}
"""
)


class UnreliableTicketSystem:
    """A ticket system that counts what it makes, and breaks when told to."""

    def __init__(self, httpserver: HTTPServer, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.keys: list[str] = []
        self.made: dict[str, int] = {}
        httpserver.expect_request(PATH, method="POST").respond_with_handler(self.post)

    def post(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key", f"none-{len(self.keys)}")
        self.keys.append(key)
        status = self.statuses.pop(0) if self.statuses else 201
        if status == 503:
            return Response("", status)
        number = self.made.setdefault(key, len(self.made) + 1)
        return Response(json.dumps({"ticket": {"id": number}}), status, mimetype="application/json")


async def test_the_same_key_again_is_not_sent_again(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    desk, tickets = UnreliableTicketSystem(httpserver), open_shop(TICKET_MAPPING).systems.tickets
    made = await asyncio.gather(*(tickets.create(DRAFT, "k1") for _ in range(4)))
    assert {ticket.id for ticket in made} == {"1"}
    assert (await tickets.create(DRAFT, "k2")).id == "2"
    assert len(desk.keys) == 2


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_without_idempotency_nothing_is_sent_twice_and_the_outcome_is_unknown(
    open_shop: OpenShop, httpserver: HTTPServer, status: int
) -> None:
    desk, tickets = UnreliableTicketSystem(httpserver, status), open_shop(TICKET_MAPPING).systems.tickets
    assert (await service_error_of(tickets.create(DRAFT, "k1"))).code == "timed_out"
    assert (await service_error_of(tickets.create(DRAFT, "k1"))).code == "timed_out"
    assert len(desk.keys) == 1


async def test_what_was_certainly_not_made_may_be_asked_for_again(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    desk, tickets = UnreliableTicketSystem(httpserver, 503), open_shop(TICKET_MAPPING).systems.tickets
    assert (await service_error_of(tickets.create(DRAFT, "k1"))).code == "unavailable"
    assert (await tickets.create(DRAFT, "k1")).id == "1"
    assert len(desk.keys) == 2


async def test_a_key_in_a_header_makes_the_change_safe_to_repeat(open_shop: OpenShop, httpserver: HTTPServer) -> None:
    desk = UnreliableTicketSystem(httpserver, 502)
    assert (await open_shop(WITH_HEADER).systems.tickets.create(DRAFT, "k1")).id == "1"
    assert (desk.keys, desk.made) == (["k1", "k1"], {"k1": 1})


async def test_a_broken_connection_after_sending_is_unknown(open_shop: OpenShop) -> None:
    async def hang_up(_: asyncio.StreamWriter) -> None:
        return

    async with RawServer(hang_up) as server:
        error = await service_error_of(
            open_shop(TICKET_MAPPING.replace("BASE", server.url)).systems.tickets.create(DRAFT, "k1")
        )
    assert (error.code, len(server.requests)) == ("timed_out", 1)


class TestFindingFirst:
    async def test_what_an_earlier_attempt_has_made_is_taken(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(PATH, method="GET", query_string={"external_id": "k1"}).respond_with_json(
            {"tickets": [{"id": 7}]}
        )
        assert (await open_shop(FIND_FIRST).systems.tickets.create(DRAFT, "k1")).id == "7"
        assert [request.method for request, _ in httpserver.log] == ["GET"]

    async def test_where_there_is_none_it_is_made(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(PATH, method="GET").respond_with_json({"tickets": []})
        UnreliableTicketSystem(httpserver)
        assert (await open_shop(FIND_FIRST).systems.tickets.create(DRAFT, "k1")).id == "1"

    async def test_after_a_broken_connection_it_is_looked_for_and_not_made_twice(self, open_shop: OpenShop) -> None:
        looked = 0
        posts = 0

        async def answer(writer: asyncio.StreamWriter) -> None:
            nonlocal looked, posts
            if server.requests[-1].startswith("POST"):
                posts += 1
                return  # made, and the line breaks
            looked += 1
            found = [{"id": 9}] if posts else []
            writer.write(http(json.dumps({"tickets": found}).encode(), "Content-Type: application/json\r\n"))
            await writer.drain()

        async with RawServer(answer) as server:
            made = await open_shop(FIND_FIRST.replace("BASE", server.url)).systems.tickets.create(DRAFT, "k1")
        assert (made.id, looked, posts) == ("9", 2, 1)

    @pytest.mark.parametrize("answer", ['{"ticket": {"id": {"number": 1}}}', '{"ticket": {}}', "[]", '{"ticket": '])
    async def test_after_a_confirmation_nobody_can_read_it_is_looked_for(
        self, open_shop: OpenShop, httpserver: HTTPServer, answer: str
    ) -> None:
        made: list[int] = []

        def look(_: Request) -> Response:
            return Response(json.dumps({"tickets": [{"id": 9}] if made else []}), mimetype="application/json")

        def make(_: Request) -> Response:
            made.append(9)
            return Response(answer, 201, mimetype="application/json")

        httpserver.expect_request(PATH, method="GET").respond_with_handler(look)
        httpserver.expect_request(PATH, method="POST").respond_with_handler(make)
        assert ((await open_shop(FIND_FIRST).systems.tickets.create(DRAFT, "k1")).id, made) == ("9", [9])

    @pytest.mark.parametrize(("there", "code"), [([{"id": 7}], ""), ([], "timed_out")])
    async def test_a_confirmation_is_looked_behind_where_the_mapping_wants_it(
        self, open_shop: OpenShop, httpserver: HTTPServer, there: list[dict[str, int]], code: str
    ) -> None:
        httpserver.expect_ordered_request(PATH, method="GET").respond_with_json({"tickets": []})
        httpserver.expect_ordered_request(PATH, method="POST").respond_with_json({"ticket": {"id": 7}}, status=201)
        httpserver.expect_ordered_request(PATH, method="GET").respond_with_json({"tickets": there})
        tickets = open_shop(FIND_FIRST + "      look_after: yes\n").systems.tickets
        if code:
            assert (await service_error_of(tickets.create(DRAFT, "k1"))).code == code
        else:
            assert (await tickets.create(DRAFT, "k1")).id == "7"

    async def test_when_looking_fails_nothing_is_made(self, open_shop: OpenShop, httpserver: HTTPServer) -> None:
        httpserver.expect_request(PATH, method="GET").respond_with_data("", status=500)
        desk = UnreliableTicketSystem(httpserver)
        assert (await service_error_of(open_shop(FIND_FIRST).systems.tickets.create(DRAFT, "k1"))).code == "unavailable"
        assert desk.keys == []
