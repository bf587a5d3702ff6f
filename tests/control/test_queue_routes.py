"""How the staff queues stand, over the control server."""

from __future__ import annotations

from typing import Any

import aiohttp

from agent.call.queue_rules import QueueState
from agent.call.queue_status import StaffQueues
from agent.control.live_feed import LiveFeed
from agent.control.routes import queue_routes
from agent.control.server import ControlServer
from tests.console.made_up_agent import ToldFigures, open_queues


async def told(queues: StaffQueues | None) -> Any:
    server = ControlServer(LiveFeed(), "the-token", dict, queue_routes(queues))
    await server.start("127.0.0.1", 0)
    headers = {"Authorization": "Bearer the-token"}
    try:
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", headers=headers) as session,
            session.get("/queues") as response,
        ):
            assert response.status == 200
            return await response.json()
    finally:
        await server.close()


async def test_each_queue_tells_how_many_wait_and_who_is_free() -> None:
    figures = ToldFigures({"support": QueueState(logged_in=3, available=0, callers=2, hold_seconds=120.0)})
    support, returns = (await told(open_queues(figures, "support", "returns")))["queues"]
    assert support == {
        "name": "support",
        "standing": "open",
        "wait_minutes": 2,
        "opens": "",
        "callers": 2,
        "available": 0,
        "logged_in": 3,
    }
    assert (returns["standing"], returns["callers"]) == ("unknown", None)


async def test_why_nothing_is_known_is_told() -> None:
    figures = ToldFigures(problem="the manager interface refuses the password")
    assert (await told(open_queues(figures, "support")))["problem"] == figures.problem
    assert await told(None) == {"queues": [], "problem": ""}
