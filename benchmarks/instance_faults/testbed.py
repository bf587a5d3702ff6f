"""Testbed of several instances of the agent on one private Asterisk, with callers, people and, if wanted, a Redis."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from agent.asterisk.ari.client import AriClient
from agent.rehearsal.asterisk_process import Pbx
from agent.rehearsal.call_centre import AgentProcess, RehearsalHome
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.live_feed import FeedDispatcher, LiveFeedClient
from agent.rehearsal.pbx_pair import running_pair
from agent.rehearsal.phone import Leg
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.real_redis import RealRedis, redis_command
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.runner import APP
from benchmarks.faults.cutting_proxy import CuttingProxy
from benchmarks.faults.fault_caller import FaultCaller
from benchmarks.faults.observation import (
    RECORD_SECONDS,
    LogReader,
    agent_page,
    caller_number,
    dialled_caller,
    joined,
    leftovers,
)

_PAGE_SECONDS = 2.0


class InstanceTestbed:
    """The instances, their callers, and the ways to break one of them."""

    def __init__(
        self,
        pbx: Pbx,
        phones: Pbx,
        agents: Sequence[AgentProcess],
        exchange: PhoneExchange,
        board: FeedDispatcher,
        feeds: Sequence[LiveFeedClient],
        proxy: CuttingProxy,
        run_dir: Path,
    ) -> None:
        self.pbx = pbx
        self.agents = agents
        self.desk = RingingPhoneMatcher(exchange)
        self.proxy = proxy
        """Between Asterisk and the second instance."""
        self._phones = phones
        self._exchange = exchange
        self._board = board
        self._feeds = feeds
        self._run_dir = run_dir
        self._numbers = 0
        self._logs = LogReader()

    # --- callers ----------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def caller(self) -> AsyncIterator[FaultCaller]:
        """Dial; the caller is gone when the block ends."""
        self._numbers += 1
        number = caller_number(self._numbers)
        async with dialled_caller(self._exchange, number, "7000", self._board.follow(number)) as caller:
            yield caller

    async def holders(self, callers: Sequence[FaultCaller]) -> list[int]:
        """Return which instance has each caller, 0 for none."""
        by_number: dict[str, int] = {}
        for agent in self.agents:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                for call in (await self._page(agent, "calls"))["calls"]:
                    by_number[str(call["caller"])[-10:]] = agent.instance
        return [by_number.get(caller.number, 0) for caller in callers]

    async def seconds_until_ringing(self, caller: FaultCaller, since: float, seconds: float = 20.0) -> float | None:
        """Wait for a person's phone to ring with this call; seconds after ``since``, None when none did."""
        ringing = await self.desk.ring("", caller.number, seconds)
        return None if ringing is None else time.monotonic() - since

    @contextlib.asynccontextmanager
    async def supervisor(self, code: str) -> AsyncIterator[Leg]:
        """A supervisor's phone dials a code; it is hung up when the block ends."""
        async with joined(await self._exchange.dial(code, "601", "", endpoint="desk")) as leg:
            yield leg

    async def paused(self) -> list[bool]:
        """Return of each instance whether it is paused."""
        return [(await self._page(agent, "calls"))["paused"] is not None for agent in self.agents]

    # --- instances --------------------------------------------------------------------------------------

    def agent(self, instance: int) -> AgentProcess:
        """Return one of them."""
        return self.agents[instance - 1]

    def kill(self, instance: int) -> float:
        """Kill one without a warning; returns when."""
        return self.agent(instance).signal(signal.SIGKILL)

    def freeze(self, instance: int) -> float:
        """Stop one where it is; returns when."""
        return self.agent(instance).signal(signal.SIGSTOP)

    def thaw(self, instance: int) -> float:
        """Let it go on; returns when."""
        return self.agent(instance).signal(signal.SIGCONT)

    async def start(self, instance: int) -> None:
        """Start one anew that was killed or has ended, and wait until calls may come to it."""
        await self.agent(instance).reap()
        await self.agent(instance).start()
        await self._feeds[instance - 1].back()

    async def stop(self, instance: int) -> None:
        """Stop one in order."""
        await self.agent(instance).stop()

    async def live_calls(self, instance: int) -> int:
        """Return how many calls an instance has. Raises OSError and TimeoutError when it does not answer."""
        try:
            return int((await self._page(self.agent(instance), "health"))["live_calls"])
        except aiohttp.ClientError as error:
            raise OSError(str(error)) from error

    # --- what must be true afterwards -------------------------------------------------------------------

    def records(self, call_id: str) -> list[dict[str, Any]]:
        """Return all records of a visit, of all instances."""
        found = []
        for agent in self.agents:
            state = self._run_dir / "state"
            database = (state if agent.instance == 1 else state / f"instance-{agent.instance}") / "calls.sqlite"
            with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2)) as connection:
                rows = connection.execute("SELECT record FROM calls WHERE id = ?", (call_id,)).fetchall()
            found += [{**json.loads(row[0]), "instance": agent.instance} for row in rows]
        return found

    async def one_record(self, caller: FaultCaller) -> dict[str, Any] | None:
        """Wait for a record of the caller's call; None where there is none, or more than one."""
        deadline = time.monotonic() + RECORD_SECONDS
        while time.monotonic() < deadline and not self.records(caller.call_id):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # another process writes it
        found = self.records(caller.call_id)
        return found[0] if len(found) == 1 else None

    async def leftovers(self) -> list[str]:
        """Channels, bridges and live calls that are still there when they have had a moment to go."""

        async def held_calls() -> list[str]:
            left: list[str] = []
            for agent in self.agents:
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    if calls := (await self._page(agent, "health"))["live_calls"]:
                        left.append(f"instance {agent.instance} holds {calls} calls")
            return left

        return await leftovers((self.pbx, self._phones), held_calls)

    def exceptions(self) -> list[str]:
        """Return what stands in the agents' logs since the last look that no program should write."""
        return self._logs.unexpected(agent.log_path for agent in self.agents)

    async def recover(self) -> None:
        """Bring everything back to where a case may begin."""
        for agent in self.agents:
            agent.signal(signal.SIGCONT)
        for pbx in (self.pbx, self._phones):
            await pbx.cli("channel request hangup all")
        for agent in self.agents:
            await agent.stop()
            await self.start(agent.instance)
        await self.leftovers()

    async def _page(self, agent: AgentProcess, name: str) -> Mapping[str, Any]:
        return await agent_page(agent, name, _PAGE_SECONDS)


