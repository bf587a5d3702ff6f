"""Cases of what answers besides people: voicemails, screeners, menus, faxes, and nobody at all; and every refusal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from agent.call.dialling import DialEnd
from agent.outbound.model import Job, JobState, Reached
from agent.rehearsal.audio import Pcm
from agent.rehearsal.called_customer import CalledCustomer, tone
from benchmarks.faults.fault_case import CaseFindings
from benchmarks.outbound_faults.outbound_case import (
    CONTENT,
    FIRST_WORD_SECONDS,
    HAPPY,
    OPENING,
    OutboundCase,
)
from benchmarks.outbound_faults.testbed import OutboundTestbed, Wish

VOICEMAIL = "You've reached Dana Miller. I'm not available to take your call. Please leave a message after the tone."
MENU = "Thank you for calling. For sales, press one. For support, press two. Your call is important to us."
SCREENER = "Hi. Please record your name and reason for calling, and I'll see if this person is available."
OFFICE = "Good morning, Hill Street Garage, this is Robert speaking, what can I do for you today?"
_SCREENER_GREETING = "automated assistant, about a delivery to this number"
_BEEP = (1000.0, 0.4)
_LAST = Wish(last=True)
VOICES = ("joe", "espeak:en-us+linda", "espeak:en-gb+f2", "espeak:en-us+m3", "joe:1.15")
"""Of customers; none of them is the agent's own."""


async def _voicemail(
    rig: OutboundTestbed, findings: CaseFindings, wish: Wish, *sounds: Pcm | str | float, message: bool = True
) -> None:
    """Play a voicemail's greeting; the one message comes after it, or none at all."""
    async with rig.called(wish, VOICES[1]) as (job, machine):
        await machine.answer()
        played = await machine.plays(*sounds)
        over = played.end if played is not None else machine.leg.ended_at or 0.0
        findings.require(await machine.leg.ends_within(45), "the call has no end")
        begun = machine.first_word_after(over)
    attempt = await rig.ended(job)
    findings.require(attempt.reached is Reached.VOICEMAIL, f"taken for {attempt.reached}: {machine.told()}")
    findings.require(attempt.message_left is message, f"message left: {attempt.message_left}: {machine.told()}")
    findings.require(("arrived well" in machine.told()) is message, f"it said: {machine.told()}")
    findings.require(not re.search(CONTENT, machine.told(), re.IGNORECASE), f"it told: {machine.told()}")
    if message:
        findings.require(begun is not None, "no message was heard after the tone")
        if begun is not None:
            findings.note(begun, "message after the greeting")


