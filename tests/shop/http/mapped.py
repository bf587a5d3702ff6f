"""Mappings and answers that the tests of mapped systems share."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from agent.common.service_error import ServiceError
from agent.shop.http.shop import HttpShop

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
PHONE = "+12025550143"
OpenShop = Callable[..., HttpShop]

FIELDS = """
      number: number
      status: {path: state, map: {new: placed, sent: shipped, arrived: delivered}}
      placed_on: created
      currency: money.currency
      total: money.total
      postcode: {path: ship_to.zip, default: ""}
      phone: ship_to.phone
      items:
        list: lines
        fields: {sku: sku, name: title, quantity: qty, price: price}
"""
ORDER_MAPPING = f"""
system: shop
base_url: BASE/api
timeout_seconds: 1
operations:
  orders.find:
    get: /orders/{{{{ number }}}}
    status: {{404: not_found}}
    fields: {FIELDS}
  orders.find_by_phone:
    get: /orders
    query: {{phone: "{{{{ phone }}}}"}}
    list: orders
    fields: {FIELDS}
"""
TICKET_MAPPING = """
system: desk
base_url: BASE/desk
timeout_seconds: 1
operations:
  tickets.create:
    post: /tickets
    json:
      subject: "Call: {{ reason }}"
      verified: "{{ verified }}"
      priority: "{{ priority }}"
      lines: "{{ transcript }}"
      api: 2
    fields: {id: ticket.id, created_at: ticket.created}
"""


def order(**changes: Any) -> dict[str, Any]:
    """Return an order as the made-up shop writes it."""
    return {
        "number": "10473",
        "state": "sent",
        "created": "2026-11-20T23:30:00-06:00",
        "money": {"currency": "usd", "total": "49.90"},
        "ship_to": {"zip": "60614", "phone": "(202) 555-0143"},
        "lines": [{"sku": "MUG", "title": "Mug", "qty": 2, "price": 24.95}],
        **changes,
    }


async def service_error_of(work: Awaitable[object]) -> ServiceError:
    """Return the failure that some work ends in."""
    with pytest.raises(ServiceError) as caught:
        await work
    return caught.value


class RawServer:
    """A server on loopback that answers every connection with whatever a coroutine writes; counts connections."""

    def __init__(self, answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.requests: list[str] = []
        """The first line of each."""

    async def __aenter__(self) -> RawServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.split(b"\r\n")[0].decode())
            await self._answer(writer)
        writer.close()


def http(body: bytes, headers: str = "Content-Type: application/json\r\n", status: str = "200 OK") -> bytes:
    """Return a whole answer."""
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body
