"""Cases of what people say: the wrong person, no more calls, who are you, something is wrong, a person please."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from agent.outbound.model import CallOutcome, Job, JobState, Purpose, Reached, SuppressionScope
from agent.rehearsal.called_customer import CalledCustomer
from benchmarks.faults.fault_case import CaseFindings
from benchmarks.outbound_faults.outbound_case import CONTENT, ELSE, HAPPY, OPENING, WELL, WHO, OutboundCase
from benchmarks.outbound_faults.testbed import OutboundTestbed, Wish, with_number

_NOT_CALLED = r"won't call this number any more"
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DAMAGED_ORDER, _DAMAGED_POSTCODE = "58124", "89101"
_LATER = Wish(purpose=Purpose.SURVEY, due_in=timedelta(hours=20), expires_in=timedelta(days=9))


async def _says_before_content(
    rig: OutboundTestbed, findings: CaseFindings, replies: Mapping[str, str], reached: Reached, outcome: CallOutcome
) -> Job:
    """Talk, and require that nothing of the matter was said; returns the job."""
    async with rig.called() as (job, customer):
        await customer.answer()
        await customer.talks(replies)
        findings.require(await customer.leg.ends_within(20), f"the call has no end: {customer.told()}")
    attempt = await rig.ended(job)
    said = customer.told()
    findings.require(not re.search(CONTENT, said, re.IGNORECASE), f"it told: {said}")
    findings.require((attempt.reached, attempt.outcome) == (reached, outcome), f"{attempt.reached}, {attempt.outcome}")
    return await rig.job(job.key)


async def wrong_number(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Nobody of that name: an apology, nothing of the matter, no second call."""
    replies = {WHO: "you have the wrong number"}
    job = await _says_before_content(rig, findings, replies, Reached.WRONG_NUMBER, CallOutcome.WRONG_NUMBER)
    findings.require(job.state is JobState.DROPPED, f"{job.state}")


