"""One holder at a time: locks on open files, as two processes would take them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent.common.file_lock import try_lock, wait_for_lock


def test_a_second_holder_gets_the_lock_only_when_the_first_has_closed_its_file(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as second:
        with path.open("w") as first:
            assert try_lock(first)
            assert not try_lock(second)
        assert try_lock(second)


async def test_who_waits_is_told_once_and_gets_it_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    told = asyncio.Event()
    times_told = 0

    def tell() -> None:
        nonlocal times_told
        times_told += 1
        told.set()

    with path.open("w") as second:
        with path.open("w") as first:
            assert try_lock(first)
            waiting = asyncio.create_task(wait_for_lock(second, 0.01, tell))
            await told.wait()
            await asyncio.wait([waiting], timeout=0.05)
            assert not waiting.done()
        assert await waiting
        assert times_told == 1
        with path.open("w") as third:
            assert not try_lock(third)


async def test_who_gives_up_does_not_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as first, path.open("w") as second:
        assert try_lock(first)
        stop = asyncio.Event()
        assert not await wait_for_lock(second, 600, stop.set, stop)
