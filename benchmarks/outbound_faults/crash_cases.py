"""Cases in which the agent is killed around a dial, or Asterisk's answer to it is lost."""

from __future__ import annotations

import re
import time

from agent.call.dialling import DialEnd
from agent.outbound.model import Attempt, AttemptState, Job, JobState
from benchmarks.faults.fault_case import CaseFindings
from benchmarks.outbound_faults.outbound_case import HAPPY, OPENING, SILENCE_SECONDS, OutboundCase
from benchmarks.outbound_faults.testbed import NUMBER_ZONE, RING_SECONDS, OutboundTestbed

_LOOKED_UP_SECONDS = RING_SECONDS + 15.0
"""After this an attempt of which nothing is heard counts as gone."""


async def killed_before_dialling(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The agent dies between the attempt on the disk and the dial: nobody is dialled; the next day again."""
    rig.disturb("hold")
    job = await rig.add()
    await rig.until(lambda: rig.attempts(job), "no attempt is written")
    rig.place.kill()
    rig.disturb("")
    await rig.place.restart()
    findings.require(await rig.stays_silent(job), "it was dialled after the start")
    rig.move_clock(seconds=_LOOKED_UP_SECONDS)
    attempt = await rig.ended(job)
    findings.require(attempt.end is DialEnd.UNKNOWN, f"it ended as {attempt.end}")
    findings.require(attempt.counted, "it was not counted")
    await _tomorrow_again(rig, job, findings)


async def _tomorrow_again(rig: OutboundTestbed, job: Job, findings: CaseFindings) -> None:
    """The job is tried the next day, and not before."""
    job = await rig.job(job.key)
    today = rig.now().astimezone(NUMBER_ZONE).date()
    findings.require(job.state is JobState.OPEN and job.attempts == 1, f"{job.state} after {job.attempts}")
    findings.require(job.not_before.astimezone(NUMBER_ZONE).date() > today, f"again at {job.not_before}")
    rig.move_clock(hours=2)
    findings.require(await rig.stays_silent(job), "it was dialled again the same day")
    rig.move_clock(days=1)
    async with rig.rings(job) as customer:
        await customer.answer()
        await customer.talks(HAPPY)
        findings.require(await customer.leg.ends_within(15), "the call has no end")
    findings.require((await rig.ended(job, 2)).end is DialEnd.ANSWERED, "the second try was not answered")
    findings.require((await rig.job(job.key)).state is JobState.DONE, "it is not done")


async def killed_while_ringing(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The agent dies while it rings: the ringing ends at the start, and nobody is rung a second time."""
    async with rig.called() as (job, customer):
        await rig.until(lambda: _is(rig, job, AttemptState.RINGING), "that it rings is not noted")
        rig.place.kill()
        await rig.place.restart()
        findings.require(await customer.leg.ends_within(RING_SECONDS + 5), "it still rings")
    attempt = await rig.ended(job)
    findings.require(attempt.end in (DialEnd.CANCELLED, DialEnd.UNKNOWN), f"it ended as {attempt.end}")
    findings.require(await rig.stays_silent(job), "it rang again")
    findings.require(len(await rig.attempts(job)) == 1, "there are two attempts")


async def killed_after_answer(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The agent dies in the conversation: the customer hears who called within five seconds; no second call."""
    async with rig.called() as (job, customer):
        await customer.answer()
        await customer.is_asked(0)
        killed = rig.place.kill()
        findings.require(await customer.leg.ends_within(40), "the call has no end")
        heard = customer.first_word_after(killed + 0.3)
        findings.reach(None if heard is None else heard + 0.3, "customer", SILENCE_SECONDS)
        silent = customer.longest_silence()
        findings.require(silent <= SILENCE_SECONDS * findings.patience, f"{silent:.1f} s of silence")
    await rig.place.restart()
    attempt = await _taken_over(rig, job)
    findings.require(attempt.end is DialEnd.ANSWERED, f"it ended as {attempt.end}")
    findings.require(attempt.counted and attempt.answered_at is not None, "the answer was not counted")
    findings.require(await rig.stays_silent(job), "it rang again")


async def answer_lost(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Asterisk's answer to the dial is lost: the call is found and held; it is not placed a second time."""
    rig.disturb("lose-answer")
    try:
        async with rig.called() as (job, customer):
            await customer.answer()
            findings.require(await customer.hears(OPENING), f"it says: {customer.told()}")
            await customer.talks(HAPPY)
            findings.require(await customer.leg.ends_within(15), "the call has no end")
            findings.require(await rig.stays_silent(job), "it was placed twice")
    finally:
        rig.disturb("")
    attempt = await rig.ended(job)
    findings.require(attempt.end is DialEnd.ANSWERED, f"it ended as {attempt.end}")
    findings.require(len(await rig.attempts(job)) == 1, "there are two attempts")
    findings.require((await rig.job(job.key)).state is JobState.DONE, "it is not done")


async def _taken_over(rig: OutboundTestbed, job: Job) -> Attempt:
    """Wait until the next agent has found out what became of an attempt, and nobody can tell more of it."""

    async def found_out() -> bool:
        return all(attempt.ended_at for attempt in await rig.attempts(job))

    await rig.until(found_out, f"{job.key}: nobody asks what became of it")
    rig.move_clock(minutes=1)
    return await rig.ended(job)


async def _is(rig: OutboundTestbed, job: Job, state: AttemptState) -> bool:
    return any(attempt.state is state for attempt in await rig.attempts(job))


async def message_at_once(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The agent dies while it rings, and the customer answers before it is back: the message at once."""
    async with rig.called() as (job, customer):
        await rig.until(lambda: _is(rig, job, AttemptState.RINGING), "that it rings is not noted")
        rig.place.kill()
        answered = await customer.answer()
        findings.require(await customer.leg.ends_within(40), "the call has no end")
        findings.reach(customer.first_word_after(answered), "customer", SILENCE_SECONDS)
    began = time.monotonic()
    await rig.place.restart()
    findings.note(time.monotonic() - began, "start")
    attempt = await _taken_over(rig, job)
    findings.require(attempt.end is DialEnd.ANSWERED, f"it ended as {attempt.end}: the dialplan's note was not read")
    findings.require(not re.search(OPENING, customer.told()), "the agent spoke after all")


CASES = (
    OutboundCase(1, "killed-unplaced", "kill -9 between the disk and the dial", killed_before_dialling),
    OutboundCase(2, "killed-ringing", "kill -9 while it rings", killed_while_ringing),
    OutboundCase(3, "killed-talking", "kill -9 after the answer", killed_after_answer),
    OutboundCase(3, "answered-alone", "answered while the agent is dead", message_at_once),
    OutboundCase(4, "answer-lost", "Asterisk's answer to the dial is lost", answer_lost),
)
