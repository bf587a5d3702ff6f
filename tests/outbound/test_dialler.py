from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.call.dialling import DialEnd
from agent.outbound.model import CallOutcome, CallResult, JobFacts, JobState, Purpose, Reached, Reason, SuppressionScope
from agent.outbound.ports import CallBackRefused, OrderNow, StaffRoom
from agent.outbound.results import CallResults
from agent.outbound.windows import CallHours
from tests.outbound.made import HOURS, MONDAY_NOON, NUMBER, RULES, WEEKDAY_HOURS, new_job
from tests.outbound.world import Telephone, World, answers, reached

NEW_YORK = ZoneInfo("America/New_York")
OTHER = "+12025550144"
SURVEY = {"purpose": Purpose.SURVEY, "consent": "checkbox", "not_after": MONDAY_NOON + timedelta(days=10)}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    if world.store is not None:
        await world.die()


async def dial(world: World, hours: float = 1, *, resume: bool = True, **settings: Any) -> None:
    """Let a dialler work for some hours."""
    if world.store is not None:
        await world.die()
    dialler = world.start(**settings)
    if resume:
        await world.store.set_campaign("running", "test", "", world.time)
    await world.run(dialler, world.time + timedelta(hours=hours))


async def add(world: World, *jobs: Any) -> None:
    world.start()
    await world.store.add(jobs, world.time)


async def state(world: World, key: str = "delivery:A1:all") -> tuple[JobState, str]:
    job = await world.store.job(key)
    return job.state, job.reason


# --- the way of a job --------------------------------------------------------------------------------


