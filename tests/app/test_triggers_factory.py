from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import test_utils, web

from agent.app.shop_factory import open_shop
from agent.app.triggers_factory import open_polling, open_triggers
from agent.config.base import SettingsError
from agent.config.loader import load_settings
from agent.config.settings import Settings
from agent.outbound.store import OutboundStore
from tests.outbound.triggers.test_signatures import SECRET, headers_of

CONFIG = """
state_directory: state
shop: {name: Maple and Finch, timezone: America/New_York, demo_directory: demo}
outbound:
  purposes: [delivery, survey]
  survey: {first_order: yes}
  triggers: {enabled: yes, port: 0, sources: {carrier: {scheme: easypost, consent: order_terms}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "orderline.yaml").write_text(CONFIG)
    (tmp_path / "state").mkdir()
    return tmp_path


async def test_a_carriers_event_finds_the_customers_number_in_the_shops_own_system(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINE_TRIGGER_CARRIER_SECRET", SECRET)
    settings = load_settings(config)
    async with contextlib.AsyncExitStack() as stack:
        shop = await open_shop(settings.shop, lambda: datetime.now().astimezone(), stack, config / "changes.sqlite")
        listener = await open_triggers(settings, shop.systems, stack)
        assert listener is not None
        result = {"status": "delivered", "reference": "10437", "updated_at": "2026-06-01T14:00:00Z"}
        body = json.dumps({"description": "tracker.updated", "result": result}).encode()
        url = f"http://127.0.0.1:{listener.port}/triggers/carrier"
        headers = headers_of("easypost", body, SECRET, time.time())
        async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 200
        store = OutboundStore(settings.state_directory)
        job = await store.job("delivery:10437:all")
        await store.close()
        assert job is not None
        assert (job.number, job.facts.name) == ("+15125550118", "James Carter")
        assert (job.consent, job.source) == ("order_terms", "webhook:carrier")


async def test_without_its_secret_nothing_listens(config: Path) -> None:
    settings = load_settings(config)
    async with contextlib.AsyncExitStack() as stack:
        shop = await open_shop(settings.shop, lambda: datetime.now().astimezone(), stack, config / "changes.sqlite")
        with pytest.raises(SettingsError, match="carrier"):
            await open_triggers(settings, shop.systems, stack)


MAPPING = """
system: oms
base_url: {url}
operations:
  orders.find:
    get: "/orders/{{{{ number }}}}"
    fields:
      number: number
      status: {{path: status, map: {{delivered: delivered}}}}
      placed_on: placed_on
      currency: currency
      total: total
      postcode: postcode
      phone: phone
      name: name
  orders.delivered_since:
    get: /deliveries
    query: {{since: "{{{{ since }}}}"}}
    list: deliveries
    fields: {{number: order, delivered_at: at, phone: phone}}
"""


async def test_what_the_order_system_lists_as_delivered_becomes_jobs_once(tmp_path: Path) -> None:
    at = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    asked: list[str] = []

    async def deliveries(request: web.Request) -> web.Response:
        asked.append(request.query["since"])
        return web.json_response({"deliveries": [{"order": "A1", "at": at, "phone": "202-555-0143"}]})

    async def order(request: web.Request) -> web.Response:
        found = {
            "number": request.match_info["number"], "status": "delivered", "placed_on": "2026-05-30", "currency": "USD",
            "total": 10, "postcode": "60614", "phone": "202-555-0143", "name": "Maria Lopez",
        }  # fmt: skip
        return web.json_response(found)

    app = web.Application()
    app.router.add_get("/deliveries", deliveries)
    app.router.add_get("/orders/{number}", order)
    async with test_utils.TestServer(app) as server, contextlib.AsyncExitStack() as stack:
        settings = _polled(tmp_path, str(server.make_url("")).rstrip("/"))
        shop = await open_shop(settings.shop, lambda: datetime.now().astimezone(), stack, tmp_path / "changes.sqlite")
        await open_polling(settings, shop.systems, stack)
        store = OutboundStore(settings.state_directory)
        stack.push_async_callback(store.close)
        async with asyncio.timeout(10):
            while (job := await store.job("delivery:A1:all")) is None:  # noqa: ASYNC110 - another task writes it
                await asyncio.sleep(0.02)
    assert (job.number, job.source, job.consent) == ("+12025550143", "poll:orders", "order_terms")
    assert datetime.fromisoformat(asked[0]).tzinfo is not None


async def test_polling_needs_a_system_that_lists_deliveries(config: Path) -> None:
    (config / "orderline.yaml").write_text(CONFIG + "  polling: {enabled: yes}\n")
    settings = load_settings(config)
    async with contextlib.AsyncExitStack() as stack:
        shop = await open_shop(settings.shop, lambda: datetime.now().astimezone(), stack, config / "changes.sqlite")
        with pytest.raises(SettingsError, match="no mapping file"):
            await open_polling(settings, shop.systems, stack)


def _polled(directory: Path, url: str) -> Settings:
    (directory / "systems").mkdir()
    (directory / "systems" / "oms.yaml").write_text(MAPPING.format(url=url))
    (directory / "state").mkdir()
    (directory / "orderline.yaml").write_text(
        "state_directory: state\n"
        "shop: {name: Maple and Finch, timezone: America/New_York, systems_directory: systems}\n"
        "outbound: {polling: {enabled: yes, consent: order_terms}}\n"
    )
    return load_settings(directory)
