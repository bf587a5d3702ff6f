"""Locks between processes that end with their process: ``flock`` on an open file or directory.

Not the package filelock: it locks a file of its own only, whereas the spool locks the file it works on and a rehearsal
its directory; and its waiting from the event loop polls as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import Callable
from typing import IO

File = int | IO[str] | IO[bytes]
"""An open file or its descriptor; the lock ends when it is closed."""


def lock(file: File) -> None:
    """Lock, and wait as long as another process holds it; this blocks the thread. Raises ``OSError``."""
    fcntl.flock(file, fcntl.LOCK_EX)


def try_lock(file: File) -> bool:
    """Lock unless another process holds it; True when this one has it now. Raises ``OSError``."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def wait_for_lock(
    file: File, poll_seconds: float, on_busy: Callable[[], object], stopping: asyncio.Event | None = None
) -> bool:
    """Lock from the event loop, looking every ``poll_seconds``; False when ``stopping`` was set meanwhile.

    ``on_busy`` is called once when another process holds the lock. Raises ``OSError``.
    """
    stopped = stopping or asyncio.Event()
    told = False
    while not stopped.is_set():
        if try_lock(file):
            return True
        if not told:
            on_busy()
            told = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(poll_seconds):  # flock has no event to wait for without blocking the loop
                await stopped.wait()
    return False
