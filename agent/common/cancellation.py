"""Works around bpo-86296: raises a cancellation that ``asyncio.wait_for`` of Python 3.11 has swallowed.

``asyncio.wait_for`` of Python 3.11 returns as if nothing had happened when the cancellation comes in the very moment
its work is done (https://github.com/python/cpython/issues/86296, put right in 3.12), and redis-py sends commands
through it. Whoever waits for such a loop's end would wait for ever.
"""

from __future__ import annotations

import asyncio


def cancellation_count() -> int:
    """Return how often the running task was asked to end."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def raise_if_cancelled(known: int = 0) -> None:
    """Raise CancelledError when the running task was asked to end more often than ``known`` and goes on."""
    if cancellation_count() > known:
        raise asyncio.CancelledError
