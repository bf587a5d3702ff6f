"""Callers' numbers are cut wherever they stand, and what is no number stays."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.console.numbers import cut_number, cut_numbers_in, without_numbers

DIGITS = st.text("0123456789", min_size=7, max_size=15)
SEPARATORS = st.sampled_from(["", " ", "-", ".", ") ", "  "])


@given(DIGITS, SEPARATORS, st.integers(3, 4), st.sampled_from(["", "+", "("]))
def test_a_number_is_cut_in_whatever_way_it_is_written(digits: str, separator: str, size: int, before: str) -> None:
    groups = separator.join(digits[at : at + size] for at in range(0, len(digits), size))
    told = cut_numbers_in(f"Ring {before}{groups}, please.")
    if not (separator == "-" and size == 4 and len(digits) == 8):  # 2026-1130: short enough to be anything
        assert digits[:-2] not in "".join(one for one in told if one.isdigit())


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-24",
        "It comes on 2026-12-24.",
        "order 10473",
        "08:00-18:00",
        "AB-10473-X",
        "2026-11-30T12:00:00.000-05:00",
    ],
)
def test_dates_orders_and_hours_stay(text: str) -> None:
    assert cut_numbers_in(text) == text


@pytest.mark.parametrize(
    ("number", "cut"), [("+12025550143", "…43"), ("", ""), ("anonymous", "…"), ("601", "…01"), ("12", "…")]
)
def test_two_digits_are_left(number: str, cut: str) -> None:
    assert cut_number(number) == cut


SCALARS = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


@given(JSON)
def test_any_json_is_taken(value: object) -> None:
    json.dumps(without_numbers(value))


def test_what_is_the_shops_own_stays_whole() -> None:
    told = without_numbers(
        {
            "id": "1764057600.12",
            "caller": {"number": "+12025550143", "dialled": "18005550100"},
            "slots": {"order_number": "12345678"},
            "turns": [{"heard": "I am at 202 555 0143"}],
        }
    )
    assert told == {
        "id": "1764057600.12",
        "caller": {"number": "…43", "dialled": "18005550100"},
        "slots": {"order_number": "12345678"},
        "turns": [{"heard": "I am at …43"}],
    }
