"""Phones of the transfer cases: a receptionist, second lines, addresses to transfer to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import unquote

from agent.common.tasks import cancel_and_wait
from agent.rehearsal.phone import Leg
from benchmarks.faults.fault_caller import CallerNotInState
from benchmarks.faults.observation import join_when_answered
from benchmarks.faults.testbed import FaultTestbed


@contextlib.asynccontextmanager
async def talking_to_reception(place: FaultTestbed, number: str) -> AsyncIterator[tuple[Leg, Leg]]:
    """A caller with this number talks with the receptionist: the caller's leg and hers (the phone 602)."""
    leg = await place.exchange.dial("7602", number, "")
    joining = asyncio.create_task(join_when_answered(leg))
    try:
        phone = await place.desk.ring("602", number, 20.0)
        if phone is None:
            raise CallerNotInState("the receptionist's phone does not ring")
        await phone.leg.open_media()
        await phone.leg.answer()
        await joining
        yield leg, phone.leg
        await phone.leg.close()
    finally:
        await cancel_and_wait(joining)
        await leg.close()


@contextlib.asynccontextmanager
async def at_reception(place: FaultTestbed) -> AsyncIterator[tuple[Leg, Leg]]:
    """A new caller talks with the receptionist."""
    async with talking_to_reception(place, place.next_number()) as legs:
        yield legs


@contextlib.asynccontextmanager
async def in_place_of(place: FaultTestbed, leg: Leg) -> AsyncIterator[Leg]:
    """Another phone of the carrier's takes a leg's place (INVITE with Replaces), as after a transfer there."""
    headers = {"Replaces": unquote(await leg.replaces())}
    taker = await place.exchange.dial("7000", place.next_number(), "", headers=headers)
    try:
        async with asyncio.timeout(20.0):
            await join_when_answered(taker)
        yield taker
    finally:
        await taker.close()


async def dial_from_desk(place: FaultTestbed, number: str) -> Leg:
    """Dial from the phone 601 and be answered."""
    leg = await place.exchange.dial(number, "601", "", endpoint="desk")
    async with asyncio.timeout(20.0):
        await join_when_answered(leg)
    return leg


def address(place: FaultTestbed, number: str, replaces: str = "") -> str:
    """A SIP address of the PBX to transfer to; ``replaces``: the call there that is to be taken over (attended)."""
    plain = f"sip:{number}@127.0.0.1:{place.stack.pbx.sip_port}"
    return f"<{plain}?Replaces={replaces}>" if replaces else plain
