"""The preflight of the manager interface: reached, logged in, and allowed no more than it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.asterisk.ami_probe import ami_findings
from agent.asterisk.finding import Finding


class FakeManager:
    """A manager interface on loopback: answers actions as its user's rights are."""

    def __init__(self) -> None:
        self.secret = "sesame"
        self.refused = {"command"}
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while block := await self._action(reader):
            name = block.get("action", "").lower()
            good = name not in self.refused and (name != "login" or block.get("secret") == self.secret)
            writer.write(b"Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n")
            writer.write(f"Response: {'Success' if good else 'Error'}\r\nMessage: told\r\n\r\n".encode())
        writer.close()

    @staticmethod
    async def _action(reader: asyncio.StreamReader) -> dict[str, str]:
        fields: dict[str, str] = {}
        while line := (await reader.readline()).decode().strip():
            key, _, value = line.partition(": ")
            fields[key.lower()] = value
        return fields


@pytest.fixture
async def manager() -> AsyncIterator[FakeManager]:
    fake = FakeManager()
    await fake.start()
    yield fake
    await fake.stop()


async def look(manager: FakeManager, secret: str = "sesame") -> list[Finding]:
    return [finding async for finding in ami_findings("127.0.0.1", manager.port, "orderline", secret)]


async def test_a_user_with_the_least_rights_is_ok(manager: FakeManager) -> None:
    assert [finding.verdict for finding in await look(manager)] == ["ok", "ok"]


async def test_a_wrong_secret_points_at_both_places(manager: FakeManager) -> None:
    (finding,) = await look(manager, "other")
    assert finding.verdict == "failed"
    assert "manager.conf" in finding.fix
    assert "ami.secret_file" in finding.fix


async def test_a_user_who_may_run_commands_has_too_many_rights(manager: FakeManager) -> None:
    manager.refused = set()
    assert [finding.verdict for finding in await look(manager)] == ["ok", "warning"]


async def test_a_user_who_may_not_ask_for_queues_has_too_few(manager: FakeManager) -> None:
    manager.refused = {"queuesummary"}
    assert [finding.verdict for finding in await look(manager)] == ["ok", "failed"]


async def test_nobody_listening_is_told_with_the_setting(manager: FakeManager) -> None:
    await manager.stop()
    (finding,) = await look(manager)
    assert "ami.port" in finding.fix
