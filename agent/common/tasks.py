"""Ends asyncio tasks, and tells when one has failed."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger(__name__)


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until all have ended; whatever they end with is dropped. Tasks that have ended do no harm.

    A caller who is cancelled meanwhile still waits for them, and is then told by CancelledError.
    """
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def report_failure(task: asyncio.Task[Any]) -> None:
    """Log what ended a task that should run as long as the agent does: a callback for ``Task.add_done_callback``."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has failed and does not run any more until a restart", task.get_name(), exc_info=error)
