"""The preflight of the manager interface: reached, logged in, and allowed no more than it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from agent.preflight.ami import ami_findings, rights_beyond
from agent.preflight.finding import Finding
from tests.asterisk.fake_manager import FakeManager


@pytest.fixture
async def manager() -> AsyncIterator[FakeManager]:
    async with FakeManager(secret="sesame", refused=("Command",)) as fake:
        yield fake


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
    manager.refused = ()
    assert [finding.verdict for finding in await look(manager)] == ["ok", "warning"]


async def test_a_user_who_may_not_ask_for_queues_has_too_few(manager: FakeManager) -> None:
    manager.refused = ("QueueSummary",)
    assert [finding.verdict for finding in await look(manager)] == ["ok", "failed"]


async def test_nobody_listening_is_told_with_the_setting(manager: FakeManager) -> None:
    await manager.__aexit__()
    (finding,) = await look(manager)
    assert "ami.port" in finding.fix


def test_the_rights_are_told_by_what_the_user_may_do() -> None:
    allowed = {
        "response": "Success",
        "queuesummary": "Show queue summary.  (Priv: <none>)",
        "getvar": "Gets a channel variable.  (Priv: call,reporting,all)",
        "originate": "Originate a call.  (Priv: originate,all)",
        "hangup": "Hangup channel.  (Priv: system,call,all)",
    }
    assert rights_beyond(allowed) == {"originate", "call or system"}
    assert rights_beyond({**allowed, "atxfer": "Attended transfer.  (Priv: call,all)"}) == {"originate", "call"}
    assert rights_beyond({name: text for name, text in allowed.items() if name in ("queuesummary", "getvar")}) == set()
