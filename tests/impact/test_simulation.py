"""The simulated day: against Erlang A, against simpy, and what must hold of every day."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.impact.erlang import erlang_a
from agent.impact.simulation import SimulatedDay, SimulatedKind, simulate_day

DAY = SimulatedDay(
    calls=(20.0, 60.0, 40.0),
    interval_seconds=3600.0,
    staff=(2, 4, 3),
    kinds=(SimulatedKind(0.6, 150, 0.5, 28), SimulatedKind(0.4, 240, 0.0, 25)),
    patience_seconds=120.0,
)


def steady(agents: int, calls: float, handle: float, patience: float, hours: int) -> SimulatedDay:
    return SimulatedDay(
        calls=[calls] * hours,
        interval_seconds=3600.0,
        staff=[agents] * hours,
        kinds=(SimulatedKind(1.0, handle),),
        patience_seconds=patience,
        handle_sigma=None,
        redial_share=0.0,
    )


@pytest.mark.parametrize(
    ("agents", "calls", "handle", "patience"), [(50, 2880, 60, 120), (10, 200, 180, 120), (100, 1800, 300, 300)]
)
def test_a_steady_day_agrees_with_erlang_a_within_three_percent(
    agents: int, calls: float, handle: float, patience: float
) -> None:
    expected = erlang_a(calls, agents, handle, patience)
    days = [simulate_day(steady(agents, calls, handle, patience, 220_000 // int(calls)), seed) for seed in range(3)]
    waited = np.concatenate([day.waited for day in days])
    answered = np.concatenate([day.answered for day in days])
    assert waited.mean() == pytest.approx(expected.mean_wait_seconds, rel=0.03)
    assert 1 - answered.mean() == pytest.approx(expected.abandon_probability, rel=0.03)
    assert np.percentile(waited, 90) == pytest.approx(expected.wait_percentile(0.9), rel=0.03)
    in_time = (answered & (waited <= 20)).sum() / (answered.sum() + (~answered & (waited > 20)).sum())
    assert in_time == pytest.approx(expected.answered_within(20), abs=0.01)


def simpy_day(day: SimulatedDay, seed: int) -> tuple[float, float]:
    """Return mean wait and share that hung up of the same queue, by an independent program."""
    chance = random.Random(seed)
    environment = simpy.Environment()
    staff = simpy.Resource(environment, day.staff[0])
    waits: list[float] = []
    gone: list[bool] = []

    def caller() -> Iterator[Any]:
        came = environment.now
        with staff.request() as request:
            yield request | environment.timeout(chance.expovariate(1 / day.patience_seconds))
            waits.append(environment.now - came)
            gone.append(not request.triggered)
            if request.triggered:
                sigma = day.handle_sigma or 0.0
                mean = day.kinds[0].handle_seconds
                yield environment.timeout(chance.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma))

    def arrivals() -> Iterator[Any]:
        while True:
            yield environment.timeout(chance.expovariate(day.calls[0] / day.interval_seconds))
            environment.process(caller())

    environment.process(arrivals())
    environment.run(until=len(day.calls) * day.interval_seconds)
    return float(np.mean(waits)), float(np.mean(gone))


def test_an_independent_simulation_finds_the_same_with_lognormal_times() -> None:
    day = replace(steady(8, 180, 150, 150, 150), handle_sigma=0.6)
    ours = [simulate_day(day, seed) for seed in range(4)]
    waited = float(np.mean([one.waited.mean() for one in ours]))
    gone = float(np.mean([1 - one.answered.mean() for one in ours]))
    others = [simpy_day(day, seed) for seed in range(2)]
    assert waited == pytest.approx(np.mean([wait for wait, _ in others]), rel=0.06)
    assert gone == pytest.approx(np.mean([share for _, share in others]), rel=0.06)


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    first, again, other = simulate_day(DAY, 7), simulate_day(DAY, 7), simulate_day(DAY, 8)
    assert np.array_equal(first.waited, again.waited)
    assert np.array_equal(first.lost_at, again.lost_at)
    assert first.callers != other.callers or not np.array_equal(first.waited, other.waited)


def test_the_numbers_drawn_are_the_same_on_every_machine() -> None:
    outcome = simulate_day(DAY, 1)
    assert outcome.callers == 103
    assert len(outcome.waited) == 78
    assert outcome.waited.sum() == pytest.approx(416.2, abs=0.1)


def test_two_plans_are_compared_on_the_same_callers() -> None:
    fewer, more = simulate_day(DAY, 3), simulate_day(replace(DAY, staff=(9, 9, 9)), 3)
    assert fewer.callers == more.callers
    assert more.waited.mean() < fewer.waited.mean()


@given(
    calls=st.lists(st.floats(min_value=0, max_value=80), min_size=1, max_size=6),
    staff=st.lists(st.integers(min_value=0, max_value=6), min_size=1, max_size=6),
    patience=st.sampled_from([20.0, 120.0, math.inf]),
    redial=st.floats(min_value=0, max_value=1),
    contained=st.floats(min_value=0, max_value=1),
    seed=st.integers(min_value=0, max_value=10_000),
)
@settings(max_examples=80, deadline=None)
def test_every_caller_is_answered_or_lost_once(
    calls: list[float], staff: list[int], patience: float, redial: float, contained: float, seed: int
) -> None:
    staff = (staff * 6)[: len(calls)]
    kinds = (SimulatedKind(0.5, 120, contained, 30), SimulatedKind(0.5, 240))
    day = SimulatedDay(calls, 3600.0, staff, kinds, patience, redial_share=redial)
    outcome = simulate_day(day, seed)
    assert len(outcome.entered) == len(outcome.waited) == len(outcome.answered)
    assert (outcome.waited >= 0).all()
    redials = len(outcome.waited) - int(outcome.answered.sum()) - len(outcome.lost_at)
    to_staff = len(outcome.waited) - redials
    assert redials >= 0
    assert to_staff == int(outcome.answered.sum()) + len(outcome.lost_at)
    assert to_staff <= outcome.callers
    if contained == 0:
        assert to_staff == outcome.callers


def test_nobody_is_served_by_more_staff_than_there_are() -> None:
    day = replace(DAY, staff=(1, 1, 1), patience_seconds=math.inf, handle_sigma=0.0,
                  kinds=(SimulatedKind(1.0, 100.0),), calls=(30.0, 30.0, 30.0))  # fmt: skip
    outcome = simulate_day(day, 2)
    starts = np.sort(outcome.entered + outcome.waited)
    assert (np.diff(starts) >= 100 - 1e-6).all()


def test_callers_wait_for_staff_that_come_later_and_staff_who_go_finish_their_call() -> None:
    day = SimulatedDay((40.0, 0.0), 3600.0, (0, 3), (SimulatedKind(1.0, 60.0),), math.inf, handle_sigma=0.0)
    outcome = simulate_day(day, 1)
    begun = outcome.entered + outcome.waited
    assert outcome.answered.all()
    assert begun.min() == 3600.0
    assert len(outcome.lost_at) == 0


def test_endlessly_patient_callers_of_a_day_without_staff_are_lost_at_its_end() -> None:
    day = SimulatedDay((40.0,), 3600.0, (0,), (SimulatedKind(1.0, 60.0),), math.inf)
    outcome = simulate_day(day, 1)
    assert not outcome.answered.any()
    assert len(outcome.lost_at) == outcome.callers > 0


def test_redials_come_within_their_minutes_and_not_after_closing() -> None:
    day = SimulatedDay((60.0, 60.0), 3600.0, (1, 1), (SimulatedKind(1.0, 300.0),), 30.0, redial_share=1.0,
                       redial_seconds=(120.0, 900.0))  # fmt: skip
    outcome = simulate_day(day, 5)
    redialled = outcome.entered[outcome.callers :]
    assert len(redialled) > 50
    assert redialled.max() < 7200
    assert (outcome.lost_at > 7200 - 900).all()  # whoever gives up earlier rings again
