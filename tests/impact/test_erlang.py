"""Erlang B, C and A: published values to their printed digits, and what must hold for every queue."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.impact.erlang import agents_needed, erlang_a, erlang_b, erlang_c, lines_needed, offered_load
from agent.impact.errors import EndlessQueue

loads = st.floats(min_value=0.05, max_value=60)
staff = st.integers(min_value=1, max_value=70)
patience = st.floats(min_value=1, max_value=5000)
handling = st.floats(min_value=10, max_value=600)


@pytest.mark.parametrize(("agents", "load", "value"), [(1, 0.5, 1 / 2), (2, 1, 1 / 3), (3, 2, 4 / 9), (4, 3, 27 / 53)])
def test_erlang_c_of_small_queues_is_exact(agents: int, load: float, value: float) -> None:
    assert erlang_c(load, agents).wait_probability == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("agents", "load", "value", "digits"),
    [
        (14, 10, 0.17413, 5), (55, 48, 0.2387, 4), (132, 123, 0.3211, 4), (12421, 12345, 0.3812, 4),
        (5, 4, 0.5541, 4), (10, 8, 0.4092, 4), (100, 95, 0.5065, 4),
    ],
)  # fmt: skip
def test_erlang_c_as_published(agents: int, load: float, value: float, digits: int) -> None:
    assert round(erlang_c(load, agents).wait_probability, digits) == value


@pytest.mark.parametrize(("agents", "load", "value"), [(5, 3, 0.1101), (10, 5, 0.0184), (10, 10, 0.2146)])
def test_erlang_b_as_published(agents: int, load: float, value: float) -> None:
    assert round(erlang_b(load, agents), 4) == value


@pytest.mark.parametrize(
    ("agents", "level", "wait"), [(14, 0.8884, 7.8), (13, 0.7956, 17.1), (12, 0.6402, 40.4), (11, 0.3896, 122.8)]
)
def test_two_hundred_calls_an_hour_of_three_minutes(agents: int, level: float, wait: float) -> None:
    queue = erlang_c(offered_load(200, 180), agents, 180)
    assert round(queue.answered_within(20), 4) == level
    assert round(queue.mean_wait_seconds, 1) == wait


def test_the_same_queue_to_every_digit_that_another_library_prints() -> None:
    queue = erlang_c(10, 14, 180)
    assert queue.wait_probability == pytest.approx(0.1741319335950498, rel=1e-12)
    assert queue.answered_within(20) == pytest.approx(0.8883500191794669, rel=1e-12)
    assert round(queue.mean_wait_seconds, 2) == 7.84
    assert round(100 * queue.occupancy, 1) == 71.4


def test_the_worked_example_of_360_calls_in_half_an_hour() -> None:
    queue = erlang_c(offered_load(720, 240), 55, 240)
    assert round(queue.answered_within(15), 4) == 0.8459
    assert round(queue.mean_wait_seconds, 2) == 8.18


@pytest.mark.parametrize(
    ("calls", "agents"), [(50, 5), (100, 8), (200, 14), (240, 16), (600, 35), (1800, 97), (3000, 158)]
)
def test_staff_for_eighty_percent_in_twenty_seconds(calls: int, agents: int) -> None:
    assert agents_needed(offered_load(calls, 180), 180, 0.8, 20) == agents


@pytest.mark.parametrize(
    ("agents", "calls", "handle", "patient", "waits", "abandons", "wait"),
    [
        (50, 2880, 60, 120, 0.4678, 3.09, 3.71),
        (100, 6000, 60, 60, 0.5133, 3.99, 2.39),
        (14, 200, 180, 120, 0.1270, 2.28, 2.74),
        (10, 200, 180, 120, 0.4969, 13.75, 16.5),
    ],
)
def test_erlang_a_as_published(
    agents: int, calls: float, handle: float, patient: float, waits: float, abandons: float, wait: float
) -> None:
    queue = erlang_a(calls, agents, handle, patient)
    assert round(queue.wait_probability, 4) == waits
    assert round(100 * queue.abandon_probability, 2) == abandons
    assert round(queue.mean_wait_seconds, 1 if wait == 16.5 else 2) == wait


def test_fifty_staff_with_and_without_patience() -> None:
    """The known comparison: 3.7 s where callers hang up, 20.8 s where nobody does."""
    queue = erlang_a(2880, 50, 60, 120)
    assert round(100 * queue.occupancy, 1) == 93.0
    assert round(queue.waiting_calls, 2) == 2.97
    assert queue.wait_percentile(0.9) == pytest.approx(12.45, abs=0.01)
    endless = erlang_c(48, 50, 60)
    assert round(endless.mean_wait_seconds, 2) == 20.83
    assert round(endless.wait_percentile(0.9), 1) == 58.1
    assert round(endless.waiting_calls, 1) == 16.7
    assert round(100 * endless.occupancy) == 96


def test_patience_as_long_as_a_call_gives_a_poisson_tail() -> None:
    below = math.fsum(math.exp(-100 + k * math.log(100) - math.lgamma(k + 1)) for k in range(100))
    assert erlang_a(6000, 100, 60, 60).wait_probability == pytest.approx(1 - below, rel=1e-9)
    assert 1 - below == pytest.approx(0.513299, abs=5e-7)


def test_half_as_much_again_as_staff_can_do_loses_a_third() -> None:
    queue = erlang_a(1800, 100, 300, 300)
    assert round(queue.wait_probability, 4) == 1
    assert round(100 * queue.abandon_probability, 2) == 33.33
    assert queue.mean_wait_seconds == pytest.approx(100, abs=0.01)  # P(abandon) times the mean patience
    full = erlang_a(1200, 100, 300, 300)
    assert round(100 * full.abandon_probability, 2) == 3.99
    assert full.answered_share(20) == pytest.approx(0.7265, abs=5e-4)


def test_lines_for_one_blocked_caller_in_a_thousand() -> None:
    assert lines_needed(5.2, 0.001) == 14


def test_too_few_staff_for_patient_callers_is_said_not_computed() -> None:
    with pytest.raises(EndlessQueue, match="grows without end"):
        erlang_c(offered_load(200, 180), 10, 180)


@given(load=loads, agents=staff, handle=handling, patient=patience)
@settings(max_examples=60, deadline=None)
def test_hanging_up_never_loses_more_than_blocking(load: float, agents: int, handle: float, patient: float) -> None:
    queue = erlang_a(load / handle * 3600, agents, handle, patient)
    assert queue.abandon_probability <= erlang_b(load, agents) * (1 + 1e-9)


@given(load=loads, agents=staff, handle=handling)
@settings(max_examples=30, deadline=None)
def test_endless_patience_is_erlang_c(load: float, agents: int, handle: float) -> None:
    if load > 0.97 * agents:
        return
    patient, endless = erlang_a(load / handle * 3600, agents, handle, 1e9), erlang_c(load, agents, handle)
    assert patient.wait_probability == pytest.approx(endless.wait_probability, rel=1e-3)
    assert patient.mean_wait_seconds == pytest.approx(endless.mean_wait_seconds, rel=1e-3, abs=1e-6)
    assert patient.answered_within(20) == pytest.approx(endless.answered_within(20), abs=1e-4)


@given(load=loads, agents=staff, handle=handling, patient=patience)
@settings(max_examples=60, deadline=None)
def test_the_share_that_hangs_up_is_the_wait_over_the_patience(
    load: float, agents: int, handle: float, patient: float
) -> None:
    queue = erlang_a(load / handle * 3600, agents, handle, patient)
    assert queue.abandon_probability == pytest.approx(queue.mean_wait_seconds / patient, rel=1e-9, abs=1e-15)
    # the same share from the other side: what staff do not do of the load
    assert queue.abandon_probability == pytest.approx(1 - queue.occupancy * agents / load, abs=1e-9)


@given(load=loads, agents=staff, handle=handling, patient=patience)
@settings(max_examples=60, deadline=None)
def test_more_staff_never_wait_longer(load: float, agents: int, handle: float, patient: float) -> None:
    calls = load / handle * 3600
    fewer, more = erlang_a(calls, agents, handle, patient), erlang_a(calls, agents + 1, handle, patient)
    assert more.mean_wait_seconds <= fewer.mean_wait_seconds * (1 + 1e-9)
    assert more.abandon_probability <= fewer.abandon_probability * (1 + 1e-9)
    if load < agents:
        assert erlang_c(load, agents + 1, handle).mean_wait_seconds <= erlang_c(load, agents, handle).mean_wait_seconds


@given(load=loads, agents=staff, handle=handling, patient=patience, share=st.floats(min_value=0.05, max_value=0.99))
@settings(max_examples=40, deadline=None)
def test_a_percentile_is_where_the_share_is_reached(
    load: float, agents: int, handle: float, patient: float, share: float
) -> None:
    queue = erlang_a(load / handle * 3600, agents, handle, patient)
    wait = queue.wait_percentile(share)
    if wait > 0:
        assert queue.waits_longer(wait) == pytest.approx(1 - share, abs=1e-6)
    else:
        assert queue.wait_probability <= 1 - share + 1e-9


@given(load=loads, share=st.floats(min_value=0.05, max_value=0.99), seconds=st.floats(min_value=0, max_value=120))
@settings(max_examples=40, deadline=None)
def test_staff_needed_are_enough_and_one_fewer_are_not(load: float, share: float, seconds: float) -> None:
    agents = agents_needed(load, 180, share, seconds)
    assert erlang_c(load, agents, 180).answered_within(seconds) >= share - 1e-12
    if agents - 1 > load:
        assert erlang_c(load, agents - 1, 180).answered_within(seconds) < share


def test_nonsense_is_refused() -> None:
    for wrong in (lambda: erlang_b(-1, 3), lambda: erlang_b(float("nan"), 3), lambda: erlang_c(1, -1)):
        with pytest.raises(ValueError, match=r"lies between|a number from 0"):
            wrong()
    assert agents_needed(0, 180, 0.8, 20) == 0
    assert erlang_a(0, 3, 180, 60).abandon_probability == 0