async def test_a_due_job_is_dialled_once_and_done_when_the_customer_was_reached(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [answers()]
    await dial(world, hours=8)
    assert [request.number for request, _ in world.dialled] == [NUMBER]
    assert await state(world) == (JobState.DONE, Reason.COMPLETED)
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert (attempt.end, attempt.outcome, attempt.counted) == (DialEnd.ANSWERED, CallOutcome.COMPLETED, True)
    assert [job.key for job in world.over] == ["delivery:A1:all"]
    assert [attempt.id for _, attempt in world.told] == [attempt.id]


async def test_nobody_is_called_before_somebody_has_resumed_the_campaign(world: World) -> None:
    await add(world, new_job())
    await dial(world, hours=8, resume=False)
    assert world.dialled == []


async def test_the_caller_id_is_the_purposes_own_on_every_try(world: World) -> None:
    await add(world, new_job("survey:A1", **SURVEY))
    ids = {Purpose.DELIVERY: "+12025550100", Purpose.SURVEY: "+12025550101", Purpose.CALLBACK: "+12025550102"}
    await dial(world, hours=60, caller_ids=ids)
    assert [request.caller_id for request, _ in world.dialled] == ["+12025550101"] * 3


async def test_nobody_answers_three_tries_in_other_parts_of_the_day_and_then_no_more(world: World) -> None:
    await add(world, new_job())
    await dial(world, hours=24 * 6)
    parts = [at.astimezone(NEW_YORK) for _, at in world.dialled]
    assert len(parts) == 3
    assert all(later - earlier >= timedelta(hours=4) for earlier, later in itertools.pairwise(parts))
    assert await state(world) == (JobState.DROPPED, Reason.ATTEMPTS_USED_UP)
    lasts = [attempt.last for attempt in await world.store.attempts_of("delivery:A1:all")]
    assert lasts == [False, False, True]


async def test_a_busy_line_is_tried_again_after_twenty_minutes_once(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(DialEnd.BUSY)]
    await dial(world, hours=7)
    times = [at for _, at in world.dialled]
    assert timedelta(minutes=20) <= times[1] - times[0] < timedelta(minutes=21)
    assert times[2] - times[1] >= timedelta(hours=4)


async def test_a_call_rejected_twice_is_not_made_again(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(DialEnd.DECLINED)]
    await dial(world, hours=24 * 4)
    days = [at.astimezone(NEW_YORK).date() for _, at in world.dialled]
    assert len(set(days)) == len(days) == 2
    assert await state(world) == (JobState.DROPPED, Reason.DECLINED)


async def test_a_number_that_does_not_exist_is_dialled_once(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(DialEnd.BAD_NUMBER, rings=False)]
    await dial(world, hours=24 * 4)
    assert len(world.dialled) == 1
    assert await state(world) == (JobState.DROPPED, Reason.BAD_NUMBER)


async def test_call_me_tomorrow_at_five_is_kept_once_and_then_it_is_over(world: World) -> None:
    await add(world, new_job())
    at_five = (MONDAY_NOON + timedelta(days=1)).astimezone(NEW_YORK).replace(hour=17, minute=0)
    later = Telephone(DialEnd.ANSWERED, result=reached(CallOutcome.LATER, appointment=at_five))
    world.telephones[NUMBER] = [later]
    await dial(world, hours=24 * 5)
    times = [at.astimezone(NEW_YORK) for _, at in world.dialled]
    assert len(times) == 2
    assert timedelta(0) <= times[1] - at_five < timedelta(minutes=1)
    assert await state(world) == (JobState.DROPPED, Reason.DECLINED)


async def test_an_answered_call_that_never_said_what_it_came_to_is_tried_again_the_next_day(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(DialEnd.ANSWERED, result=None), answers()]
    await dial(world, hours=30)
    days = [at.astimezone(NEW_YORK).date() for _, at in world.dialled]
    assert days == [date(2026, 6, 1), date(2026, 6, 2)]
    assert await state(world) == (JobState.DONE, Reason.COMPLETED)


async def test_a_result_that_comes_after_the_channels_end_counts(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(DialEnd.ANSWERED, result=None)]
    await dial(world, hours=0.2)
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert world.results is not None
    await world.results.call_ended(attempt.id, reached())
    await world.results.call_ended(attempt.id, reached(CallOutcome.OPTED_OUT, opted_out=SuppressionScope.ALL))
    assert await state(world) == (JobState.DONE, Reason.COMPLETED)
    assert await world.store.scopes(NUMBER) == frozenset(), "the first result stands"


# --- the moment of dialling ---------------------------------------------------------------------------


async def test_what_is_due_at_night_waits_for_the_window_and_is_spread_over_it(world: World) -> None:
    night = datetime(2026, 6, 1, 23, 0, tzinfo=NEW_YORK)
    world.time = night
    until = night + timedelta(days=4)
    numbers = [f"+1202555{number:04}" for number in range(100, 130)]
    await add(world, *(new_job(f"delivery:{n}:all", number=n, due_at=night, not_after=until) for n in numbers))
    await dial(world, hours=20)
    times = sorted(at.astimezone(NEW_YORK) for _, at in world.dialled)
    first = {request.number: at for request, at in reversed(world.dialled)}
    assert len(first) == len(numbers)
    assert all(9 <= at.hour < 20 for at in times)
    assert sum(at.astimezone(NEW_YORK).hour == 9 for at in first.values()) < len(numbers) / 2, "not all at nine"


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (OrderNow(cancelled=True), Reason.CANCELLED),
        (OrderNow(returned=True), Reason.RETURNED),
        (OrderNow(refunded=True), Reason.REFUNDED),
        (OrderNow(complained=True), Reason.COMPLAINED),
        (OrderNow(ticket_open=True), Reason.TICKET_OPEN),
        (OrderNow(called_in=True), Reason.CALLED_IN),
    ],
)
async def test_an_order_that_changed_meanwhile_drops_the_job_as_it_would_be_dialled(
    world: World, order: OrderNow, reason: Reason
) -> None:
    await add(world, new_job())
    world.orders["delivery:A1:all"] = order
    await dial(world)
    assert world.dialled == []
    assert await state(world) == (JobState.DROPPED, reason)


async def test_while_the_order_cannot_be_read_nobody_is_called_and_a_person_is_told(world: World) -> None:
    await add(world, new_job())
    world.orders["delivery:A1:all"] = None
    await dial(world)
    assert world.dialled == []
    assert await state(world) == (JobState.OPEN, Reason.ORDER_UNREADABLE)
    assert any("the shop does not answer" in note.text for note in await world.store.notes())
    world.orders.clear()
    await dial(world)
    assert len(world.dialled) == 1


async def test_while_the_holidays_cannot_be_read_nobody_is_called(world: World) -> None:
    await add(world, new_job())

    def broken() -> CallHours:
        raise ValueError("holidays.txt:3: '25.12.' is no date")

    world.hours = broken
    await dial(world)
    assert world.dialled == []
    assert await state(world) == (JobState.OPEN, Reason.RULES_UNREADABLE)
    assert any("holidays.txt:3" in note.text for note in await world.store.notes())


async def test_a_holiday_that_is_written_into_the_list_today_holds_today(world: World) -> None:
    await add(world, new_job())
    world.hours = lambda: CallHours(WEEKDAY_HOURS, frozenset({date(2026, 6, 1)}))
    await dial(world, hours=30)
    assert {at.astimezone(NEW_YORK).date() for _, at in world.dialled} == {date(2026, 6, 2)}