async def child(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A child alone: an adult is asked for once, then the call ends."""
    replies = {WHO: "i'm just a kid", r"mom or dad": "they're not home"}
    async with rig.called() as (job, customer):
        await customer.answer()
        await customer.talks(replies)
        await customer.talks(
            {r"better time|when": "i don't know", WHO: "i'm just a kid"}, since=len(customer.feed.events) - 1
        )
        findings.require(await customer.leg.ends_within(60), f"the call has no end: {customer.told()}")
    await rig.ended(job)
    said = customer.told()
    findings.require("mom or dad" in said, f"it said: {said}")
    findings.require(not re.search(CONTENT, said, re.IGNORECASE), f"it told: {said}")


async def died(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The customer has died: condolences, no more calls, a ticket for a person."""
    replies = {WHO: "she passed away"}
    job = await _says_before_content(rig, findings, replies, Reached.PERSON, CallOutcome.HANDED_OVER)
    scopes = await rig.store.scopes(job.number)
    findings.require(SuppressionScope.ALL in scopes, f"still called: {scopes}")
    tickets = await asyncio.to_thread(_tickets, rig.place.stack.run_dir, "customer_died")
    findings.require(tickets, "there is no ticket")


def _tickets(run_dir: Path, reason: str) -> int:
    """Return how many tickets of a reason the demo shop has."""
    with closing(sqlite3.connect(f"file:{run_dir / 'shop' / 'tickets.sqlite'}?mode=ro", uri=True)) as db:
        count: int = db.execute("SELECT count(*) FROM tickets WHERE reason = ?", (reason,)).fetchone()[0]
    return count


async def _not_called_any_more(
    rig: OutboundTestbed, findings: CaseFindings, customer: CalledCustomer, jobs: tuple[Job, ...]
) -> None:
    """It is on the list before the answer is spoken, and all jobs of the number are over."""
    findings.require(await customer.hears(_NOT_CALLED, 20), f"it says: {customer.told()}")
    scopes = await rig.store.scopes(customer.number)
    findings.require(SuppressionScope.ALL in scopes, f"said before it was written: {scopes}")
    states = [(await rig.job(job.key)).state for job in jobs[1:]]
    findings.require(set(states) <= {JobState.DROPPED}, f"other jobs: {states}")


async def _stopped(rig: OutboundTestbed, findings: CaseFindings, how: str) -> None:
    number = rig.next_number()
    other = await rig.add(with_number(_LATER, number))
    async with rig.called(Wish(number=number)) as (job, customer):
        await customer.answer()
        await customer.hears(OPENING)
        if how == "asked":
            await customer.is_asked(0)
            await customer.says("please stop calling me")
        elif how == "mid-sentence":
            await customer.says("stop calling me")
        else:
            await customer.leg.press("9")
        await _not_called_any_more(rig, findings, customer, (job, other))
        findings.require(await customer.leg.ends_within(15), "the call has no end")
    attempt = await rig.ended(job)
    findings.require(attempt.outcome is CallOutcome.OPTED_OUT, f"{attempt.outcome}")
    findings.require(await rig.stays_silent(job), "it rang again")


async def stop_asked(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Stop calling me, as an answer."""
    await _stopped(rig, findings, "asked")


async def stop_mid_sentence(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Stop calling me, into the first sentence."""
    await _stopped(rig, findings, "mid-sentence")


async def stop_key(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Key 9 into the first sentence."""
    await _stopped(rig, findings, "key")


async def stop_ringing_back(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The customer found a message, rings back, and wants no more calls."""
    async with rig.called() as (job, customer):
        await customer.leg.hang_up()
    await rig.ended(job)
    other = await rig.add(with_number(_LATER, job.number))
    async with rig.rings_in(job.number) as caller:
        findings.require(await caller.hears("tried to reach you"), f"it says: {caller.told()}")
        await caller.is_asked(0)
        await caller.says("stop calling me")
        await _not_called_any_more(rig, findings, caller, (job, job, other))


async def stop_calling_in(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A customer whom nobody has tried to reach calls in, and wants no calls."""
    number = rig.next_number()
    job = await rig.add(with_number(_LATER, number))
    async with rig.rings_in(number) as caller:
        await caller.is_asked(0)
        await caller.says("please don't call me any more")
        await _not_called_any_more(rig, findings, caller, (job, job))


async def who_are_you(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Who are you, are you a robot, why do you call: answered at once, before and after the right person's yes."""
    asks = {"who is this": r"automated assistant of", "are you a robot": r"automated assistant, not a person"}
    async with rig.called() as (job, customer):
        await customer.answer()
        since = await customer.is_asked(0)
        for question, answer in {**asks, "why are you calling": r"delivery"}.items():
            await customer.says(question)
            findings.require(await customer.hears(answer, 15, since or 0), f"{question}: {customer.told(since or 0)}")
            since = await customer.is_asked(since or 0)
        findings.require(not re.search(CONTENT, customer.told(), re.IGNORECASE), f"it told: {customer.told()}")
        await customer.says("yes this is james")
        findings.require(await customer.hears(WELL, 15), f"it says: {customer.told()}")
        since = await customer.is_asked(since or 0)
        await customer.says("are you a robot")
        findings.require(
            await customer.hears("automated assistant of", 15, since or 0), f"it says: {customer.told(since or 0)}"
        )
        await customer.talks(HAPPY, since=since or 0)
        findings.require(await customer.leg.ends_within(20), f"the call has no end: {customer.told()}")
    findings.require((await rig.ended(job)).outcome is CallOutcome.COMPLETED, f"it said: {customer.told()}")


async def not_here(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """She is not here: nothing of the matter, and the hour that is named is kept."""
    replies = {WHO: "she's not here", r"better time|wh(at|ich) day|when": "tomorrow", r"what time|at what": "at five"}
    job = await _says_before_content(rig, findings, replies, Reached.PERSON, CallOutcome.NOT_HERE)
    findings.require(job.state is JobState.OPEN and job.appointment, f"{job.state}, {job.not_before}")


async def damaged(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """It came broken: a return by the two facts; a later call about it opens no second one."""
    wish = Wish(order=_DAMAGED_ORDER, name="Sofia")
    replies = {
        **_TROUBLE, WHO: "yes this is sofia", WELL: "it's broken", r"(zip|post) ?code": f"keys:{_DAMAGED_POSTCODE}",
    }  # fmt: skip
    async with rig.called(wish) as (job, customer):
        await customer.answer()
        await customer.talks(replies, turns=20)
        findings.require(await customer.leg.ends_within(20), f"the call has no end: {customer.told()}")
    attempt = await rig.ended(job)
    findings.require(attempt.outcome in (CallOutcome.COMPLETED, CallOutcome.HANDED_OVER), f"{attempt.outcome}")
    record = await rig.record(job)
    findings.require(record["outbound"]["case"], f"no case: {customer.told()}")
    async with rig.rings_in(job.number) as caller:
        await caller.talks({
            **_TROUBLE, r"how can i help|what can i do": "i want to return something",
            r"order number": f"keys:{_DAMAGED_ORDER}", r"(zip|post) ?code": f"keys:{_DAMAGED_POSTCODE}",
        }, turns=12)  # fmt: skip
        number = " ".join(_DIGITS[int(digit)] for digit in record["outbound"]["case"] if digit.isdecimal())
        findings.require(number in caller.told(), f"it does not tell the case of the first call: {caller.told()}")


_TROUBLE = {
    r"which|what would you like to (return|send)": "the first one",
    r"arrive broken|how .*(broken|damaged)|what happened": "it arrived broken",
    r"change your mind": "something is wrong with it",
    r"new|used|opened|condition": "it's new",
    r"label|drop|picked up|way": "a label",
    r"replacement|money back|refund|instead": "a refund",
    r"is that right|correct|shall i|okay\?": "yes",
    ELSE: "no thanks",
}


async def missing_part(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """One of two parcels came: it goes to the procedure for what is missing, and never becomes a promise."""
    wish = Wish(order="36190", name="Aisha", parcels=2)
    async with rig.called(wish) as (job, customer):
        await customer.answer()
        await customer.talks({
            WHO: "yes this is aisha", WELL: "only one came", r"(zip|post) ?code": "keys:19103", ELSE: "no thanks",
        }, turns=10)  # fmt: skip
        findings.require("two facts" in customer.told(), f"it said: {customer.told()}")
        findings.require(not re.search("we will refund|we'll refund", customer.told()), f"it said: {customer.told()}")
        await customer.leg.hang_up()
    attempt = await rig.ended(job)
    findings.require(attempt.reached is Reached.RIGHT_PERSON, f"{attempt.reached}")


async def no_person_there(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A person is wanted and nobody is there: a ticket, and no promise that somebody is free."""
    try:
        async with rig.called() as (job, customer):
            await customer.answer()
            await customer.is_asked(0)
            await rig.place.log_phones_out()
            await customer.says("yes this is james")
            since = await customer.is_asked(len(customer.feed.events))
            await customer.says("i want to talk to a person")
            await customer.is_asked(since or 0, 20)
            await customer.talks({r"call you back\?": "yes please", ELSE: "no thanks"}, turns=4, since=since or 0)
            await customer.leg.ends_within(20)
            said = customer.told(since or 0)
        attempt = await rig.ended(job)
    finally:
        await rig.place.log_phones_in()
    findings.require(re.search("call you back|ticket|nobody|no one|closed", said, re.IGNORECASE), f"it said: {said}")
    findings.require(not re.search("connect you|put you through", said, re.IGNORECASE), f"it promised: {said}")
    findings.require(attempt.case, f"there is no ticket: {attempt}")


CASES = (
    OutboundCase(13, "wrong-number", "nobody of that name", wrong_number),
    OutboundCase(13, "child", "a child alone", child),
    OutboundCase(13, "died", "the customer has died", died),
    OutboundCase(14, "stop", "stop calling me", stop_asked),
    OutboundCase(14, "stop-mid", "stop calling me, in the middle of our sentence", stop_mid_sentence),
    OutboundCase(14, "stop-key", "key 9", stop_key),
    OutboundCase(14, "stop-back", "stop calling me, by who rings back", stop_ringing_back),
    OutboundCase(14, "stop-in", "don't call me, by who calls in", stop_calling_in),
    OutboundCase(15, "who-are-you", "who are you, are you a robot, why", who_are_you),
    OutboundCase(17, "not-here", "she is not here", not_here),
    OutboundCase(17, "damaged", "it came broken", damaged),
    OutboundCase(17, "missing", "one of two parcels came", missing_part),
    OutboundCase(19, "no-person", "a person is wanted, and none is there", no_person_there),
)
