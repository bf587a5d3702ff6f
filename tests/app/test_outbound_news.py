"""What becomes of jobs is told where no record of a call says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.app.outbound_news import JobNews
from agent.outbound.model import Attempt, Job, JobState, Reason
from tests.outbound.made import MONDAY_NOON, attempt, job


class World:
    """Who is told, and the attempts there were."""

    def __init__(self, *attempts: Attempt) -> None:
        self.attempts = list(attempts)
        self.told: list[str] = []
        self.news = JobNews(self.announce, self)

    async def announce(self, job: Job) -> None:
        self.told.append(job.key)

    async def attempts_of(self, key: str) -> list[Attempt]:
        return [one for one in self.attempts if one.job == key]

    async def recent_attempt(self, number: str, since: datetime) -> tuple[Job, Attempt] | None:
        found = [one for one in self.attempts if one.number == number and one.dialled_at > since]
        return (job(found[-1].job), found[-1]) if found else None


def over(reason: Reason, state: JobState = JobState.DROPPED) -> Job:
    return replace(job(), state=state, reason=reason)


@pytest.mark.parametrize("reason", [Reason.ATTEMPTS_USED_UP, Reason.BAD_NUMBER, Reason.EXPIRED, Reason.RETURNED])
async def test_a_job_that_no_call_has_ended_is_told(reason: Reason) -> None:
    world = World()
    await world.news.job_over(over(reason))
    assert world.told == [job().key]


@pytest.mark.parametrize("reason", [Reason.COMPLETED, Reason.PARTIAL, Reason.WRONG_NUMBER, Reason.FAX])
async def test_what_the_record_of_a_call_tells_is_not_told_twice(reason: Reason) -> None:
    world = World()
    await world.news.job_over(over(reason))
    assert world.told == []


async def test_declined_on_a_call_is_the_records_and_rejected_twice_is_ours() -> None:
    spoken = World(attempt(MONDAY_NOON, call_id="ob-1-z"))
    await spoken.news.job_over(over(Reason.DECLINED))
    rejected = World(attempt(MONDAY_NOON))
    await rejected.news.job_over(over(Reason.DECLINED))
    assert (spoken.told, rejected.told) == ([], [job().key])


async def test_done_in_a_call_for_it_is_the_records_and_dropped_because_of_another_is_ours() -> None:
    world = World()
    await world.news.job_over(over(Reason.CALLED_IN, JobState.DONE))
    assert world.told == []
    await world.news.job_over(over(Reason.CALLED_IN))
    assert world.told == [job().key]


async def test_of_the_jobs_that_an_opt_out_ends_the_record_tells_the_one_it_was_said_on() -> None:
    tried = World(attempt(MONDAY_NOON, job="survey:A1"), attempt(MONDAY_NOON + timedelta(hours=1)))
    await tried.news.job_over(over(Reason.OPTED_OUT))
    assert tried.told == []
    for world in (World(), World(attempt(MONDAY_NOON, job="survey:A1"))):
        await world.news.job_over(over(Reason.OPTED_OUT))
        assert world.told == [job().key]
