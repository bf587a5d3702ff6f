"""Ends what runs from a terminal in order, whoever ends it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable


async def cancelled_by_sigterm(work: Awaitable[int]) -> int:
    """Let SIGTERM end the work the way Ctrl-C does: everything started is stopped, nothing is left half-done."""
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 130
