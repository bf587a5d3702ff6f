"""A filter as options, and back."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.history.filter_text import InvalidFilter, as_command, as_query, filter_of, filter_options
from agent.history.filters import ANY, VALUE_KINDS, Bounds, CallFilter

_text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
_span = st.just(ANY) | st.builds(Bounds, st.none() | st.integers(0, 10**7), st.none() | st.integers(0, 10**7))
_groups = st.tuples(st.sampled_from(VALUE_KINDS), st.lists(_text, min_size=1, max_size=3).map(tuple))
_filters = st.builds(
    CallFilter,
    since_ms=st.none() | st.integers(0, 2**42),
    until_ms=st.none() | st.integers(0, 2**42),
    values=st.lists(_groups, max_size=3).map(dict),
    also=st.lists(_groups, max_size=2).map(tuple),
    order=st.just("") | _text,
    caller=st.just("") | _text,
    length_ms=_span,
    score=_span,
    latency_ms=_span,
    wait_ms=_span,
    greeting_ms=_span,
    again_ms=_span,
    misheard=st.just("") | _text,
    said=st.just("") | _text,
    caller_said=st.just("") | _text,
    agent_said=st.just("") | _text,
)


@given(wanted=_filters, zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]))
def test_a_filter_comes_back_from_its_options_and_its_query(wanted: CallFilter, zone: str) -> None:
    assert filter_of(filter_options(wanted, ZoneInfo(zone))) == wanted
    assert filter_of(parse_qsl(as_query(wanted, ZoneInfo(zone)), keep_blank_values=True)) == wanted


def test_a_command_reads_as_one_types_it() -> None:
    wanted = CallFilter(
        0, None, {"wait_ended": ("hung_up",)}, (("asked", ("returns", "a|b")),), wait_ms=Bounds(20_000, None)
    )
    assert as_command(wanted, dt.UTC) == (
        "orderline calls find --from=1970-01-01T00:00+00:00 --wait-ended=hung_up "
        r"'--also=asked=returns|a\|b' --wait=20-"
    )


@pytest.mark.parametrize(
    "option",
    [
        ("colour", "red"),
        ("from", "yesterday"),
        ("from", "2026-11-01"),
        ("wait", "long"),
        ("also", "asked"),
        ("also", "x=1"),
    ],
)
def test_what_is_no_filter_is_refused(option: tuple[str, str]) -> None:
    with pytest.raises(InvalidFilter):
        filter_of([option])
