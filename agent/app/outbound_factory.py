"""Builds what calls customers: the way out, the dialler, what calls ask of it, and what it asks of the shop."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from agent.app.outbound_calls import SpeechOfMessage, information_message
from agent.app.outbound_news import JobNews
from agent.app.outbound_orders import ShopOrders
from agent.app.outbox_factory import OutboxService
from agent.app.queue_factory import manager_address
from agent.asterisk.ami_database import AsteriskDatabase
from agent.asterisk.ari.client import AriClient
from agent.asterisk.outbound_calls import APP_SUFFIX, DIAL_EVENT_TYPES, AsteriskTrunk, TrunkOptions
from agent.call.ports import Services
from agent.call.queue_status import StaffQueues
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.base import SettingsError
from agent.config.settings import Settings
from agent.outbound.clock import SystemClock
from agent.outbound.dialler import Dialler
from agent.outbound.ports import StaffRoom
from agent.outbound.results import CallResults
from agent.outbound.store import OutboundStore

_OPEN = ("open", "too_long")
"""Standings of a queue with somebody in it: how long is too long for a call of ours is a setting of its own."""


@dataclass(frozen=True)
class OutboundParts:
    """What calls customers, and what calls tell of them."""

    results: CallResults
    dialler: Dialler | None
    """None where no customers are called from this node."""
    trunk: AsteriskTrunk | None

    @property
    def problem(self) -> str:
        """Why nobody can be called now, ``""`` when they can, or are not to be."""
        return self.trunk.problem if self.trunk is not None else ""

    async def start(self, stack: contextlib.AsyncExitStack) -> None:
        """Dial until ``stack`` is closed; call it when calls can be taken."""
        if self.dialler is None or self.trunk is None:
            return
        dialler, trunk = self.dialler, self.trunk
        stack.push_async_callback(trunk.close)
        await trunk.start(dialler.tracker)
        dialling = asyncio.create_task(dialler.run(), name="dialler")
        dialling.add_done_callback(report_failure)

        async def stop() -> None:
            dialler.stop()
            await cancel_and_wait(dialling)

        stack.push_async_callback(stop)


async def open_outbound(
    settings: Settings,
    services: Services,
    outbox: OutboxService,
    queues: StaffQueues | None,
    message: SpeechOfMessage,
    stack: contextlib.AsyncExitStack,
) -> OutboundParts:
    """Open the file of jobs; where customers are called, build the way to them. Raises what the settings raise."""
    store = OutboundStore(settings.shared_directory)
    stack.push_async_callback(store.close)
    outbound, clock = settings.outbound, SystemClock()
    observer = JobNews(outbox.announce_job, store)
    rules = outbound.rules()
    if not outbound.enabled:
        return OutboundParts(CallResults(store, observer, rules, clock, None), None, None)
    manager = manager_address(settings)
    if manager is None:
        raise SettingsError("outbound.enabled needs the manager interface (ami:): what was answered is noted there.")
    file = await information_message(settings, message)
    account = settings.ari.model_copy(update={"app": settings.ari.app + APP_SUFFIX})
    ari = AriClient.of(account, event_types=DIAL_EVENT_TYPES)
    ari.open()
    stack.push_async_callback(ari.close)
    options = TrunkOptions(
        outbound.trunk, outbound.endpoint, context=outbound.context, app=settings.ari.app, message_file=file
    )
    trunk = AsteriskTrunk(ari, options, AsteriskDatabase(manager))
    contacts = outbox.records.contacts_since if outbound.drop_when_called_in else None
    dialler = Dialler(
        store,
        trunk,
        ShopOrders(services, contacts, settings.shop.country),
        QueueRoom(queues),
        observer,
        outbound.dialler_settings(),
        outbound.call_hours,
        clock,
    )
    results = CallResults(store, observer, rules, clock, dialler, has_queue=queues is not None)
    return OutboundParts(results, dialler, trunk)


class QueueRoom:
    """Implements :class:`agent.outbound.ports.Staff` with the usual queue."""

    def __init__(self, queues: StaffQueues | None) -> None:
        self._queues = queues

    async def room(self) -> StaffRoom | None:
        """Return how the usual queue stands; None where no queues are set."""
        if self._queues is None:
            return None
        report = await self._queues.report("")
        waiting = (report.wait_minutes or 0) * 60.0
        return StaffRoom(report.standing in _OPEN, waiting)
