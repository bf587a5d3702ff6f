"""What the shop knows of a caller's number: asked for beside the call, and missed by nobody when it is not there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.call.caller_lookup import CallerLookup, CallerProfile
from agent.common.service_error import ServiceError
from agent.dialog.contract import HandOverAction
from tests.call.text_session import TextSession, demo_shop, section

MARIA = {"first_name": "Maria", "tier": "gold", "orders_count": 3, "phone": "+12025550143", "name": "Maria Lopez"}


class FakeShop:
    """Answers each operation with a result, an error, or never."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name.replace("_", ".", 1): answer for name, answer in answers.items()}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        self.asked.append((name, arguments))
        answer = self.answers.get(name)
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Mapping)
        return answer


async def test_a_known_caller_brings_orders_and_a_first_name_but_no_private_data() -> None:
    shop = FakeShop(
        customers_by_phone={"customer": MARIA}, orders_find_by_phone={"orders": [{"number": "10473"}, {"number": "1"}]}
    )
    introduction = CallerLookup(shop, "2025550143")
    assert await introduction.customer(5.0) == {"first_name": "Maria", "tier": "gold", "orders_count": 3}
    known = await introduction.whole()
    assert known.order_numbers == ("10473", "1")
    assert "phone" not in known.customer
    await introduction.close()
    assert {name for name, _ in shop.asked} == {"customers.by_phone", "orders.find_by_phone"}
    assert all(arguments == {"phone": "2025550143"} for _, arguments in shop.asked)


@pytest.mark.parametrize("error", [ServiceError("not_found", "nobody"), ServiceError("unavailable", "down")])
async def test_a_stranger_and_a_shop_that_is_down_are_both_nothing_known(error: ServiceError) -> None:
    introduction = CallerLookup(FakeShop(customers_by_phone=error, orders_find_by_phone=error), "2025550143")
    assert await introduction.whole() == CallerProfile()
    await introduction.close()


async def test_a_slow_shop_does_not_hold_the_greeting() -> None:
    introduction = CallerLookup(FakeShop(orders_find_by_phone={"orders": []}), "2025550143")
    assert await introduction.customer(0.01) == {}
    await introduction.close()
    await introduction.close()


async def test_nothing_is_asked_about_a_caller_without_a_number() -> None:
    shop = FakeShop()
    introduction = CallerLookup(shop, "")
    assert await introduction.whole() == CallerProfile()
    await introduction.close()
    assert shop.asked == []


async def test_nonsense_from_the_shop_is_nothing_known() -> None:
    shop = FakeShop(
        customers_by_phone={"customer": "Maria"}, orders_find_by_phone={"orders": [None, {"number": ""}, 7]}
    )
    introduction = CallerLookup(shop, "2025550143")
    assert await introduction.whole() == CallerProfile()
    await introduction.close()


async def test_people_read_who_is_known_by_this_number_and_nobody_waits_for_it() -> None:
    introduction = CallerLookup(FakeShop(customers_by_phone={"customer": MARIA}, orders_find_by_phone={}), "2025550143")
    assert introduction.known_as() == ""
    await introduction.whole()
    assert introduction.known_as() == "Maria, gold customer, 3 orders"
    await introduction.close()


async def test_a_stranger_is_known_as_nobody() -> None:
    introduction = CallerLookup(FakeShop(customers_by_phone=ServiceError("not_found", "nobody")), "2025550143")
    await introduction.customer(5.0)
    assert introduction.known_as() == ""
    await introduction.close()
    assert introduction.known_as() == ""


class TestANameIsNoProof:
    @pytest.fixture
    async def call(self, tmp_path: Path) -> AsyncIterator[TextSession]:
        shop = await demo_shop(tmp_path)
        yield TextSession(shop, first_name="Maria", known_as="Maria, gold customer")
        await shop.close()

    async def test_a_caller_greeted_by_name_is_asked_for_both_facts_all_the_same(self, call: TextSession) -> None:
        await call.play("where is my order", "one zero four seven three")
        assert "Maria" in call.record.turns[0].agent
        assert call.record.turns[-1].slot == "postcode"
        assert call.record.effects == []
        assert not call.conversation.story.verified

    async def test_the_ticket_of_a_caller_greeted_by_name_says_not_verified(self, call: TextSession) -> None:
        await call.play("where is my order", "i want to talk to a person")
        page = call.page()
        assert section(page, "Verified") == ["- no: it did not come to that"]
        assert section(page, "Found") == ["- nothing"]
        assert isinstance(call.end, HandOverAction)
        assert call.end.facts["verified"] is False

    async def test_without_the_shop_s_consent_nobody_is_greeted_by_name(self, tmp_path: Path) -> None:
        shop = await demo_shop(tmp_path / "other")
        call = await TextSession(shop, known_as="Maria, gold customer").play("where is my order")
        assert all("Maria" not in turn.agent for turn in call.record.turns)
        await shop.close()
