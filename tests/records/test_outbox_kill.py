"""Kill -9, fifty times at random moments: nothing is lost, nothing is done twice, the outbox empties."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from agent.records.webhooks import signature
from tests.records.killed_agents import HOOKS, SECRET

pytestmark = pytest.mark.slow

KILLS = 50
SEED = 20261124
DEADLINE_SECONDS = 600.0  # 15 s on a quiet machine


class UnreliablePeers:
    """Ticket system, SMS gateway, back office and two webhook receivers that fail, dawdle and lose answers."""

    def __init__(self) -> None:
        self.made: Counter[tuple[str, str]] = Counter()
        """(operation, call) -> how many were really made."""
        self.heard: dict[str, dict[str, str]] = {name: {} for name in HOOKS}
        """Hook -> event id -> event."""
        self.forged = 0
        self.requests = 0
        self._by_key: dict[str, dict[str, object]] = {}
        self._chance = random.Random(SEED)

    async def _trouble(self) -> bool:
        """Dawdle sometimes; True when the answer is lost."""
        self.requests += 1
        luck = self._chance.random()
        if luck < 0.08:
            await asyncio.sleep(0.7)
        return 0.08 <= luck < 0.16

    async def act(self, request: web.Request) -> web.Response:
        operation, key = request.match_info["operation"], request.headers["Idempotency-Key"]
        arguments = await request.json()
        if self._chance.random() < 0.15:
            return web.Response(status=500)
        if key not in self._by_key:
            what = arguments.get("call") or arguments.get("facts", {}).get("call_id", "")
            kind = operation if arguments.get("reason") != "outcome_not_heard" else "unheard"
            self.made[kind, what] += 1
            number = f"{len(self._by_key)}"
            self._by_key[key] = {
                "tickets.create": {"ticket": {"id": f"T-{number}"}},
                "returns.create": {"return": {"number": f"R-{number}", "order_number": "10473"}},
                "messages.send": {"message": {"id": number}},
            }[operation]
        if await self._trouble():
            return web.Response(status=502)
        return web.json_response(self._by_key[key])

    async def hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = request.headers
        expected = signature((SECRET,), headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        event = json.loads(body)
        if headers["webhook-signature"] != expected or headers["webhook-id"] != event["id"]:
            self.forged += 1
        if self._chance.random() < 0.15:
            return web.Response(status=503)
        self.heard[request.match_info["name"]][event["id"]] = f"{event['event']} {event['call_id']}"
        return web.Response(status=500 if await self._trouble() else 204)


async def test_fifty_kills_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    peers = UnreliablePeers()
    application = web.Application()
    application.add_routes([web.post("/hook/{name}", peers.hook), web.post("/{operation}", peers.act)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    root = Path(__file__).parents[2]
    nursery = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.records.killed_agents", str(tmp_path)),
        *(f"http://127.0.0.1:{runner.addresses[0][1]}", str(KILLS), str(SEED)),
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=asyncio.subprocess.PIPE,
        stderr=(tmp_path / "stderr").open("w"),
    )
    try:
        out, _ = await asyncio.wait_for(nursery.communicate(), DEADLINE_SECONDS)
    finally:
        if nursery.returncode is None:
            nursery.kill()
        await runner.cleanup()
    assert nursery.returncode == 0, (tmp_path / "stderr").read_text()[-3000:]
    assert int(out) == KILLS

    noted: dict[str, list[str]] = {"begun": [], "confirmed": [], "recorded": []}
    for line in (tmp_path / "log").read_text().splitlines():
        what, _, which = line.partition(" ")
        noted[what].append(which)
    with closing(sqlite3.connect(tmp_path / "calls.sqlite")) as db:
        states = dict(db.execute("SELECT state, count(*) FROM outbox GROUP BY state"))
        keys = Counter(kind for (kind,) in db.execute("SELECT kind FROM outbox WHERE state = 'delivered'"))
        calls = [call for (call,) in db.execute("SELECT id FROM calls")]
        outcomes = Counter(outcome for (outcome,) in db.execute("SELECT outcome FROM calls"))
        left = db.execute("SELECT count(*) FROM open_calls").fetchone()[0]
        acts = [call for (call,) in db.execute("SELECT call_id FROM outbox WHERE kind = 'act'")]

    # the outbox is empty and nothing was given up; every call that began has its one record
    assert set(states) == {"delivered"}
    assert left == 0
    assert set(noted["begun"]) <= set(calls)
    assert outcomes["failed"] > 0
    # what was noted was made, exactly once; what a caller was told is true
    assert max(peers.made.values()) == 1
    made = Counter(kind for kind, _ in peers.made)
    assert made["tickets.create"] + made["unheard"] == keys["ticket"]
    assert made["messages.send"] == keys["sms"]
    assert {("returns.create", call) for call in acts} <= set(peers.made)
    for which in noted["confirmed"]:
        operation, _, call = which.partition(" ")
        assert (operation, call) in peers.made
    # every receiver heard of every happening
    told = {
        *(f"call.started {call}" for call in calls),
        *(f"call.ended {call}" for call in calls),
        *(f"return.created {call}" for call in acts),
        *(f"ticket.created {call}" for kind, call in peers.made if kind in ("tickets.create", "unheard")),
    }
    for name in HOOKS:
        assert set(peers.heard[name].values()) == told
        assert len(peers.heard[name]) == keys["webhook"] / len(HOOKS)
    assert peers.forged == 0
    assert peers.requests > len(told), "the run must have delivered something"
