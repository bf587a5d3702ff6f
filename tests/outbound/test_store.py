from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.call.dialling import DialEnd, DialProgress, DialState
from agent.outbound import erasure, suppression
from agent.outbound.model import (
    CallOutcome,
    CallResult,
    GivenAnswer,
    JobState,
    OutboundError,
    Purpose,
    Reached,
    SuppressionScope,
)
from agent.outbound.policy import DIAL
from agent.outbound.ports import OutboundUnavailable
from agent.outbound.store import OutboundStore
from tests.outbound.made import MONDAY_NOON, NUMBER, RULES, new_job

KEY = "delivery:A1:all"
OTHER = "+12025550144"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OutboundStore]:
    store = OutboundStore(tmp_path)
    await store.set_campaign("running", "test", "", MONDAY_NOON)
    yield store
    await store.close()


async def begin(store: OutboundStore, attempt: str, key: str = KEY) -> bool:
    begun = await store.begin(key, attempt, lambda job, history: DIAL, MONDAY_NOON, RULES)
    return begun is not None and begun.attempt is not None


async def test_a_key_makes_one_job_however_often_and_from_however_many_at_once(
    store: OutboundStore, tmp_path: Path
) -> None:
    second = OutboundStore(tmp_path)
    done = await asyncio.gather(*(one.add([new_job()], MONDAY_NOON) for one in (store, second) * 5))
    await second.close()
    assert sorted(result[0] for result in done) == ["added", *["known"] * 9]
    assert len(await store.jobs()) == 1


async def test_a_corrected_time_moves_a_job_that_was_not_tried_and_nothing_else_of_it(store: OutboundStore) -> None:
    later = MONDAY_NOON + timedelta(days=1)
    await store.add([new_job()], MONDAY_NOON)
    assert await store.add([new_job(due_at=later, number=OTHER, not_after=later + timedelta(days=4))], MONDAY_NOON) == [
        "moved"
    ]
    job = await store.job(KEY)
    assert job is not None
    assert (job.due_at, job.not_before, job.number) == (later, later, NUMBER)
    await begin(store, "ob-1-z")
    assert await store.add([new_job()], MONDAY_NOON) == ["known"]


async def test_two_processes_begin_one_attempt(store: OutboundStore, tmp_path: Path) -> None:
    await store.add([new_job()], MONDAY_NOON)
    second = OutboundStore(tmp_path)
    done = await asyncio.gather(begin(store, "ob-1-z"), begin(second, "ob-2-z"))
    await second.close()
    assert sorted(done) == [False, True]
    assert len(await store.attempts_of(KEY)) == 1


async def test_a_pause_by_another_process_holds_from_the_next_dial_on(store: OutboundStore, tmp_path: Path) -> None:
    await store.add([new_job()], MONDAY_NOON)
    command = OutboundStore(tmp_path)
    await command.set_campaign("paused", "administrator", "", MONDAY_NOON)
    await command.close()
    assert not await begin(store, "ob-1-z")


async def test_an_attempt_is_settled_once_and_its_first_end_stands(store: OutboundStore) -> None:
    await store.add([new_job()], MONDAY_NOON)
    await begin(store, "ob-1-z")
    cancelled = DialProgress("ob-1-z", DialState.ENDED, DialEnd.CANCELLED)
    busy = DialProgress("ob-1-z", DialState.ENDED, DialEnd.BUSY, 17, 486, rang=True)
    for progress in (cancelled, busy):
        await store.ended(progress, MONDAY_NOON, RULES, settle=True)
    [attempt] = await store.attempts_of(KEY)
    assert attempt.end is DialEnd.CANCELLED
    job = await store.job(KEY)
    assert job is not None
    assert (job.state, job.attempts) == (JobState.OPEN, 1)


async def test_a_telephone_that_rang_was_disturbed_even_when_the_fault_was_ours(store: OutboundStore) -> None:
    await store.add([new_job()], MONDAY_NOON)
    await begin(store, "ob-1-z")
    fault = DialProgress("ob-1-z", DialState.ENDED, DialEnd.TRUNK_FAULT, rang=True)
    attempt = await store.ended(fault, MONDAY_NOON, RULES, settle=True)
    assert attempt is not None
    assert attempt.counted


async def test_what_is_over_is_told_until_somebody_has_noted_it(store: OutboundStore) -> None:
    await store.add([new_job()], MONDAY_NOON)
    await begin(store, "ob-1-z")
    await store.put_answer("ob-1-z", GivenAnswer("csat", "2", "1-5"), MONDAY_NOON)
    await store.put_answer("ob-1-z", GivenAnswer("csat", "4", "1-5"), MONDAY_NOON)
    await store.result("ob-1-z", CallResult(Reached.RIGHT_PERSON, CallOutcome.COMPLETED, "c1"), MONDAY_NOON, RULES)
    assert (await store.untold())[0] == [], "its channel is up still"
    await store.ended(DialProgress("ob-1-z", DialState.ENDED, DialEnd.ANSWERED), MONDAY_NOON, RULES, settle=False)
    attempts, jobs = await store.untold()
    assert [(one.id, answers) for _, one, answers in attempts] == [("ob-1-z", [GivenAnswer("csat", "4", "1-5")])]
    assert [job.key for job in jobs] == [KEY]
    await store.mark_told(["ob-1-z"], [KEY])
    assert await store.untold() == ([], [])


