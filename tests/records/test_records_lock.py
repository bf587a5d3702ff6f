"""One process at a time recovers lost calls and delivers from one file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.records.records_lock import records_lock
from tests.waiting import until


async def hold(file: Path, stopping: asyncio.Event, held: list[bool]) -> None:
    async with records_lock(file, stopping, poll_seconds=0.005) as ours:
        held.append(ours)


async def test_a_second_process_waits_for_the_end_of_the_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    file, stopping, held = tmp_path / "lock", asyncio.Event(), list[bool]()
    async with records_lock(file, asyncio.Event()) as ours:
        assert ours
        second = asyncio.create_task(hold(file, stopping, held))
        await until(lambda: "another process delivers" in caplog.text)
        assert held == []
    await second
    assert held == [True]


async def test_who_is_stopped_meanwhile_does_not_get_it(tmp_path: Path) -> None:
    file, stopping, held = tmp_path / "lock", asyncio.Event(), list[bool]()
    async with records_lock(file, asyncio.Event()):
        second = asyncio.create_task(hold(file, stopping, held))
        stopping.set()
        await second
    assert held == [False]
