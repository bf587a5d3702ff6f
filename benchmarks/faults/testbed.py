"""Testbed of the fault matrix: a private call centre whose agent, network and Asterisk can be broken."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp

from agent.asterisk.ari.client import AriClient
from agent.rehearsal.audio import Pcm
from agent.rehearsal.call_centre import AgentProcess, PrivateCallCentre, RehearsalHome
from agent.rehearsal.exchange import PhoneExchange
from agent.rehearsal.live_feed import CallFeed, LiveFeedClient
from agent.rehearsal.real_redis import RealRedis, redis_command
from agent.rehearsal.ringing_phones import RingingPhoneMatcher
from agent.rehearsal.runner import APP
from agent.rehearsal.script import DEFAULT_LEVEL_DBFS, DEFAULT_VOICE, Speech
from agent.rehearsal.voices import Voices
from benchmarks.faults.cutting_proxy import CuttingProxy
from benchmarks.faults.fault_caller import STATES, CallerNotInState, FaultCaller
from benchmarks.faults.observation import (
    RECORD_SECONDS,
    LogReader,
    agent_page,
    caller_number,
    dialled_caller,
    leftovers,
)

_FIGURES_SECONDS = 1.2
"""The agent may go by figures of the queue that are this old."""


class FaultTestbed:
    """A running call centre, its callers and people, and the ways to break it."""

    def __init__(
        self,
        stack: PrivateCallCentre,
        exchange: PhoneExchange,
        desk: RingingPhoneMatcher,
        feed: LiveFeedClient,
        proxy: CuttingProxy,
        home: RehearsalHome,
    ) -> None:
        self.stack = stack
        self.desk = desk
        self.proxy = proxy
        self.home = home
        self.exchange = exchange
        self._feed = feed
        self._numbers = 0
        self._settings = dict(stack.agent.extra)
        self._logs = LogReader()

    @property
    def agent(self) -> AgentProcess:
        """The agent under test."""
        return self.stack.agent

    @property
    def feed(self) -> LiveFeedClient:
        """The agent's live feed."""
        return self._feed

    # --- callers and people ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def caller(self, dial: str = "7000") -> AsyncIterator[FaultCaller]:
        """Dial; the caller is gone when the block ends."""
        number = self.next_number()
        async with dialled_caller(self.exchange, number, dial, self._feed.follow(number)) as caller:
            yield caller

    def next_number(self) -> str:
        """Return a number that no caller has had yet."""
        self._numbers += 1
        return caller_number(self._numbers)

    @contextlib.asynccontextmanager
    async def caller_in(self, state: str) -> AsyncIterator[FaultCaller]:
        """A caller in one state."""
        async with self.caller() as caller:
            await caller.prepare_state(state)
            await caller.enter(state)
            yield caller

    @contextlib.asynccontextmanager
    async def callers_in(self, states: Sequence[str]) -> AsyncIterator[dict[str, FaultCaller]]:
        """One caller in each of these states at the same moment. Raises CallerNotInState when they do not get there."""
        async with contextlib.AsyncExitStack() as stack:
            callers: dict[str, FaultCaller] = {}
            try:
                # those who need longest to get there first
                for state in sorted(states, key=("looking up", "listening", *STATES).index):
                    callers[state] = await stack.enter_async_context(self.caller())
                    await callers[state].prepare_state(state)
                await asyncio.gather(*(caller.enter(state) for state, caller in callers.items()))
            except TimeoutError as error:
                raise CallerNotInState(str(error)) from error
            if gone := [f"{state}: {one.last_told}" for state, one in callers.items() if not one.is_in(state)]:
                raise CallerNotInState(f"left too early: {', '.join(gone)}")
            yield callers

    @contextlib.asynccontextmanager
    async def new_call(self) -> AsyncIterator[CallFeed]:
        """Follow the next call that comes to the agent, whatever its number: one that a transfer brings."""
        async with self._feed.follow("") as feed:
            yield feed

    async def seconds_until_ringing(self, caller: FaultCaller, since: float, seconds: float = 20.0) -> float | None:
        """Wait for a person's phone to ring with this call; seconds after ``since``, None when none did."""
        ringing = await self.desk.ring("", caller.number, seconds)
        return None if ringing is None else time.monotonic() - since

    # --- the agent ------------------------------------------------------------------------------------

    def kill(self) -> float:
        """Kill the agent without a warning; returns when."""
        return self.agent.signal(signal.SIGKILL)

    def extend_resume_time(self) -> float:
        """Give the next start the time this machine needs: ``call.resume_seconds``, at least its default.

        Returns how long a caller may then wait to hear the question again.
        """
        seconds = max(10.0, 3.0 * self.agent.started_in_seconds)
        self.agent.extra = merged(self._settings, {"call": {"resume_seconds": int(min(60.0, seconds))}})
        return seconds + 2.0

    async def restart(self) -> None:
        """Start the agent anew after it was killed or has ended."""
        await self.agent.reap()
        await self.agent.start()
        await self._feed.back()
        self.agent.extra = dict(self._settings)

    async def with_settings(self, more: Mapping[str, Any]) -> None:
        """Restart the agent with these settings besides its own; with none, with its own."""
        self.agent.extra = merged(self._settings, more)
        await self.agent.stop()
        await self.agent.start()
        await self._feed.back()

    def another_agent(self, name: str, *arguments: str) -> AgentProcess:
        """A second controller for the same application, with files of its own."""
        run_dir = self.stack.run_dir / name
        run_dir.mkdir(exist_ok=True)
        settings = merged(self._settings, {"control": {"port": 0}})
        return AgentProcess(self.stack.pbx, run_dir, self.home.shared, settings, arguments=arguments)

    @contextlib.asynccontextmanager
    async def rescuer(self) -> AsyncIterator[None]:
        """``orderline rescuer`` as a process of its own."""
        with (self.stack.run_dir / "rescuer.log").open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "agent", "rescuer", "--config", str(self.agent.config_dir)),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker
            await process.stdout.readline()
            yield
        finally:
            process.terminate()
            await process.wait()

    async def speech(self, text: str) -> Pcm:
        """What a caller says, as sound."""
        sounds = self.stack.asterisk.data_dir / "sounds" / "en"
        voices = Voices(self.home.shared / "callers", sounds)
        return await voices.render(Speech(text, text, DEFAULT_VOICE), DEFAULT_LEVEL_DBFS)

    async def seconds_until_context(self, context: str, since: float, seconds: float = 20.0) -> float | None:
        """Wait until a call is in this context of the dialplan; seconds after ``since``, None when none came."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if context in await self.stack.pbx.cli("core show channels concise"):
                return time.monotonic() - since
            await asyncio.sleep(0.05)
        return None

    async def invalidate_snapshots(self) -> None:
        """Let the kept conversations be of other procedures than those in force."""

        def spoil() -> None:
            database = self.stack.run_dir / "state" / "state.sqlite"
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                connection.execute("""UPDATE live_calls SET kept = replace(kept, '"pack": "', '"pack": "x')""")

        await asyncio.to_thread(spoil)

    def break_agent(self, what: str) -> None:
        """Break the agent's ``ears`` or ``voice``, ``""`` mends them."""
        (self.stack.run_dir / "sabotage").write_text(what, encoding="utf-8")

    async def redis(self) -> RealRedis:
        """A Redis of our own, started."""
        directory = self.stack.run_dir / "redis"
        directory.mkdir(exist_ok=True)
        server = RealRedis(await asyncio.to_thread(redis_command, self.home.directory), directory)
        await server.start()
        return server

    async def log_phones_out(self) -> None:
        """Log the people's phones out and wait until the agent can know that."""
        await self.stack.phones.cli("pjsip send unregister *all")
        await self._contacts(there=False)
        await asyncio.sleep(_FIGURES_SECONDS)

    async def log_phones_in(self) -> None:
        """Have the phones logged in again: they were logged out, or Asterisk was started anew."""
        await self.stack.phones.cli("pjsip send register *all")
        await self._contacts(there=True)
        await self.stack.pbx.cli("queue set ringinuse yes on PJSIP/601")
        await asyncio.sleep(_FIGURES_SECONDS)

    async def _contacts(self, *, there: bool) -> None:
        async with asyncio.timeout(30):
            for phone in ("601", "602"):
                # the command line has no way to wait for this
                while (f"{phone}/sip:" in await self.stack.pbx.cli("pjsip show contacts")) != there:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)

    async def recover(self) -> None:
        """Bring everything back to where a case may begin."""
        self.break_agent("")
        self.agent.signal(signal.SIGCONT)
        self.agent.extra = dict(self._settings)
        await self.agent.stop()
        for pbx in (self.stack.pbx, self.stack.phones):
            await pbx.cli("channel request hangup all")
        await self.agent.start()
        await self._feed.back()
        await self.leftovers()

    async def health(self) -> Mapping[str, Any]:
        """How the agent says it is."""
        return await agent_page(self.agent, "health")

    async def status(self) -> Mapping[str, Any]:
        """How the agent says it and everything it depends on is."""
        return await agent_page(self.agent, "status")

    async def order(self, command: str, **body: Any) -> int:
        """Post a command to the agent's door; returns the status."""
        headers = {"Authorization": f"Bearer {self.agent.token}"}
        url = f"{self.agent.control_url}/{command}"
        async with aiohttp.ClientSession(headers=headers) as session, session.post(url, json=body) as answer:
            return answer.status

    # --- what must be true afterwards -----------------------------------------------------------------

    def records(self, call_id: str) -> list[dict[str, Any]]:
        """The stored records of a call's first visit and of those after it."""
        records = self.all_records()
        return [record for record in records if record["id"] == call_id or record["id"].startswith(f"{call_id}-")]

    def all_records(self) -> list[dict[str, Any]]:
        """Every stored record."""
        database = self.stack.run_dir / "state" / "calls.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2)) as connection:
            rows = connection.execute("SELECT record FROM calls").fetchall()
        return [json.loads(row[0]) for row in rows]

    async def record(self, caller: FaultCaller, seconds: float = RECORD_SECONDS) -> dict[str, Any] | None:
        """Wait for the one record of the caller's first visit; None when there is none."""
        return await self.record_of(caller.call_id, seconds)

    async def record_of(self, call_id: str, seconds: float = RECORD_SECONDS) -> dict[str, Any] | None:
        """Wait for the one record of a visit; None when there is none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [record for record in self.records(call_id) if record["id"] == call_id]
            if found:
                return found[0] if len(found) == 1 else None
            await asyncio.sleep(0.1)  # another process writes it
        return None

    async def leftovers(self) -> list[str]:
        """Channels and bridges that are still there when they have had a moment to go, and calls the agent holds."""

        async def held_calls() -> list[str]:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                if calls := (await self.health())["live_calls"]:
                    return [f"the agent holds {calls} calls"]
            return []

        return await leftovers((self.stack.pbx, self.stack.phones), held_calls)

    def exceptions(self) -> list[str]:
        """What stands in the logs of the agents and the rescuer since the last look that no program should write."""
        logs = self.stack.run_dir.rglob("*.log")
        return self._logs.unexpected(path for path in logs if not path.is_relative_to(self.stack.run_dir / "pbx"))

    async def global_variable(self, name: str, value: str) -> None:
        """Set a global variable of the dialplan."""
        await self.stack.pbx.cli(f"dialplan set global {name} {value}")


@contextlib.asynccontextmanager
async def open_testbed(
    stack: PrivateCallCentre, proxy: CuttingProxy, home: RehearsalHome
) -> AsyncIterator[FaultTestbed]:
    """Join callers and people to a running call centre."""
    phones = stack.phones
    async with contextlib.AsyncExitStack() as closing:
        ari = await closing.enter_async_context(AriClient(phones.ari_url, phones.ari_user, phones.ari_password, APP))
        exchange = PhoneExchange(ari)
        closing.push_async_callback(exchange.close)
        desk = RingingPhoneMatcher(exchange)
        feed = await closing.enter_async_context(LiveFeedClient(stack.agent.control_url, stack.agent.token))
        await stack.pbx.cli("queue set ringinuse yes on PJSIP/601")
        yield FaultTestbed(stack, exchange, desk, feed, proxy, home)


def merged(settings: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with more of them, part by part."""
    return {key: {**settings.get(key, {}), **more.get(key, {})} for key in {*settings, *more}}
