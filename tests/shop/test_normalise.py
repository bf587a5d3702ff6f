"""Order numbers as callers say them and as shops write them."""

from __future__ import annotations

import pytest

from agent.shop.normalise import same_number, without_prefix


@pytest.mark.parametrize("known", ["10011", "#10011", "WEB-10011", "web 10011", "EN10011"])
def test_what_a_shop_puts_in_front_may_be_left_out(known: str) -> None:
    assert same_number("10011", known)
    assert same_number(known, "10011")


@pytest.mark.parametrize(
    ("given", "known"),
    [("10011", "100110"), ("10011", "210011"), ("WEB-10011", "POS-10011"), ("", ""), ("WEB", "POS"), ("10011", "WEB")],
)
def test_another_number_is_another_number(given: str, known: str) -> None:
    assert not same_number(given, known)


def test_only_letters_before_the_first_digit_are_in_front() -> None:
    assert [without_prefix(number) for number in ("WEB-10011", "A1B2", "ABC", "10011X")] == [
        "10011",
        "1B2",
        "ABC",
        "10011X",
    ]
