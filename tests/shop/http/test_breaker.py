"""The circuit breaker, stepped through time by hand."""

from __future__ import annotations

from agent.shop.http.breaker import CircuitBreaker


def broken(failures: int = 3) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=3, pause_seconds=10)
    for _ in range(failures):
        assert breaker.admits(0)
        breaker.failed(0)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    assert broken(2).state(0) == "closed"
    assert broken(3).state(0) == "open"
    assert not broken(3).admits(9.9)


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = broken(2)
    breaker.succeeded()
    breaker.failed(0)
    breaker.failed(0)
    assert breaker.state(0) == "closed"


def test_after_the_pause_one_trial_passes_and_closes_it() -> None:
    breaker = broken()
    assert breaker.state(10) == "half_open"
    assert breaker.admits(10)
    assert not breaker.admits(10)
    breaker.succeeded()
    assert breaker.state(10) == "closed"
    assert breaker.admits(10)


def test_a_failed_trial_opens_it_for_another_pause() -> None:
    breaker = broken()
    assert breaker.admits(10)
    breaker.failed(10)
    assert not breaker.admits(19.9)
    assert breaker.admits(20)


def test_a_trial_whose_caller_hung_up_leaves_room_for_the_next() -> None:
    breaker = broken()
    assert breaker.admits(10)
    breaker.abandoned()
    assert breaker.admits(10)
