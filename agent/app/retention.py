"""Deletes what is older than the shop keeps it, while the agent runs."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Mapping

from agent.config.settings import Settings
from agent.records.copies import Kind
from agent.records.erasure import expire

log = logging.getLogger(__name__)

HOURS = 6.0
"""Between two looks."""


def retention_days(settings: Settings) -> Mapping[Kind, int]:
    """Return how many days each kind is kept; 0: for ever. What a record loses before it goes comes first."""
    retention = settings.retention
    return {
        "sound": retention.sound_days,
        "words": retention.words_days,
        "notes": retention.notes_days,
        "record": retention.record_days,
    }


async def run_retention(settings: Settings, stopping: asyncio.Event) -> None:
    """Delete at once and every few hours, until ``stopping`` is set; on a thread, in small transactions."""
    days = retention_days(settings)
    if not any(days.values()):
        return
    # SQLAlchemy: a second of work that no call waits for
    copies = await asyncio.to_thread(importlib.import_module, "agent.app.copies_factory")
    while not stopping.is_set():
        places = [copies.calls_file(settings, stopping.is_set), *copies.other_copies(settings)]
        done = await asyncio.to_thread(expire, days, places, dry_run=False)
        for removal in done.removals:
            if removal.count:
                log.info("Too old: %d %s of %s are deleted", removal.count, removal.what, removal.place)
        for failure in done.failed:
            log.warning("What is too old could not be deleted: %s", failure)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HOURS * 3600):
                await stopping.wait()
