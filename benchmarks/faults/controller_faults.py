"""Fault cases of the controller: killed, frozen, restarted, stopped, started twice, overloaded."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Mapping

from agent.rehearsal.call_centre import AgentDied
from benchmarks.faults.fault_caller import ORDER, POSTCODE, STATES, FaultCaller
from benchmarks.faults.fault_case import CaseFindings, FaultCase
from benchmarks.faults.testbed import FaultTestbed

_LONG = 30.0
"""For what must come, where no limit is judged: a busy machine may take its time."""


async def require_settled(
    place: FaultTestbed, findings: CaseFindings, callers: dict[str, FaultCaller], outcomes: tuple[str, ...]
) -> None:
    """One record for each caller, with one of these outcomes, and nothing left over."""
    for state, caller in callers.items():
        record = await place.record(caller)
        if record is None:
            findings.require(False, f"{state}: {len(place.records(caller.call_id))} records of {caller.call_id}")
        else:
            told = f"{record['outcome']}/{record['ended_by']} {record['faults']}"
            findings.require(record["outcome"] in outcomes, f"{state}: the record says {told}")
    for line in await place.leftovers():
        findings.require(False, f"left over: {line}")


async def measure_time_to_staff(
    place: FaultTestbed, findings: CaseFindings, callers: Mapping[str, FaultCaller], at: float, who: str = ""
) -> None:
    """Note how long each caller waits for a person's phone to ring; ``who`` stands before the state in the table."""
    waited = await asyncio.gather(*(place.seconds_until_ringing(caller, at) for caller in callers.values()))
    for state, seconds in zip(callers, waited, strict=True):
        findings.reach(seconds, f"{who}{state}")


async def measure_time_to_staff_frozen_agent(
    place: FaultTestbed, findings: CaseFindings, callers: Mapping[str, FaultCaller], who: str = ""
) -> None:
    """The same from the moment the agent freezes; it goes on when all have been heard of."""
    at = place.agent.signal(signal.SIGSTOP)
    try:
        await measure_time_to_staff(place, findings, callers, at, who)
    finally:
        place.agent.signal(signal.SIGCONT)


async def killed_in_every_state(place: FaultTestbed, findings: CaseFindings) -> None:
    """Five callers, one in each state, when the controller is killed."""
    async with place.callers_in(STATES) as callers:
        await measure_time_to_staff(place, findings, callers, place.kill())
    await place.restart()
    await require_settled(place, findings, callers, ("lost", "rescued"))


async def hung_in_every_state(place: FaultTestbed, findings: CaseFindings) -> None:
    """The same with a controller that is frozen, and goes on ten seconds later."""
    async with place.callers_in(STATES) as callers:
        await measure_time_to_staff_frozen_agent(place, findings, callers)
        for state, caller in callers.items():
            findings.require(not caller.leg.hung_up.is_set(), f"{state}: the caller was cut off")
            await caller.wait_for_event("call_ended")
    await require_settled(place, findings, callers, ("rescued", "handed_over"))


async def restarted_while_listening(place: FaultTestbed, findings: CaseFindings) -> None:
    """Killed and started again at once: the conversation goes on where it was."""
    async with place.caller() as caller:
        await caller.wait_for_event("listening")
        await caller.press(ORDER)
        await caller.wait_for_event("listening", 2)
        told = len(caller.feed.events)
        seconds = place.extend_resume_time()
        at = place.kill()
        hears = asyncio.create_task(caller.seconds_until_sound(at + 0.3, seconds))
        await place.restart()
        # its first words may come before the new live feed is read; they stand in the record
        await caller.feed.wait_for(lambda: bool(caller.feed.named("listening", since=told)), _LONG)
        listens = caller.feed.named("listening", since=told)
        heard = await hears
        findings.reach(None if heard is None else heard + 0.3, "a word")
        findings.require(listens and listens[0].at - at < seconds, "the question was not asked again in time")
        if listens:
            findings.note(listens[0].at - at, "asked again")
        await caller.press(POSTCODE)
        await caller.feed.wait_for(lambda: "tomorrow" in caller.said(told), _LONG)
        findings.require("tomorrow" in caller.said(told), f"it says: {caller.said(told)}")
    record = await place.record(caller)
    faults = record["faults"] if record else []
    findings.require(record and "controller restarted" in faults, f"the record says {faults}")
    said = " ".join(turn["agent"] for turn in record["turns"]) if record else ""
    for words in ("How can I help", "lost you", "tomorrow"):
        findings.require(words in said, f"the record does not have {words!r}: {said}")
    await require_settled(place, findings, {"resumed": caller}, ("caller_hung_up",))


