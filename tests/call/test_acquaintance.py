"""What the shop knows of a caller's number: asked for beside the call, and missed by nobody when it is not there."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agent.call.acquaintance import Acquaintance, Introduction
from agent.call.errors import ServiceError

MARIA = {"first_name": "Maria", "tier": "gold", "orders_count": 3, "phone": "+12025550143", "name": "Maria Lopez"}


class Shop:
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
    shop = Shop(
        customers_by_phone={"customer": MARIA}, orders_find_by_phone={"orders": [{"number": "10473"}, {"number": "1"}]}
    )
    introduction = Introduction(shop, "2025550143")
    assert await introduction.customer(5.0) == {"first_name": "Maria", "tier": "gold", "orders_count": 3}
    known = await introduction.whole()
    assert known.order_numbers == ("10473", "1")
    assert "phone" not in known.customer
    await introduction.close()
    assert {name for name, _ in shop.asked} == {"customers.by_phone", "orders.find_by_phone"}
    assert all(arguments == {"phone": "2025550143"} for _, arguments in shop.asked)


@pytest.mark.parametrize("error", [ServiceError("not_found", "nobody"), ServiceError("unavailable", "down")])
async def test_a_stranger_and_a_shop_that_is_down_are_both_nothing_known(error: ServiceError) -> None:
    introduction = Introduction(Shop(customers_by_phone=error, orders_find_by_phone=error), "2025550143")
    assert await introduction.whole() == Acquaintance()
    await introduction.close()


async def test_a_slow_shop_does_not_hold_the_greeting() -> None:
    introduction = Introduction(Shop(orders_find_by_phone={"orders": []}), "2025550143")
    assert await introduction.customer(0.01) == {}
    await introduction.close()
    await introduction.close()


async def test_nothing_is_asked_about_a_caller_without_a_number() -> None:
    shop = Shop()
    introduction = Introduction(shop, "")
    assert await introduction.whole() == Acquaintance()
    await introduction.close()
    assert shop.asked == []


async def test_nonsense_from_the_shop_is_nothing_known() -> None:
    shop = Shop(customers_by_phone={"customer": "Maria"}, orders_find_by_phone={"orders": [None, {"number": ""}, 7]})
    introduction = Introduction(shop, "2025550143")
    assert await introduction.whole() == Acquaintance()
    await introduction.close()
