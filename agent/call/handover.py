"""Executes the hand-over of one call to a staff queue, normal or in an emergency."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from agent.call.operations import CallOperations
from agent.call.ports import CallerLine, Services
from agent.call.queue_status import StaffQueues
from agent.call.records import CallRecord
from agent.call.ticketing import HandOverPreparer
from agent.dialog.contract import HandOver
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

EMERGENCY_TICKET_SECONDS = 1.0
"""When something broke, or the agent is being stopped, the caller hears nothing: the ticket must not take longer."""


class CallHandOver:
    """Gives one call to people."""

    def __init__(
        self,
        line: CallerLine,
        services: Services,
        record: CallRecord,
        acting: CallOperations,
        redact: Callable[[str, str], str],
        notify: Callable[..., None],
        queues: StaffQueues | None = None,
    ) -> None:
        """``notify(event, **data)`` tells the observers; ``queues`` knows the people's queues, where they are set."""
        self._line = line
        self._record = record
        self._desk = HandOverPreparer(services, record.id, record.caller, redact, acting.page)
        self._notify = notify
        self._queues = queues

    async def give(self, handover: HandOver, said: Callable[[], Awaitable[None]]) -> None:
        """Write the ticket while ``said`` waits for the last word; then the caller leaves. Raises LineGone."""
        handover = self._desk.discreet(handover, self._record.turns)
        writing = asyncio.create_task(self._desk.ticket(handover, self._record.turns), name="handover-ticket")
        try:
            await said()
            ticket = await writing
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        await self._go(handover, ticket, hurried=False)

    async def hand_over_now(self, handover: HandOver, *, ticket: bool = True) -> bool:
        """Give the call away at once, without a word; False when that did not succeed."""
        handover = self._desk.discreet(handover, self._record.turns)
        ticket_id = ""
        if ticket:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EMERGENCY_TICKET_SECONDS):
                    ticket_id = await self._desk.ticket(handover, self._record.turns)
        try:
            await self._go(handover, ticket_id, hurried=True)
        except OrderlineError as error:
            log.warning("Call %s could not be given to people: %s", self._record.id, error)
            self._record.handover = None
            return False
        return True

    async def _go(self, handover: HandOver, ticket: str, *, hurried: bool) -> None:
        queues = self._queues
        told: dict[str, Any] = {
            "reason": handover.reason,
            "queue": queues.name(handover.queue) if queues is not None else handover.queue,
            "priority": handover.priority,
            "summary": handover.summary,
            "ticket": ticket,
            "facts": dict(handover.facts),
        }
        self._record.handover = told
        self._notify("handed_over", **told)
        variables = self._desk.variables(handover, ticket)
        if queues is not None:
            number = self._record.caller.number
            variables |= await queues.variables(handover, ticket, self._record.id, number, whisper=not hurried)
        await self._line.hand_over(variables, handover.reason)
