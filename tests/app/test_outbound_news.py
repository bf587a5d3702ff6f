"""What becomes of jobs is told where no record of a call says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.app.outbound_news import JobNews
from agent.outbound.model import Attempt, Job, JobState, Reason
from tests.outbound.made import MONDAY_NOON, attempt, job


class World:
    """Who is told, and the attempts there were."""

    def __init__(self, *attempts: Attempt) -> None:
        self.attempts = list(attempts)
        self.told: list[str] = []
        self.news = JobNews(self.announce, self.attempts_of)

    async def announce(self, job: Job) -> None:
        self.told.append(job.key)

    async def attempts_of(self, key: str) -> list[Attempt]:
        return [one for one in self.attempts if one.job == key]


def over(reason: Reason) -> Job:
    return replace(job(), state=JobState.DROPPED, reason=reason)


@pytest.mark.parametrize("reason", [Reason.ATTEMPTS_USED_UP, Reason.BAD_NUMBER, Reason.EXPIRED, Reason.RETURNED])
async def test_a_job_that_no_call_has_ended_is_told(reason: Reason) -> None:
    world = World()
    await world.news.job_over(over(reason))
    assert world.told == [job().key]


@pytest.mark.parametrize("reason", [Reason.COMPLETED, Reason.PARTIAL, Reason.OPTED_OUT, Reason.CALLED_IN, Reason.FAX])
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
