"""Cases of whom, when and how many: triggers, a dead trunk, windows, an outage, orders, those who ring in, a rush."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from agent.call.dialling import DialEnd
from agent.outbound.keys import delivery_key
from agent.outbound.model import Job, JobState, Reason
from agent.outbound.windows import zones_of
from agent.rehearsal.called_customer import CalledCustomer
from benchmarks.faults.fault_case import CaseFindings
from benchmarks.outbound_faults.outbound_case import HAPPY, OPENING, OutboundCase
from benchmarks.outbound_faults.testbed import CALLER_ID, NUMBER_ZONE, OutboundTestbed, Wish

_DEAD_TRUNK = "+13035550102"
_BROKEN_TRUNK = ("+12025550134", "+12025550142", "+12025550127", "+12025550138", "+12025550158")
_DELIVERED = ("36190", "39751", "71936", "47086")
"""Orders of the demo shop; the key of a job is used once."""
_OPENS, _CLOSES = 9, 20
"""Hours of the rehearsal's window."""


async def same_webhook(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The same event comes three times, two of them at once: one job, and one call."""
    known = {job.facts.order_number for job in await rig.store.jobs(limit=10_000) if job.source.startswith("webhook")}
    number, order = rig.next_number(), next(order for order in _DELIVERED if order not in known)
    body = json.dumps({
        "type": "delivery.completed",
        "data": {"order": order, "delivered_at": rig.now().isoformat(), "phone": number, "name": "James", "parcels": 1},
    }).encode()  # fmt: skip
    async with rig.place.feed.follow(number) as feed, aiohttp.ClientSession() as session:
        together = await asyncio.gather(_post(session, rig, body), _post(session, rig, body))
        statuses = [*together, await _post(session, rig, body)]
        findings.require(statuses == [200, 200, 200], f"answers: {statuses}")
        jobs = [job for job in await rig.store.jobs(limit=10_000) if job.key == delivery_key(order)]
        findings.require(len(jobs) == 1, f"{len(jobs)} jobs")
        ringing = await rig.place.desk.ring(number[1:], CALLER_ID, 30.0)
        findings.require(ringing is not None, "it does not ring")
        if ringing is None:
            return
        customer = CalledCustomer(number, ringing.leg, feed, rig.voices)
        await customer.answer()
        await customer.talks(HAPPY)
        findings.require(await customer.leg.ends_within(15), "the call has no end")
        await customer.leg.close()
    await rig.ended(jobs[0])
    findings.require(await _post_again(rig, body) == 200, "the event is refused after the call")
    findings.require(await rig.stays_silent(jobs[0]), "it rang twice")
    findings.require(len(await rig.attempts(jobs[0])) == 1, "there are two attempts")


async def _post_again(rig: OutboundTestbed, body: bytes) -> int:
    async with aiohttp.ClientSession() as session:
        return await _post(session, rig, body)


async def _post(session: aiohttp.ClientSession, rig: OutboundTestbed, body: bytes) -> int:
    sent = str(int(rig.now().timestamp()))
    key = base64.b64decode(rig.trigger_secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"event-1.{sent}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": "event-1",
        "webhook-timestamp": sent,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }
    async with session.post(rig.trigger_url, data=body, headers=headers) as answer:
        return answer.status


async def dead_trunk(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The trunk is dead: it costs no customer an attempt; after five calls the campaign pauses, with an alarm."""
    silent = await rig.add(Wish(number=_DEAD_TRUNK))
    broken = [await rig.add(Wish(number=number)) for number in _BROKEN_TRUNK]
    for job in (*broken, silent):
        attempt = await rig.ended(job, seconds=40)
        findings.require(attempt.end is DialEnd.TRUNK_FAULT, f"{job.number}: {attempt.end}")
        findings.require(not attempt.counted, f"{job.number}: it was counted")
        job = await rig.job(job.key)
        findings.require(job.state is JobState.OPEN and job.attempts == 0, f"{job.number}: {job.state}, {job.attempts}")
    await rig.until(lambda: _is_paused(rig), "the campaign goes on")
    campaign = await rig.store.campaign()
    findings.require(campaign.by == "circuit breaker", f"paused by {campaign.by}: {campaign.why}")
    log = await asyncio.to_thread(rig.place.agent.log_path.read_text, "utf-8")
    findings.require("calls to customers are paused" in log, "there is no alarm")


async def _is_paused(rig: OutboundTestbed) -> bool:
    return (await rig.store.campaign()).state == "paused"


async def window_ends(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The window ends while it rings: that call goes on, and no other begins."""
    local = rig.now().astimezone(NUMBER_ZONE)
    rig.set_clock(local.replace(hour=_CLOSES - 1, minute=59, second=40).astimezone(UTC))
    async with rig.called() as (job, customer):
        rig.set_clock(local.replace(hour=_CLOSES, minute=0, second=1).astimezone(UTC))
        late = await rig.add()
        findings.require(await rig.stays_silent(late), "one was dialled after the window")
        await customer.answer()
        await customer.talks(HAPPY)
        findings.require(await customer.leg.ends_within(15), "the call has no end")
    await rig.ended(job)
    findings.require((await rig.job(job.key)).state is JobState.DONE, "the call that rang is not done")
    late = await rig.job(late.key)
    findings.require(late.reason == Reason.OUTSIDE_WINDOW, f"the other one waits for {late.reason}")
    opens = late.not_before.astimezone(NUMBER_ZONE)
    findings.require(_OPENS <= opens.hour < _CLOSES and opens.date() > local.date(), f"again at {opens}")


async def clocks_change(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The morning after the night in which clocks change: windows go by the new time."""
    morning = _morning_after_change(rig.now(), NUMBER_ZONE)
    rig.set_clock((morning - timedelta(seconds=20)).astimezone(UTC))
    early = await rig.add()
    findings.require(await rig.stays_silent(early), "dialled before nine")
    rig.set_clock((morning + timedelta(seconds=5)).astimezone(UTC))
    async with rig.called() as (_, customer):
        await customer.leg.hang_up()
    waits = (await rig.job(early.key)).not_before.astimezone(NUMBER_ZONE)
    findings.require(waits.date() == morning.date() and waits.hour >= _OPENS, f"the early one waits until {waits}")


def _morning_after_change(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the next morning at nine whose day before had another offset at that hour."""
    day = now.astimezone(zone).date() + timedelta(days=1)
    while _at_nine(day, zone).utcoffset() == _at_nine(day - timedelta(days=1), zone).utcoffset():
        day += timedelta(days=1)
    return _at_nine(day, zone)


def _at_nine(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, _OPENS, tzinfo=zone)


async def three_zones(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """A number that may be in several zones: only the hours that are inside in all of them."""
    number = "+61491570006"
    zones = zones_of(number)
    findings.require(len(zones) >= 3, f"{len(zones)} zones")
    tomorrow = rig.now().date() + timedelta(days=1)
    at_nine = sorted(_at_nine(tomorrow, zone) for zone in zones)
    rig.set_clock(at_nine[0].astimezone(UTC) + timedelta(minutes=1))
    job = await rig.add(Wish(number=number))
    findings.require(await rig.stays_silent(job), "dialled while it is early in one of them")
    job = await rig.job(job.key)
    findings.require(job.not_before >= at_nine[-1], f"again at {job.not_before}, not from {at_nine[-1]}")
    rig.set_clock(job.not_before + timedelta(seconds=1))
    async with rig.rings(job) as customer:
        await customer.leg.hang_up()


async def outage(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Two days without an agent, back at three in the night: what expired is over, the rest waits and is spread."""
    await rig.place.agent.stop()
    tonight = (rig.now() + timedelta(days=3)).astimezone(NUMBER_ZONE).replace(hour=3, minute=0, second=0)
    waited = [await rig.add(Wish(due_in=timedelta(hours=1))) for _ in range(3)]
    expired = await rig.add(Wish(due_in=timedelta(hours=1), expires_in=timedelta(days=2)))
    rig.set_clock(tonight.astimezone(UTC))
    await rig.place.agent.start()
    await rig.place.feed.back()
    await rig.until(lambda: _is_over(rig, expired), "the expired job waits on")
    findings.require(all([await rig.stays_silent(job, 1.0) for job in waited]), "somebody was rung in the night")
    rig.move_clock(hours=4, minutes=30)  # what was spread over the night meets the window there
    await asyncio.gather(*(rig.until(partial(_waits_for_window, rig, job), job.key) for job in waited))
    times = [(await rig.job(job.key)).not_before for job in waited]
    findings.require(len({time.replace(second=0, microsecond=0) for time in times}) == 3, f"not spread: {times}")
    findings.require(all(time.astimezone(NUMBER_ZONE).hour >= _OPENS for time in times), f"too early: {times}")


async def _is_over(rig: OutboundTestbed, job: Job) -> bool:
    return (await rig.job(job.key)).over


async def _waits_for_window(rig: OutboundTestbed, job: Job) -> bool:
    return (await rig.job(job.key)).reason == Reason.OUTSIDE_WINDOW


async def rings_in(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The customer rings in while we ring them: ours is cancelled, theirs knows, and the job is done in it."""
    async with rig.called() as (job, called), rig.rings_in(job.number, feed=called.feed) as caller:
        findings.require(await called.leg.ends_within(10), "our call still rings")
        findings.require(await caller.hears(r"tried to reach you"), f"it says: {caller.told()}")
        await caller.talks({**HAPPY, r"tried to reach you": "yes this is james"})
        findings.require(await caller.leg.ends_within(15), "the call has no end")
    await rig.until(lambda: _is_over(rig, job), "the job is still open")
    job = await rig.job(job.key)
    findings.require((job.state, job.reason) == (JobState.DONE, Reason.CALLED_IN), f"{job.state}: {job.reason}")
    findings.require(await rig.stays_silent(job), "it rang after the call")


async def order_changed(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """The order was returned, refunded or cancelled before the call: the job is dropped when its time comes."""
    for order, reason in (("83615", Reason.RETURNED), ("97248", Reason.REFUNDED), ("78701", Reason.CANCELLED)):
        job = await rig.add(Wish(order=order))
        await rig.until(partial(_is_over, rig, job), f"the job of {order} is open")
        job = await rig.job(job.key)
        findings.require((job.state, job.reason) == (JobState.DROPPED, reason), f"{order}: {job.state}, {job.reason}")
        findings.require(await rig.stays_silent(job, 0.5), f"{order}: it rang")
    unreadable = await rig.add(Wish(order="70505"))
    await rig.until(lambda: _has_reason(rig, unreadable), "nobody says why")
    findings.require(await rig.stays_silent(unreadable, 1.0), "dialled though the order system says nothing")


async def _has_reason(rig: OutboundTestbed, job: Job) -> bool:
    return (await rig.job(job.key)).reason == Reason.ORDER_UNREADABLE


async def rush(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Those who call in need the trunk: the call that rings is cancelled, and none begins until they are gone."""
    await rig.place.with_settings({"outbound": {"trunk_channels": 5}})
    try:
        async with rig.called() as (job, customer), rig.anybody_rings_in(4):
            findings.require(await customer.leg.ends_within(12), "the ringing call was not cancelled")
            waits = await rig.add()
            findings.require(await rig.stays_silent(waits), "one was dialled into the rush")
        attempt = await rig.ended(job)
        findings.require(attempt.end is DialEnd.CANCELLED, f"it ended as {attempt.end}")
        async with rig.rings(waits) as customer:
            await customer.leg.hang_up()
    finally:
        await rig.place.with_settings({})


async def pause(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Paused during five calls: none begins, and the five end as usual."""
    async with contextlib.AsyncExitStack() as stack:
        calls = [await stack.enter_async_context(rig.called()) for _ in range(5)]
        await asyncio.gather(*(customer.answer() for _, customer in calls))
        await rig.campaign("paused")
        waits = await rig.add()
        heard = await asyncio.gather(*(customer.hears(OPENING) for _, customer in calls))
        findings.require(all(heard), "somebody heard nothing")
        await asyncio.gather(*(customer.talks(HAPPY) for _, customer in calls))
        ended = await asyncio.gather(*(customer.leg.ends_within(20) for _, customer in calls))
        findings.require(all(ended), "a call has no end")
        findings.require(await rig.stays_silent(waits, 1.5), "one was dialled in the pause")
    for job, customer in calls:
        findings.require((await rig.ended(job)).outcome == "completed", f"{job.key}: {customer.told()}")


async def stopped(rig: OutboundTestbed, findings: CaseFindings) -> None:
    """Stopped: what rings is cancelled, what talks goes on, and it stays so after a restart."""
    async with rig.called() as (job, ringing), rig.called() as (_, talking):
        await talking.answer()
        findings.require(await talking.hears(OPENING), "it says nothing")
        await rig.campaign("stopped")
        findings.require(await ringing.leg.ends_within(6), "it still rings")
        await talking.talks(HAPPY)
        findings.require(re.search("glad to hear", talking.told()), f"it said: {talking.told()}")
    findings.require((await rig.ended(job)).end is DialEnd.CANCELLED, "it was not cancelled")
    waits = await rig.add()
    await rig.place.agent.stop()
    await rig.place.agent.start()
    await rig.place.feed.back()
    findings.require(await rig.stays_silent(waits), "dialled after the restart")


def _case(row: int, name: str, what: str, run: Any, customers: int = 1) -> OutboundCase:
    return OutboundCase(row, name, what, run, customers)


CASES = (
    _case(5, "same-webhook", "one event three times, two at once", same_webhook),
    _case(6, "dead-trunk", "the trunk is dead, or broken", dead_trunk, 6),
    _case(7, "window-ends", "the window ends while it rings", window_ends, 2),
    _case(7, "clocks-change", "the morning after the clocks changed", clocks_change, 2),
    _case(7, "three-zones", "a number of several zones", three_zones),
    _case(8, "outage", "three in the night, after two days without an agent", outage, 4),
    _case(16, "rings-in", "the customer rings in while we dial", rings_in),
    _case(18, "order-changed", "the order was returned, or cannot be read", order_changed, 4),
    _case(20, "rush", "callers need the trunk", rush, 6),
    _case(20, "pause", "paused during five calls", pause, 6),
    _case(20, "stopped", "stopped while one rings and one talks", stopped, 3),
)
