"""Fault cases outside the controller: network, Asterisk, Redis, recogniser, voice, staff and queue, hang-ups."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from benchmarks.faults.controller_faults import require_settled
from benchmarks.faults.fault_caller import ORDER, POSTCODE, STATES, FaultCaller
from benchmarks.faults.fault_case import CaseFindings, FaultCase
from benchmarks.faults.testbed import FaultTestbed

_LONG = 30.0
"""For what must come, where no limit is judged: a busy machine may take its time."""

_HONEST = "Shall we call you back"


async def events_cut(place: FaultTestbed, findings: CaseFindings) -> None:
    """The event stream breaks: it comes back by itself, the call goes on, a caller who left meanwhile is noticed."""
    async with place.callers_in(("listening", "speaking")) as callers:
        findings.require(place.proxy.cut("events") == 1, "there was no event stream to cut")
        at = time.monotonic()
        await callers["speaking"].leg.hang_up()
        caller = callers["listening"]
        told = len(caller.feed.events)
        for _ in range(20):  # keys pressed while the stream is away are lost, as on any line that is cut
            await caller.press(ORDER)
            if await caller.feed.wait_for(lambda: bool(caller.feed.named("caller_said", since=told)), 1.0):
                break
        heard = bool(caller.feed.named("caller_said", since=told))
        findings.reach(time.monotonic() - at if heard else None, "heard again")
    await require_settled(place, findings, callers, ("caller_hung_up",))


async def media_cut(place: FaultTestbed, findings: CaseFindings) -> None:
    """The audio of every call breaks: the callers are with people, with their story."""
    async with place.callers_in(STATES) as callers:
        at = time.monotonic()
        findings.require(place.proxy.cut("media") == len(STATES), "not every caller's audio was cut")
        waits = {
            state: asyncio.create_task(place.seconds_until_ringing(caller, at)) for state, caller in callers.items()
        }
        await asyncio.gather(*waits.values())
        for state, wait in waits.items():
            findings.reach(wait.result(), state)
    await require_settled(place, findings, callers, ("handed_over",))


async def asterisk_restarted(place: FaultTestbed, findings: CaseFindings) -> None:
    """Asterisk dies with its calls: they are recorded as lost, and the next call is answered as ever."""
    async with place.callers_in(("listening", "looking up")) as callers:
        at = time.monotonic()
        await place.stack.pbx.restart()
        for state, caller in callers.items():
            record = await place.record(caller)
            findings.require(record and record["outcome"] == "lost", f"{state}: {record and record['outcome']}")
    await place.log_phones_in()
    reconnects = 0
    async with asyncio.timeout(20):
        while not (await place.health())["asterisk"]:
            reconnects += 1
            await asyncio.sleep(0.1)
    async with place.caller_in("listening") as caller:
        findings.reached.append(time.monotonic() - at)
    await require_settled(place, findings, {**callers, "the next call": caller}, ("lost", "caller_hung_up"))
    tries = place.agent.log_path.read_text(encoding="utf-8").count("ARI event stream of orderline: ")
    findings.require(tries < 40, f"a tight loop: {tries} tries to connect")


async def redis_fails(place: FaultTestbed, findings: CaseFindings) -> None:
    """Redis is frozen, then killed, then back: calls notice nothing."""
    redis = await place.redis()
    await place.with_settings({"redis": {"url": redis.url}})
    try:
        async with place.caller_in("listening") as caller:
            redis.freeze()
            await _whole_call(caller, findings)
        redis.thaw()
        async with place.caller_in("listening") as other:
            await redis.stop()
            await _whole_call(other, findings)
        await redis.start()
        async with place.caller_in("listening") as third:
            await _whole_call(third, findings)
        callers = {"frozen": caller, "killed": other, "back": third}
        await require_settled(place, findings, callers, ("caller_hung_up", "answered"))
    finally:
        await place.with_settings({})
        await redis.stop()


async def _whole_call(caller: FaultCaller, findings: CaseFindings) -> None:
    await caller.press(ORDER)
    await caller.wait_for_event("listening", 2)
    began = time.monotonic()
    await caller.press(POSTCODE)
    await caller.wait_for_event("effect")
    await caller.feed.wait_for(lambda: "tomorrow" in caller.said(), _LONG)
    findings.require("tomorrow" in caller.said(), f"it says: {caller.said()}")
    findings.require(time.monotonic() - began < 4 * findings.patience, "the answer took too long")


async def recogniser_hangs(place: FaultTestbed, findings: CaseFindings) -> None:
    """The recogniser hangs: the caller is told, and goes on by keypad to the answer."""
    async with place.caller_in("listening") as caller:
        place.break_agent("ears")
        try:
            at = time.monotonic()
            told = len(caller.feed.events)
            talking = asyncio.create_task(caller.leg.say(await place.speech("where is my order please")))
            await caller.feed.wait_for(lambda: "keys of your phone" in caller.said(told), _LONG)
            said = "keys of your phone" in caller.said(told)
            findings.reach(time.monotonic() - at if said else None, "told to use the keys")
            await talking
            for keys in ("1#", ORDER, POSTCODE):
                spoken = len(caller.feed.named("agent_said"))
                await caller.press(keys)
                await caller.wait_for_event("agent_said", spoken + 1)
            await caller.feed.wait_for(lambda: "tomorrow" in caller.said(told), _LONG)
            findings.require("tomorrow" in caller.said(told), f"it says: {caller.said(told)}")
        finally:
            place.break_agent("")
    await require_settled(place, findings, {"caller": caller}, ("caller_hung_up",))


async def speech_synthesis_fails(place: FaultTestbed, findings: CaseFindings) -> None:
    """Every voice fails: what is cached is still said, and then the caller is with a person."""
    async with place.caller_in("listening") as caller:
        place.break_agent("voice")
        try:
            await caller.press("33333")
            at = time.monotonic()
            findings.reach(await place.seconds_until_ringing(caller, at), "caller")
        finally:
            place.break_agent("")
    await require_settled(place, findings, {"caller": caller}, ("handed_over",))


async def orders_slow(place: FaultTestbed, findings: CaseFindings) -> None:
    """The order system hangs: a filler, an honest word, a person; all within the deadline of four seconds."""
    async with place.caller_in("looking up") as caller:
        at = time.monotonic()
        handed = await caller.feed.wait_for(lambda: caller.feed.last("handed_over") is not None, _LONG)
        findings.require(handed, "not handed over")
        findings.require("One moment" in caller.said(), "no filler")
        findings.require("can't see orders" in caller.said(), f"it says: {caller.said()}")
        effect = caller.feed.last("effect")
        findings.require(
            effect and effect.at - at < 4.5 * findings.patience, "the look-up took longer than four seconds"
        )
        findings.reach(caller.feed.named("agent_said")[-1].at - at, "the honest word")
        findings.require(await place.seconds_until_ringing(caller, at) is not None, "no person")
    await require_settled(place, findings, {"caller": caller}, ("handed_over",))


async def staff_paused(place: FaultTestbed, findings: CaseFindings) -> None:
    """All people have a break: the queue gives the caller back, who hears so and is offered a call back."""
    pbx = place.stack.pbx
    await pbx.cli("queue pause member PJSIP/601 queue orderline-humans")
    try:
        await _call_back_offered(place, findings)
    finally:
        await pbx.cli("queue unpause member PJSIP/601 queue orderline-humans")
    await _require_nothing_left(place, findings)


async def staff_logged_out(place: FaultTestbed, findings: CaseFindings) -> None:
    """Nobody's phone is logged in: the agent knows before it promises anything."""
    await place.log_phones_out()
    try:
        await _call_back_offered(place, findings, known=True)
    finally:
        await place.log_phones_in()
    await _require_nothing_left(place, findings)


