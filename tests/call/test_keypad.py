"""Keypad entries: where they end, and to which of them a terminator belongs."""

from __future__ import annotations

import pytest

from agent.call.keypad import EndedEntry, KeyCollector
from agent.dialog.contract import KeyEntry


def test_an_entry_ends_with_its_last_digit() -> None:
    keys = KeyCollector(KeyEntry(max_digits=5))
    assert [keys.key(digit, 0.0) for digit in "10473"] == [False, False, False, False, True]
    assert keys.keys == "10473"


def test_the_terminator_ends_it_earlier_and_is_not_part_of_it() -> None:
    keys = KeyCollector(KeyEntry(max_digits=10))
    assert [keys.key(digit, 0.0) for digit in "12#"] == [False, False, True]
    assert keys.keys == "12"


def test_a_pause_ends_it_too() -> None:
    keys = KeyCollector(KeyEntry(max_digits=5, inter_digit_seconds=2.0))
    assert not keys.timed_out(100.0)
    keys.key("1", 100.0)
    assert not keys.timed_out(101.9)
    assert keys.timed_out(102.0)


def test_the_next_key_is_waited_for_2_5_seconds() -> None:
    keys = KeyCollector(KeyEntry(max_digits=5))
    assert not keys.key("1", 10.0)
    assert not keys.timed_out(12.4)
    assert keys.timed_out(12.5)


def test_a_key_for_a_person_counts_at_once_and_only_as_the_first() -> None:
    entry = KeyEntry(max_digits=5, instant="0*")
    assert KeyCollector(entry).key("0", 0.0)
    keys = KeyCollector(entry)
    assert [keys.key(digit, 0.0) for digit in "10473"] == [False, False, False, False, True]


def test_a_terminator_alone_is_reported_as_itself() -> None:
    keys = KeyCollector(KeyEntry(max_digits=5))
    assert keys.key("#", 0.0)
    assert keys.keys == "#"


def ended(entry: KeyEntry, keys: str, at: float = 10.0) -> EndedEntry | None:
    collector = KeyCollector(entry)
    for digit in keys:
        collector.key(digit, at)
    return collector.ended()


@pytest.mark.parametrize(
    ("entry", "keys"), [(KeyEntry(5), "10473"), (KeyEntry(1), "1"), (KeyEntry(5, instant="*"), "*")]
)
def test_a_terminator_after_an_entry_that_was_whole_belongs_to_that_entry(entry: KeyEntry, keys: str) -> None:
    before = ended(entry, keys)
    assert before is not None
    assert before.claims("#", 12.5, next_was_asked=True)
    assert not before.claims("1", 10.1, next_was_asked=True)


def test_a_terminator_belongs_to_the_entry_before_for_as_long_as_a_next_key_would_have() -> None:
    before = ended(KeyEntry(5, inter_digit_seconds=2.0), "10473", at=10.0)
    assert before is not None
    assert before.claims("#", 12.0, next_was_asked=True)
    assert not before.claims("#", 12.1, next_was_asked=True)


def test_a_terminator_pressed_before_the_next_question_is_out_answers_nothing() -> None:
    before = ended(KeyEntry(5), "10473", at=10.0)
    assert before is not None
    assert before.claims("#", 60.0, next_was_asked=False)


def test_an_entry_that_has_had_its_terminator_claims_no_second_one() -> None:
    assert ended(KeyEntry(5), "104#") is None
    assert ended(KeyEntry(5), "#") is None
