"""Lock file that lets one process work at a time; a second one waits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from agent.common.file_lock import wait_for_lock

_POLL_SECONDS = 0.5


@contextlib.asynccontextmanager
async def process_lock(lock_path: Path, waiting: str, report: Callable[[str], None]) -> AsyncIterator[None]:
    """Hold the lock for the length of a ``with`` block; ``waiting`` is reported once when somebody else has it."""
    with lock_path.open("w") as lock:
        await wait_for_lock(lock, _POLL_SECONDS, lambda: report(waiting))
        yield
