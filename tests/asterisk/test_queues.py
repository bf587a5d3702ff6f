"""The queues' figures over a manager interface that answers, lies, is silent or goes away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from agent.asterisk.queues import ManagerAddress, QueueFigures
from agent.call.queueing import QueueState
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning:asterisk")


class FakeManager:
    """Speaks as much of the manager's protocol as a queue's summary needs."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = True
        self.secret = "secret"
        self.port = 0
        self.logins = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                action = dict(line.split(": ", 1) for line in text.split("\r\n") if line)
                for message in self._replies(action):
                    lines = [*(f"{key}: {value}" for key, value in message.items()), "", ""]
                    writer.write("\r\n".join(lines).encode())
        self._writers.discard(writer)

    def _replies(self, action: dict[str, str]) -> list[dict[str, str]]:
        marked = {"ActionID": action.get("ActionID", "")}
        if action["Action"] == "Login" and action["Secret"] != self.secret:
            return [{"Response": "Error", **marked, "Message": "Authentication failed"}]
        if action["Action"] == "Login":
            self.logins += 1
        if action["Action"] != "QueueSummary":
            return [{"Response": "Success", **marked}]
        self.asked.append(action["Queue"])
        if not self.answers:
            return []
        end = {"Event": "QueueSummaryComplete", **marked, "EventList": "Complete", "ListItems": "1"}
        stray = {"Event": "QueueSummary", "ActionID": "somebody-else", "Queue": "humans", "LoggedIn": "9"}
        found = {
            "Event": "QueueSummary", "Queue": "humans", "LoggedIn": "3", "Available": "1", "Callers": "2",
            "HoldTime": "40", "TalkTime": "120", "LongestHoldTime": "60", **marked,
        }  # fmt: skip
        start = {"Response": "Success", **marked, "EventList": "start", "Message": "Queue summary will follow"}
        return [start, stray, *([found] if action["Queue"] == "humans" else []), end]


@contextlib.asynccontextmanager
async def asking(secret: str = "secret", **options: float) -> AsyncIterator[tuple[FakeManager, QueueFigures]]:
    manager = FakeManager()
    await manager.start()
    figures = QueueFigures(ManagerAddress("127.0.0.1", manager.port, "orderline", secret), **options)
    figures.start()
    try:
        yield manager, figures
    finally:
        await figures.close()
        await manager.stop()


async def comes(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        await until(condition)


async def test_the_figures_are_asked_once_a_second_whoever_asks() -> None:
    async with asking(deadline_seconds=5) as (manager, figures):
        wanted = QueueState(logged_in=3, available=1, callers=2, hold_seconds=40, talk_seconds=120)
        assert await asyncio.gather(*(figures.state("humans") for _ in range(20))) == [wanted] * 20
        assert await figures.state("humans") == wanted
        assert manager.asked == ["humans"]


async def test_a_queue_that_asterisk_does_not_know_is_unknown() -> None:
    async with asking(deadline_seconds=5) as (_, figures):
        assert await figures.state("nowhere") is None


async def test_a_manager_that_is_silent_costs_a_caller_no_more_than_the_deadline_and_is_left() -> None:
    async with asking(deadline_seconds=0.1, cache_seconds=0, stuck_seconds=0.3) as (manager, figures):
        await comes(lambda: figures.connected)
        manager.answers = False
        assert await figures.state("humans") is None
        await comes(lambda: not figures.connected)
        manager.answers = True
        await comes(lambda: figures.connected and manager.logins == 2)
        async with asyncio.timeout(10):
            while await figures.state("humans") is None:
                assert figures.connected


async def test_after_a_restart_of_asterisk_the_figures_are_there_again() -> None:
    async with asking(deadline_seconds=5, cache_seconds=0) as (manager, figures):
        assert await figures.state("humans") is not None
        await manager.stop()
        assert await figures.state("humans") is None
        await manager.start()
        async with asyncio.timeout(10):
            while await figures.state("humans") is None:  # noqa: ASYNC110 - it announces nothing
                await asyncio.sleep(0.01)


async def test_a_refused_login_is_unknown_at_once() -> None:
    async with asking("wrong", deadline_seconds=5) as (_, figures):
        assert await figures.state("humans") is None
