"""Forks agents that hold calls and deliver their outbox, and kills each with SIGKILL at a random time.

``python killed_agents.py DIRECTORY URL KILLS SEED``: the last one is not killed but runs until its outbox is empty.
Lines in DIRECTORY/log say what was confirmed to whom.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from agent.call.records import Caller, CallRecord
from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait
from agent.records.call_store import CallStore
from agent.records.delivery import DeliveryOptions, OutboxDelivery
from agent.records.durable_services import OPERATION_LANES, DurableServices, operation_deliverer
from agent.records.event_mapper import WebhookEventMapper, WebhookSubscription
from agent.records.outbox_sql import OPEN_STATES, rows
from agent.records.records_lock import records_lock
from agent.records.webhooks import WebhookEndpoint, WebhookSender

SECRET = b"0123456789abcdef0123456789abcdef"
HOOKS = ("crm", "audit")
CHANGES = frozenset({"tickets.create", "messages.send", "returns.create"})
OPTIONS = DeliveryOptions(
    max_concurrent_per_lane=8,
    attempt_seconds=2.0,
    first_pause_seconds=0.02,
    longest_pause_seconds=0.2,
    poll_seconds=0.02,
)
DEADLINE_SECONDS = 0.15
CALLS = 16
LAST_LINE = 24
"""Kills come before this line of an agent's log: it writes at least two lines a call, so it is still at work then."""
START_SECONDS = 60.0


class BackOffice:
    """The test's server behind the Services Protocol."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        try:
            async with self._session.post(
                f"{self._url}/{name}",
                json={**arguments},
                headers={"Idempotency-Key": key},
                timeout=aiohttp.ClientTimeout(total=0.5),
            ) as answer:
                if answer.status != 200:
                    raise ServiceError("unavailable", f"HTTP {answer.status}")
                result: Mapping[str, Any] = await answer.json()
                return result
        except TimeoutError as error:
            raise ServiceError("timed_out", "too slow") from error
        except aiohttp.ClientError as error:
            raise ServiceError("unavailable", str(error)) from error


class CallSimulator:
    """Holds calls one after the other, as a session does."""

    def __init__(
        self,
        store: CallStore,
        services: BackOffice,
        announcer: WebhookEventMapper,
        log: int,
        generation: int,
        chance: random.Random,
    ) -> None:
        self._store = store
        self._services = services
        self._announcer = announcer
        self._log = log
        self._generation = generation
        self._chance = chance

    async def hold(self, number: int) -> None:
        call_id = f"call.{self._generation}.{number}"
        record = CallRecord(call_id, Caller("2025550143", "", "7000"), dt.datetime.now(dt.UTC).isoformat())
        await self._store.begin(record)
        self._note("begun", call_id)
        services = DurableServices(
            self._services, self._store.outbox, self._announcer.events_of_operation, CHANGES, call_id
        )
        for name, arguments in (
            ("returns.create", {"number": "10473", "item": "kettle"}),
            ("messages.send", {"number": "10473", "template": "return_label", "values": {}}),
            ("tickets.create", {"reason": "call_back", "summary": call_id}),
        ):
            key = f"{call_id}-{name}"
            if self._chance.random() < 0.1:
                await self._hang_up_during(services, name, {**arguments, "call": call_id}, key)
                break
            code = "ok"
            try:
                async with asyncio.timeout(DEADLINE_SECONDS):
                    result = await services.perform(name, {**arguments, "call": call_id}, key)
                if not result.get("ticket", {}).get("pending"):
                    self._note("confirmed", f"{name} {call_id}")
            except ServiceError as error:
                code = error.code
            except TimeoutError:
                code = "timed_out"
            record.effects.append({"name": name, "code": code, "ms": 1.0, "key": key})
        record.outcome, record.ended_by = "answered", "agent"
        await self._store.write(record)
        self._note("recorded", call_id)

    async def _hang_up_during(
        self, services: DurableServices, name: str, arguments: Mapping[str, Any], key: str
    ) -> None:
        work = asyncio.create_task(services.perform(name, arguments, key))
        await asyncio.wait([work], timeout=self._chance.random() * 0.05)
        await cancel_and_wait(work)

    def _note(self, what: str, which: str) -> None:
        os.write(self._log, f"{what} {which}\n".encode())


async def agent(directory: Path, url: str, generation: int, chance: random.Random, *, calls: int) -> None:
    """Be one agent: with ``calls`` 0 until the outbox is empty, else hold that many calls, several at a time."""
    announcer = WebhookEventMapper([WebhookSubscription(name) for name in HOOKS], lambda: dt.datetime.now(dt.UTC))
    store = await CallStore.open(directory / "calls.sqlite", news=announcer.events_of_record)
    hooks = [WebhookEndpoint(name, f"{url}/hook/{name}", (SECRET,), 0.5) for name in HOOKS]
    post = WebhookSender(hooks)
    log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    async with aiohttp.ClientSession() as session:
        services = BackOffice(url, session)
        deliverers = {
            **dict.fromkeys(OPERATION_LANES, operation_deliverer(services, announcer.events_of_operation)),
            **post.deliverers(),
        }
        deliveries = OutboxDelivery(
            store.outbox,
            deliverers,
            options=OPTIONS,
            chance=chance.random,
        )
        stopping = asyncio.Event()

        async def deliver() -> None:
            async with records_lock(directory / "lock", stopping, poll_seconds=OPTIONS.poll_seconds) as held:
                if held:
                    await store.take_over()
                    await deliveries.run()

        delivering = asyncio.create_task(deliver())
        held = CallSimulator(store, services, announcer, log, generation, chance)
        for number in range(0, calls, 4):
            await asyncio.gather(*(held.hold(number + one) for one in range(4)))
        while await store._database.transaction(lambda db: len(rows(db, OPEN_STATES, 1))):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # SQLite tells nobody when the last row is done
        stopping.set()
        deliveries.stop()
        await delivering
    await post.close()
    await store.close()


def _wait_until_it_is_time(log: Path, chance: random.Random) -> None:
    """Wait for the moment of the next kill: now and then while the agent starts, else somewhere in its calls.

    Its calls are counted by the lines of the log, not by the clock: a busy machine's agent would never come that far.
    """
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.0, 0.1))
        return
    lines = _lines(log) + chance.randrange(1, LAST_LINE)
    deadline = time.monotonic() + START_SECONDS
    while _lines(log) < lines and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(chance.uniform(0.0, 0.05))


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def main() -> None:
    directory, url, kills, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    killed = 0
    for generation in range(kills):
        child = os.fork()
        if child == 0:
            asyncio.run(agent(directory, url, generation, random.Random(seed + generation), calls=CALLS))
            os._exit(0)
        _wait_until_it_is_time(directory / "log", chance)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    asyncio.run(agent(directory, url, kills, random.Random(seed), calls=0))
    print(killed)


if __name__ == "__main__":
    main()
