"""Builds what calls customers: the way out, the dialler, what calls ask of it, and what it asks of the shop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.app.outbound_calls import SpeechOfMessage, information_message
from agent.app.queue_factory import manager_address
from agent.asterisk.ami_database import AsteriskDatabase
from agent.asterisk.ari.client import AriClient
from agent.asterisk.outbound_calls import APP_SUFFIX, DIAL_EVENT_TYPES, AsteriskTrunk, TrunkOptions
from agent.call.ports import Services
from agent.call.queue_status import StaffQueues
from agent.common.service_error import ServiceError
from agent.common.tasks import cancel_and_wait, report_failure
from agent.config.base import SettingsError
from agent.config.settings import Settings
from agent.outbound.clock import SystemClock
from agent.outbound.dialler import Dialler
from agent.outbound.model import Attempt, GivenAnswer, Job, SuppressionScope
from agent.outbound.ports import OrderNow, OrderUnreadable, StaffRoom
from agent.outbound.results import CallResults
from agent.outbound.store import OutboundStore

log = logging.getLogger(__name__)

ORDER_SECONDS = 4.0
"""For the order system to say how an order stands; later the job is not dialled now."""
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
    queues: StaffQueues | None,
    message: SpeechOfMessage,
    stack: contextlib.AsyncExitStack,
) -> OutboundParts:
    """Open the file of jobs; where customers are called, build the way to them. Raises what the settings raise."""
    store = OutboundStore(settings.state_directory)
    stack.push_async_callback(store.close)
    outbound, clock, observer = settings.outbound, SystemClock(), LoggedJobs()
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
    options = TrunkOptions(outbound.trunk, outbound.endpoint, context=outbound.context, message_file=file)
    trunk = AsteriskTrunk(ari, options, AsteriskDatabase(manager))
    dialler = Dialler(
        store,
        trunk,
        ShopOrders(services),
        QueueRoom(queues),
        observer,
        outbound.dialler_settings(),
        outbound.call_hours,
        clock,
    )
    return OutboundParts(CallResults(store, observer, rules, clock, dialler), dialler, trunk)


class LoggedJobs:
    """Implements :class:`agent.outbound.ports.JobObserver` in the log."""

    async def attempt_ended(self, job: Job, attempt: Attempt, answers: Sequence[GivenAnswer]) -> None:
        """Log how an attempt went, without the number."""
        outcome = attempt.outcome or (attempt.end.value if attempt.end else "")
        log.info("Attempt %s for %s: %s (%d answer(s))", attempt.id, job.key, outcome, len(answers))

    async def job_over(self, job: Job) -> None:
        """Log what became of a job."""
        log.info("Job %s is %s: %s", job.key, job.state, job.reason)

    async def suppressed(self, number: str, scope: SuppressionScope, source: str, at: datetime) -> None:
        """Log that a number is not called any more, without the number."""
        log.info("A number is not called any more (%s), by %s", scope, source)

    async def alarm(self, text: str) -> None:
        """Log it as an error."""
        log.error("Calls to customers: %s", text)


class ShopOrders:
    """Implements :class:`agent.outbound.ports.OrderLookup` with the shop's order system."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def order_now(self, job: Job) -> OrderNow:
        """Ask for the order; a job without one (a promised call) has nothing that could drop it."""
        number = job.facts.order_number
        if not number:
            return OrderNow()
        try:
            async with asyncio.timeout(ORDER_SECONDS):
                found = await self._services.perform("orders.find", {"number": number}, "")
        except (ServiceError, TimeoutError) as error:
            raise OrderUnreadable(f"order of {job.key}: {error or 'too slow'}") from error
        order = found.get("order")
        if not isinstance(order, Mapping):
            raise OrderUnreadable(f"order of {job.key}: the answer holds none")
        return order_as_it_stands(order)


def order_as_it_stands(order: Mapping[str, Any]) -> OrderNow:
    """Return what an order's status says against a call about it."""
    status = str(order.get("status") or "")
    return OrderNow(
        cancelled=status == "cancelled",
        returned=status == "returned",
        refunded=status == "refunded",
    )


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
