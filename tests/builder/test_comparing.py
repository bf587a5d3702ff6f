"""Comparing two sequences: what difflib says where it is quick, and an answer where it would take hours."""

from __future__ import annotations

from difflib import SequenceMatcher

from hypothesis import given
from hypothesis import strategies as st

from agent.builder.comparing import MOST_PAIRS, opcodes

ITEMS = st.lists(st.sampled_from("abc"), max_size=12)


@given(ITEMS, ITEMS)
def test_what_differs_makes_one_sequence_the_other(old: list[str], new: list[str]) -> None:
    made: list[str] = []
    for tag, i1, i2, j1, j2 in opcodes(old, new):
        made += old[i1:i2] if tag == "equal" else new[j1:j2]
    assert made == new


def test_sequences_that_repeat_a_few_items_without_end_are_compared_at_their_ends_alone() -> None:
    many = MOST_PAIRS
    old, new = ["head", *["a", "b"] * many, "tail"], ["head", *["b", "a"] * many, "x", "tail"]
    assert [one[0] for one in opcodes(old, new)] == ["equal", "replace", "equal"]


def test_what_differs_in_the_middle_is_told_as_difflib_tells_it() -> None:
    old, new = list("one-two-three"), list("one-twenty-three")
    inner = [one for one in opcodes(old, new) if one[0] != "equal"]
    assert inner == [one for one in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if one[0] != "equal"]