async def restarted_while_looking_up(place: FaultTestbed, findings: CaseFindings) -> None:
    """The open look-up is done again; it is slow, so the caller ends with a person and the reason."""
    async with place.caller_in("looking up") as caller:
        told = len(caller.feed.events)
        place.extend_resume_time()
        place.kill()
        await place.restart()
        began = time.monotonic()
        seconds = await place.seconds_until_ringing(caller, began)
        findings.require(seconds is not None, "no person")
        effects = [event.data["name"] for event in caller.feed.named("effect", since=told)]
        findings.require("orders.verify" in effects, f"the look-up was not done again: {effects}")
        findings.require("can't see orders" in caller.said(told), f"it says: {caller.said(told)}")
    await require_settled(place, findings, {"resumed": caller}, ("handed_over",))


async def restarted_with_other_flow_pack(place: FaultTestbed, findings: CaseFindings) -> None:
    """The kept conversation cannot be gone on with: it goes to a person with its story."""
    async with place.caller() as caller:
        await caller.wait_for_event("listening")
        await caller.press(ORDER)
        await caller.wait_for_event("listening", 2)
        limit = place.extend_resume_time()
        at = place.kill()
        hears = asyncio.create_task(caller.seconds_until_sound(at + 0.3, limit))
        await place.agent.reap()
        await place.invalidate_snapshots()
        await place.restart()
        heard = await hears
        findings.reach(None if heard is None else heard + 0.3, "a word")
        seconds = await place.seconds_until_ringing(caller, at)
        findings.require(seconds is not None and seconds < limit, f"a person only after {seconds}")
        handed = caller.feed.last("handed_over")
        reason = handed.data["reason"] if handed else ""
        findings.require(reason in ("", "controller_restarted"), f"handed over as {reason}")
    record = await place.record(caller)
    handover = (record or {}).get("handover") or {}
    findings.require(handover.get("reason") == "controller_restarted", f"the record says {handover}")
    findings.require(handover.get("ticket"), "there is no ticket")
    findings.require(record and "controller restarted" in record["faults"], "the fault is not in the record")
    await require_settled(place, findings, {"caller": caller}, ("handed_over",))


async def freed_by_rescuer(place: FaultTestbed, findings: CaseFindings) -> None:
    """The dead-man timer set to a minute: the rescuer alone frees the callers."""
    await place.global_variable("ORDERLINE_DEADMAN_SECONDS", "60")
    try:
        await place.with_settings({"call": {"deadman_seconds": 60}})
        async with place.rescuer(), place.callers_in(STATES) as callers:
            await measure_time_to_staff(place, findings, callers, place.kill())
        await place.restart()
        await require_settled(place, findings, callers, ("lost", "rescued"))
        async with place.rescuer(), place.callers_in(STATES) as callers:
            await measure_time_to_staff_frozen_agent(place, findings, callers, "hung, ")
            for caller in callers.values():
                await caller.wait_for_event("call_ended")
        await require_settled(place, findings, callers, ("rescued", "handed_over"))
    finally:
        await place.global_variable("ORDERLINE_DEADMAN_SECONDS", "5")
        await place.with_settings({})


async def second_controller(place: FaultTestbed, findings: CaseFindings) -> None:
    """A second one started by mistake refuses; the first and its caller notice nothing."""
    async with place.caller_in("listening") as caller:
        second = place.another_agent("second")
        try:
            await second.start()
            findings.require(False, "the second controller started")
        except AgentDied as error:
            findings.require("serves the application" in error.message, f"it said: {error.message}")
        finally:
            await second.stop()
        await caller.press(ORDER)
        await caller.wait_for_event("listening", 2)
        await caller.leg.hang_up()
    await require_settled(place, findings, {"caller": caller}, ("caller_hung_up",))


async def taken_over(place: FaultTestbed, findings: CaseFindings) -> None:
    """A second one started with --takeover: the first gives its callers to people and ends."""
    async with place.caller_in("listening") as caller:
        second = place.another_agent("second", "--takeover")
        try:
            starting = asyncio.create_task(second.start())
            await caller.feed.wait_for(lambda: caller.feed.last("handed_over") is not None, _LONG)
            at = caller.feed.events[-1].at
            findings.reach(await place.seconds_until_ringing(caller, at), "caller")
            await starting
            findings.require(await place.agent.reap() == 1, "the first controller has not ended with code 1")
        finally:
            await second.stop()
    await place.restart()
    await require_settled(place, findings, {"caller": caller}, ("handed_over",))


