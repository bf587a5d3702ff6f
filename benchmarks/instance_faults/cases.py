"""Fault cases of one of several instances: killed, hung, started and stopped beside others, and how calls spread."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.faults.fault_caller import ORDER, POSTCODE, CallerNotInState, FaultCaller
from benchmarks.faults.fault_case import STAFF_SECONDS, CaseFindings
from benchmarks.instance_faults.testbed import InstanceTestbed, spread

NEIGHBOURS = 5
_LONG = 30.0
"""For what must come, where no limit is judged: a busy machine may take its time."""
_MEMORY = "lost you"
"""Words of a conversation that goes on after a fault."""


@dataclass(frozen=True)
class InstanceCase:
    """One fault."""

    name: str
    what: str
    run: Callable[[InstanceTestbed, CaseFindings], Awaitable[None]]
    with_redis: bool
    instances: int = 2


@contextlib.asynccontextmanager
async def callers_asked_for_postcode(place: InstanceTestbed, count: int) -> AsyncIterator[list[FaultCaller]]:
    """So many callers at once who have given their order number and are asked for the postcode."""
    async with contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(place.caller()) for _ in range(count)]
        try:
            await asyncio.gather(*(_give_order(caller) for caller in callers))
        except TimeoutError as error:
            raise CallerNotInState(str(error)) from error
        yield callers


async def _give_order(caller: FaultCaller) -> None:
    await caller.wait_for_event("listening")
    await caller.press(ORDER)
    await caller.wait_for_event("listening", 2)


async def _tells(caller: FaultCaller, name: str, since: int = 0) -> bool:
    """Wait until the agent has told an event of the call."""
    return await caller.feed.wait_for(lambda: bool(caller.feed.named(name, since=since)), _LONG)


async def goes_on(findings: CaseFindings, caller: FaultCaller, who: str) -> None:
    """The caller gives the postcode and hears where the order is."""
    told = len(caller.feed.events)
    findings.require(not caller.leg.hung_up.is_set(), f"{who}: cut off")
    await caller.press(POSTCODE)
    if not await caller.feed.wait_for(lambda: "tomorrow" in caller.said(told), _LONG):
        findings.require(False, f"{who}: it says {caller.said(told)!r}; it told {caller.last_told}")


async def settled(
    place: InstanceTestbed, findings: CaseFindings, callers: Sequence[FaultCaller], outcomes: Sequence[str]
) -> None:
    """One record for each call over all files, with one of these outcomes, and nothing left over."""
    for line in await place.leftovers():
        findings.require(False, f"left over: {line}")
    for caller in callers:
        if (record := await place.one_record(caller)) is None:
            found = [(one["instance"], one["outcome"]) for one in place.records(caller.call_id)]
            findings.require(False, f"{caller.number}: records {found}")
        else:
            told = f"{record['outcome']}/{record['ended_by']} {record['faults']} at {record['instance']}"
            findings.require(record["outcome"] in outcomes, f"{caller.number}: the record says {told}")


async def calls_are_spread(place: InstanceTestbed, findings: CaseFindings) -> None:
    """Three calls for each instance, dialled at the same moment, are three at each."""
    count = 3 * len(place.agents)
    async with contextlib.AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(place.caller()) for _ in range(count)]
        await asyncio.gather(*(caller.wait_for_event("listening") for caller in callers))
        found = spread(await place.holders(callers))
        findings.require(found == {agent.instance: 3 for agent in place.agents}, f"the calls stand {found}")
        for caller in callers:
            await caller.leg.hang_up()
    await settled(place, findings, callers, ("caller_hung_up",))


async def neighbours_undisturbed(place: InstanceTestbed, findings: CaseFindings) -> None:
    """The second instance is started, cut off, stopped and started under calls of the first."""
    await place.stop(2)
    async with callers_asked_for_postcode(place, NEIGHBOURS) as callers:
        findings.require(spread(await place.holders(callers)) == {1: NEIGHBOURS}, "not all calls are with the first")
        told = [len(caller.feed.events) for caller in callers]
        await place.start(2)
        place.proxy.cut("")
        async with place.caller() as other:  # it is back when it takes calls again
            await other.wait_for_event("listening")
        await place.stop(2)
        await place.start(2)
        for caller, before in zip(callers, told, strict=True):
            news = [event.name for event in caller.feed.events[before:] if event.name in ("call_ended", "handed_over")]
            findings.require(not news and not caller.leg.hung_up.is_set(), f"{caller.number} was disturbed: {news}")
        await asyncio.gather(*(goes_on(findings, caller, "neighbour") for caller in callers))
    await settled(place, findings, [*callers, other], ("caller_hung_up",))


async def codes_reach_all_instances(place: InstanceTestbed, findings: CaseFindings) -> None:
    """*71 and *72 pause and resume all; *76 with a caller's number finds the call wherever it is."""
    for code, wanted in (("*71", True), ("*72", False)):
        async with place.supervisor(code) as phone:
            findings.require(await phone.ends_within(_LONG), f"{code}: the phone was not let go")
        findings.require(set(await place.paused()) == {wanted}, f"{code}: paused are {await place.paused()}")
    async with callers_asked_for_postcode(place, 2) as callers:
        findings.require(spread(await place.holders(callers)) == {1: 1, 2: 1}, "not one call at each instance")
        for caller in callers:
            async with place.supervisor(f"*76{caller.number}"):
                ended = await _tells(caller, "call_ended")
                findings.require(ended, f"*76{caller.number}: not taken over")
    await settled(place, findings, callers, ("taken_over",))


