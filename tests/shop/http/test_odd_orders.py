"""Fifty odd orders of each shop, each through whole calls: it is told, and nothing false is said of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from agent.languages.en import wording
from tests.shop.http.odd_orders import MAKERS, NUMBER, POSTCODE, OddOrder
from tests.shop.http.spoken_calls import SECRETS, ServedShop, served

VARIANTS = 50
QUICK = 5


def variants(step: int) -> list[Any]:
    """Every ``step``th variant; beyond the first few together they take half a minute."""
    chosen = range(0, VARIANTS, step)
    return [seed if seed < QUICK * step else pytest.param(seed, marks=pytest.mark.slow) for seed in chosen]


HOLES = (
    r"\bthe (is|are|was|were|has|already|for|of)\b",
    r"\b(of|with|by|number) ?[.,:]",
    r"\b(of|with|by|number|and) (is|was|has|went)\b",
    r": ?[.,]",
    r"(?:^|[.!?] )(is|was|has|went) ",
    r"\b(none|null|undefined|nan)\b",
    r"  ",
    r"[.,] ?[.,]",
)
"""Where a part of a sentence is missing."""
COINS = {"USD": "dollar", "EUR": "euro", "GBP": "pound"}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "secret")


def answer(shop: ServedShop, question: str) -> str:
    """Return what is said to a caller who asks and gives number and postcode."""
    said = shop.call(question, f"#{NUMBER}", f"#{POSTCODE}")[-1]
    assert "can't see orders" not in said, said
    assert "couldn't match" not in said, said
    for hole in HOLES:
        assert not re.search(hole, said.lower()), f"{hole!r} in {said!r}"
    return said


def check_status(said: str, odd: OddOrder) -> None:
    for words, can_be in odd.can_be.items():
        assert can_be or words not in said, f"{words!r} is not true: {said}"
    counted = re.search(r"(?:comes in|there are) (\w+) parcels", said)
    assert counted is None or counted[1] == wording.count(odd.parcels), said


def check_money(said: str, odd: OddOrder) -> None:
    for currency, coin in COINS.items():
        assert coin not in said or currency == odd.currency, f"paid in {odd.currency}: {said}"


def check_refund(said: str, odd: OddOrder) -> None:
    if odd.refunded is None or float(odd.refunded) > 0:
        assert "no refund" not in said, said
        assert "before anything was charged" not in said, said
    if odd.refunded is not None and float(odd.refunded) > 0:
        assert wording.money(odd.refunded, odd.currency) in said, said


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("seed", variants(1))
def test_an_odd_order_is_told_and_nothing_false_is_said(httpserver: HTTPServer, name: str, seed: int) -> None:
    odd = MAKERS[name](seed)
    with served(httpserver, name, odd.shop) as shop:
        status = answer(shop, "where is my order")
        check_status(status, odd)
        check_money(status, odd)
        bought = answer(shop, "what did i order")
        assert all(one in bought for one in odd.names[:1]), bought
        assert not [one for one in odd.gone if one in bought], bought
        refund = answer(shop, "where is my refund")
        check_refund(refund, odd)
        check_money(refund, odd)
        for question in ("where is my return", "why is it late", "which carrier is it", "what time will it come"):
            check_money(answer(shop, question), odd)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("seed", variants(3))
def test_what_of_an_odd_order_may_come_back_is_told_line_by_line(httpserver: HTTPServer, name: str, seed: int) -> None:
    odd = MAKERS[name](seed)
    with served(httpserver, name, odd.shop) as shop:
        answer(shop, "i want to return something")
        items = shop.perform("returns.eligibility", number=NUMBER)["eligibility"]["items"]
        keys = [item["line"] for item in items]
        assert len(set(keys)) == len(keys)
        assert all(item["name"] for item in items)
