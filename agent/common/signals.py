"""Runs a command's work until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable


async def run_until_signal(work: Callable[[asyncio.Event], Awaitable[int | None]]) -> int:
    """Run ``work`` with an event that SIGINT and SIGTERM set; returns its exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await work(stop) or 0


async def cancelled_by_sigterm(work: Awaitable[int]) -> int:
    """Let SIGTERM end the work the way Ctrl-C does: everything started is stopped, nothing is left half-done."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 130
