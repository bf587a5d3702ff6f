"""Values of Asterisk's database over the manager interface, from a manager that answers what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from agent.asterisk.ami_database import AsteriskDatabase, ManagerUnavailable
from agent.asterisk.ami_queues import ManagerAddress

ACCEPTED = "Response: Success\r\nActionID: login\r\nMessage: Authentication accepted\r\n\r\n"
FOUND = (
    "Response: Success\r\nActionID: dbget\r\nMessage: Result will follow\r\n\r\n"
    "Event: QueueParams\r\nQueue: humans\r\n\r\n"
    "Event: DBGetResponse\r\nFamily: marks/11\r\nKey: ob-1-z\r\nVal: answered 1764536400\r\nActionID: dbget\r\n\r\n"
)


class AnsweringManager:
    """Answers each packet it is sent with the next of its answers; None: says nothing more."""

    def __init__(self) -> None:
        self.answers: list[str | None] = []
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> ManagerAddress:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return ManagerAddress("127.0.0.1", self._server.sockets[0].getsockname()[1], "orderline", "secret")

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/9.0.0\r\n")
        try:
            for answer in self.answers:
                self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer.encode())
            await reader.read()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture
async def manager() -> AsyncIterator[AnsweringManager]:
    one = AnsweringManager()
    yield one
    await one.close()


async def test_a_value_is_read_whatever_else_asterisk_tells_meanwhile(manager: AnsweringManager) -> None:
    manager.answers = [ACCEPTED, FOUND]
    database = AsteriskDatabase(await manager.open())
    assert await database.get("marks/11", "ob-1-z") == "answered 1764536400"
    assert "Family: marks/11\r\nKey: ob-1-z\r\n" in manager.asked[1]


async def test_a_value_that_is_not_there_is_empty(manager: AnsweringManager) -> None:
    manager.answers = [ACCEPTED, "Response: Error\r\nActionID: dbget\r\nMessage: Database entry not found\r\n\r\n"]
    assert await AsteriskDatabase(await manager.open()).get("marks/11", "ob-1-z") == ""


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (["Response: Error\r\nActionID: login\r\nMessage: Authentication failed\r\n\r\n"], "Authentication failed"),
        ([ACCEPTED, "Response: Error\r\nActionID: dbget\r\nMessage: Permission denied\r\n\r\n"], "Permission denied"),
        ([ACCEPTED, None], "does not answer"),
        ([ACCEPTED], "does not answer"),
    ],
)
async def test_a_manager_that_refuses_or_is_silent_is_told(
    manager: AnsweringManager, answers: list[str | None], told: str
) -> None:
    manager.answers = answers
    database = AsteriskDatabase(await manager.open(), answer_seconds=0.3)
    with pytest.raises(ManagerUnavailable, match=told):
        await database.get("marks/11", "ob-1-z")


async def test_a_line_break_in_a_key_gives_no_second_header(manager: AnsweringManager) -> None:
    manager.answers = [ACCEPTED, FOUND]
    await AsteriskDatabase(await manager.open()).get("marks/11", "ob\r\nAction: Originate")
    assert "\r\nAction: Originate" not in manager.asked[1]


async def test_nobody_at_the_address_is_told() -> None:
    manager = AnsweringManager()
    address = await manager.open()
    await manager.close()
    with pytest.raises(ManagerUnavailable):
        await AsteriskDatabase(address).get("marks/11", "ob-1-z")
