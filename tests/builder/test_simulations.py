from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from agent.builder.jobs import MOST_KEPT, MOST_OF_ONE, Jobs, Told, TooMuchWork
from agent.builder.simulation_input import CallerTurn, CallSetup
from agent.builder.simulations import IDLE_SECONDS, MOST_SIMULATIONS, NoSuchSimulation, Simulations
from agent.builder.workbench import Workbench
from agent.builder.workbench_settings import WorkbenchSettings
from agent.builder.worker import _answer
from agent.builder.worker_process import WorkerLost, WorkerProcess, WorkRefused
from agent.errors import OrderlineError
from tests.builder.fruit_pack import TESTS, edited, fruit_files


class FakeWorker:
    """Holds calls as a process would: gone with it."""

    def __init__(self) -> None:
        self.generation = 1
        self.pid = 1
        self.calls: dict[str, list[Any]] = {}
        self.refuses = False

    def dies(self) -> None:
        self.generation += 1
        self.calls = {}

    async def ask(self, do: str, seconds: float, **values: Any) -> Any:
        id = values["id"]
        if self.refuses:
            raise WorkRefused("unusable_pack", "These procedures cannot be played.")
        if do == "begin":
            self.calls[id] = [turn["given"] for turn in values["turns"]]
        elif do == "take":
            self.calls[id].append(values["turn"])
        elif do == "back":
            del self.calls[id][-values["turns"] :]
        elif do == "end":
            del self.calls[id]
            return None
        elif do == "turns":
            return self.calls[id]
        return {"turn": len(self.calls[id]), "said": [], "differs": None}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Simulations, FakeWorker, Clock]:
    worker, clock = FakeWorker(), Clock()
    return Simulations(worker, clock), worker, clock


async def begun(simulations: Simulations, person: int = 1) -> str:
    return str((await simulations.begin(person, {}, {}, CallSetup()))["id"])


async def test_a_call_goes_on_where_it_was_when_its_process_has_died() -> None:
    simulations, worker, _ = made()
    id = await begun(simulations)
    await simulations.take(1, id, CallerTurn(say="hello"))
    worker.dies()
    assert (await simulations.take(1, id, CallerTurn(silence=5)))["turn"] == 2
    assert worker.calls[id] == [{"say": "hello"}, {"silence": 5.0}]


async def test_nobody_elses_call_is_seen() -> None:
    simulations, _, _ = made()
    id = await begun(simulations)
    with pytest.raises(NoSuchSimulation):
        await simulations.state(2, id)


async def test_the_call_that_was_left_longest_makes_room() -> None:
    simulations, worker, clock = made()
    ids = []
    for _ in range(MOST_SIMULATIONS + 1):
        clock.now += 1
        ids.append(await begun(simulations))
    assert len(worker.calls) == MOST_SIMULATIONS
    with pytest.raises(NoSuchSimulation):
        await simulations.state(1, ids[0])


async def test_a_call_that_nobody_goes_on_with_ends() -> None:
    simulations, worker, clock = made()
    id = await begun(simulations)
    clock.now += IDLE_SECONDS + 1
    await begun(simulations)
    assert id not in worker.calls


# --- the real process -----------------------------------------------------------------------------------


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[WorkerProcess]:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "fruit.yaml").write_text(TESTS, encoding="utf-8")
    process = WorkerProcess(WorkbenchSettings({}, tests, tmp_path / "scores"), "test's worker")
    yield process
    await process.close()


