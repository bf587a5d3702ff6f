"""Fault cases of transfers and holds: who is on the line changes or stops listening, then the agent dies or hangs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from agent.rehearsal.live_feed import CallFeed
from agent.rehearsal.phone import Leg
from benchmarks.faults.controller_faults import measure_time_to_staff_frozen_agent, require_settled
from benchmarks.faults.fault_caller import ORDER, POSTCODE, CallerNotInState, FaultCaller
from benchmarks.faults.fault_case import CaseFindings, FaultCase
from benchmarks.faults.testbed import FaultTestbed
from benchmarks.faults.transfer_phones import address, at_reception, dial_from_desk, in_place_of, talking_to_reception

_LONG = 30.0
"""For what must come, where no limit is judged: a busy machine may take its time."""
_QUIET_SECONDS = 2.0
"""A phone that should not ring has not rung after this long."""
RECEPTION = "7602"
"""The number at which the phone 602 rings."""
AGENT = "7000"
BACK_TO_AGENT = "700"
HOLD_SECONDS = 25.0
"""Longer than three silences in a row take to bring staff."""


async def transferred_by_caller(place: FaultTestbed, findings: CaseFindings) -> None:
    """A caller's phone asks for a blind, then for an attended transfer: declined, nobody is rung, the call goes on."""
    async with place.caller_in("listening") as caller:
        await caller.leg.transfer(address(place, "8000"))
        async with talking_to_reception(place, caller.number) as (second, _):
            await caller.leg.transfer(address(place, RECEPTION, await second.replaces()))
        findings.require(caller.leg.is_up, "the call has ended")
        findings.require(caller.feed.last("call_ended") is None, "the agent has lost the call")
        await _require_nobody_rung(place, findings, caller.number)
        told = len(caller.feed.named("listening"))
        await caller.press(ORDER)
        await caller.wait_for_event("listening", told + 1)
        await measure_time_to_staff_frozen_agent(place, findings, {"declined": caller})
    await require_settled(place, findings, {"declined": caller}, ("rescued", "handed_over"))


async def transferred_by_caller_of_old_asterisk(place: FaultTestbed, findings: CaseFindings) -> None:
    """The same with an Asterisk that does the transfer itself: the caller has left, nobody is rung, nothing stays."""
    place.break_agent("transfers")
    await place.with_settings({})
    try:
        async with place.caller_in("listening") as caller:
            await caller.leg.transfer(address(place, AGENT))
            await caller.leg.hang_up()
            at = time.monotonic()
            findings.reach((await caller.wait_for_event("call_ended")).at - at, "noticed")
            await _require_nobody_rung(place, findings, caller.number)
        await require_settled(place, findings, {"caller": caller}, ("transferred",))
    finally:
        place.break_agent("")
        await place.with_settings({})


async def given_to_another_party(place: FaultTestbed, findings: CaseFindings) -> None:
    """The caller connects somebody else with the agent, by REFER here or by Replaces from the carrier: a new call."""
    async with (
        place.caller_in("listening") as caller,
        talking_to_reception(place, caller.number) as (second, other),
        place.new_call() as feed,
    ):
        await second.transfer(address(place, AGENT, await caller.leg.replaces()))
        await second.hang_up()
        await _has_agent(place, findings, feed, other, "other party")
    await require_settled(place, findings, {"caller": caller}, ("transferred",))
    await _require_one_record(place, findings, feed, "rescued")
    async with (
        place.caller_in("listening") as caller,
        place.new_call() as feed,
        in_place_of(place, caller.leg) as taker,
    ):
        await _has_agent(place, findings, feed, taker, "by Replaces")
    await require_settled(place, findings, {"caller": caller}, ("transferred",))
    await _require_one_record(place, findings, feed, "rescued")


async def transferred_by_reception(place: FaultTestbed, findings: CaseFindings) -> None:
    """The receptionist rings the agent and connects the caller (attended), then another one without asking (blind)."""
    async with at_reception(place) as (caller, desk):
        async with place.new_call() as asking:
            second = await dial_from_desk(place, AGENT)
            await asking.wait_for(lambda: asking.last("listening") is not None, _LONG)
        async with place.new_call() as feed:
            await desk.transfer(address(place, AGENT, await second.replaces()))
            await asyncio.gather(desk.hang_up(), second.close())
            await _has_agent(place, findings, feed, caller, "attended")
    await _require_one_record(place, findings, asking, "transferred")
    await _require_one_record(place, findings, feed, "rescued")
    async with at_reception(place) as (caller, desk), place.new_call() as feed:
        await desk.transfer(address(place, AGENT))
        await desk.hang_up()
        await _has_agent(place, findings, feed, caller, "blind")
    await _require_one_record(place, findings, feed, "rescued")
    await _require_nothing_left(place, findings)


async def transferred_by_staff(place: FaultTestbed, findings: CaseFindings) -> None:
    """Staff send a caller back to the agent, blind and attended; it hangs, and the caller is with staff again."""
    async with _with_staff(place, findings) as (caller, phone):
        listened = len(caller.feed.named("listening"))
        await phone.transfer(address(place, BACK_TO_AGENT))
        await phone.hang_up()
        await caller.wait_for_event("listening", listened + 1)
        await measure_time_to_staff_frozen_agent(place, findings, {"blind": caller})
    await require_settled(place, findings, {"blind": caller}, ("handed_over",))
    async with _with_staff(place, findings) as (caller, phone):
        async with place.new_call() as asking:
            second = await dial_from_desk(place, AGENT)
            await asking.wait_for(lambda: asking.last("listening") is not None, _LONG)
        async with place.new_call() as feed:
            await phone.transfer(address(place, AGENT, await second.replaces()))
            await asyncio.gather(phone.hang_up(), second.close())
            await _has_agent(place, findings, feed, caller.leg, "attended")
    await _require_one_record(place, findings, asking, "transferred")
    await _require_one_record(place, findings, feed, "rescued")
    await _require_nothing_left(place, findings)


