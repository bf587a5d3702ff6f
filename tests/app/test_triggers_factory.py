from __future__ import annotations

import contextlib
import json
import time
from datetime import datetime
from pathlib import Path

import aiohttp
import pytest

from agent.app.shop_factory import open_shop
from agent.app.triggers_factory import open_triggers
from agent.config.base import SettingsError
from agent.config.loader import load_settings
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
