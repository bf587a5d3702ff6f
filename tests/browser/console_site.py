"""A whole console for a browser, in a thread of its own: sample calls, and an agent that tells what a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from agent.call.queue_rules import QueueState
from agent.config.settings import Settings
from agent.console.assembly import console_context, listening
from agent.console.context import ConsoleContext
from agent.console.control_client import NodeAddress
from agent.console.passwords import PasswordChecker
from agent.console.people import Doer
from agent.control.live_feed import LiveFeed
from agent.control.pause import PauseSwitch
from agent.control.routes import control_routes, queue_routes
from agent.control.server import ControlServer
from agent.dialog.pack.pack_files import edition_of, read_pack_files
from agent.telemetry.event_bus import EventBus
from agent.telemetry.events import CallEvent
from tests.browser.sample_calls import write_sample
from tests.browser.sample_jobs import OUTBOUND, write_jobs
from tests.console.made_up_agent import ToldFigures, open_queues

PASSWORD = "seven quiet lanterns"
ZONE = "America/New_York"
TOKEN = "token of the test's agent"
PEOPLE = {"sam": "supervisor", "ana": "admin", "vic": "viewer", "shop": "shop"}
_QUEUES = {
    "support": {
        "hours": dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "08:00-18:00"),
        "max_wait_seconds": 600,
    },
    "complaints": {"max_callers": 5},
}


class ToldAgent:
    """The real HTTP server of an agent, over events that a test publishes."""

    def __init__(self, directory: Path, flows: Path | None = None) -> None:
        self._flows = flows
        """Procedures whose edition it always has in force; a made-up edition without."""
        self.events = EventBus()
        self._feed = LiveFeed(epoch=self.events.epoch)
        self.events.subscribe(self._feed.send)
        self.pause = PauseSwitch(directory / "paused.json", lambda: dt.datetime.now(ZoneInfo(ZONE)))
        self.down: dict[str, str] = {}
        """Dependencies that are down, with why."""
        self.figures = ToldFigures({"support": QueueState(4, 1, 2, 95.0, 240.0), "complaints": QueueState(2, 2, 0)})
        queues = queue_routes(open_queues(self.figures, *_QUEUES))
        routes = [*control_routes(self.pause, list), *queues]
        self._server = ControlServer(self._feed, TOKEN, self.status, routes, dependencies=self._dependencies)

    async def start(self, port: int = 0) -> int:
        """Listen and return the port."""
        await self._server.start("127.0.0.1", port)
        return self._server.port

    async def close(self) -> None:
        """Be gone."""
        await self._server.close()

    async def _dependencies(self) -> Mapping[str, Any]:
        return self.status()

    def status(self) -> Mapping[str, Any]:
        """What ``/status`` says."""
        parts = {
            "asterisk": "http://127.0.0.1:8088",
            "recogniser": "vosk-model-tiny-en-us-phone",
            "voice": "hibari speaks",
            "procedures": "",
            "shop:orders": "",
            "shop:shipping": "",
            "ami": "",
            "records": "41 250 MB free",
            "outbox": "",
        }
        paused = self.pause.now
        return {
            "version": "0.9",
            "live_calls": 0,
            "paused": {"since": paused.since, "by": paused.by} if paused else None,
            "turned_away": {"paused": 3},
            "state": "degraded" if self.down else "ok",
            "dependencies": {
                **{
                    name: {"state": "down" if name in self.down else "ok", "detail": self.down.get(name, detail)}
                    for name, detail in parts.items()
                },
                "redis": {"state": "off", "detail": "one node alone"},
            },
            "outbox": {"waiting": 2, "dead": 0},
            "procedures": {
                "edition": "3f9a0c52d1b7e684",
                "since": "2026-11-28T09:14:02-05:00",
                "warnings": [],
                "refused": [],
                **self._procedures_in_force(),
            },
        }

    def _procedures_in_force(self) -> dict[str, Any]:
        if self._flows is None:
            return {}
        edition = edition_of(read_pack_files(self._flows)[0])
        return {"directory": str(self._flows), "edition": edition, "refused_at": ""}


@dataclass
class ConsoleSite:
    """A running console, as seen from another thread."""

    base: str
    loop: asyncio.AbstractEventLoop = field(repr=False)
    agent: ToldAgent
    context: ConsoleContext
    signed_in: dict[str, Any] = field(default_factory=dict, repr=False)
    """The cookies of each person, signed in once."""

    def tell(self, *events: CallEvent) -> None:
        """Have the agent tell events, and wait until it has."""

        async def publish() -> None:
            for event in events:
                self.agent.events.publish(event)

        self.run(publish())

    def run(self, work: Any) -> Any:
        """Run a coroutine in the console's thread and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


@contextlib.contextmanager
def console_site(state: Path, calls: int = 1500, **settings: Any) -> Iterator[ConsoleSite]:
    """Hold a console on a free port of loopback; ``settings`` go over those of the sample."""
    write_sample(state, dt.datetime.now(ZoneInfo(ZONE)), calls)
    began, site, failure = threading.Event(), list[ConsoleSite](), list[BaseException]()
    stop: list[asyncio.Event] = []

    async def serve() -> None:
        stop.append(asyncio.Event())
        async with _running(state, settings) as running:
            site.append(running)
            began.set()
            await stop[0].wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failure.append(error)
        finally:
            began.set()

    thread = threading.Thread(target=run, name="console")
    thread.start()
    began.wait(60)
    try:
        if failure:
            raise failure[0]
        yield site[0]
    finally:
        if site:
            site[0].loop.call_soon_threadsafe(stop[0].set)
        thread.join(30)


@contextlib.asynccontextmanager
async def _running(state: Path, more: Mapping[str, Any]) -> AsyncIterator[ConsoleSite]:
    settings = Settings.model_validate(
        {
            "state_directory": str(state),
            "shop": {"timezone": ZONE, "name": "Maple and Finch"},
            "queues": _QUEUES,
            "console": {"port": 0},
            "outbound": OUTBOUND,
            **more,
        }
    )
    agent = ToldAgent(state, Path(more["flows_directory"]) if "flows_directory" in more else None)
    port = await agent.start()
    node = NodeAddress("here", f"http://127.0.0.1:{port}", lambda: TOKEN)
    passwords = PasswordChecker(memory_kib=8, passes=1)
    async with console_context(settings, [node], passwords) as context, listening(context) as base:
        for name, role in PEOPLE.items():
            await context.accounts.add(name, role, PASSWORD, granted=(), scopes=(), by=Doer("(machine)"))
        await write_jobs(state, context.now())
        await asyncio.to_thread(context.history.catch_up, wait=True)
        try:
            yield ConsoleSite(base, asyncio.get_running_loop(), agent, context)
        finally:
            await agent.close()