async def agent_stopped(place: FaultTestbed, findings: CaseFindings) -> None:
    """SIGTERM: every caller is with people within two seconds, with the story."""
    async with place.callers_in(("listening", "speaking", "looking up")) as callers:
        at = place.agent.signal(signal.SIGTERM)
        waits = {
            state: asyncio.create_task(place.seconds_until_ringing(caller, at)) for state, caller in callers.items()
        }
        await asyncio.gather(*waits.values())
        for state, wait in waits.items():
            findings.reach(wait.result(), state, within=2.0)
        findings.require(await place.agent.reap() == 0, "it did not end with code 0")
    await place.restart()
    await require_settled(place, findings, callers, ("handed_over",))


async def agent_drained(place: FaultTestbed, findings: CaseFindings) -> None:
    """``orderline stop --drain``: a new caller goes to people, the one on the line ends by itself, then it is gone."""
    async with place.caller_in("listening") as caller:
        findings.require(await place.order("stop", drain=True, timeout=30) == 200, "the order was refused")
        async with place.caller() as other:
            at = time.monotonic()
            findings.reach(await place.seconds_until_ringing(other, at), "new caller", within=2.0)
        await caller.press(ORDER)
        await caller.wait_for_event("listening", 2)
        await caller.leg.hang_up()
    findings.require(await place.agent.reap() == 0, "it did not end with code 0 after its last call")
    await place.restart()
    await require_settled(place, findings, {"caller": caller}, ("caller_hung_up",))


async def agent_overloaded(place: FaultTestbed, findings: CaseFindings) -> None:
    """More calls than configured: straight to the queue, counted."""
    await place.with_settings({"call": {"max_calls": 1}})
    try:
        async with place.caller_in("listening") as caller, place.caller() as other:
            at = time.monotonic()
            findings.reach(await place.seconds_until_ringing(other, at), "one too many", within=2.0)
            health = await place.health()
            findings.require(health["turned_away"] == {"overload": 1}, f"counted: {health['turned_away']}")
            await caller.leg.hang_up()
        await require_settled(place, findings, {"first": caller}, ("caller_hung_up",))
    finally:
        await place.with_settings({})


async def call_too_long(place: FaultTestbed, findings: CaseFindings) -> None:
    """The dialplan's longest conversation, with a controller that has no limit of its own."""
    await place.global_variable("ORDERLINE_MAX_SECONDS", "4")
    try:
        async with place.caller() as caller:
            await caller.leg.answered.wait()
            at = time.monotonic()
            seconds = await place.seconds_until_ringing(caller, at)
            findings.reach(None if seconds is None else seconds - 4, "past the limit")
        await require_settled(place, findings, {"caller": caller}, ("rescued",))
    finally:
        await place.global_variable("ORDERLINE_MAX_SECONDS", "900")


CASES = (
    FaultCase("killed", "kill -9 with a caller in each of five states", killed_in_every_state, 20, 5),
    FaultCase("hung", "SIGSTOP with a caller in each of five states", hung_in_every_state, 5, 5),
    FaultCase("resumed", "kill -9 and a restart at once: the conversation goes on", restarted_while_listening, 5),
    FaultCase("resumed-lookup", "kill -9 during a look-up and a restart at once", restarted_while_looking_up, 3),
    FaultCase(
        "not-resumable", "kill -9, restart, the kept conversation is of no use", restarted_with_other_flow_pack, 2
    ),
    FaultCase("rescuer", "kill -9 and SIGSTOP without a dead-man timer: the rescuer alone", freed_by_rescuer, 2, 10),
    FaultCase("second", "a second controller started by mistake", second_controller, 2),
    FaultCase("takeover", "a second controller started with --takeover", taken_over, 1),
    FaultCase("stop", "SIGTERM with callers on the line", agent_stopped, 2, 3),
    FaultCase("drain", "orderline stop --drain", agent_drained, 1, 2),
    FaultCase("overload", "more calls than configured", agent_overloaded, 1, 2),
    FaultCase("too-long", "the longest conversation, enforced by the dialplan", call_too_long, 1),
)
