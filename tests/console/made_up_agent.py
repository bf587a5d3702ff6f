"""The door of an agent with made-up calls: the real server, feed and event bus, no telephony."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.app.queue_factory import NoWhispers
from agent.call.queue_rules import QueueRules, QueueState
from agent.call.queue_status import QueueDefinition, StaffQueues
from agent.console.control_client import NodeAddress
from agent.control.live_feed import LiveFeed
from agent.control.pause import PauseSwitch
from agent.control.routes import control_routes, queue_routes
from agent.control.server import ControlServer
from agent.dialog.pack.pack_files import edition_of, read_pack_files
from agent.telemetry.event_bus import EventBus

TOKEN = "the-token"


@dataclass
class ToldFigures:
    """Implements the figures of queues (:class:`agent.call.queue_status.QueueStatistics`) as a test has them."""

    states: dict[str, QueueState] = field(default_factory=dict)
    problem: str = ""

    async def state(self, name: str) -> QueueState | None:
        return self.states.get(name)


def open_queues(figures: ToldFigures, *names: str) -> StaffQueues:
    """Queues that are open at any hour and take five callers."""
    rules = QueueRules(UTC, max_callers=5)
    plans = {name: QueueDefinition(lambda: rules) for name in names}
    return StaffQueues(plans, figures, NoWhispers(), lambda: datetime.now(UTC))


@dataclass
class MadeUpAgent:
    """An agent that may be stopped and started anew at the same port."""

    state: Path
    name: str = "here"
    port: int = 0
    bus: EventBus = field(default_factory=EventBus)
    server: ControlServer | None = None
    pause: PauseSwitch | None = None
    figures: ToldFigures = field(default_factory=ToldFigures)
    """Of its queue ``support``."""
    flows: Path | None = None
    """Procedures whose edition it always has in force."""

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = {"live_calls": 0}
        if self.flows is not None:
            edition = edition_of(read_pack_files(self.flows)[0])
            told["procedures"] = {"directory": str(self.flows), "edition": edition, "refused": [], "refused_at": ""}
        return told

    async def start(self) -> None:
        self.bus = EventBus()
        feed = LiveFeed(epoch=self.bus.epoch)
        self.bus.subscribe(feed.send)
        self.pause = PauseSwitch(self.state / f"paused-{self.name}.json", lambda: datetime.now(UTC))
        routes = [*control_routes(self.pause, list), *queue_routes(open_queues(self.figures, "support"))]
        self.server = ControlServer(feed, TOKEN, self.status, routes)
        await self.server.start("127.0.0.1", self.port)
        self.port = self.server.port

    async def stop(self) -> None:
        if self.server is not None:
            await self.server.close()
            self.server = None

    @property
    def address(self) -> NodeAddress:
        return NodeAddress(self.name, f"http://127.0.0.1:{self.port}", lambda: TOKEN)


@contextlib.asynccontextmanager
async def made_up_agent(state: Path, name: str = "here") -> AsyncIterator[MadeUpAgent]:
    agent = MadeUpAgent(state, name)
    await agent.start()
    try:
        yield agent
    finally:
        await agent.stop()
