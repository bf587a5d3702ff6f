"""A running agent deletes what is older than the shop keeps it, and ends at once when it is stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.app.retention import run_retention
from agent.call.records import Caller, CallRecord
from agent.config.settings import Settings
from agent.records.call_store import CallStore
from tests.waiting import until


async def test_what_is_too_old_goes_when_the_agent_starts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    settings = Settings.model_validate({"state_directory": str(tmp_path), "retention": {"record_days": 1}})
    store = await CallStore.open(tmp_path / "calls.sqlite")
    await store.write(CallRecord("old", Caller("+12025550143"), "2020-01-01T00:00:00+00:00"))
    await store.write(CallRecord("new", Caller("+12025550143"), "2999-01-01T00:00:00+00:00"))
    stopping = asyncio.Event()
    running = asyncio.create_task(run_retention(settings, stopping))
    await until(lambda: "are deleted" in caplog.text)
    assert [record["id"] for record in await store.recent(9)] == ["new"]
    stopping.set()
    await asyncio.wait_for(running, 20)
    await store.close()


async def test_where_everything_is_kept_for_ever_nothing_runs(tmp_path: Path) -> None:
    retention = {"sound_days": 0}
    settings = Settings.model_validate({"state_directory": str(tmp_path), "retention": retention})
    await asyncio.wait_for(run_retention(settings, asyncio.Event()), 20)
