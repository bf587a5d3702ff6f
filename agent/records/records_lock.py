"""Lets one process at a time recover lost calls and deliver from one ``calls.sqlite``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from agent.common.file_lock import wait_for_lock

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


@contextlib.asynccontextmanager
async def records_lock(
    file: Path, stopping: asyncio.Event, *, poll_seconds: float = POLL_SECONDS
) -> AsyncIterator[bool]:
    """Wait until no other process has ``file`` locked, and hold it for the block; the system frees it at a death.

    Gives False, and does not hold it, when ``stopping`` was set meanwhile.
    """

    def tell() -> None:
        log.info("another process delivers from %s; waiting", file)

    with file.open("w") as lock:
        yield await wait_for_lock(lock, poll_seconds, tell, stopping)