async def back_to_the_same_instance(place: InstanceTestbed, findings: CaseFindings) -> None:
    """Who presses 0 in the queue comes back to the instance that knows the call."""
    async with callers_asked_for_postcode(place, 2) as callers:
        before = await place.holders(callers)
        findings.require(set(before) == {1, 2}, f"the calls stand {before}")
        at = time.monotonic()
        for caller in callers:
            await caller.press("0")
        rings = await asyncio.gather(*(place.seconds_until_ringing(caller, at, _LONG) for caller in callers))
        findings.require(None not in rings, f"no person: {rings}")
        told = [len(caller.feed.events) for caller in callers]
        for caller, since in zip(callers, told, strict=True):
            await caller.press("0")
            back = await _tells(caller, "listening", since)
            findings.require(back, f"{caller.number} is not back; it told {caller.last_told}")
        after = await place.holders(callers)
        findings.require(after == before, f"the calls were with {before} and are with {after}")
    await settled(place, findings, callers, ("handed_over",))


async def killed_with_redis(place: InstanceTestbed, findings: CaseFindings) -> None:
    """Kill -9: the conversations of the dead one go on at the other."""
    await _one_dies(place, findings, killed=True, known=True)


async def killed_without_redis(place: InstanceTestbed, findings: CaseFindings) -> None:
    """Kill -9 without Redis: the callers of the dead one are with people."""
    await _one_dies(place, findings, killed=True, known=False)


async def hung_with_redis(place: InstanceTestbed, findings: CaseFindings) -> None:
    """SIGSTOP, and SIGCONT when the calls are taken."""
    await _one_dies(place, findings, killed=False, known=True)


async def hung_without_redis(place: InstanceTestbed, findings: CaseFindings) -> None:
    """The same without Redis."""
    await _one_dies(place, findings, killed=False, known=False)


