"""One call as its page shows it: response times by part, what is left out and why, and any record there may be."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.console.views.call_map import call_maps, trail_through
from agent.console.views.one_call import one_call
from agent.console.views.spoken_words import BAR_WIDTH
from agent.dialog.pack.reader import read_pack
from agent.flows import english_pack
from tests.browser.sample_calls import full_call, missed_call

NOON = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5)))

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
parts = st.sampled_from(
    (
        "turns",
        "trail",
        "intents",
        "effects",
        "facts",
        "handover",
        "slots",
        "sound",
        "caller",
        "queue_wait",
        "started_at",
    )
)


def test_the_longest_response_fills_the_bar_and_others_are_in_proportion() -> None:
    view = one_call(full_call(NOON), may_hear=True, recordings=1)
    bars = [sum(part.width for part in line.response.parts) for line in view.lines if line.response is not None]
    assert max(bars) == BAR_WIDTH or abs(max(bars) - BAR_WIDTH) < 0.5
    assert view.slowest == "1.48 s"
    slow = [line.text for line in view.lines if line.response is not None and line.response.slow]
    assert len(slow) == 1
    assert "on its way" in slow[0]


def test_a_turn_seeks_to_where_it_is_heard() -> None:
    view = one_call(full_call(NOON), may_hear=True, recordings=1)
    heard = {line.text: line.seek_seconds for line in view.lines}
    assert heard["one oh four seven"] == 8.8
    assert heard["Sure. What's the order number?"] == 6.6


def test_why_there_is_nothing_to_hear_is_told() -> None:
    record = full_call(NOON)
    assert "Your role may not" in one_call(record, may_hear=False, recordings=1).sound_missing
    assert "not here" in one_call(record, may_hear=True, recordings=0).sound_missing
    assert "was not recorded" in one_call(missed_call(NOON), may_hear=True, recordings=0).sound_missing
    refused = {**missed_call(NOON), "consent": "refused", "turns": []}
    view = one_call(refused, may_hear=True, recordings=0)
    assert "refused" in view.sound_missing
    assert "nothing of what was said is kept" in view.words_gone


@given(record=st.dictionaries(parts, anything | st.lists(st.dictionaries(st.text(max_size=8), anything), max_size=3)))
def test_any_record_is_shown(record: dict[str, Any]) -> None:
    one_call(record, may_hear=True, recordings=1)
    one_call({**full_call(NOON), **record}, may_hear=True, recordings=1)


def test_the_map_of_a_call_has_the_steps_it_came_to_and_where_it_ended() -> None:
    contents = read_pack(english_pack()).contents
    trail = missed_call(NOON)["trail"]
    maps = {one.flow: one for one in call_maps(contents, trail)}
    whole = {one.flow: one for one in call_maps(contents, trail, whole=True)}
    assert list(maps) == ["main", "order_status", "identify"]
    assert 'data-step="postcode" data-kind="collect" class="lit last"' in maps["identify"].svg
    assert len(maps["identify"].svg) < len(whole["identify"].svg)
    assert "<style" not in maps["identify"].svg
    lit = trail_through(trail, "identify")
    assert ("number", "without_number") in lit.ways
    assert ("start", "known") in lit.ways
