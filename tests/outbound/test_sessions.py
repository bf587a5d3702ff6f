"""Random days of a dialler that is killed at every place where it waits, and started again.

Nobody is dialled twice for one attempt, no job is lost, every attempt gets an end, nothing rings outside the window.
"""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.call.dialling import DialEnd
from agent.outbound.model import AttemptState, JobState
from agent.outbound.windows import is_inside
from tests.outbound.made import HOURS, MONDAY_NOON, RULES, new_job
from tests.outbound.world import Killed, Telephone, World, answers, random_telephone

NEW_YORK = ZoneInfo("America/New_York")
DAYS = timedelta(days=6)


async def live(world: World, kills: list[int]) -> None:
    """Let diallers work until the end of the days; each is killed after so many points, the last one is not."""
    end = MONDAY_NOON + DAYS
    for hour in range(int(DAYS / timedelta(hours=1))):
        world.at(3600 * hour, lambda: resume(world))
    for points in [*kills, -1]:
        world.kill_at = world.points + points if points >= 0 else -1
        dialler = world.start(max_outbound=3)
        try:
            await world.run(dialler, end)
        except Killed:
            await world.die()
            await world.pass_time(world.time + timedelta(seconds=world.points % 90))
        else:
            break
    world.kill_at = -1


async def resume(world: World) -> None:
    """A person looks every hour whether the campaign has paused itself."""
    if world.store is not None and not (await world.store.real.campaign()).running:
        await world.store.real.set_campaign("running", "test", "", world.time)


async def check(world: World, keys: list[str]) -> None:
    placed = [request.attempt for request, _ in world.dialled]
    assert len(placed) == len(set(placed)), "one attempt, one call"
    for request, at in world.dialled:
        assert is_inside(at, [NEW_YORK], HOURS), "outside the window"
        assert await world.store.real.attempt(request.attempt) is not None, "on disk before the dial"
    for key in keys:
        job = await world.store.real.job(key)
        assert job is not None, "no job is lost"
        assert job.over, f"{key} is {job.state} {job.reason}"
        attempts = await world.store.real.attempts_of(key)
        assert all(attempt.state is AttemptState.ENDED and attempt.end is not None for attempt in attempts)
        assert sum(attempt.counted for attempt in attempts) <= RULES.attempts + 1  # one more for an appointment
        rang = [at for request, at in world.rang if request.job == key]
        faults = any(attempt.end is DialEnd.TRUNK_FAULT for attempt in attempts)
        busy = any(attempt.end is DialEnd.BUSY for attempt in attempts)
        appointment = any(attempt.outcome in ("later", "not_here") for attempt in attempts)
        for earlier, later in itertools.pairwise(rang):
            assert later - earlier >= timedelta(hours=4) or faults or busy or appointment
    assert {job.key for job in world.over} == set(keys), "everybody was told of every job"


@pytest.mark.slow
async def test_a_process_killed_at_any_point_of_a_call_rings_nobody_a_second_time_that_day(tmp_path: Path) -> None:
    """Every point in turn, for a call that is answered, one that is not, and one that may have been placed."""
    for name, telephone in {
        "answered": answers(),
        "unanswered": Telephone(),
        "uncertain": Telephone(dial="uncertain"),
    }.items():
        point, killed = 0, True
        while killed:
            point += 1
            directory = tmp_path / f"{name}-{point}"
            directory.mkdir()
            world = World(directory)
            world.telephones["+12025550143"] = [telephone]
            world.start()
            await world.store.real.add([new_job()], world.time)
            world.kill_at, world.points = point, 0
            dialler = world.start()
            await world.store.real.set_campaign("running", "test", "", world.time)
            try:
                await world.run(dialler, MONDAY_NOON + timedelta(minutes=2))
                killed = False
            except Killed:
                await world.die()
                await world.pass_time(world.time + timedelta(seconds=point % 45))
                world.kill_at = -1
                await world.run(world.start(), MONDAY_NOON + timedelta(hours=3))
            assert len(world.rang) <= 1, f"{name}, killed at point {point}: rung twice"
            job = await world.store.real.job("delivery:A1:all")
            assert job is not None
            assert job.state in (JobState.DONE, JobState.OPEN), f"{name}, killed at point {point}"
            assert await world.store.real.unfinished() == [], f"{name}, killed at point {point}"
            await world.die()
        assert point > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
async def test_random_days_with_random_kills(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    world = World(tmp_path)
    world.start()
    keys = []
    for serial in range(6):
        number = f"+1202555{100 + serial:04}"
        keys.append(f"delivery:R{serial}:all")
        world.telephones[number] = [random_telephone(chance) for _ in range(4)]
        due = MONDAY_NOON + timedelta(minutes=chance.randrange(-600, 900))
        job = new_job(keys[-1], number=number, due_at=due, not_after=due + timedelta(days=4))
        await world.store.real.add([job], world.time)
    await live(world, [chance.randrange(5, 200) for _ in range(25)])
    await check(world, keys)
    await world.die()
