"""The whole model: the sale day that was published, what a claim needs, break-even, and what must always hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.impact import scenario
from agent.impact.assumptions import assumptions
from agent.impact.inputs import ImpactInputs
from agent.impact.model import ImpactResult, estimate
from agent.impact.scenario import DayPlan, PlayedPlan, play
from agent.impact.staffing import (
    event_calls,
    part_of,
    staff_by_hour,
    staff_hours,
    week_calls,
    with_agent,
    without_agent,
)

SALE_DAY = ImpactInputs(event_calls=3000, staffing="square_root", handed_over_extra=0, days=200)
SMALL = ImpactInputs(calls_per_week=300, event_calls=300, days=5)


@pytest.fixture(scope="module")
def small() -> ImpactResult:
    return estimate(SMALL)


@pytest.fixture(scope="module")
def short_sale() -> ImpactResult:
    """The sale day, played five times."""
    return estimate(SALE_DAY.model_copy(update={"days": 5}))


def contained(status: float, returns: float) -> ImpactInputs:
    return SALE_DAY.with_values({"kinds.status.containment": status, "kinds.returns.containment": returns}, "yours")


def sale_day(inputs: ImpactInputs, *, agent: bool, share: float = 1.0) -> PlayedPlan:
    """Play the sale day; ``share`` is of the staff that are needed without the agent, with the agent too."""
    calls = event_calls(inputs)
    before, after = without_agent(inputs, event=True), with_agent(inputs, event=True)
    needed = staff_by_hour(inputs, calls, before)
    staff = part_of(needed, share) if share < 1 else staff_by_hour(inputs, calls, after if agent else before)
    return play(inputs, [DayPlan(calls, staff)], after if agent else before)


@pytest.mark.parametrize(
    ("inputs", "agent", "share", "hours", "wait", "in_time", "lost"),
    [
        (SALE_DAY, False, 1.0, 204, 5, 88, 1.5),
        (SALE_DAY, False, 0.8, 167, 21, 54, 7),
        (SALE_DAY, False, 0.6, 127, 78, 9, 24),
        (contained(0.4, 0.3), True, 1.0, 157, 6, 86, 1.3),
        (contained(0.6, 0.5), True, 1.0, 133, 5, 89, 0.8),
        (contained(0.8, 0.7), True, 1.0, 106, 6, 86, 0.8),
        (contained(0.9, 0.85), True, 1.0, 92, 6, 85, 0.6),
        (contained(0.8, 0.7), True, 0.8, 167, 0.2, 99.5, 0),
    ],
)
def test_the_published_sale_day(
    inputs: ImpactInputs, agent: bool, share: float, hours: int, wait: float, in_time: float, lost: float
) -> None:
    day = sale_day(inputs, agent=agent, share=share).total
    assert day.staff_hours == pytest.approx(hours, rel=0.05)
    # the published waits are means of 8 days: at 60 % of the staff (81 s here) such a mean varies by 2 s
    assert day.wait_seconds == pytest.approx(wait, abs=3, rel=0.05)
    assert 100 * (day.in_goal or 0) == pytest.approx(in_time, abs=2)
    assert 100 * day.lost_share == pytest.approx(lost, abs=2)


@pytest.mark.parametrize(
    ("status", "returns", "saved"), [(0.4, 0.3, 23), (0.6, 0.5, 35), (0.8, 0.7, 48), (0.9, 0.85, 55)]
)
def test_the_published_savings(status: float, returns: float, saved: float) -> None:
    inputs = contained(status, returns)
    now = staff_hours(inputs, [event_calls(inputs)], without_agent(inputs, event=True))
    then = staff_hours(inputs, [event_calls(inputs)], with_agent(inputs, event=True))
    assert round(100 * (1 - then / now)) == pytest.approx(saved, abs=1)


def test_a_claim_of_forty_to_sixty_percent_needs_most_of_both_kinds(short_sale: ImpactResult) -> None:
    assert short_sale.event is not None
    low, high = short_sale.event.claims
    assert (low.saving, high.saving) == (0.4, 0.6)
    assert 0.6 <= (low.containment or 0) <= 0.75
    assert (high.containment or 1) >= 0.85
    assert all(claim.containment is None for claim in short_sale.week.claims)  # half of them are others


def test_lines_of_the_agent_at_the_peak_of_the_sale_day(short_sale: ImpactResult) -> None:
    assert short_sale.event is not None
    assert short_sale.event.agent_lines == 14


def test_the_same_inputs_give_the_same_result(small: ImpactResult) -> None:
    assert estimate(SMALL) == small


def test_break_even_is_where_cost_meets_that_without_the_agent() -> None:
    result = estimate(SMALL.with_values({"calls_per_week": 3000, "agent_cost_per_month": 2000}, "yours"))
    least = result.week.break_even
    assert least is not None
    assert 0 < least < 1

    def cost(containment: float) -> float:
        mix = with_agent(result.inputs, event=False, containment=containment)
        hours = staff_hours(result.inputs, week_calls(result.inputs), mix)
        return hours * result.inputs.staff_cost_per_hour + 2000 / (365 / 12 / 7)

    assert cost(least) <= result.week.now.total.cost < cost(least - 0.01)
    assert estimate(SMALL.with_values({"agent_cost_per_month": 1e6}, "yours")).week.break_even is None


def test_a_shop_with_one_person_on_duty_saves_no_hour_and_is_told_so() -> None:
    result = estimate(SMALL.with_values({"calls_per_week": 30, "goal_share": 0.3}, "yours"))
    assert result.week.hours_saved == 0
    assert any("One person is on duty" in warning for warning in result.warnings)


def test_an_agent_that_finishes_nothing_saves_nothing() -> None:
    values = {"kinds.status.containment": 0, "kinds.returns.containment": 0}
    result = estimate(SMALL.with_values(values, "yours"))
    assert result.week.hours_saved == 0
    assert result.week.sensitivity == ()
    assert result.week.break_even is None


def test_hours_add_up_to_the_day_and_days_to_the_week(small: ImpactResult) -> None:
    week = small.week.now
    assert math.fsum(hour.calls for day in week.days for hour in day.hours) == pytest.approx(300)
    assert sum(hour.staff for day in week.days for hour in day.hours) == week.total.staff_hours
    lost = math.fsum(hour.lost for day in week.days for hour in day.hours)
    assert lost == pytest.approx(week.total.lost, rel=0.1, abs=0.5)
    assert week.days[6].hours == ()


def test_a_day_round_the_clock_and_a_half_hour_profile_are_played() -> None:
    week = tuple(tuple(4.0 if day < 2 else 0.0 for _ in range(48)) for day in range(7))
    result = estimate(SMALL.with_values({"week": week}, "measured"))
    assert [len(day.hours) for day in result.week.now.days] == [24, 24, 0, 0, 0, 0, 0]
    assert assumptions(result.inputs)[0].source == "measured"


def test_large_centres_are_simulated_on_fewer_days_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenario, "_MOST_CALLS", 40_000)  # a tenth: so is the centre
    result = estimate(ImpactInputs(calls_per_week=6_000, days=20))
    assert 5 <= result.week.now.runs < 20
    assert any("instead of 20" in warning for warning in result.warnings)


def test_defaults_are_marked_and_warned_about(small: ImpactResult) -> None:
    assert {one.source for one in small.assumptions} == {"default"}
    assert any("Containment is a default" in warning for warning in small.warnings)
    told = estimate(SMALL.with_values({"kinds.status.containment": 0.7, "staff_cost_per_hour": 31}, "yours"))
    marked = {one.name for one in told.assumptions if one.source == "yours"}
    assert marked == {"kinds.status.containment", "staff_cost_per_hour"}
    assert not any("default" in warning for warning in told.warnings)


@given(
    low=st.floats(min_value=0.01, max_value=1), high=st.floats(min_value=0.01, max_value=1), calls=st.integers(10, 5000)
)
@settings(max_examples=40, deadline=None)
def test_more_containment_never_needs_more_staff_at_a_square_root_rule(low: float, high: float, calls: int) -> None:
    inputs = SALE_DAY.with_values({"event_calls": calls}, "yours")
    low, high = min(low, high), max(low, high)
    days = [event_calls(inputs)]
    fewer, more = (staff_hours(inputs, days, with_agent(inputs, event=True, containment=one)) for one in (high, low))
    assert fewer <= more


@given(opens=st.integers(0, 20), length=st.integers(1, 24), shares=st.lists(st.floats(0.1, 9), min_size=1, max_size=24))
@settings(max_examples=60, deadline=None)
def test_calls_are_spread_over_the_opening_hours_and_none_is_lost(opens: int, length: int, shares: list[float]) -> None:
    inputs = ImpactInputs(
        event_calls=1000, opens_hour=opens, closes_hour=min(24, opens + length), event_hour_shares=tuple(shares)
    )
    day = event_calls(inputs)
    assert math.fsum(day) == pytest.approx(1000)
    assert all(calls == 0 for half, calls in enumerate(day) if not 2 * opens <= half < 2 * inputs.closes_hour)
