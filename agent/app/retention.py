"""Deletes what is older than the shop keeps it, while the agent runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from agent.app.copies_factory import calls_file, other_copies, retention_days
from agent.config.settings import Settings
from agent.records.erasure import expire

log = logging.getLogger(__name__)

HOURS = 6.0
"""Between two looks."""


async def run_retention(settings: Settings, stopping: asyncio.Event) -> None:
    """Delete at once and every few hours, until ``stopping`` is set; on a thread, in small transactions."""
    days = retention_days(settings)
    if not any(days.values()):
        return
    while not stopping.is_set():
        places = [calls_file(settings, stopping.is_set), *other_copies(settings)]
        done = await asyncio.to_thread(expire, days, places, dry_run=False)
        for removal in done.removals:
            if removal.count:
                log.info("Too old: %d %s of %s are deleted", removal.count, removal.what, removal.place)
        for failure in done.failed:
            log.warning("What is too old could not be deleted: %s", failure)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HOURS * 3600):
                await stopping.wait()