async def test_a_number_of_unknown_zone_is_never_dialled_and_stands_on_a_persons_list(world: World) -> None:
    await add(world, new_job(number="+447700900123"))
    await dial(world, hours=100)
    assert world.dialled == []
    assert await state(world) == (JobState.BLOCKED, Reason.ZONE_UNKNOWN)
    assert any("time zones" in note.text for note in await world.store.notes())


async def test_who_is_on_the_list_is_not_called(world: World) -> None:
    await add(world, new_job())
    await world.store.suppress([(NUMBER, SuppressionScope.ALL, "administrator")], world.time)
    await add(world, new_job("callback:c1", purpose=Purpose.CALLBACK))
    await dial(world)
    assert world.dialled == []
    assert await state(world, "callback:c1") == (JobState.DROPPED, Reason.SUPPRESSED)


async def test_who_wants_no_surveys_is_still_asked_about_the_delivery(world: World) -> None:
    await add(world, new_job(), new_job("survey:A1", **SURVEY))
    await world.store.suppress([(NUMBER, SuppressionScope.SURVEYS, "administrator")], world.time)
    await dial(world)
    assert [request.purpose for request, _ in world.dialled] == [Purpose.DELIVERY]


async def test_without_consent_nobody_is_called(world: World) -> None:
    await add(world, new_job(consent=""), new_job("survey:A1", **(SURVEY | {"consent": "", "number": OTHER})))
    await dial(world)
    assert world.dialled == []
    assert await state(world) == (JobState.DROPPED, Reason.NO_CONSENT)


async def test_one_answered_call_a_day_and_three_attempts_a_week_over_all_purposes(world: World) -> None:
    jobs = [new_job(f"survey:B{n}", **(SURVEY | {"not_after": MONDAY_NOON + timedelta(days=20)})) for n in range(6)]
    await add(world, *jobs)
    world.telephones[NUMBER] = [answers()]
    await dial(world, hours=24 * 13)
    days = [at.astimezone(NEW_YORK).date() for _, at in world.dialled]
    assert len(set(days)) == len(days)
    for at in (at for _, at in world.dialled):
        assert sum(at <= other < at + timedelta(days=7) for _, other in world.dialled) <= 3


async def test_a_job_that_is_too_old_is_not_dialled(world: World) -> None:
    await add(world, new_job())
    await world.pass_time(MONDAY_NOON + timedelta(days=5))
    await dial(world)
    assert world.dialled == []
    assert await state(world) == (JobState.DROPPED, Reason.EXPIRED)


