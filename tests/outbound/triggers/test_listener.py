from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.errors import OrderlineError
from agent.outbound.model import Purpose
from agent.outbound.store import OutboundStore
from agent.outbound.triggers.deliveries import JobTimes
from agent.outbound.triggers.intake import DeliveryIntake, OrderDetails
from agent.outbound.triggers.listener import TriggerListener, TriggerSource
from agent.outbound.triggers.payloads import Told
from agent.outbound.triggers.polling import DeliveryPoller
from agent.outbound.triggers.survey_selection import SelectionRules, lot
from tests.outbound.triggers.test_payloads import EASYPOST, EVENTS, NOW, STANDARD
from tests.outbound.triggers.test_signatures import SECRET, headers_of

TIMES = JobTimes("Maple and Finch")


class StandingClock:
    """Time does not pass."""

    def now(self) -> datetime:
        return NOW

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await event.wait()


@dataclass
class Directory:
    """An order system."""

    orders: dict[str, OrderDetails] = field(default_factory=dict)
    is_down: bool = False

    async def details(self, order: str) -> OrderDetails | None:
        if self.is_down:
            raise OrderlineError("the shop does not answer")
        return self.orders.get(order)


@dataclass
class Rig:
    store: OutboundStore
    listener: TriggerListener
    directory: Directory
    intake: DeliveryIntake
    woken: list[int]

    async def post(self, body: Any, scheme: str = "standard", *, secret: str = SECRET, name: str = "") -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.listener.port}/triggers/{name or scheme}"
        async with aiohttp.ClientSession() as session:
            headers = headers_of(scheme, raw, secret, NOW.timestamp())
            async with session.post(url, data=raw, headers=headers) as answer:
                return answer.status

    async def keys(self) -> list[str]:
        return sorted(job.key for job in await self.store.jobs())


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    store, directory, woken = OutboundStore(tmp_path), Directory(), []
    selection = SelectionRules(order_value=Decimal(100), first_order=True)
    intake = DeliveryIntake(store, TIMES, set(Purpose), selection, StandingClock(), directory)
    sources = {scheme: TriggerSource(scheme, scheme, (SECRET,), "order_terms") for scheme in EVENTS}
    listener = TriggerListener(
        "127.0.0.1", 0, sources, intake, StandingClock(), most_bytes=20_000, wake=lambda: woken.append(1)
    )
    await listener.start()
    yield Rig(store, listener, directory, intake, woken)
    await listener.close()
    await store.close()


async def test_a_signed_delivery_becomes_jobs_and_is_on_disk_when_it_is_answered(rig: Rig, tmp_path: Path) -> None:
    assert await rig.post(STANDARD) == 200
    other = OutboundStore(tmp_path)
    jobs = {job.key: job for job in await other.jobs()}
    await other.close()
    assert sorted(jobs) == ["delivery:A1:all", "survey:A1"]
    delivery = jobs["delivery:A1:all"]
    assert delivery.due_at == datetime(2026, 6, 1, 16, 0, tzinfo=UTC)
    assert delivery.not_after == delivery.due_at + timedelta(days=4)
    assert (delivery.consent, delivery.zone, delivery.facts.parcels) == ("checkbox", "America/New_York", 2)
    assert rig.woken == [1]


async def test_the_same_event_three_times_two_at_once_makes_one_job(rig: Rig) -> None:
    assert await asyncio.gather(rig.post(STANDARD), rig.post(STANDARD)) == [200, 200]
    assert await rig.post(STANDARD) == 200
    assert await rig.keys() == ["delivery:A1:all", "survey:A1"]


async def test_what_is_not_signed_with_the_sources_secret_is_refused(rig: Rig) -> None:
    assert await rig.post(STANDARD, secret="whsec_" + "QUJD" * 12) == 401
    assert await rig.post(STANDARD, name="shopify") == 401
    assert await rig.post(STANDARD, name="unknown") == 404
    assert await rig.keys() == []


async def test_a_body_that_is_too_large_or_no_json_or_no_event_is_refused(rig: Rig) -> None:
    assert await rig.post(b"x" * 30_000) == 413
    assert await rig.post(b"{") == 422
    assert await rig.post([1]) == 422
    assert await rig.post({"type": "something.else"}) == 200
    assert await rig.keys() == []


