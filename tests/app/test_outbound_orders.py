"""Whether an order, or what was said on the telephone since, speaks against a call about it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.app import outbound_orders
from agent.app.outbound_orders import ShopOrders, order_as_it_stands
from agent.common.service_error import ServiceError
from agent.outbound.model import Purpose
from agent.outbound.ports import OrderNow, OrderUnreadable
from agent.records.database import RecordsUnavailable
from agent.records.earlier_calls import ContactsSince
from tests.outbound.made import MONDAY_NOON, NUMBER, job

MADE = replace(job(), created_at=MONDAY_NOON)


class Shop:
    """An order system with one order, or one that fails."""

    def __init__(self, status: str = "delivered", error: Exception | None = None, seconds: float = 0.0) -> None:
        self.status, self.error, self.seconds = status, error, seconds

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return {"order": {"number": arguments["number"], "status": self.status}}


class Contacts:
    """Records of calls, or ones that cannot be read."""

    def __init__(self, found: ContactsSince | Exception) -> None:
        self.found = found
        self.asked: list[tuple[set[str], str, float]] = []

    async def __call__(self, numbers: Collection[str], order: str, since: float) -> ContactsSince:
        self.asked.append((set(numbers), order, since))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize("status", ["cancelled", "returned", "refunded"])
def test_an_order_that_came_to_nothing_is_nobodys_to_be_called_about(status: str) -> None:
    now = order_as_it_stands({"status": status}, ContactsSince(), MADE)
    assert [now.cancelled, now.returned, now.refunded].count(True) == 1
    delivered = order_as_it_stands({"status": "delivered"}, ContactsSince(), MADE)
    assert delivered == order_as_it_stands({}, ContactsSince(), MADE) == OrderNow()


async def test_calls_are_asked_for_in_every_form_of_the_number_since_the_job_was_made() -> None:
    contacts = Contacts(ContactsSince(called_in=True))
    assert await ShopOrders(Shop(), contacts).order_now(MADE) == OrderNow(called_in=True)
    [(numbers, order, since)] = contacts.asked
    assert {NUMBER, NUMBER[1:], NUMBER[2:]} <= numbers
    assert (order, since) == ("A1", MONDAY_NOON.timestamp())


async def test_a_call_keeps_no_survey_from_a_customer_but_a_complaint_does() -> None:
    survey = replace(MADE, purpose=Purpose.SURVEY)
    called = Contacts(ContactsSince(called_in=True))
    assert await ShopOrders(Shop(), called).order_now(survey) == OrderNow()
    complained = Contacts(ContactsSince(called_in=True, complained=True, ticket=True))
    assert await ShopOrders(Shop(), complained).order_now(survey) == OrderNow(complained=True, ticket_open=True)


async def test_a_call_does_not_end_the_appointment_that_was_made_on_it() -> None:
    called = Contacts(ContactsSince(called_in=True))
    assert await ShopOrders(Shop(), called).order_now(replace(MADE, appointment=True)) == OrderNow()


async def test_where_it_is_switched_off_only_the_order_system_decides() -> None:
    assert await ShopOrders(Shop("returned"), None).order_now(MADE) == OrderNow(returned=True)


async def test_a_promised_call_is_made_however_the_order_stands_unless_the_customer_has_called_again() -> None:
    promised = replace(MADE, purpose=Purpose.CALLBACK)
    shop = Shop(error=ServiceError("unavailable", ""))
    with_ticket = Contacts(ContactsSince(complained=True, ticket=True))
    assert await ShopOrders(shop, with_ticket).order_now(promised) == OrderNow()
    again = Contacts(ContactsSince(called_in=True))
    assert await ShopOrders(shop, again).order_now(promised) == OrderNow(called_in=True)
    assert again.asked[0][1] == ""  # whatever they called about


async def test_a_job_without_an_order_has_nothing_that_could_drop_it() -> None:
    nothing = replace(MADE, facts=replace(MADE.facts, order_number=""))
    assert await ShopOrders(Shop(error=ServiceError("unavailable", "")), None).order_now(nothing) == OrderNow()


@pytest.mark.parametrize("error", [ServiceError("unavailable", "down"), ServiceError("not_found", "none")])
async def test_nobody_is_called_while_the_order_system_does_not_answer(error: ServiceError) -> None:
    with pytest.raises(OrderUnreadable):
        await ShopOrders(Shop(error=error), None).order_now(MADE)


async def test_nobody_is_called_while_the_records_cannot_be_read() -> None:
    with pytest.raises(OrderUnreadable):
        await ShopOrders(Shop(), Contacts(RecordsUnavailable("no disk"))).order_now(MADE)


async def test_an_order_system_that_is_too_slow_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound_orders, "ORDER_SECONDS", 0.01)
    with pytest.raises(OrderUnreadable):
        await ShopOrders(Shop(seconds=5.0), None).order_now(MADE)
