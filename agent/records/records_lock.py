"""Lets one process at a time recover lost calls and deliver from one ``calls.sqlite``."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
from collections.abc import AsyncIterator
from pathlib import Path

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


@contextlib.asynccontextmanager
async def records_lock(
    file: Path, stopping: asyncio.Event, *, poll_seconds: float = POLL_SECONDS
) -> AsyncIterator[bool]:
    """Wait until no other process has ``file`` locked, and hold it for the block; the system frees it at a death.

    Gives False, and does not hold it, when ``stopping`` was set meanwhile.
    """
    with file.open("w") as lock:
        told = False
        while not stopping.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    log.info("another process delivers from %s; waiting", file)
                    told = True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(poll_seconds):  # flock has no event to wait for
                        await stopping.wait()
            else:
                yield True
                return
        yield False