async def test_after_an_outage_what_is_late_is_spread_not_rung_at_once(world: World) -> None:
    numbers = [f"+1202555{number:04}" for number in range(100, 140)]
    await add(world, *(new_job(f"delivery:{n}:all", number=n) for n in numbers))
    await world.pass_time(MONDAY_NOON + timedelta(days=2))
    await dial(world, hours=3, max_outbound=20, trunk_channels=100)
    times = sorted(at for _, at in world.dialled)
    assert len({request.number for request, _ in world.dialled}) == len(numbers)
    assert times[len(times) // 2] - times[0] > timedelta(minutes=20)


# --- capacity -----------------------------------------------------------------------------------------


async def test_never_more_calls_at_a_time_than_allowed_and_one_a_second(world: World) -> None:
    numbers = [f"+1202555{number:04}" for number in range(100, 120)]
    await add(world, *(new_job(f"delivery:{n}:all", number=n) for n in numbers))
    most = 0
    dial_one = world.dial

    async def counted(request: Any) -> None:
        nonlocal most
        await dial_one(request)
        most = max(most, len(world.lines))

    world.dial = counted  # type: ignore[method-assign]
    await dial(world, hours=0.2)
    times = [at for _, at in world.dialled]
    assert len(times) == 20
    assert most == 2
    assert all(later - earlier >= timedelta(seconds=1) for earlier, later in itertools.pairwise(times))


async def test_room_is_left_for_those_who_call_in(world: World) -> None:
    await add(world, new_job())
    world.others_on_trunk = 7
    await dial(world)
    assert world.dialled == []
    world.others_on_trunk = 6
    await dial(world)
    assert len(world.dialled) == 1


async def test_an_inbound_rush_cancels_what_rings(world: World) -> None:
    await add(world, new_job())

    async def rush() -> None:
        world.others_on_trunk = 9

    dialler = world.start()
    await world.store.set_campaign("running", "test", "", world.time)
    world.at(3, rush)
    await world.run(dialler, world.time + timedelta(minutes=5))
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert attempt.end is DialEnd.CANCELLED
    assert len(world.dialled) == 1


async def test_while_the_trunk_cannot_be_asked_nobody_is_called(world: World) -> None:
    await add(world, new_job())
    world.trunk_problem = "Asterisk is away"
    await dial(world)
    assert world.dialled == []
    assert len(world.alarms) == 1
    world.trunk_problem = ""
    await dial(world)
    assert len(world.dialled) == 1


@pytest.mark.parametrize("staff", [None, StaffRoom(open=False), StaffRoom(open=True, longest_wait_seconds=300)])
async def test_delivery_calls_wait_for_the_staff_and_surveys_do_not(world: World, staff: StaffRoom | None) -> None:
    await add(world, new_job(), new_job("survey:A2", **(SURVEY | {"number": OTHER})))
    world.staff = staff
    await dial(world)
    assert [request.purpose for request, _ in world.dialled] == [Purpose.SURVEY]


# --- faults -------------------------------------------------------------------------------------------


async def test_a_dead_trunk_costs_no_attempt_and_stops_the_campaign(world: World) -> None:
    numbers = [f"+1202555{number:04}" for number in range(100, 110)]
    await add(world, *(new_job(f"delivery:{n}:all", number=n) for n in numbers))
    for number in numbers:
        world.telephones[number] = [Telephone(DialEnd.TRUNK_FAULT, rings=False, seconds=25)]
    await dial(world, hours=5)
    assert 5 <= len(world.dialled) <= 8
    assert (await world.store.campaign()).by == "circuit breaker"
    assert any("failed on our side" in alarm for alarm in world.alarms)
    assert [job.attempts for job in await world.store.jobs()] == [0] * 10
    for number in numbers:
        world.telephones[number] = [answers()]
    await dial(world, hours=2)
    assert {job.state for job in await world.store.jobs()} == {JobState.DONE}


async def test_faults_of_our_side_are_tried_again_after_one_two_five_and_ten_minutes(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(dial="refused")] * 5 + [answers()]
    await dial(world)
    attempts = await world.store.attempts_of("delivery:A1:all")
    gaps = [
        round((later.dialled_at - (earlier.ended_at or later.dialled_at)).total_seconds() / 60)
        for earlier, later in itertools.pairwise(attempts)
    ]
    assert gaps == [1, 2, 5, 10, 10]
    assert await state(world) == (JobState.DONE, Reason.COMPLETED)


async def test_a_dial_that_may_have_been_placed_is_looked_up_and_followed(world: World) -> None:
    await add(world, new_job())
    uncertain = answers()
    uncertain.dial = "uncertain"
    world.telephones[NUMBER] = [uncertain]
    await dial(world)
    assert len(world.dialled) == 1
    assert await state(world) == (JobState.DONE, Reason.COMPLETED)


async def test_a_dial_of_which_nothing_is_found_is_unknown_counts_and_is_tried_the_next_day(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [Telephone(dial="lost"), answers()]
    await dial(world, hours=9)
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert (attempt.end, attempt.counted) == (DialEnd.UNKNOWN, True)
    await dial(world, hours=24)
    assert [at.astimezone(NEW_YORK).date() for _, at in world.dialled] == [date(2026, 6, 2)]


# --- pause, stop, customers who ring in ---------------------------------------------------------------


async def test_pause_lets_a_call_under_way_end_and_survives_a_restart(world: World) -> None:
    await add(world, new_job(), new_job("delivery:A2:all", number=OTHER))
    world.telephones[NUMBER] = [answers()]
    dialler = world.start(max_outbound=1)
    await world.store.set_campaign("running", "test", "", world.time)
    world.at(4, lambda: world.store.set_campaign("paused", "test", "", world.time))
    await world.run(dialler, world.time + timedelta(hours=1))
    assert await state(world) == (JobState.DONE, Reason.COMPLETED)
    await dial(world, hours=5, resume=False)
    assert len(world.dialled) == 1


async def test_stop_cancels_what_rings(world: World) -> None:
    await add(world, new_job())
    dialler = world.start()
    await world.store.set_campaign("running", "test", "", world.time)
    world.at(3, lambda: world.store.set_campaign("stopped", "test", "", world.time))
    await world.run(dialler, world.time + timedelta(minutes=1))
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert attempt.end is DialEnd.CANCELLED
    assert not world.answered


async def test_a_customer_who_rings_in_while_we_dial_is_not_rung_and_may_finish_the_job(world: World) -> None:
    await add(world, new_job())
    dialler = world.start()
    await world.store.set_campaign("running", "test", "", world.time)
    results = world.results
    assert results is not None

    async def rings_in() -> None:
        await results.inbound_began(NUMBER)
        found = await results.recent_attempt_to(NUMBER)
        assert found is not None
        await results.rang_back(found[0].key, CallResult(Reached.RIGHT_PERSON, CallOutcome.COMPLETED, "call-in"))

    world.at(4, rings_in)
    await world.run(dialler, world.time + timedelta(days=3))
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert attempt.end is DialEnd.CANCELLED
    assert len(world.dialled) == 1
    assert await state(world) == (JobState.DONE, Reason.CALLED_IN)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (CallOutcome.WRONG_NUMBER, Reason.WRONG_NUMBER),  # "we won't call this number about it again"
        (CallOutcome.OPTED_OUT, Reason.OPTED_OUT),
        (CallOutcome.DECLINED, Reason.CALLED_IN),
        (CallOutcome.HANDED_OVER, Reason.CALLED_IN),
    ],
)
async def test_who_rings_back_and_wants_no_further_call_is_not_dialled_again(
    world: World, outcome: CallOutcome, reason: Reason
) -> None:
    await add(world, new_job())
    await dial(world)
    assert world.results is not None
    await world.results.rang_back("delivery:A1:all", CallResult(Reached.PERSON, outcome, "call-in"))
    await dial(world, hours=24 * 4)
    assert len(world.dialled) == 1
    assert (await state(world))[1] == reason