@contextlib.asynccontextmanager
async def open_instances(
    asterisk: Asterisk,
    home: RehearsalHome,
    run_dir: Path,
    report: Callable[[str], None],
    *,
    instances: int = 2,
    with_redis: bool,
) -> AsyncIterator[InstanceTestbed]:
    """Hold a private call centre with several instances of the agent. Raises PbxError, AgentDied."""
    async with contextlib.AsyncExitStack() as stack:
        pbx, phones = await stack.enter_async_context(running_pair(asterisk, run_dir / "pbx", report))
        settings: dict[str, Any] = {"instances": instances, "control": {"port": _free_ports(instances)}}
        if with_redis:
            (run_dir / "redis").mkdir(exist_ok=True)
            server = RealRedis(await asyncio.to_thread(redis_command, home.directory), run_dir / "redis")
            await server.start()
            stack.push_async_callback(server.stop)
            settings["redis"] = {"url": server.url}
        proxy = CuttingProxy("127.0.0.1", pbx.ports.http)
        await proxy.start()
        stack.push_async_callback(proxy.close)
        first = AgentProcess(pbx, run_dir, home.shared, settings)
        agents = [first]
        for number in range(2, instances + 1):
            url = proxy.url if number == 2 else ""
            agents.append(AgentProcess(pbx, run_dir, home.shared, beside=first, instance=number, ari_url=url))
        for agent in agents:
            stack.push_async_callback(agent.stop)
            await agent.start()
        apps = "&".join(("orderline", *(f"orderline-{agent.instance}" for agent in agents[1:])))
        await pbx.cli(f"dialplan set global ORDERLINE_APPS {apps}")
        ari = await stack.enter_async_context(AriClient(phones.ari_url, phones.ari_user, phones.ari_password, APP))
        exchange = PhoneExchange(ari)
        stack.push_async_callback(exchange.close)
        board = FeedDispatcher()
        feeds = [LiveFeedClient(agent.control_url, agent.token, board) for agent in agents]
        for feed in feeds:
            await stack.enter_async_context(feed)
        await pbx.cli("queue set ringinuse yes on PJSIP/601")
        yield InstanceTestbed(pbx, phones, agents, exchange, board, feeds, proxy, run_dir)


def _free_ports(instances: int) -> int:
    """Return a port for the first instance's control server such that those of the others are free too."""
    while True:
        with contextlib.ExitStack() as open_sockets:
            first = open_sockets.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                for number in range(2, instances + 1):
                    open_sockets.enter_context(socket.socket()).bind(("127.0.0.1", port + 10 + number))
            except (OSError, OverflowError):
                continue
            return port


def spread(holders: Sequence[int]) -> dict[int, int]:
    """Return how many callers each instance has."""
    return dict(sorted(Counter(holders).items()))
