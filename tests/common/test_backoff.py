"""Pauses grow up to a limit and begin again after a success."""

from __future__ import annotations

from agent.common.backoff import Backoff, pause_seconds


def test_each_pause_is_twice_the_last_up_to_the_longest() -> None:
    pauses = Backoff(0.5, 5.0)
    assert [pauses.next_seconds() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_after_a_success_the_first_pause_comes_again() -> None:
    pauses = Backoff(0.5, 5.0)
    pauses.next_seconds()
    pauses.next_seconds()
    pauses.reset()
    assert pauses.next_seconds() == 0.5


def test_a_count_of_a_year_is_no_number_too_large() -> None:
    assert pause_seconds(1_000_000, 0.5, 300.0) == 300.0