async def test_who_rings_back_and_names_a_time_is_called_then(world: World) -> None:
    await add(world, new_job())
    await dial(world)
    assert world.results is not None
    at = MONDAY_NOON + timedelta(hours=25)
    later = CallResult(Reached.RIGHT_PERSON, CallOutcome.LATER, "call-in", appointment=at)
    await world.results.rang_back("delivery:A1:all", later)
    await dial(world, hours=24 * 2)
    assert at <= world.dialled[1][1] <= at + timedelta(minutes=1)


async def test_who_rings_back_and_says_nothing_of_it_is_called_as_before(world: World) -> None:
    await add(world, new_job())
    await dial(world)
    assert world.results is not None
    await world.results.rang_back("delivery:A1:all", CallResult(Reached.PERSON, CallOutcome.NOT_REACHED, "call-in"))
    assert (await state(world))[0] is JobState.OPEN


async def test_a_customer_who_rings_in_while_the_telephone_system_is_asked_is_not_rung(world: World) -> None:
    await add(world, new_job())
    dialler = world.start()
    await world.store.set_campaign("running", "test", "", world.time)
    dial_one = world.dial

    async def rings_in_meanwhile(request: Any) -> None:
        await dialler.inbound_began(request.number)
        await dial_one(request)

    world.dial = rings_in_meanwhile  # type: ignore[method-assign]
    await world.run(dialler, world.time + timedelta(minutes=2))
    assert world.rang == []
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert attempt.end is DialEnd.CANCELLED


async def test_nobody_is_dialled_while_they_talk_with_us(world: World) -> None:
    await add(world, new_job())
    dialler = world.start()
    await world.store.set_campaign("running", "test", "", world.time)
    await dialler.inbound_began(NUMBER)
    world.at(600, lambda: dialler.inbound_ended(NUMBER))
    await world.run(dialler, world.time + timedelta(hours=1))
    assert world.dialled[0][1] >= MONDAY_NOON + timedelta(seconds=600)


async def test_nobody_is_dialled_while_they_wait_in_the_queue(world: World) -> None:
    await add(world, new_job())
    world.on_other_calls.add(NUMBER)
    world.at(600, lambda: world.on_other_calls.clear())
    await dial(world, hours=1)
    assert world.dialled[0][1] >= MONDAY_NOON + timedelta(seconds=600)


