"""Counts, intervals and confusions."""

from __future__ import annotations

from agent.accuracy.scoring import (
    meaning_confusions,
    normalised_words,
    score,
    share_of,
    word_confusions,
    word_error_rate,
)
from agent.accuracy.trial_types import Ending, HeardUtterance, Kind, Outcome, TrialResult


def result(
    said: str = "one two",
    heard: str = "one two",
    outcome: Outcome = "taken",
    ending: Ending = "first_try",
    *,
    speaker: str = "joe",
    kind: Kind = "number",
    expected: str = "12",
    got: str = "12",
) -> TrialResult:
    saying = HeardUtterance(said, heard, 0.9, 0.8, got, "order_number")
    return TrialResult("item", "lot", kind, speaker, "order_number", "clean", "voices", "model", expected, got, outcome,
                  ending, (saying,))  # fmt: skip


def test_oh_is_zero_and_unknown_words_are_none() -> None:
    assert normalised_words("Oh, [unk] 47!") == "zero four seven"
    assert word_error_rate([result("oh four", "zero [unk] four")]) == 0.0


def test_word_errors_are_counted_over_all_words_together() -> None:
    assert word_error_rate([result("one two three", "one two three"), result("nine", "five")]) == 0.25


def test_foreign_speech_has_no_word_errors() -> None:
    assert word_error_rate([result("banana", "", kind="foreign")]) is None


def test_a_score_tells_at_once_from_in_the_end() -> None:
    found = score([
        result(),
        result(outcome="asked"),
        result(outcome="missed", ending="repaired"),
        result(outcome="part", ending="keypad"),
        result(outcome="wrong", ending="wrong"),
    ])  # fmt: skip
    assert (found.understood.count, found.taken.count, found.asked.count) == (2, 1, 1)
    assert (found.asked_again.count, found.wrong.count) == (2, 1)
    assert (found.in_the_end.count, found.with_keypad.count, found.wrong_in_the_end.count) == (3, 4, 1)


def test_an_interval_holds_the_share_and_is_the_same_each_time() -> None:
    some = [result(outcome="taken" if index % 4 else "missed") for index in range(80)]
    one = share_of(some, lambda each: each.outcome == "taken")
    assert one == share_of(some, lambda each: each.outcome == "taken")
    assert one.low < one.value == 0.75 < one.high
    assert one.high - one.low < 0.25


def test_speakers_who_differ_make_the_interval_wide() -> None:
    """Eighty utterances of six speakers, of whom two are never understood, are not eighty independent ones."""
    some = [result(speaker=f"s{n % 6}", outcome="missed" if n % 6 < 2 else "taken") for n in range(84)]
    alike = [result(speaker=f"s{n % 6}", outcome="missed" if n % 3 == 0 and n % 2 else "taken") for n in range(84)]
    wide, narrow = (share_of(each, lambda one: one.outcome == "taken") for each in (some, alike))
    assert wide.high - wide.low > 0.4
    assert narrow.of == 84


def test_confusions_say_what_was_heard_for_what() -> None:
    table = word_confusions([result("four five nine", "four nine nine"), result("eight", "two eight")], ["five", "two"])
    assert table == {"": {"two": 1}, "five": {"nine": 1}}


def test_meanings_are_confused_too() -> None:
    some = [result(expected="yes", got="no"), result(expected="yes", got="yes"), result(expected="no", got="")]
    assert meaning_confusions(some) == {"no": {"": 1}, "yes": {"no": 1, "yes": 1}}