async def voicemail_with_beep(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A tone behind the greeting: the message comes after it."""
    await _voicemail(rig, findings, _LAST, 0.8, VOICEMAIL, 0.6, tone(*_BEEP))


async def voicemail_without_beep(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """No tone: the message comes after two seconds of silence."""
    await _voicemail(rig, findings, _LAST, 0.8, VOICEMAIL)


async def voicemail_late(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Seven seconds of nothing before the greeting."""
    await _voicemail(rig, findings, _LAST, 7.0, VOICEMAIL, 0.6, tone(*_BEEP))


async def voicemail_beeps_twice(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Two tones: the message is not spoken into the second one."""
    await _voicemail(rig, findings, _LAST, 0.8, VOICEMAIL, 0.6, tone(*_BEEP), 0.35, tone(*_BEEP))


async def voicemail_not_last(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Another try follows: no message, the call ends."""
    await _voicemail(rig, findings, Wish(), 0.8, VOICEMAIL, 0.6, tone(*_BEEP), 6.0, message=False)


async def voicemail_message_off(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Messages are switched off: none on the last attempt either."""
    await rig.place.with_settings({"outbound": {"voicemail_message": False}})
    try:
        await _voicemail(rig, findings, _LAST, 0.8, VOICEMAIL, 0.6, tone(*_BEEP), 6.0, message=False)
    finally:
        await rig.place.with_settings({})


async def screener_then_person(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A screener hears who calls and that it is about a delivery, once; then the person, who is asked who they are."""
    async with rig.called(voice=VOICES[2]) as (job, phone):
        await phone.answer()
        await phone.plays(0.4, SCREENER)
        findings.require(await phone.hears(_SCREENER_GREETING, 15), f"the screener hears: {phone.told()}")
        findings.require(not re.search(CONTENT, phone.told(), re.IGNORECASE), f"it told: {phone.told()}")
        await phone.is_asked(0)
        mark = len(phone.feed.events)
        await asyncio.sleep(3)  # the customer reads it and takes the call
        phone.voice = VOICES[0]
        await phone.says("hello")
        findings.require(await phone.hears(OPENING, 15, mark), f"the person hears: {phone.told(mark)}")
        await phone.talks(HAPPY, since=mark)
        findings.require(await phone.leg.ends_within(15), "the call has no end")
    findings.require((await rig.ended(job)).reached is Reached.RIGHT_PERSON, f"{(await rig.attempts(job))[-1].reached}")
    findings.require((await rig.job(job.key)).state is JobState.DONE, "it is not done")


async def screener_alone(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Nobody comes behind the screener: the call ends after half a minute, and the job stays open."""
    async with rig.called(voice=VOICES[2]) as (job, phone):
        await phone.answer()
        await phone.plays(0.4, SCREENER)
        findings.require(await phone.leg.ends_within(60), "the call has no end")
    attempt = await rig.ended(job)
    findings.require(attempt.reached is Reached.SCREENER, f"taken for {attempt.reached}")
    findings.require((await rig.job(job.key)).state is JobState.OPEN, "it is over")


async def menu(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A menu: no key is pressed, the call ends."""
    async with rig.called(voice=VOICES[3]) as (job, phone):
        await phone.answer()
        await phone.plays(0.4, MENU, 8.0)
        findings.require(await phone.leg.ends_within(20), "the call has no end")
    attempt = await rig.ended(job)
    findings.require(attempt.reached is Reached.IVR, f"taken for {attempt.reached}: {phone.told()}")


async def fax(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A fax: the call ends, and the number is not called again."""
    job = await rig.add(Wish(number="+13035550110"))
    attempt = await rig.ended(job, seconds=40)
    findings.require(attempt.reached is Reached.FAX, f"taken for {attempt.reached}")
    findings.require((await rig.job(job.key)).reason == "fax", f"{(await rig.job(job.key)).reason}")


async def nobody_speaks(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Somebody answers and says nothing: a word within two seconds, then the information message, then the end."""
    async with rig.called() as (job, phone):
        answered = await phone.answer()
        findings.require(await phone.leg.ends_within(60), "the call has no end")
        findings.reach(phone.first_word_after(answered), "silent", FIRST_WORD_SECONDS)
        findings.require("automated call" in phone.told(), f"it said: {phone.told()}")
    attempt = await rig.ended(job)
    findings.require(attempt.reached is Reached.SILENT, f"taken for {attempt.reached}")


Greets = Callable[[CalledCustomer], Awaitable[float]]


async def _says_hello(customer: CalledCustomer) -> float:
    span = await customer.says("hello?")
    return span.end if span is not None else 0.0


async def _says_hello_twice(customer: CalledCustomer) -> float:
    end = await _says_hello(customer)
    await asyncio.sleep(0.7)
    await customer.says("hello?")
    return end


async def _says_name(customer: CalledCustomer) -> float:
    await asyncio.sleep(0.4)
    span = await customer.says("James Carter")
    return span.end if span is not None else 0.0


async def _says_question(customer: CalledCustomer) -> float:
    span = await customer.says("yes, hello, who is this?")
    return span.end if span is not None else 0.0


async def _says_nothing(customer: CalledCustomer) -> float:
    return customer.leg.answered_at or 0.0


GREETERS: Sequence[Greets] = (_says_hello, _says_hello_twice, _says_name, _says_question, _says_nothing)


async def hello(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Five people greet, pause, greet again, or say nothing: the first word comes within two seconds of it."""
    await asyncio.gather(
        *(_greeted(rig, findings, greets, voice) for greets, voice in zip(GREETERS, VOICES, strict=True))
    )


async def _greeted(rig: OutboundTestbed, findings: CaseFindings, greets: Greets, voice: str) -> None:
    async with rig.called(voice=voice) as (job, customer):
        await customer.answer()
        over = await greets(customer)
        await customer.hears(OPENING, 20)
        await customer.is_asked(0, 15)
        findings.reach(customer.first_word_after(over), greets.__name__.strip("_"), FIRST_WORD_SECONDS)
        await customer.leg.hang_up()
    attempt = await rig.ended(job)
    people = (Reached.PERSON, Reached.RIGHT_PERSON, Reached.SILENT)
    findings.require(attempt.reached in people, f"{greets.__name__}: taken for {attempt.reached}")


async def office(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """An office greets for six seconds, and is no machine."""
    async with rig.called(voice=VOICES[3]) as (job, customer):
        await customer.answer()
        await customer.plays(0.3, OFFICE)
        findings.require(await customer.hears(OPENING, 15), f"it says: {customer.told()}")
        customer.voice = VOICES[0]
        await customer.talks(HAPPY)
        findings.require(await customer.leg.ends_within(15), "the call has no end")
    findings.require((await rig.ended(job)).reached is Reached.RIGHT_PERSON, f"it said: {customer.told()}")


REFUSALS: Mapping[int, DialEnd] = {
    17: DialEnd.BUSY, 19: DialEnd.NO_ANSWER, 20: DialEnd.NO_ANSWER, 31: DialEnd.NO_ANSWER, 18: DialEnd.NO_ANSWER,
    21: DialEnd.REFUSED, 16: DialEnd.DECLINED, 41: DialEnd.DECLINED, 47: DialEnd.DECLINED, 50: DialEnd.DECLINED,
    1: DialEnd.BAD_NUMBER, 3: DialEnd.BAD_NUMBER, 22: DialEnd.BAD_NUMBER, 28: DialEnd.BAD_NUMBER,
    34: DialEnd.TRUNK_FAULT, 42: DialEnd.TRUNK_FAULT, 27: DialEnd.TRUNK_FAULT, 38: DialEnd.TRUNK_FAULT,
    58: DialEnd.TRUNK_FAULT,
}  # fmt: skip
"""The far end's cause -> what it is for us."""


async def refusals(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The far end refuses in every way there is: each is told apart."""
    jobs: list[tuple[int, Job]] = [(cause, await rig.add(Wish(number=f"+120255501{cause:02d}"))) for cause in REFUSALS]
    for cause, job in jobs:
        await rig.campaign("running")  # so many in a row pause it
        attempt = await rig.ended(job, seconds=60)
        findings.require(attempt.end is REFUSALS[cause], f"cause {cause}: {attempt.end}")
        findings.require(attempt.counted is (attempt.end is not DialEnd.TRUNK_FAULT), f"cause {cause}: counted wrongly")


async def before_the_answer(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Ringing on, a forward, an announcement: no answer. An announcement and then an answer: an answer."""
    numbers = {"rings on": "+13035550101", "forwards": "+13035550103", "announces": "+13035550104"}
    jobs = {what: await rig.add(Wish(number=number)) for what, number in numbers.items()}
    answers = await rig.add(Wish(number="+13035550105"))
    ends = {what: (await rig.ended(job, seconds=60)).end for what, job in jobs.items()}
    findings.require(ends["rings on"] is DialEnd.NO_ANSWER, f"rings on: {ends['rings on']}")
    findings.require(ends["forwards"] is DialEnd.FORWARDED, f"forwards: {ends['forwards']}")
    findings.require(ends["announces"] in (DialEnd.BAD_NUMBER, DialEnd.NO_ANSWER), f"announces: {ends['announces']}")
    attempt = await rig.ended(answers, seconds=60)
    findings.require(attempt.end is DialEnd.ANSWERED, f"announces and answers: {attempt.end}")


CASES = (
    OutboundCase(9, "voicemail-beep", "voicemail with a tone", voicemail_with_beep),
    OutboundCase(9, "voicemail-plain", "voicemail without a tone", voicemail_without_beep),
    OutboundCase(9, "voicemail-late", "voicemail after seven seconds of nothing", voicemail_late),
    OutboundCase(9, "voicemail-twice", "voicemail with two tones", voicemail_beeps_twice),
    OutboundCase(9, "voicemail-early", "voicemail, not the last attempt", voicemail_not_last),
    OutboundCase(9, "voicemail-off", "voicemail, messages switched off", voicemail_message_off),
    OutboundCase(10, "hello", "five people greet, or say nothing", hello, 5, 2),
    OutboundCase(10, "silent", "somebody answers and says nothing, ever", nobody_speaks),
    OutboundCase(11, "office", "a greeting of six seconds", office),
    OutboundCase(12, "screener", "a call screener, then the person", screener_then_person),
    OutboundCase(12, "screener-alone", "a call screener, and nobody", screener_alone),
    OutboundCase(12, "menu", "a menu of keys", menu),
    OutboundCase(12, "fax", "a fax", fax),
    OutboundCase(6, "refusals", "every cause of refusing", refusals, len(REFUSALS)),
    OutboundCase(6, "unanswered", "ringing on, forwards, announcements", before_the_answer, 4),
)