@contextlib.asynccontextmanager
async def _with_staff(place: FaultTestbed, findings: CaseFindings) -> AsyncIterator[tuple[FaultCaller, Leg]]:
    """A caller whom the agent has handed over, and the staff phone that has answered."""
    async with place.caller_in("handing over") as caller:
        phone = await place.desk.ring("601", caller.number, _LONG)
        if phone is None:
            raise CallerNotInState("nobody was rung")
        await phone.leg.open_media()
        await phone.leg.answer()
        yield caller, phone.leg
        await phone.leg.close()


async def held_by_caller(place: FaultTestbed, findings: CaseFindings) -> None:
    """A caller holds for longer than a silence is allowed: not a word, no ticket, nobody rung; then it goes on."""
    async with place.caller_in("listening") as caller:
        told = len(caller.feed.events)
        await caller.leg.hold()
        await caller.wait_for_event("hold")
        music = asyncio.create_task(caller.leg.say(await place.speech("please hold the line, your call matters to us")))
        held_at = time.monotonic()
        await caller.feed.wait_for(lambda: bool(caller.feed.named("agent_said", since=told)), HOLD_SECONDS)
        findings.require(not caller.feed.named("agent_said", since=told), f"it says: {caller.said(told)}")
        findings.require(not caller.feed.named("caller_said", since=told), "the hold was taken for the caller")
        findings.note(time.monotonic() - held_at, "held")
        await music
        at = time.monotonic()
        await caller.leg.resume()
        await caller.feed.wait_for(lambda: bool(caller.feed.named("listening", since=told)), _LONG)
        heard = caller.feed.named("listening", since=told)
        findings.require(heard, "the question was not asked again")
        if heard:
            findings.note(heard[0].at - at, "asked again")
        await _require_nobody_rung(place, findings, caller.number)
        await caller.press(ORDER)
        await caller.wait_for_event("listening", len(caller.feed.named("listening")) + 1)
        await caller.press(POSTCODE)
        await caller.feed.wait_for(lambda: "tomorrow" in caller.said(told), _LONG)
        findings.require("tomorrow" in caller.said(told), f"it says: {caller.said(told)}")
        tickets = [event for event in caller.feed.named("effect") if event.data["name"] == "tickets.create"]
        findings.require(not tickets, "a ticket was written")
        await caller.leg.hold()
        await caller.wait_for_event("hold", 2)
        await measure_time_to_staff_frozen_agent(place, findings, {"held, hung": caller})
    await require_settled(place, findings, {"caller": caller}, ("rescued", "handed_over"))


async def held_too_long(place: FaultTestbed, findings: CaseFindings) -> None:
    """A hold longer than ``call.hold_seconds`` ends the call; nobody is rung."""
    await place.with_settings({"call": {"hold_seconds": 10}})
    try:
        async with place.caller_in("listening") as caller:
            await caller.leg.hold()
            at = (await caller.wait_for_event("hold")).at
            findings.require(await caller.leg.ends_within(_LONG), "the call goes on")
            findings.note(time.monotonic() - at, "ended")
            await _require_nobody_rung(place, findings, caller.number)
        await require_settled(place, findings, {"caller": caller}, ("held_too_long",))
    finally:
        await place.with_settings({})


async def _has_agent(place: FaultTestbed, findings: CaseFindings, feed: CallFeed, leg: Leg, who: str) -> None:
    """Whoever is on this leg talks with the agent; the agent hangs, and staff are rung in time."""
    await feed.wait_for(lambda: feed.last("listening") is not None, _LONG)
    findings.require(feed.last("listening") is not None, f"{who}: the agent does not listen")
    caller = FaultCaller(feed.number, leg, feed)
    await measure_time_to_staff_frozen_agent(place, findings, {who: caller})
    findings.require(not leg.hung_up.is_set(), f"{who}: was cut off")
    await leg.hang_up()


async def _require_nobody_rung(place: FaultTestbed, findings: CaseFindings, number: str) -> None:
    rung = await place.desk.ring("", number, _QUIET_SECONDS)
    findings.require(rung is None, f"the phone {rung and rung.extension} rings")


async def _require_one_record(place: FaultTestbed, findings: CaseFindings, feed: CallFeed, outcome: str) -> None:
    record = await place.record_of(feed.call_id)
    told = f"{record['outcome']}/{record['ended_by']} {record['faults']}" if record else "nothing"
    findings.require(record and record["outcome"] == outcome, f"the record of {feed.call_id} says {told}")


async def _require_nothing_left(place: FaultTestbed, findings: CaseFindings) -> None:
    for line in await place.leftovers():
        findings.require(False, f"left over: {line}")


CASES = (
    FaultCase("transfer-caller", "the caller's phone asks for transfers: declined", transferred_by_caller, 2),
    FaultCase(
        "transfer-old", "the same on an Asterisk that does transfers itself", transferred_by_caller_of_old_asterisk
    ),
    FaultCase("transfer-party", "the caller connects somebody else with the agent", given_to_another_party, 2, 2),
    FaultCase("transfer-desk", "a receptionist transfers callers to the agent", transferred_by_reception, 2, 2),
    FaultCase("transfer-staff", "staff transfer callers back to the agent", transferred_by_staff, 2, 2),
    FaultCase("hold", "a caller holds, and is on hold when the agent hangs", held_by_caller, 2),
    FaultCase("hold-long", "a caller never comes back from a hold", held_too_long, 1),
)