async def out_of_hours(place: FaultTestbed, findings: CaseFindings) -> None:
    """The queue is closed by its opening hours: the agent knows."""
    await place.with_settings({"queues": {"orderline-humans": {"hours": {}}}})
    try:
        await _call_back_offered(place, findings, known=True)
        await _require_nothing_left(place, findings)
    finally:
        await place.with_settings({})


async def queue_times_out(place: FaultTestbed, findings: CaseFindings) -> None:
    """People do not answer in time."""
    await place.global_variable("ORDERLINE_QUEUE_SECONDS", "2")
    try:
        await _call_back_offered(place, findings, waits_seconds=2.0)
    finally:
        await place.global_variable("ORDERLINE_QUEUE_SECONDS", "300")
    await _require_nothing_left(place, findings)


async def queue_missing(place: FaultTestbed, findings: CaseFindings) -> None:
    """The dialplan knows no queue of the configured name (any more)."""
    async with _only_queue(place, "orderline-closed"):
        await _call_back_offered(place, findings)
    await _require_nothing_left(place, findings)


async def queue_full(place: FaultTestbed, findings: CaseFindings) -> None:
    """As many wait as may wait."""
    async with _only_queue(place, "orderline-small"), place.caller_in("handing over") as first:
        findings.require(
            await place.seconds_until_ringing(first, time.monotonic()) is not None, "the first one rings nobody"
        )
        await _call_back_offered(place, findings)
    await _require_nothing_left(place, findings)


