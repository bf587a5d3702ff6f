"""Calls that are with people are remembered for a while."""

from __future__ import annotations

from pathlib import Path

from agent.records.come_backs import ComeBackStore


async def test_the_last_conversation_of_a_channel_outlasts_the_program_but_not_its_time(tmp_path: Path) -> None:
    now = [1000.0]
    store = ComeBackStore(tmp_path / "c.sqlite", 900, lambda: now[0])
    await store.keep("a", {"state": {"n": 1}})
    await store.keep("a", {"state": {"n": 2}})
    await store.close()
    again = ComeBackStore(tmp_path / "c.sqlite", 900, lambda: now[0])
    assert await again.take("a") == {"state": {"n": 2}}
    assert await again.take("b") is None
    now[0] += 901
    assert await again.take("a") is None
    await again.close()
    assert (tmp_path / "c.sqlite").stat().st_mode & 0o077 == 0


async def test_a_file_that_cannot_be_used_costs_the_memory_and_not_the_call(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_bytes(b"this is no database, but long enough to be looked at" * 40)
    store = ComeBackStore(tmp_path / "c.sqlite", 900)
    await store.keep("a", {})
    assert await store.take("a") is None
    await store.close()
