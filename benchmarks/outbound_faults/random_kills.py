"""kill -9 at random moments of calls to customers: nobody is rung twice for one job, and every attempt has an end."""

from __future__ import annotations

import asyncio
import random
import time

from agent.common.tasks import cancel_and_wait
from agent.outbound.model import Job, JobState
from benchmarks.faults.fault_case import CaseFindings
from benchmarks.outbound_faults.outbound_case import HAPPY, SILENCE_SECONDS, OutboundCase
from benchmarks.outbound_faults.testbed import RING_SECONDS, OutboundTestbed

CUSTOMERS = 3
"""Telephones that ring in each run: one is answered at once, one after a while, one never."""
_LATEST_KILL = 12.0
"""Seconds after the jobs are written."""
_ANSWER_AFTER = (0.0, 3.0, None)


async def killed_at_random(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Kill the agent at a random moment of three calls, and start it anew."""
    after = random.uniform(0.0, _LATEST_KILL)  # noqa: S311 - no secret
    began = time.monotonic()
    jobs = [await rig.add() for _ in range(CUSTOMERS)]
    phones = [
        asyncio.create_task(_phone(rig, job, answer_after))
        for job, answer_after in zip(jobs, _ANSWER_AFTER, strict=True)
    ]
    await asyncio.sleep(max(0.0, began + after - time.monotonic()))
    rig.place.kill()
    await rig.place.restart()
    rung = [await phone for phone in phones]
    again = [await rig.stays_silent(job, 1.0) for job in jobs]
    for job, (rang, silent), quiet in zip(jobs, rung, again, strict=True):
        at = f"killed after {after:.2f} s: {job.key}"
        await _settled(rig, job, at)
        attempts = await rig.attempts(job)
        findings.require(len(attempts) <= 1, f"{at}: {len(attempts)} attempts")
        findings.require(rang <= 1 and quiet, f"{at}: rung twice")
        findings.require(not rang or attempts, f"{at}: rang, and there is no attempt")
        findings.require(silent <= SILENCE_SECONDS * findings.patience, f"{at}: {silent:.1f} s of silence")
        job = await rig.job(job.key)
        lost = not attempts and job.state not in (JobState.OPEN, JobState.CALLING)
        findings.require(not lost, f"{at}: lost as {job.state}")
        if silent:
            findings.reach(silent, "longest silence", SILENCE_SECONDS)


async def _phone(rig: OutboundTestbed, job: Job, answer_after: float | None) -> tuple[int, float]:
    """Be a customer; returns how often it rang and the longest silence on the line."""
    try:
        async with rig.rings(job, seconds=_LATEST_KILL + RING_SECONDS) as customer:
            if answer_after is None or await customer.leg.ends_within(answer_after):
                await customer.leg.ends_within(RING_SECONDS + 30)
                return 1, 0.0
            await customer.answer()
            talking = asyncio.create_task(customer.talks(HAPPY))
            await customer.leg.ends_within(90)
            await cancel_and_wait(talking)
            return 1, customer.longest_silence()
    except TimeoutError:
        return 0, 0.0


async def _settled(rig: OutboundTestbed, job: Job, what: str) -> None:
    """Let time pass until every attempt has an end."""
    for _ in range(3):
        try:
            await rig.until(lambda: _has_end(rig, job), f"{what} has no end", 8.0)
        except TimeoutError:
            rig.move_clock(seconds=RING_SECONDS + 30)
        else:
            return
    await rig.until(lambda: _has_end(rig, job), f"{what} has no end")


async def _has_end(rig: OutboundTestbed, job: Job) -> bool:
    unfinished = {attempt.job for attempt in await rig.store.unfinished()}
    attempts = await rig.attempts(job)
    return job.key not in unfinished and all(attempt.end or attempt.outcome for attempt in attempts)


CASES = (OutboundCase(3, "killed", "kill -9 at a random moment of three calls", killed_at_random, CUSTOMERS, 4),)
