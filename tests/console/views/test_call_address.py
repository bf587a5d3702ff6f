"""The filter of the call log: addresses and filters say the same, whoever wrote them."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict

from agent.console.call_query import CallQuery, read_query
from agent.console.rights import ROLES, ConsolePerson
from agent.console.views.call_address import CallAddress, ChosenPeriod, address_of, read_address
from agent.history.filters import VALUE_KINDS, Bounds, CallFilter

ZONE = ZoneInfo("America/New_York")
NOW = dt.datetime(2026, 11, 30, 15, 4, tzinfo=ZONE)
ADMIN = ConsolePerson(1, "ana", "admin", ROLES["admin"])

texts = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)
bounds = st.builds(Bounds, st.none() | st.integers(0, 10**8), st.none() | st.integers(0, 10**8))
days = st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1))


def midnight_ms(day: dt.date) -> int:
    return round(dt.datetime.combine(day, dt.time(), ZONE).timestamp() * 1000)


def filter_of(address: CallAddress) -> CallFilter:
    query = read_query(CallQuery, MultiDict(address.api_pairs(NOW)))
    assert isinstance(query, CallQuery)
    return query.filter(ADMIN, NOW, lambda moment: moment.replace(tzinfo=ZONE))


@given(
    first=days,
    length=st.integers(0, 400),
    values=st.dictionaries(
        st.sampled_from([kind for kind in VALUE_KINDS if kind != "fault"]),
        st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple),
        max_size=3,
    ),
    length_ms=bounds,
    wait_ms=bounds,
)
def test_a_filter_of_a_report_comes_back_from_its_address_as_it_was(
    first: dt.date, length: int, values: dict[str, tuple[str, ...]], length_ms: Bounds, wait_ms: Bounds
) -> None:
    until = first + dt.timedelta(days=length + 1)
    wanted = CallFilter(midnight_ms(first), midnight_ms(until), values, length_ms=length_ms, wait_ms=wait_ms)
    link = address_of(wanted, ZONE).link()
    read = read_address(parse_qsl(link.partition("?")[2], keep_blank_values=True))
    assert not read.problems
    assert filter_of(read) == wanted


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(("when", "from", "to", "caller", "score", "after", "x")), st.text()), max_size=6
    )
)
def test_whatever_stands_in_an_address_is_read_and_searched_or_told(pairs: list[tuple[str, str]]) -> None:
    address = read_address(pairs)
    assert address.period.text
    address.link()
    list(address.chips())


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("today", "2026-11-30", None),
        ("yesterday", "2026-11-29", "2026-11-29"),
        ("week", "2026-11-30", None),
        ("last_week", "2026-11-23", "2026-11-29"),
        ("7d", "2026-11-24", None),
        ("30d", "2026-11-01", None),
    ],
)
def test_a_period_by_name_is_days_of_the_shop(name: str, first: str, last: str | None) -> None:
    days_of = dict(read_address([("when", name)]).api_pairs(NOW))
    assert days_of.get("from") == first
    assert days_of.get("to") == last


def test_a_list_without_a_time_is_of_the_last_seven_days() -> None:
    assert read_address([]).period == ChosenPeriod("7d")
    assert read_address([]).link() == "/calls"


def test_a_condition_is_taken_away_by_its_chip_and_the_others_stay() -> None:
    address = read_address([("when", "30d"), ("outcome", "lost"), ("outcome", "failed"), ("said", "refund")])
    without = {chip.text: chip.without for chip in address.chips()}
    assert without["Lost"] == "/calls?when=30d&outcome=failed&said=refund"
    assert without["refund"] == "/calls?when=30d&outcome=lost&outcome=failed"


def test_what_is_wrong_is_told_and_left_out() -> None:
    address = read_address([("from", "soon"), ("caller", "abc"), ("least_score", "many")])
    assert len(address.problems) == 3
    assert address.link() == "/calls"
