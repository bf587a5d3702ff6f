"""Systems that are read but not changed: changes are confirmed as not done, and nothing is there afterwards."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.common.service_error import ServiceError
from agent.shop.answers import complete_answer
from agent.shop.demo.shop import DemoShop, open_demo_shop
from agent.shop.dry_changes import NOT_DONE, without_changes
from agent.shop.services import CHANGES, ShopServices

NOW = dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC)
RETURN = {"reason": "changed_mind", "condition": "unopened", "route": "label", "refund": "original"}
ASKED: Mapping[str, Mapping[str, Any]] = {
    "shipments.change_address": {"number": "64350", "postcode": "98109", "street": "Oak Street", "house": "12"},
    "shipments.reschedule": {"number": "64350", "date": "2026-11-27", "window": "09:00-12:00"},
    "shipments.investigate": {"number": "36190"},
    "returns.create": {"number": "58124", "item": "Wool Scarf", **RETURN},
    "shipments.leave_note": {"number": "10473", "note": "at the back door"},
    "orders.cancel": {"number": "41286"},
    "orders.remove_line": {"number": "41286", "line": "YGM-701-PRP"},
    "orders.set_quantity": {"number": "41286", "line": "YGM-701-PRP", "quantity": 3},
    "orders.set_option": {"number": "41286", "line": "YGM-701-PRP", "option": "blue"},
    "messages.send": {"number": "10473", "template": "tracking", "values": {}},
    "tickets.create": {"reason": "check", "summary": "A test."},
}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[DemoShop]:
    opened = await open_demo_shop(tmp_path, now=lambda: NOW)
    yield opened
    await opened.close()


def services_of(shop: DemoShop, *, served: bool = True) -> ShopServices:
    systems = without_changes(shop.systems, lambda operation: served, lambda: NOW)
    return ShopServices.of(systems, policy=shop.policy, today=lambda: NOW.date(), verify_floor_seconds=0)


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_a_change_is_confirmed_as_not_done_in_the_shape_of_the_service(shop: DemoShop, name: str) -> None:
    given = await services_of(shop).perform(name, ASKED[name], "key-1")
    assert NOT_DONE in json.dumps(given, default=str)
    if name != "tickets.create":  # its answer has more than a flow test may know
        assert complete_answer(name, given) == given


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_a_change_that_no_system_serves_is_refused_as_it_really_would_be(shop: DemoShop, name: str) -> None:
    with pytest.raises(ServiceError) as failure:
        await services_of(shop, served=False).perform(name, ASKED[name], "key-1")
    assert (failure.value.code, failure.value.message) == ("unavailable", f"no system maps {name}")


async def test_nothing_is_there_afterwards(shop: DemoShop, tmp_path: Path) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}

    services = services_of(shop)
    before = files()
    for name, arguments in ASKED.items():
        await services.perform(name, arguments, f"key-{name}")
    assert files() == before
    again = await services.perform("returns.eligibility", {"number": "58124", "item": "Wool Scarf"}, "")
    assert again["eligibility"]["allowed"] is True


async def test_the_rules_of_the_shop_refuse_as_ever(shop: DemoShop) -> None:
    with pytest.raises(ServiceError) as refusal:
        await services_of(shop).perform("shipments.investigate", {"number": "10473"}, "key-1")
    assert (refusal.value.code, refusal.value.reason) == ("not_allowed", "not_delivered")


def test_every_change_of_a_system_is_tried_here() -> None:
    assert CHANGES - set(ASKED) == {"surveys.answer"}  # asks no system