async def test_stop_calling_me_drops_all_jobs_of_the_number_before_the_method_returns(world: World) -> None:
    await add(world, new_job(), new_job("survey:A1", **SURVEY), new_job("delivery:A2:all", number=OTHER))
    opted_out = CallResult(Reached.RIGHT_PERSON, CallOutcome.OPTED_OUT, call_id="c9", opted_out=SuppressionScope.ALL)
    world.telephones[NUMBER] = [Telephone(DialEnd.ANSWERED, result=opted_out)]
    await dial(world, hours=24 * 4)
    assert [request.number for request, _ in world.dialled].count(NUMBER) == 1
    assert await state(world) == (JobState.DROPPED, Reason.OPTED_OUT)
    assert await state(world, "survey:A1") == (JobState.DROPPED, Reason.OPTED_OUT)
    assert (NUMBER, SuppressionScope.ALL, "call:c9") in world.opted_out
    assert await world.store.scopes(NUMBER) == {SuppressionScope.ALL}


async def test_a_number_suppressed_by_a_command_while_it_rings_is_cancelled(world: World) -> None:
    await add(world, new_job())
    dialler = world.start()
    await world.store.set_campaign("running", "test", "", world.time)
    world.at(3, lambda: world.store.suppress([(NUMBER, SuppressionScope.ALL, "administrator")], world.time))
    await world.run(dialler, world.time + timedelta(minutes=2))
    [attempt] = await world.store.attempts_of("delivery:A1:all")
    assert attempt.end is DialEnd.CANCELLED
    assert await state(world) == (JobState.DROPPED, Reason.SUPPRESSED)


PROMISED = JobFacts("Maple and Finch", "Maria Lopez", subject="the missing parcel")


async def test_a_promised_call_back_is_made_once(world: World) -> None:
    world.start()
    assert world.results is not None
    await world.store.set_campaign("running", "test", "", world.time)
    for _ in range(2):
        assert await world.results.promise_call_back("call-7", NUMBER, PROMISED) == "callback:CALL-7"
    world.telephones[NUMBER] = [answers()]
    await dial(world, hours=5)
    [(request, when)] = world.dialled
    assert request.purpose is Purpose.CALLBACK
    assert MONDAY_NOON + timedelta(minutes=2) <= when <= MONDAY_NOON + timedelta(minutes=3)


async def test_a_promised_call_back_waits_for_the_staff_and_may_wait_for_longer_than_a_weekend(world: World) -> None:
    world.start()
    assert world.results is not None
    await world.store.set_campaign("running", "test", "", world.time)
    key = await world.results.promise_call_back("call-7", NUMBER, PROMISED)
    made = await world.store.job(key)
    assert made is not None
    assert made.not_after - made.due_at >= timedelta(days=4)
    world.telephones[NUMBER] = [answers()]
    world.staff = StaffRoom(open=False)
    await dial(world)
    assert world.dialled == []
    world.staff = StaffRoom(open=True)
    await dial(world)
    assert [request.purpose for request, _ in world.dialled] == [Purpose.CALLBACK]


async def test_a_call_back_that_is_asked_for_after_a_call_of_ours_is_made_the_same_day(world: World) -> None:
    await add(world, new_job())
    world.telephones[NUMBER] = [answers()]
    await dial(world)
    assert world.results is not None
    await world.results.promise_call_back("call-7", NUMBER, PROMISED)
    await dial(world, hours=3)
    assert [request.purpose for request, _ in world.dialled] == [Purpose.DELIVERY, Purpose.CALLBACK]


@pytest.mark.parametrize("why", ["paused", "listed", "no zone", "off", "no queue"])
async def test_a_call_back_that_would_not_be_made_is_not_promised(world: World, why: str) -> None:
    dialler = world.start(purposes=frozenset({Purpose.DELIVERY}) if why == "off" else frozenset(Purpose))
    if why == "no queue":
        world.results = CallResults(world.store, world, RULES, world, dialler, has_queue=False)
    assert world.results is not None
    assert world.results.calls_back is (why not in ("off", "no queue"))
    await world.store.set_campaign("paused" if why == "paused" else "running", "test", "", world.time)
    if why == "listed":
        await world.store.suppress([(NUMBER, SuppressionScope.ALL, "administrator")], world.time)
    with pytest.raises(CallBackRefused):
        await world.results.promise_call_back("call-7", "+883510000000000" if why == "no zone" else NUMBER, PROMISED)
    assert await world.store.jobs() == []


async def test_a_second_dialler_on_the_same_directory_waits(world: World) -> None:
    await add(world, new_job())
    await world.store.set_campaign("running", "test", "", world.time)
    first = world.start()
    from agent.common.file_lock import try_lock

    with (world.state_directory / "outbound.lock").open("a") as lock:
        assert try_lock(lock)
        first.stop()
        await first.run()
    assert world.dialled == []


def test_hours_of_the_tests_are_inside_the_defaults() -> None:
    assert HOURS.hours == WEEKDAY_HOURS
