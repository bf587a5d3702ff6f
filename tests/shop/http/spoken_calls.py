"""Whole calls in text over a mapped shop: made-up systems on loopback, the shipped mappings and the shipped pack."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from agent.common.service_error import ServiceError
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.tools.text_call import TextCall, event_from_line
from agent.shop.answers import complete_answer
from agent.shop.http.mapping_files import load_directory, shipped
from agent.shop.http.shop import HttpShop, open_http_shop
from agent.shop.services import ShopServices
from tests.shipped_pack import RENDER, shipped_pack
from tests.shop.http.mapped import NOW

SECRETS = ("SHOPIFY_TOKEN", "WOOCOMMERCE_KEY", "WOOCOMMERCE_SECRET", "ORDERLINE_OSCAR_TOKEN")
JsonAnswer = Any


@dataclass
class MadeUpShop:
    """What a shop's API holds: orders as it writes them, and returns or refunds of each."""

    orders: Sequence[Mapping[str, Any]] = ()
    returns: Sequence[Mapping[str, Any]] = ()
    asked: list[str] = field(default_factory=list)
    """Paths with queries, and GraphQL queries."""

    def shopify(self, request: Request) -> Response:
        """Answer a GraphQL query: returns where they are asked for, customers, else orders; GET: the shop."""
        if request.method == "GET":
            return _json({"shop": {"name": "Northwind Supply"}})
        body = json.loads(request.data)
        query = str(body["query"])
        self.asked.append(query)
        data: dict[str, Any] = {"orders": {"nodes": list(self.orders)}}
        if "returns(" in query:
            data = {"orders": {"nodes": [{"returns": {"nodes": list(self.returns)}}]}}
        elif "customers(" in query:
            data = {"customers": {"nodes": [{"orders": {"nodes": list(self.orders)}}]}}
        return _json({"data": data})

    def woocommerce(self, request: Request) -> Response:
        """Answer with refunds, or with a page of the orders that hold what is searched for."""
        self.asked.append(request.full_path)
        if request.path.endswith("/refunds"):
            known = {str(order.get("id")) for order in self.orders}
            return _json(list(self.returns)) if request.path.split("/")[-2] in known else Response("{}", 404)
        size, page = int(request.args.get("per_page", "10")), int(request.args.get("page", "1"))
        words = request.args.get("search", "")
        found = [order for order in self.orders if words in json.dumps(order)]
        return _json(found[(page - 1) * size : page * size])

    def oscar(self, request: Request) -> Response:
        """Answer with the orders of a number or a phone."""
        number = request.args.get("number", "")
        self.asked.append(request.full_path)
        return _json([order for order in self.orders if not number or str(order["number"]) == number])


def _json(data: JsonAnswer) -> Response:
    return Response(json.dumps(data), mimetype="application/json")


@dataclass(frozen=True)
class ServedShop:
    """A mapped shop that can be called."""

    services: ShopServices
    shop: HttpShop
    runner: asyncio.Runner

    def perform(self, name: str, **arguments: Any) -> Any:
        """Ask one operation. Raises ServiceError."""
        return self.runner.run(self.services.perform(name, arguments, f"key-{name}"))

    def call(self, *lines: str) -> list[str]:
        """Hold a call; returns what the agent said after the greeting and after each line."""
        facts = CallFacts(now=NOW, shop_name="Northwind Supply", call_id="test")
        text_call = TextCall(Conversation(shipped_pack(), facts, RENDER), self._effect)
        said = [text_call.start().text]
        for line in lines:
            if text_call.over:
                break
            said.append(text_call.give(event_from_line(line)).text)
        return said

    def _effect(self, effect: Effect) -> EffectSucceeded | EffectFailed:
        try:
            result = self.runner.run(self.services.perform(effect.name, effect.arguments, effect.key or effect.id))
        except ServiceError as error:
            return EffectFailed(effect.id, error.code, error.message, error.reason)
        # what the service really gives is what a flow test may let it give
        assert complete_answer(effect.name, result) == result
        return EffectSucceeded(effect.id, result)


@contextmanager
def served(
    httpserver: HTTPServer, name: str, made_up: MadeUpShop, change: Callable[[str], str] = lambda text: text
) -> Iterator[ServedShop]:
    """Open a shipped mapping in front of a made-up shop; ``change`` edits the file as an administrator would."""
    text = change(shipped()[name].read_text(encoding="utf-8"))
    text = re.sub(r"(?m)^base_url: https://[^/\s]+", f"base_url: {httpserver.url_for('').rstrip('/')}", text)
    httpserver.expect_request(re.compile(".*")).respond_with_handler(getattr(made_up, name))
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        (Path(folder) / "shop.yaml").write_text(text, encoding="utf-8")
        systems = [file.system for file in load_directory(Path(folder))]

        async def opened() -> HttpShop:
            return open_http_shop(systems, now=lambda: NOW)

        shop = runner.run(opened())
        services = ShopServices.of(shop.systems, today=lambda: NOW.date(), verify_floor_seconds=0)
        try:
            yield ServedShop(services, shop, runner)
        finally:
            runner.run(shop.close())


def days_ago(days: int) -> str:
    """Return a point in time so many days before now, as Shopify writes it."""
    return (NOW - dt.timedelta(days=days)).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
