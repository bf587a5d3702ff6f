"""Calls that the agent places itself: a real agent dials through a real Asterisk, and somebody's telephone answers."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from agent.asterisk.ari.client import AriClient
from agent.rehearsal.audio import pcm_on_timeline
from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.phone import Leg
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices
from tests.live.conftest import SCRIPTS, CallCentre, stored_records

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER_ID = "+12025550100"
SETTINGS = {
    "outbound": {
        "enabled": True,
        "trunk": "PJSIP/{number}@carrier",
        "trunk_channels": 10,
        "caller_id": CALLER_ID,
        "purposes": ["delivery", "survey"],
        "window": dict.fromkeys(
            ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "00:00-24:00"
        ),
        "delivery_delay_hours": 0,
        "survey_delay_hours": 0,
    }
}
QUIET_SECONDS = 0.7
"""Who speaks pauses for less."""


class CalledCustomers:
    """Telephones of customers, answered by hand, and the commands of ``orderline outbound``."""

    def __init__(self, call_centre: CallCentre, exchange: PhoneExchange, voices: Voices) -> None:
        self.call_centre = call_centre
        self._phones = RingingPhoneMatcher(exchange)
        self._voices = voices

    async def orderline(self, *words: str) -> str:
        config = self.call_centre.stack.agent.config_dir
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent", "outbound", *words, "--config", str(config),
            cwd=SCRIPTS.parents[2], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0, output
        return output

    async def add(self, order: str, number: str, name: str) -> None:
        await self.orderline(
            "add", "--order", order, "--number", number, "--consent", "order_terms", "--name", name
        )  # fmt: skip

    async def job(self, order: str) -> dict[str, Any]:
        listed: dict[str, Any] = json.loads(await self.orderline("list", "--all", "--json"))
        (found,) = (job for job in listed["jobs"] if job["key"].split(":")[1] == order)
        job: dict[str, Any] = found
        return job

    async def rings(self, number: str) -> Leg:
        phone = await self._phones.ring(number.removeprefix("+"), CALLER_ID, 40.0)
        assert phone is not None, await self.orderline("dry-run") + self.call_centre.stack.agent.last_words()
        await phone.leg.open_media()
        return phone.leg

    async def says(self, leg: Leg, text: str) -> None:
        await leg.say(await self._voices.render(Speech(text, text, "joe"), -20.0))

    async def hears_out(self, leg: Leg, seconds: float = 25.0) -> None:
        """Wait until the agent has spoken and is quiet, or the call has ended."""
        since = time.monotonic()
        async with asyncio.timeout(seconds):
            while not leg.hung_up.is_set():
                now = time.monotonic()
                pcm = pcm_on_timeline(leg.heard, since, now - since) if leg.heard.stamps else np.zeros(0)
                voiced = np.flatnonzero(np.abs(pcm) > 500)
                if len(voiced) and now - since - voiced[-1] / 8000 > QUIET_SECONDS:
                    return
                await asyncio.sleep(0.05)

    async def record(self, order: str) -> dict[str, Any]:
        for _ in range(100):
            for record in stored_records(self.call_centre).values():
                if record["direction"] == "outbound" and record["job"].split(":")[1] == order:
                    return record
            await asyncio.sleep(0.1)
        raise AssertionError(f"there is no record of the call about {order}: {stored_records(self.call_centre)}")


@pytest_asyncio.fixture(loop_scope="session")
async def customers(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CalledCustomers]:
    run_dir = tmp_path_factory.mktemp("run")
    async with running_call_centre(asterisk, home, run_dir, print, SETTINGS) as stack:
        phones = stack.phones
        async with AriClient(phones.ari_url, phones.ari_user, phones.ari_password, "rehearse") as ari:
            exchange = PhoneExchange(ari)
            voices = Voices(home.shared / "callers", asterisk.data_dir / "sounds" / "en")
            call_centre = CallCentre(stack, home, tmp_path_factory.mktemp("calls"))
            called = CalledCustomers(call_centre, exchange, voices)
            await called.orderline("resume")
            yield called
            await exchange.close()


async def test_a_delivery_is_confirmed(customers: CalledCustomers) -> None:
    number = "+13035550121"
    await customers.orderline(
        "add", "--order", "10437", "--number", number, "--consent", "order_terms", "--name", "James"
    )
    leg = await customers.rings(number)
    await leg.answer()
    await customers.hears_out(leg)  # the agent speaks first: how soon is in `make outbound-faults`
    for answer in ("yes this is james", "yes it did", "yes everything is fine", *("no thanks",) * 5):
        if leg.hung_up.is_set():
            break
        await customers.says(leg, answer)
        await customers.hears_out(leg)
    assert await leg.ends_within(15)
    await leg.close()
    record = await customers.record("10437")
    came_to = (record["purpose"], record["outbound"]["reached"], record["outbound"]["outcome"])
    assert came_to == ("delivery", "right_person", "completed"), record["turns"]
    assert (await customers.job("10437"))["state"] == "done"


async def test_who_is_silent_hears_who_called_and_is_left_alone(customers: CalledCustomers) -> None:
    number = "+13035550122"
    await customers.orderline(
        "add", "--order", "58124", "--number", number, "--consent", "order_terms", "--name", "Sofia"
    )
    leg = await customers.rings(number)
    await leg.answer()
    assert await leg.ends_within(60)
    await leg.close()
    record = await customers.record("58124")
    assert (record["outbound"]["reached"], record["outbound"]["outcome"]) == ("silent", "not_reached")
    assert await customers.call_centre.leftovers() == []
