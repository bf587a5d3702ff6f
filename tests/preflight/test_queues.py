"""`orderline check` on the manager interface and the queues."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.settings import Settings
from agent.preflight.queues import queue_findings
from tests.asterisk.fake_manager import FakeManager


async def told(manager: FakeManager, directory: Path, secret: str = "the-secret") -> list[tuple[str, str, str]]:
    file = directory / "ami-secret"
    file.write_text(secret, encoding="utf-8")
    ami = {"host": "127.0.0.1", "port": manager.port, "secret_file": file}
    settings = Settings.model_validate({"ami": ami, "queues": {"humans": {}, "billing": {}}})
    return [(found.what, found.verdict, found.detail) async for found in queue_findings(settings)]


async def test_each_queue_is_looked_at(tmp_path: Path) -> None:
    queues = {"humans": {"LoggedIn": 2, "Available": 1, "Callers": 3}, "billing": {"LoggedIn": 0}}
    async with FakeManager(queues=queues) as manager:
        assert await told(manager, tmp_path) == [
            ("queue now", "ok", "humans: 2 logged in, 3 waiting"),
            ("queue now", "warning", "billing: nobody is logged in"),
        ]


async def test_a_queue_that_asterisk_does_not_have_has_failed(tmp_path: Path) -> None:
    async with FakeManager(queues={"humans": {"LoggedIn": 1}}) as manager:
        assert (await told(manager, tmp_path))[-1] == ("queue now", "failed", "Asterisk has no queue billing")


async def test_a_wrong_secret_has_failed(tmp_path: Path) -> None:
    async with FakeManager() as manager:
        ((what, verdict, detail),) = await told(manager, tmp_path, "wrong")
        assert (what, verdict) == ("manager interface", "failed")
        assert "refuses orderline" in detail


async def test_where_none_is_set_nothing_is_said_and_a_missing_secret_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERLINE_AMI_SECRET", raising=False)
    assert [found async for found in queue_findings(Settings())] == []
    settings = Settings.model_validate({"ami": {"host": "127.0.0.1"}})
    (found,) = [found async for found in queue_findings(settings)]
    assert found.verdict == "failed"
    assert "ami.secret_file" in found.detail
