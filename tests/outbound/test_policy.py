from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.call.dialling import DialEnd
from agent.outbound.model import (
    AttemptState,
    CallOutcome,
    CallResult,
    JobState,
    Purpose,
    Reached,
    Reason,
    SuppressionScope,
)
from agent.outbound.outcomes import after_attempt, another_time
from agent.outbound.policy import DialRules, Go, NumberHistory, may_dial, spread
from agent.outbound.windows import CallHours, is_inside, zones_of
from tests.outbound.made import HOURS, MONDAY_NOON, RULES, WEEKDAY_HOURS, attempt, job

NEW_YORK = ZoneInfo("America/New_York")
NOTHING = NumberHistory()
numbers = st.sampled_from(["+12025550143", "+61412345678", "+18005550100", "+447700900123", "+4930123456", "nonsense"])
delivery_zones = st.sampled_from(["", "America/Los_Angeles", "Asia/Kolkata", "Mars/Olympus"])
moments = st.integers(0, 365 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
pasts = st.lists(
    st.builds(
        lambda hours, end, answered: (hours, end, answered),
        st.integers(0, 400),
        st.sampled_from(list(DialEnd)),
        st.booleans(),
    ),
    max_size=6,
)


@given(moments, numbers, delivery_zones, pasts, st.frozensets(st.sampled_from(list(SuppressionScope))), st.booleans())
def test_nothing_is_dialled_outside_the_rules_whatever_the_past(
    now: datetime, number: str, zone: str, past: Any, scopes: frozenset[SuppressionScope], consent: bool
) -> None:
    of = job(number=number, zone=zone, consent="checkbox" if consent else "", due_at=now - timedelta(hours=1),
             not_after=now + timedelta(days=2), purpose=Purpose.SURVEY)  # fmt: skip
    before = [
        attempt(
            now - timedelta(hours=hours), end=end, counted=end is not DialEnd.TRUNK_FAULT,
            answered_at=now - timedelta(hours=hours) if answered and end is not DialEnd.TRUNK_FAULT else None,
        )
        for hours, end, answered in past
    ]  # fmt: skip
    verdict = may_dial(of, now, NumberHistory(before, (), scopes), RULES, HOURS)
    if verdict.go is Go.DIAL:
        assert consent
        assert not scopes
        assert is_inside(now, zones_of(number, zone), HOURS)
        week = [one for one in before if one.counted and one.dialled_at > now - timedelta(days=7)]
        assert len(week) < RULES.attempts_a_week
        for here in zones_of(number, zone):
            days = [one.answered_at.astimezone(here).date() for one in week if one.answered_at is not None]
            assert now.astimezone(here).date() not in days
    if verdict.until is not None:
        assert verdict.until > now
        assert is_inside(verdict.until, zones_of(number, zone), HOURS)
        assert verdict.until < of.not_after


def test_a_call_under_way_to_the_same_number_is_waited_for() -> None:
    ringing = attempt(MONDAY_NOON - timedelta(seconds=5), state=AttemptState.RINGING, end=None)
    verdict = may_dial(job(), MONDAY_NOON, NumberHistory([ringing]), RULES, HOURS)
    assert (verdict.go, verdict.reason) == (Go.WAIT, Reason.NUMBER_BUSY_WITH_US)


def test_a_call_that_failed_on_our_side_is_not_held_against_the_customer() -> None:
    faults = [
        attempt(MONDAY_NOON - timedelta(minutes=m), end=DialEnd.TRUNK_FAULT, counted=False) for m in (10, 20, 30, 40)
    ]
    assert may_dial(job(), MONDAY_NOON, NumberHistory(faults, faults), RULES, HOURS).go is Go.DIAL


def test_an_appointment_is_kept_on_the_day_of_an_answered_call() -> None:
    answered = attempt(MONDAY_NOON - timedelta(hours=2), answered_at=MONDAY_NOON - timedelta(hours=2))
    history = NumberHistory([answered], [answered])
    assert may_dial(job(), MONDAY_NOON, history, RULES, HOURS).reason is Reason.ANSWERED_TODAY
    wanted = job(appointment=True, next_at=MONDAY_NOON)
    assert may_dial(wanted, MONDAY_NOON, history, RULES, HOURS).go is Go.DIAL


def test_an_appointment_outside_the_window_is_moved_into_it() -> None:
    night = datetime(2026, 6, 1, 23, 0, tzinfo=NEW_YORK)
    verdict = may_dial(job(appointment=True, next_at=night), night, NOTHING, RULES, HOURS)
    assert verdict.until == datetime(2026, 6, 2, 9, 0, tzinfo=NEW_YORK)


def test_surveys_without_consent_only_where_the_shop_says_so() -> None:
    survey = job(purpose=Purpose.SURVEY, consent="")
    allowed = DialRules(WEEKDAY_HOURS, surveys_without_consent=True)
    assert may_dial(survey, MONDAY_NOON, NOTHING, RULES, HOURS).reason is Reason.NO_CONSENT
    assert may_dial(survey, MONDAY_NOON, NOTHING, allowed, HOURS).go is Go.DIAL
    assert may_dial(job(consent=""), MONDAY_NOON, NOTHING, allowed, HOURS).reason is Reason.NO_CONSENT


def test_no_window_at_all_is_a_matter_for_a_person() -> None:
    closed = CallHours({})
    assert may_dial(job(), MONDAY_NOON, NOTHING, RULES, closed).go is Go.BLOCK


@given(st.text(min_size=1, max_size=20), st.integers(0, 100), st.integers(1, 100))
def test_a_place_in_a_window_lies_in_its_first_half(key: str, hours: int, expires: int) -> None:
    opens, closes = MONDAY_NOON, MONDAY_NOON + timedelta(hours=11)
    at = spread(key, opens, closes, MONDAY_NOON + timedelta(hours=expires))
    assert opens <= at < min(closes, MONDAY_NOON + timedelta(hours=expires))


@given(moments)
def test_another_try_falls_into_another_part_of_the_day_or_another_day(now: datetime) -> None:
    later = another_time(now, timedelta(hours=4), [NEW_YORK])
    before, after = now.astimezone(NEW_YORK), later.astimezone(NEW_YORK)
    assert later - now >= timedelta(hours=4)
    parts = [sum(at.hour >= begins for begins in (12, 17)) for at in (before, after)]
    assert before.date() != after.date() or parts[0] != parts[1]


OUTCOMES = {
    CallOutcome.COMPLETED: (JobState.DONE, Reason.COMPLETED),
    CallOutcome.HANDED_OVER: (JobState.DONE, Reason.COMPLETED),
    CallOutcome.PARTIAL: (JobState.DONE, Reason.PARTIAL),
    CallOutcome.DECLINED: (JobState.DROPPED, Reason.DECLINED),
    CallOutcome.OPTED_OUT: (JobState.DROPPED, Reason.OPTED_OUT),
    CallOutcome.WRONG_NUMBER: (JobState.DROPPED, Reason.WRONG_NUMBER),
    CallOutcome.NOT_REACHED: (JobState.OPEN, ""),
    CallOutcome.NOT_HERE: (JobState.OPEN, ""),
    CallOutcome.LATER: (JobState.OPEN, ""),
    CallOutcome.FAILED: (JobState.OPEN, ""),
}


@pytest.mark.parametrize("outcome", list(CallOutcome))
def test_every_outcome_of_a_call_has_its_consequence(outcome: CallOutcome) -> None:
    this = attempt(MONDAY_NOON, answered_at=MONDAY_NOON, end=DialEnd.ANSWERED, outcome=outcome)
    step = after_attempt(job(attempts=1), [this], CallResult(Reached.PERSON, outcome), MONDAY_NOON, RULES)
    assert (step.state, step.reason) == OUTCOMES[outcome]
    if step.state is JobState.OPEN:
        assert step.next_at is not None
        assert step.next_at >= MONDAY_NOON + timedelta(hours=4)


@pytest.mark.parametrize("end", list(DialEnd))
def test_after_the_third_counted_attempt_nothing_follows_whatever_its_end(end: DialEnd) -> None:
    counted = [attempt(MONDAY_NOON - timedelta(hours=h), end=DialEnd.NO_ANSWER) for h in (12, 6)]
    this = attempt(MONDAY_NOON, end=end, counted=end is not DialEnd.TRUNK_FAULT)
    step = after_attempt(job(), [*counted, this], None, MONDAY_NOON, RULES)
    assert step.state is (JobState.OPEN if end is DialEnd.TRUNK_FAULT else JobState.DROPPED)


def test_a_fax_and_a_wrong_number_are_not_called_again() -> None:
    this = attempt(MONDAY_NOON, answered_at=MONDAY_NOON)
    for reached, reason in ((Reached.FAX, Reason.FAX), (Reached.WRONG_NUMBER, Reason.WRONG_NUMBER)):
        step = after_attempt(job(), [this], CallResult(reached, CallOutcome.NOT_REACHED), MONDAY_NOON, RULES)
        assert (step.state, step.reason) == (JobState.DROPPED, reason)
