"""Creates the ticket of a hand-over, with nothing in it that may not be kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agent.call.operations import CREATE_TICKET
from agent.call.ports import Services
from agent.call.records import CallRecord
from agent.call.ticket_page import TicketReason
from agent.common.service_error import ServiceError
from agent.dialog.contract import HandOverAction

log = logging.getLogger(__name__)

TICKET_DEADLINE_SECONDS = 2.0
"""The caller does not wait longer for a ticket; without one the story still travels with the call."""


class HandoverTicket:
    """The ticket of one call's hand-over; asked for twice, it is still one ticket."""

    def __init__(
        self,
        services: Services,
        record: CallRecord,
        redact: Callable[[str, str], str],
        page: Callable[[TicketReason], str] = lambda why: "",
    ) -> None:
        """``redact(text, slot)`` takes out what no ticket may hold: card numbers, the second fact of a verification.

        ``record`` is the call's, as it grows; ``page`` writes the ticket's page
        (:func:`agent.call.ticket_page.ticket_page`).
        """
        self._services = services
        self._record = record
        self._redact = redact
        self._page = page

    def redacted(self, handover: HandOverAction) -> HandOverAction:
        """The hand-over as ticket, record, feed and staff phones may have it: its summary quotes the caller."""
        summary = handover.summary
        for turn in self._record.turns:
            if turn.heard:
                summary = summary.replace(f'"{turn.heard}"', f'"{self._redact(turn.heard, turn.slot)}"')
        return replace(handover, summary=self._redact(summary, ""))

    async def create(self, handover: HandOverAction, seconds: float = TICKET_DEADLINE_SECONDS) -> str:
        """Create the ticket and return its id, ``""`` when the ticket system does not answer within ``seconds``."""
        record = self._record
        arguments: dict[str, Any] = {
            "reason": handover.reason,
            "summary": self._redact(handover.summary, ""),
            "caller": record.caller.number,
            "priority": handover.priority,
            "page": self._page(TicketReason(handover.reason, handover.summary, handover.priority)),
            "transcript": [
                {"agent": self._redact(turn.agent, ""), "caller": self._redact(turn.heard, turn.slot)}
                for turn in record.turns
            ],
            **handover.facts,
        }
        try:
            async with asyncio.timeout(seconds):
                answer = await self._services.perform(CREATE_TICKET, arguments, f"{record.id}:handover")
        except (ServiceError, TimeoutError) as error:
            log.warning("Call %s goes to the staff without a ticket: %s", record.id, error or "too slow")
            return ""
        ticket = answer.get("ticket", {})
        return str(ticket.get("id", "")) if isinstance(ticket, Mapping) else ""