@contextlib.asynccontextmanager
async def _only_queue(place: FaultTestbed, name: str) -> AsyncIterator[None]:
    """Let the dialplan allow this queue alone."""
    await place.global_variable("ORDERLINE_QUEUES", name)
    await place.global_variable("ORDERLINE_DEFAULT_QUEUE", name)
    try:
        yield
    finally:
        await place.global_variable("ORDERLINE_QUEUES", "orderline-humans&orderline-small")
        await place.global_variable("ORDERLINE_DEFAULT_QUEUE", "orderline-humans")


async def _call_back_offered(
    place: FaultTestbed, findings: CaseFindings, waits_seconds: float = 0.0, *, known: bool = False
) -> None:
    """A caller wants a person: an honest word, a call back. ``known``: the agent says so without trying the queue."""
    async with place.caller() as caller:
        await caller.wait_for_event("agent_said")
        told = len(caller.feed.events)
        at = time.monotonic()
        await caller.press("0")
        if not known:
            await caller.wait_for_event("handed_over")
            at = time.monotonic() + waits_seconds
        await caller.feed.wait_for(lambda: _HONEST in caller.said(told), _LONG)
        honest = _HONEST in caller.said(told)
        findings.reach(time.monotonic() - at if honest else None, "an honest word")
        findings.require("put you through" not in caller.said(told) or not known, "a person was promised")
        await caller.feed.wait_for(lambda: bool(caller.feed.named("listening", since=told)), _LONG)
        await caller.press("1")
        await caller.feed.wait_for(lambda: "call you back on" in caller.said(told), _LONG)
        ticket = [event for event in caller.feed.named("effect", since=told) if event.data["name"] == "tickets.create"]
        findings.require(ticket and ticket[-1].data["code"] == "ok", "no ticket for the call back")
    findings.require(await place.record(caller), "no record of the first visit")
    findings.require(len(place.records(caller.call_id)) <= 2, f"{len(place.records(caller.call_id))} records")


async def _require_nothing_left(place: FaultTestbed, findings: CaseFindings) -> None:
    for line in await place.leftovers():
        findings.require(False, f"left over: {line}")


async def no_agent_and_no_staff(place: FaultTestbed, findings: CaseFindings) -> None:
    """Neither an agent nor people: an honest word and an end."""
    pbx = place.stack.pbx
    async with place.caller_in("listening") as caller:
        await pbx.cli("queue pause member PJSIP/601 queue orderline-humans")
        try:
            at = place.kill()
            findings.reach(await place.seconds_until_context("orderline-sorry", at), "the honest word")
            findings.require(await caller.leg.ends_within(_LONG), f"the caller is still on the line after {_LONG:g} s")
        finally:
            await pbx.cli("queue unpause member PJSIP/601 queue orderline-humans")
    await place.restart()
    await require_settled(place, findings, {"caller": caller}, ("lost",))


async def hung_up_in_every_state(place: FaultTestbed, findings: CaseFindings) -> None:
    """Callers leave in each state."""
    async with place.callers_in(STATES) as callers:
        at = time.monotonic()
        await asyncio.gather(*(caller.leg.hang_up() for caller in callers.values()))
        for state, caller in callers.items():
            try:
                findings.reach((await caller.wait_for_event("call_ended")).at - at, state, within=2.0)
            except TimeoutError as error:
                findings.require(False, f"{state}: {error}")
    await require_settled(place, findings, callers, ("caller_hung_up",))


CASES = (
    FaultCase("events-cut", "the ARI event stream is cut", events_cut, 2, 2),
    FaultCase("media-cut", "the audio sockets of five calls are cut", media_cut, 2, 5),
    FaultCase("asterisk", "Asterisk is killed and started again", asterisk_restarted, 2, 3),
    FaultCase("redis", "Redis is frozen, killed and started again", redis_fails, 2, 3),
    FaultCase("ears", "the recogniser hangs: keypad menu", recogniser_hangs, 2),
    FaultCase("voice", "no voice can speak", speech_synthesis_fails, 2),
    FaultCase("orders", "the order system hangs", orders_slow, 2),
    FaultCase("queue-empty", "nobody is logged in", staff_logged_out, 2),
    FaultCase("queue-paused", "everybody has a break: the queue gives the caller back", staff_paused, 2),
    FaultCase("queue-closed", "outside the opening hours", out_of_hours, 2),
    FaultCase("queue-full", "as many wait as may wait", queue_full, 2, 2),
    FaultCase("queue-gone", "the dialplan has no queue of that name", queue_missing, 2),
    FaultCase("queue-timeout", "nobody answers in time", queue_times_out, 2),
    FaultCase("nobody", "kill -9 and nobody at the phones either", no_agent_and_no_staff, 2),
    FaultCase("hang-up", "five callers hang up, one in each state", hung_up_in_every_state, 5, 5),
)
