"""Builds the staff queues from the settings, the manager interface and the whisper voice."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from agent.asterisk.ami_queues import AmiQueueStatistics, ManagerAddress
from agent.call.ports import Voice
from agent.call.queue_rules import QueueRules, QueueState
from agent.call.queue_status import QueueDefinition, QueueStatistics, StaffQueues
from agent.call.whisper import WHISPER_PROMPT, WhisperFiles
from agent.config.base import SettingsError
from agent.config.queues import QueueSettings
from agent.config.settings import Settings
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.preflight.finding import Finding

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 2.0
_POLL_SECONDS = 0.05


class NoQueueStatistics:
    """Implements :class:`agent.call.queue_status.QueueStatistics` where no manager interface is set."""

    async def state(self, name: str) -> QueueState | None:
        """Return None: nobody knows."""
        return None


async def open_staff_queues(
    settings: Settings,
    wall: Callable[[], datetime],
    pack: Callable[[], FlowPack],
    render: Renderer,
    voice: Voice,
    stack: contextlib.AsyncExitStack,
) -> StaffQueues | None:
    """Return the desk, None where no queue is set. Raises SettingsError."""

    def whispered(values: Mapping[str, Any]) -> str:
        edition = pack()
        prompt = edition.contents.prompts.get(WHISPER_PROMPT)
        known = {"now": wall(), "shop": settings.shop.name, **values}
        return render(prompt, known, edition.language) if isinstance(prompt, str) else ""

    if not settings.queues:
        return None
    zone = wall().tzinfo
    if zone is None:
        raise SettingsError("The shop's clock has no time zone.")
    plans = {name: queue_definition(name, queue, zone) for name, queue in settings.queues.items()}
    figures: QueueStatistics = NoQueueStatistics()
    if address := manager_address(settings):
        asking = AmiQueueStatistics(address)
        asking.start()
        stack.push_async_callback(asking.close)
        figures = asking
    return StaffQueues(plans, figures, WhisperFiles(settings.state_directory / "whispers", whispered, voice), wall)


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


async def queue_findings(settings: Settings) -> AsyncIterator[Finding]:
    """Say for ``orderline check`` how the queues stand, as the agent will ask for it."""
    what = "manager interface"
    try:
        address = manager_address(settings)
    except SettingsError as error:
        yield Finding(what, "failed", error.message, "name the secret of [orderline] in manager.conf")
        return
    if address is None:
        return
    figures = AmiQueueStatistics(address, deadline_seconds=_CONNECT_SECONDS)
    figures.start()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CONNECT_SECONDS):
                while not figures.connected:  # noqa: ASYNC110 - a thread's state
                    await asyncio.sleep(_POLL_SECONDS)
        if not figures.connected:
            where = f"{address.host}:{address.port}"
            fix = "compare manager.conf with ami: in orderline.yaml, then: asterisk -rx 'manager reload'"
            yield Finding(what, "failed", f"{where} does not answer, or refuses {address.user}", fix)
            return
        for name in settings.queues:
            state = await figures.state(name)
            if state is None:
                fix = f"add [{name}] to queues.conf or take it out of queues:, then: asterisk -rx 'queue reload all'"
                yield Finding("queue now", "failed", f"Asterisk has no queue {name}", fix)
            elif state.logged_in == 0:
                yield Finding(
                    "queue now",
                    "warning",
                    f"{name}: nobody is logged in",
                    "let people log in; outside your hours it is fine",
                )
            else:
                yield Finding("queue now", "ok", f"{name}: {state.logged_in} logged in, {state.callers} waiting")
    finally:
        await figures.close()
