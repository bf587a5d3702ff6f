"""Ends asyncio tasks, tells when one has failed, waits for events, and works around bpo-86296.

bpo-86296: ``asyncio.wait_for`` of Python 3.11 returns as if nothing had happened when the cancellation comes in the
very moment its work is done (https://github.com/python/cpython/issues/86296, put right in 3.12), and redis-py sends
commands through it. Whoever waits for such a loop's end would wait for ever: such loops call
:func:`raise_if_cancelled`.
"""

from __future__ import annotations

import asyncio
import contextlib
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


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, so long at most; returns whether it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def report_failure(task: asyncio.Task[Any]) -> None:
    """Log what ended a task that should run as long as the agent does: a callback for ``Task.add_done_callback``."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has failed and does not run any more until a restart", task.get_name(), exc_info=error)


def cancellation_count() -> int:
    """Return how often the running task was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def raise_if_cancelled(known: int = 0) -> None:
    """Raise CancelledError when the running task was asked to end more often than ``known`` and goes on."""
    if cancellation_count() > known:
        raise asyncio.CancelledError
