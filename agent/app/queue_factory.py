"""Builds the staff queues from the settings, the manager interface and the whisper voice."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from agent.asterisk.ami_queues import AmiQueueStatistics, CallerLeft, ManagerAddress
from agent.call.ports import Voice
from agent.call.queue_rules import QueueRules, QueueState
from agent.call.queue_status import QueueDefinition, QueueStatistics, StaffQueues
from agent.call.whisper import WHISPER_PROMPT, WhisperFiles
from agent.config.base import SettingsError
from agent.config.queues import QueueSettings
from agent.config.settings import Settings
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer

log = logging.getLogger(__name__)


class NoQueueStatistics:
    """Implements :class:`agent.call.queue_status.QueueStatistics` where no manager interface is set."""

    problem = ""

    async def state(self, name: str) -> QueueState | None:
        """Return None: nobody knows."""
        return None


class NoWhispers:
    """Implements :class:`agent.call.queue_status.WhisperSource` where there is no telephone."""

    async def make(self, call_id: str, values: Mapping[str, Any]) -> str:
        """Return ``""``: there is none."""
        return ""


def queues_by_rules(settings: Settings, wall: Callable[[], datetime]) -> StaffQueues | None:
    """Return the staff queues as far as their hours and holidays tell, without asking Asterisk; None where none is set.

    Raises SettingsError.
    """
    if not settings.queues:
        return None
    return StaffQueues(_plans(settings, wall), NoQueueStatistics(), NoWhispers(), wall)


async def open_staff_queues(
    settings: Settings,
    wall: Callable[[], datetime],
    pack: Callable[[], FlowPack],
    render: Renderer,
    voice: Voice,
    stack: contextlib.AsyncExitStack,
    on_left: CallerLeft,
) -> StaffQueues | None:
    """Return the staff queues, None where none is set; ``on_left`` hears of callers who leave one.

    Raises SettingsError.
    """

    def whispered(values: Mapping[str, Any]) -> str:
        edition = pack()
        prompt = edition.contents.prompts.get(WHISPER_PROMPT)
        known = {"now": wall(), "shop": settings.shop.name, **values}
        return render(prompt, known, edition.language) if isinstance(prompt, str) else ""

    if not settings.queues:
        return None
    plans = _plans(settings, wall)
    figures: QueueStatistics = NoQueueStatistics()
    if address := manager_address(settings):
        asking = AmiQueueStatistics(address, on_left=on_left)
        asking.start()
        stack.push_async_callback(asking.close)
        figures = asking
    return StaffQueues(plans, figures, WhisperFiles(settings.shared_directory / "whispers", whispered, voice), wall)


def _plans(settings: Settings, wall: Callable[[], datetime]) -> Mapping[str, QueueDefinition]:
    zone = wall().tzinfo
    if zone is None:
        raise SettingsError("The shop's clock has no time zone.")
    return {name: queue_definition(name, queue, zone) for name, queue in settings.queues.items()}


def manager_address(settings: Settings) -> ManagerAddress | None:
    """Return where Asterisk's manager interface is, None for none. Raises SettingsError without its secret."""
    ami = settings.ami
    return ManagerAddress(ami.host, ami.port, ami.user, ami.secret()) if ami.host else None


def queue_definition(name: str, queue: QueueSettings, zone: tzinfo) -> QueueDefinition:
    """Return a queue's plan. Raises SettingsError when its file of holidays cannot be used now.

    Later, when an edit of that file is wrong, the last good holidays stay in force.
    """
    try:
        last = [queue.rules(zone)]
    except (OSError, ValueError) as error:
        raise SettingsError(f"queues.{name}.holidays_file: {error}") from error

    def rules() -> QueueRules:
        try:
            last[0] = queue.rules(zone)
        except (OSError, ValueError) as error:
            log.error("queues.%s.holidays_file: %s; the holidays known before stay in force", name, error)
        return last[0]

    return QueueDefinition(rules, queue.screen_pop_url, queue.whisper)