async def _one_dies(place: InstanceTestbed, findings: CaseFindings, *, killed: bool, known: bool) -> None:
    async with callers_asked_for_postcode(place, 4) as callers:
        holders = await place.holders(callers)
        stranded = [caller for caller, holder in zip(callers, holders, strict=True) if holder == 1]
        others = [caller for caller, holder in zip(callers, holders, strict=True) if holder == 2]
        findings.require(len(stranded) == len(others) == 2, f"the calls stand {spread(holders)}")
        at = place.kill(1) if killed else place.freeze(1)
        async with contextlib.AsyncExitStack() as stack:
            dialling = asyncio.gather(*(_new_caller(place, findings, stack, at, after) for after in (0.0, 1.0, 3.0)))
            await asyncio.gather(
                *(goes_on(findings, caller, "other") for caller in others),
                *(_moves(place, findings, caller, at, known=known) for caller in stranded),
            )
            new = await dialling
            if not killed:
                place.thaw(1)
                await _has_let_go(place, findings, 1)
            for caller in (*new, *callers):
                findings.require(
                    not caller.leg.hung_up.is_set(), f"{caller.number}: cut off; it told {caller.last_told}"
                )
            for caller in others:
                findings.require(not caller.feed.named("handed_over"), f"{caller.number}: handed over")
    if killed:
        await place.start(1)
    await settled(place, findings, (*others, *new), ("caller_hung_up",))
    await settled(place, findings, stranded, ("caller_hung_up",) if known else ("lost", "rescued"))


async def _moves(
    place: InstanceTestbed, findings: CaseFindings, caller: FaultCaller, at: float, *, known: bool
) -> None:
    """The caller of an instance that broke at a moment is asked again by another, or is with people."""
    told = len(caller.feed.events)
    if not known:
        findings.reach(await place.seconds_until_ringing(caller, at), "staff")
        return
    findings.reach(await _asked_again(findings, caller, at, told), "asked again")
    await goes_on(findings, caller, "taken")


async def _new_caller(
    place: InstanceTestbed, findings: CaseFindings, stack: contextlib.AsyncExitStack, at: float, after: float
) -> FaultCaller:
    """Dial so long after the fault; the greeting must come."""
    await asyncio.sleep(max(0.0, at + after - time.monotonic()))
    dialled = time.monotonic()
    caller = await stack.enter_async_context(place.caller())
    heard = await caller.seconds_until_sound(dialled, _LONG)
    findings.reach(heard, f"new after {after:g} s")
    return caller


async def _asked_again(findings: CaseFindings, caller: FaultCaller, at: float, told: int) -> float | None:
    """Wait until the caller is asked again; returns seconds after the fault."""
    if not await caller.feed.wait_for(lambda: bool(caller.feed.named("agent_said", since=told)), _LONG):
        return None
    heard = await caller.seconds_until_sound(at + 0.5, STAFF_SECONDS * 2)
    findings.require(_MEMORY in caller.said(told), f"{caller.number}: it says {caller.said(told)!r}")
    return None if heard is None else heard + 0.5


async def _has_let_go(place: InstanceTestbed, findings: CaseFindings, instance: int) -> None:
    """Wait until an instance that was stopped has no calls any more: it has learnt that they are with others."""
    deadline = time.monotonic() + _LONG
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, TimeoutError):
            if not await place.live_calls(instance):
                return
        await asyncio.sleep(0.1)  # another process
    findings.require(False, f"instance {instance} still holds calls")


CASES = (
    InstanceCase("spread", "three calls an instance, dialled at once", calls_are_spread, with_redis=False),
    InstanceCase("spread-four", "the same with four instances", calls_are_spread, with_redis=False, instances=4),
    InstanceCase("neighbours", "start, cut, stop of 2 under 5 calls of 1", neighbours_undisturbed, with_redis=False),
    InstanceCase("codes", "supervisors' codes over both instances", codes_reach_all_instances, with_redis=False),
    InstanceCase("back", "key 0 in the queue: the same instance", back_to_the_same_instance, with_redis=False),
    InstanceCase("killed", "kill -9 of one of two, with Redis", killed_with_redis, with_redis=True),
    InstanceCase("killed-alone", "kill -9 of one of two, without Redis", killed_without_redis, with_redis=False),
    InstanceCase("hung", "SIGSTOP of one of two, with Redis", hung_with_redis, with_redis=True),
    InstanceCase("hung-alone", "SIGSTOP of one of two, without Redis", hung_without_redis, with_redis=False),
)