@pytest.mark.slow
async def test_a_process_checks_simulates_and_tests(worker: WorkerProcess) -> None:
    files = fruit_files()
    assert (await worker.ask("check", 120, files=files))["usable"]
    with pytest.raises(WorkRefused) as refused:
        await worker.ask("begin", 120, id="a", files=edited(files, "sold_out: gone", "sold_out: x"), setup={})
    assert refused.value.code == "unusable_pack"
    simulations = Simulations(worker)
    state = await simulations.begin(1, {}, files, CallSetup(outcomes={"shop.buy": "one_apple"}))
    await simulations.take(1, state["id"], CallerTurn(say="i want fruit"))
    pid = worker.pid
    assert pid is not None
    stages: list[str] = []
    found = await worker.ask("tests", 120, lambda stage, done, of: stages.append(stage), files=files)
    assert found["failed"] == []
    assert "testing" in stages
    with pytest.raises(WorkerLost):
        await worker.ask("tests", 0.001, files=files)
    after = await simulations.take(1, state["id"], CallerTurn(say="an apple"))
    assert worker.pid != pid
    assert after["effects"][0]["choice"] == "one_apple"


# --- jobs -----------------------------------------------------------------------------------------------


async def test_a_job_tells_how_far_it_is_and_what_came_of_it() -> None:
    jobs = Jobs()
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def work(told: Told) -> dict[str, Any]:
        told("testing", 1, 2)
        reached.set()
        await go_on.wait()
        return {"well": True}

    job = jobs.begin("tests", 1, work)
    await reached.wait()
    assert (job.state, job.stage, job.done, job.of) == ("running", "testing", 1, 2)
    assert jobs.get(job.id, 2) is None
    go_on.set()
    assert job.task is not None
    await job.task
    assert job.to_json()["result"] == {"well": True}


async def test_a_job_that_fails_says_why() -> None:
    jobs = Jobs()

    async def work(_: Told) -> dict[str, Any]:
        raise OrderlineError("The disk is full.")

    job = jobs.begin("tests", 1, work)
    assert job.task is not None
    await job.task
    assert (job.state, job.problem) == ("failed", "The disk is full.")


async def test_so_many_finished_jobs_are_kept_and_no_more() -> None:
    clock = Clock()
    jobs = Jobs(clock)

    async def work(_: Told) -> dict[str, Any]:
        return {}

    begun = []
    for _ in range(MOST_KEPT + 2):
        clock.now += 1
        begun.append(jobs.begin("tests", 1, work))
        task = begun[-1].task
        assert task is not None
        await task
    assert [jobs.get(one.id, 1) is not None for one in (*begun[:2], begun[-1])] == [False, True, True]


async def test_one_person_leaves_room_for_the_work_of_others() -> None:
    jobs, go_on = Jobs(), asyncio.Event()

    async def work(_: Told) -> dict[str, Any]:
        await go_on.wait()
        return {}

    for _ in range(MOST_OF_ONE):
        jobs.begin("tests", 1, work)
    with pytest.raises(TooMuchWork):
        jobs.begin("tests", 1, work)
    assert jobs.begin("publication", 2, work).state == "running"
    await jobs.close()


# --- what goes wrong ------------------------------------------------------------------------------------


async def test_a_call_stays_on_its_files_when_it_cannot_be_had_again_on_others() -> None:
    simulations, worker, _ = made()
    id = await begun(simulations)
    worker.refuses = True
    with pytest.raises(WorkRefused):
        await simulations.again(1, id, {"edition": 7}, {"broken.yaml": "["})
    assert simulations.source(1, id) == {}
    worker.refuses = False
    worker.dies()
    assert (await simulations.state(1, id))["source"] == {}


def test_a_failure_that_nobody_foresaw_ends_no_process_that_holds_the_calls_of_others() -> None:
    class Failing:
        def check(self) -> None:
            raise ZeroDivisionError

    answered = _answer(cast(Workbench, Failing()), {"number": 1, "do": "check", "with": {}}, io.StringIO())
    assert answered["problem"]["code"] == "builder_unforeseen"


@pytest.mark.parametrize("now", ["0001-01-01T00:00:00", "9999-12-31T23:59:59"])
def test_a_call_comes_in_at_a_time_that_clocks_can_show(now: str) -> None:
    with pytest.raises(ValidationError):
        CallSetup.model_validate({"now": now})
