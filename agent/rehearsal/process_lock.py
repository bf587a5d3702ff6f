"""Lock file that lets one process work at a time; a second one waits."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

_POLL_SECONDS = 0.5


@contextlib.asynccontextmanager
async def process_lock(lock_path: Path, waiting: str, report: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the lock for the length of a ``with`` block; ``waiting`` is reported once when somebody else has it."""
    with lock_path.open("w") as lock:
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as problem:
                if problem.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
            if not told:
                report(waiting)
                told = True
            await asyncio.sleep(_POLL_SECONDS)  # flock has no event to wait for without blocking the loop
        yield
