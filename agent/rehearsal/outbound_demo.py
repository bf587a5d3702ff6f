"""The calls to customers of ``orderline demo``: a delivery is confirmed, a survey is answered; printed live."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.common.tasks import cancel_and_wait
from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome
from agent.rehearsal.called_customer import CalledCustomer
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.live_feed import CallFeed, FeedEvent, LiveFeedClient
from agent.rehearsal.live_transcript import TranscriptPrinter
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.runner import APP
from agent.rehearsal.voices import Voices

CALLER_ID = "+12025550100"
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SETTINGS: Mapping[str, Any] = {
    "outbound": {
        "enabled": True,
        "trunk": "PJSIP/{number}@carrier",
        "trunk_channels": 10,
        "caller_id": CALLER_ID,
        "purposes": ["delivery", "survey"],
        "window": dict.fromkeys(_WEEK, "00:00-24:00"),
        "delivery_delay_hours": 0,
        "survey_delay_hours": 0,
    }
}
"""A demo is at any hour; a shop keeps to its window."""
_RING_SECONDS = 40.0
_END_SECONDS = 20.0


@dataclass(frozen=True)
class DemoCustomer:
    """A customer of the demo shop who is called."""

    name: str
    number: str
    order: str
    purpose: str
    voice: str
    replies: Mapping[str, str]
    """What the agent asks (a pattern) -> what the customer says."""
    says_at_last: str
    """A pattern of the words with which a call that went well ends."""


CUSTOMERS: Sequence[DemoCustomer] = (
    DemoCustomer(
        "James", "+15125550118", "10437", "delivery", "joe",
        {
            r"am i speaking with": "yes this is james",
            r"good order": "yes everything is fine",
            r"anything else|something else": "no thanks",
        },
        r"glad to hear that.*goodbye",
    ),
    DemoCustomer(
        "Sofia", "+17025550151", "58124", "survey", "espeak:en-us+linda",
        {
            r"am i speaking with": "yes speaking",
            r"may i ask": "yes",
            r"how satisfied|one to five|from one": "keys:5",
        },
        r"thank you for your time",
    ),
)  # fmt: skip


async def call_customers(stack: PrivateCallCentre, home: RehearsalHome, write: Callable[[str], None]) -> list[str]:
    """Have the agent call the customers, one after the other; returns what went wrong."""
    problems = []
    async with _telephones(stack, home) as (phones, feed, voices):
        await _orderline(stack, "resume", write=write)
        for customer in CUSTOMERS:
            if problem := await _call(stack, customer, phones, feed, voices, write):
                problems.append(f"{customer.name} ({customer.purpose}): {problem}")
        await _orderline(stack, "results", write=write)
    return problems


@contextlib.asynccontextmanager
async def _telephones(
    stack: PrivateCallCentre, home: RehearsalHome
) -> AsyncIterator[tuple[RingingPhoneMatcher, LiveFeedClient, Voices]]:
    carrier = stack.phones
    async with (
        AriClient(carrier.ari_url, carrier.ari_user, carrier.ari_password, APP) as ari,
        LiveFeedClient(stack.agent.control_url, stack.agent.token) as feed,
    ):
        exchange = PhoneExchange(ari)
        try:
            voices = Voices(home.shared / "callers", stack.asterisk.data_dir / "sounds" / "en")
            yield RingingPhoneMatcher(exchange), feed, voices
        finally:
            await exchange.close()


async def _call(
    stack: PrivateCallCentre,
    who: DemoCustomer,
    phones: RingingPhoneMatcher,
    feed: LiveFeedClient,
    voices: Voices,
    write: Callable[[str], None],
) -> str:
    """Write a job and be the customer whom the agent calls for it; returns what went wrong."""
    write(f"\n--- the agent calls {who.name} <{who.number}>: {who.purpose}, order {who.order}")
    async with feed.follow(who.number) as call:
        await _orderline(
            stack, "add", "--purpose", who.purpose, "--order", who.order, "--number", who.number, "--name", who.name,
            "--consent", "order_terms", write=write,
        )  # fmt: skip
        phone = await phones.ring(who.number[1:], CALLER_ID, _RING_SECONDS)
        if phone is None:
            return "the telephone did not ring"
        customer = CalledCustomer(who.number, phone.leg, call, voices, who.voice)
        printing = asyncio.create_task(_print_live(call, write))
        try:
            await customer.answer()
            await customer.says("hello")
            await customer.talks(who.replies)
            ended = await phone.leg.ends_within(_END_SECONDS)
            await call.wait_for(lambda: call.last("call_ended") is not None, _END_SECONDS)
        finally:
            await cancel_and_wait(printing)
            await phone.leg.close()
    if not ended:
        return "the call did not end"
    return "" if customer.has_heard(who.says_at_last) else f"the agent said: {customer.told()}"


async def _print_live(call: CallFeed, write: Callable[[str], None]) -> None:
    printer = TranscriptPrinter(write)
    shown = 0
    while True:
        for event in call.events[shown:]:
            _show(printer, event)
        shown = len(call.events)
        call.changed.clear()
        await call.changed.wait()


def _show(printer: TranscriptPrinter, event: FeedEvent) -> None:
    if event.name != "call_started":  # that somebody rings is not so here
        printer.show({"event": event.name, "call_id": event.call_id, "data": event.data})


async def _orderline(stack: PrivateCallCentre, *words: str, write: Callable[[str], None]) -> None:
    """Run ``orderline outbound`` beside the agent and print what it says."""
    write(f"$ orderline outbound {' '.join(words)}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "outbound", *words, "--config", str(stack.agent.config_dir)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    output = (await process.communicate())[0].decode(errors="replace").rstrip()
    write("\n".join(f"  {line}" for line in output.splitlines()))