async def test_what_the_event_does_not_tell_comes_from_the_order_system(rig: Rig) -> None:
    rig.directory.orders["A1"] = OrderDetails("+12025550143", "Maria Lopez", parcels=2)
    assert await rig.post(EASYPOST, "easypost") == 200
    job = await rig.store.job("delivery:A1:all")
    assert job is not None
    assert (job.number, job.facts.name, job.consent) == ("+12025550143", "Maria Lopez", "order_terms")


async def test_while_the_order_system_is_away_a_sender_is_asked_to_send_again(rig: Rig) -> None:
    rig.directory.is_down = True
    assert await rig.post(EASYPOST, "easypost") == 503
    assert await rig.post(STANDARD) == 200, "it tells enough by itself"


async def test_while_the_file_cannot_be_used_nothing_is_acknowledged(rig: Rig) -> None:
    await rig.store.close()
    assert await rig.post(STANDARD) == 503


async def test_a_delivery_nobody_can_be_called_about_is_left_for_a_person(rig: Rig) -> None:
    silent = STANDARD | {"data": STANDARD["data"] | {"phone": "extension 7"}}
    assert await rig.post(silent) == 200
    assert await rig.keys() == []
    assert any("no telephone number" in note.text for note in await rig.store.notes())


async def test_an_order_whose_parcels_arrive_singly_is_asked_about_once_when_all_are_in(rig: Rig) -> None:
    rig.directory.orders["A1"] = OrderDetails("+12025550143", parcels=2, all_delivered=False)
    await rig.post(EASYPOST, "easypost")
    [waiting] = [job for job in await rig.store.jobs() if job.purpose is Purpose.DELIVERY]
    assert waiting.due_at == NOW + timedelta(days=3)
    rig.directory.orders["A1"] = OrderDetails("+12025550143", parcels=2)
    await rig.post(EASYPOST, "easypost")
    [ready] = [job for job in await rig.store.jobs() if job.purpose is Purpose.DELIVERY]
    assert ready.due_at == NOW


async def test_a_survey_asks_by_value_first_order_and_not_twice_in_ninety_days(rig: Rig) -> None:
    def order(name: str, value: float, *, first: bool) -> dict[str, Any]:
        return STANDARD | {"data": STANDARD["data"] | {"order": name, "order_value": value, "first_order": first}}

    await rig.post(order("CHEAP", 20, first=False))
    await rig.post(order("FIRST", 20, first=True))
    await rig.post(order("DEAR", 500, first=False))
    surveys = [job.key for job in await rig.store.jobs() if job.purpose is Purpose.SURVEY]
    assert surveys == ["survey:FIRST"]
    assert await rig.store.excluded_since(NOW - timedelta(days=1)) == {"no_rule": 1, "asked_lately": 1}


def test_a_lot_is_the_same_each_time_and_fair() -> None:
    lots = [lot(f"ORDER{serial}") for serial in range(2000)]
    assert lots == [lot(f"ORDER{serial}") for serial in range(2000)]
    assert 0.15 < sum(one < 0.2 for one in lots) / len(lots) < 0.25


async def test_polling_takes_in_what_is_new_and_goes_on_where_it_stopped(rig: Rig) -> None:
    asked: list[datetime] = []

    class System:
        async def delivered_since(self, moment: datetime) -> Any:
            asked.append(moment)
            from agent.outbound.triggers.payloads import read_event

            return [read_event("standard", STANDARD, NOW)]

    poller = DeliveryPoller("shop", System(), rig.intake, rig.store, StandingClock(), consent="order_terms")
    assert await poller.poll() == 2
    assert await poller.poll() == 0
    assert asked == [NOW - timedelta(hours=25), NOW - timedelta(hours=1)]
    rig.directory.is_down = True
    assert await rig.keys() == ["delivery:A1:all", "survey:A1"]


async def test_an_order_of_which_the_system_tells_nothing_holds_up_no_other(rig: Rig) -> None:
    class System:
        async def delivered_since(self, moment: datetime) -> list[Told]:
            return [Told("B1", delivered), Told("B2", NOW - timedelta(hours=3), number="+12025550143")]

    poller = DeliveryPoller("shop", System(), rig.intake, rig.store, StandingClock(), consent="order_terms")
    rig.directory.is_down = True
    delivered = NOW - timedelta(hours=2)
    await poller.poll()
    await poller.poll()
    assert await rig.store.job("delivery:B2:all") is not None
    assert await rig.store.polled("shop") is None, "B1 is asked about again"
    delivered = NOW - timedelta(hours=25)
    await poller.poll()
    assert await rig.store.polled("shop") == NOW
    assert [note.job for note in await rig.store.notes()] == ["order B1"]