async def test_refused_jobs_write_nothing(store: OutboundStore) -> None:
    for bad in (new_job(number="2025550143"), new_job(not_after=MONDAY_NOON)):
        with pytest.raises(OutboundError):
            await store.add([new_job("delivery:OK:all"), bad], MONDAY_NOON)
    assert await store.jobs() == []


async def test_suppressing_drops_the_jobs_of_the_scope_and_survives_export_and_import(
    store: OutboundStore, tmp_path: Path
) -> None:
    survey = new_job("survey:A1", purpose=Purpose.SURVEY)
    await store.add([new_job(), survey], MONDAY_NOON)
    assert await store.suppress([(NUMBER, SuppressionScope.SURVEYS, "call:c1")], MONDAY_NOON) == ["survey:A1"]
    assert await store.suppress([(NUMBER, SuppressionScope.ALL, "import")], MONDAY_NOON) == [KEY]
    text = io.StringIO(newline="")
    assert suppression.write_csv(await store.suppressions(), text) == 2
    lines = list(suppression.read_csv(io.StringIO(text.getvalue(), newline=""), "US"))
    listed = {(line.number, line.scope) for line in lines if isinstance(line, suppression.Listed)}
    assert listed == {(NUMBER, SuppressionScope.ALL), (NUMBER, SuppressionScope.SURVEYS)}
    assert await store.unsuppress(NUMBER) == 2
    assert await store.scopes(NUMBER) == frozenset()


async def test_an_erased_person_leaves_no_number_and_is_still_not_called(store: OutboundStore, tmp_path: Path) -> None:
    await store.add([new_job(), new_job("delivery:A2:all", number=OTHER)], MONDAY_NOON)
    await begin(store, "ob-1-z")
    opted_out = CallResult(Reached.RIGHT_PERSON, CallOutcome.OPTED_OUT, "c1", opted_out=SuppressionScope.ALL)
    await store.result("ob-1-z", opted_out, MONDAY_NOON, RULES)
    assert erasure.calls_of(tmp_path, NUMBER.__eq__, lambda text: False) == {"c1"}
    counted = erasure.erase(tmp_path, NUMBER.__eq__, lambda text: False, dry_run=True)
    assert counted == {"jobs": 1, "numbers of the do-not-call list": 1}
    assert erasure.erase(tmp_path, NUMBER.__eq__, lambda text: False, dry_run=False) == counted
    erasure.follow(tmp_path)
    assert await store.scopes(NUMBER) == {SuppressionScope.ALL}
    assert await store.add([new_job()], MONDAY_NOON) == ["known"], "its key is not used again"
    assert [job.key for job in await store.jobs()] == ["delivery:A2:all"]
    await store.close()
    assert holding(tmp_path, NUMBER) == []


def holding(directory: Path, text: str) -> list[str]:
    """Return the files in which a text stands."""
    return [file.name for file in directory.iterdir() if file.is_file() and text.encode() in file.read_bytes()]


async def test_names_and_numbers_are_forgotten_after_the_end_and_counts_stay(store: OutboundStore) -> None:
    await store.add([new_job(), new_job("delivery:A2:all", number=OTHER)], MONDAY_NOON)
    await begin(store, "ob-1-z")
    await store.ended(DialProgress("ob-1-z", DialState.ENDED, DialEnd.BAD_NUMBER), MONDAY_NOON, RULES, settle=True)
    assert await store.forget(MONDAY_NOON + timedelta(days=1)) == 1
    job, [attempt] = await store.job(KEY), await store.attempts_of(KEY)
    assert job is not None
    assert (job.number, job.facts.name, attempt.number, attempt.end) == ("", "", "", DialEnd.BAD_NUMBER)
    other = await store.job("delivery:A2:all")
    assert other is not None
    assert other.number == OTHER


async def test_a_file_of_a_newer_orderline_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "outbound.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    store = OutboundStore(tmp_path)
    with pytest.raises(OutboundUnavailable, match="newer"):
        await store.jobs()
    await store.close()


async def test_the_file_is_its_owners_alone(store: OutboundStore, tmp_path: Path) -> None:
    await store.jobs()
    assert (tmp_path / "outbound.sqlite").stat().st_mode & 0o077 == 0


async def test_a_customer_who_rings_back_is_recognised_for_two_weeks(store: OutboundStore) -> None:
    await store.add([new_job()], MONDAY_NOON)
    await begin(store, "ob-1-z")
    found = await store.recent_attempt(NUMBER, MONDAY_NOON - timedelta(days=14))
    assert found is not None
    assert (found[0].key, found[1].id) == (KEY, "ob-1-z")
    assert await store.recent_attempt(NUMBER, MONDAY_NOON + timedelta(seconds=1)) is None
    assert await store.recent_attempt(OTHER, MONDAY_NOON - timedelta(days=14)) is None


async def test_by_order_goes_also_what_has_no_job(store: OutboundStore, tmp_path: Path) -> None:
    await store.note("order A9", "phone is no telephone number", MONDAY_NOON)
    await store.exclude("survey:A9", "no_rule", MONDAY_NOON)
    erasure.erase(tmp_path, lambda text: False, "A9".__eq__, dry_run=False)
    assert await store.notes() == []
    assert await store.excluded_since(MONDAY_NOON - timedelta(days=1)) == {}
