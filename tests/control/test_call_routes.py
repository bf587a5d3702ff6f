"""One call is sent to the queue, or to a supervisor's phone, over the control server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from agent.control.live_feed import LiveFeed
from agent.control.routes import SUPERVISOR_ASKED, call_routes
from agent.control.server import ControlServer


class Calls:
    """Calls by id, and phones that ring unless there is a reason not to."""

    def __init__(self) -> None:
        self.handed_over: list[tuple[str, str]] = []
        self.rung: list[tuple[str, str, str]] = []
        self.refusal = ""

    def hand_over(self, call_id: str, reason: str) -> bool:
        self.handed_over.append((call_id, reason))
        return call_id == "1764057600.12"

    async def ring(self, call_id: str, what: str, phone: str) -> str:
        self.rung.append((call_id, what, phone))
        return self.refusal


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def agent(calls: Calls) -> AsyncIterator[aiohttp.ClientSession]:
    server = ControlServer(LiveFeed(), "the-token", dict, call_routes(calls.hand_over, calls.ring))
    await server.start("127.0.0.1", 0)
    headers = {"Authorization": "Bearer the-token"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", headers=headers) as session:
        yield session
    await server.close()


async def test_a_call_that_goes_on_is_handed_over_with_its_reason(agent: aiohttp.ClientSession, calls: Calls) -> None:
    async with agent.post("/calls/1764057600.12/hand-over", json={"by": "maria"}) as response:
        assert response.status == 200
    async with agent.post("/calls/gone/hand-over", json={"by": "maria"}) as response:
        assert response.status == 404
    assert calls.handed_over == [("1764057600.12", SUPERVISOR_ASKED), ("gone", SUPERVISOR_ASKED)]


@pytest.mark.parametrize("what", ["listen", "take-over"])
async def test_a_phone_rings_or_it_is_said_why_not(agent: aiohttp.ClientSession, calls: Calls, what: str) -> None:
    async with agent.post(f"/calls/1.2/{what}", json={"by": "maria", "phone": "601"}) as response:
        assert response.status == 200
    calls.refusal = "The phone 601 cannot be rung."
    async with agent.post(f"/calls/1.2/{what}", json={"by": "maria", "phone": "601"}) as response:
        assert (response.status, await response.text()) == (409, f"{calls.refusal}\n")
    assert calls.rung == [("1.2", what, "601")] * 2


@pytest.mark.parametrize(
    "phone", ["", "601@trunk", "../601", "PJSIP/601", "6 01", "6" * 41, None, 601, ["601"], "601\n"]
)
async def test_what_could_be_an_address_elsewhere_is_no_phone(
    agent: aiohttp.ClientSession, calls: Calls, phone: object
) -> None:
    async with agent.post("/calls/1.2/take-over", json={"phone": phone}) as response:
        assert response.status == 400
    assert calls.rung == []


async def test_there_is_nothing_else_to_do_with_a_call(agent: aiohttp.ClientSession) -> None:
    async with agent.post("/calls/1.2/hang-up", json={}) as response:
        assert response.status == 404
