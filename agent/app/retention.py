"""Deletes what is older than the shop keeps it, while the agent runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.config.settings import Settings
from agent.records.copies import Kind

if TYPE_CHECKING:
    from agent.records.erasure import Erasure

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
    while not stopping.is_set():
        done = await asyncio.to_thread(_delete, settings, days, stopping.is_set)
        for removal in done.removals:
            if removal.count:
                log.info("Too old: %d %s of %s are deleted", removal.count, removal.what, removal.place)
        for failure in done.failed:
            log.warning("What is too old could not be deleted: %s", failure)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HOURS * 3600):
                await stopping.wait()


def _delete(settings: Settings, days: Mapping[Kind, int], stopped: Callable[[], bool]) -> Erasure:
    from agent.app.copies_factory import calls_file, other_copies  # loads SQLAlchemy: no start waits for it
    from agent.records.erasure import expire

    return expire(days, [calls_file(settings, stopped), *other_copies(settings)], dry_run=False)
