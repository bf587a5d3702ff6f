"""Prepares a hand-over: writes the ticket and the channel variables for the staff member's screen."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent.call.ports import Services
from agent.call.records import Caller, TurnRecord
from agent.call.ticket_page import TicketReason
from agent.common.service_error import ServiceError
from agent.dialog.contract import HandOver

log = logging.getLogger(__name__)

TICKET_DEADLINE_SECONDS = 2.0
"""The caller does not wait longer for a ticket; without one the story still travels with the call."""
_SUMMARY_CHARACTERS = 240


class HandOverPreparer:
    """Prepares one hand-over."""

    def __init__(
        self,
        services: Services,
        call_id: str,
        caller: Caller,
        redact: Callable[[str, str], str],
        page: Callable[[TicketReason], str] = lambda why: "",
    ) -> None:
        """``redact(text, slot)`` takes out what no ticket may hold: card numbers, the second fact of a verification.

        ``page`` writes a ticket's page (:func:`agent.call.ticket_page.ticket_page`).
        """
        self._services = services
        self._page = page
        self._redact = redact
        self._call_id = call_id
        self._caller = caller

    def discreet(self, handover: HandOver, turns: Sequence[TurnRecord]) -> HandOver:
        """The hand-over as ticket, record, feed and the person's phone may have it: its summary quotes the caller."""
        summary = handover.summary
        for turn in turns:
            if turn.heard:
                summary = summary.replace(f'"{turn.heard}"', f'"{self._redact(turn.heard, turn.slot)}"')
        return replace(handover, summary=self._redact(summary, ""))

    async def ticket(self, handover: HandOver, turns: Sequence[TurnRecord]) -> str:
        """Create the ticket and return its id, ``""`` when the ticket system does not answer in time."""
        arguments: dict[str, Any] = {
            "reason": handover.reason,
            "summary": self._redact(handover.summary, ""),
            "caller": self._caller.number,
            "priority": handover.priority,
            "page": self._page(TicketReason(handover.reason, handover.summary, handover.priority)),
            "transcript": [
                {"agent": self._redact(turn.agent, ""), "caller": self._redact(turn.heard, turn.slot)} for turn in turns
            ],
            **handover.facts,
        }
        try:
            async with asyncio.timeout(TICKET_DEADLINE_SECONDS):
                answer = await self._services.perform("tickets.create", arguments, f"{self._call_id}:handover")
        except (ServiceError, TimeoutError) as error:
            log.warning("Call %s goes to a person without a ticket: %s", self._call_id, error or "too slow")
            return ""
        ticket = answer.get("ticket", {})
        return str(ticket.get("id", "")) if isinstance(ticket, Mapping) else ""

    def variables(self, handover: HandOver, ticket_id: str) -> dict[str, str]:
        """The channel variables the dialplan's hand-over context reads."""
        facts = handover.facts
        return {
            "ORDERLINE_TICKET": channel_variable_text(ticket_id, 40),
            "ORDERLINE_REASON": channel_variable_text(handover.reason, 40),
            "ORDERLINE_SUMMARY": channel_variable_text(handover.summary, _SUMMARY_CHARACTERS),
            "ORDERLINE_QUEUE": channel_variable_text(handover.queue, 40),
            "ORDERLINE_PRIORITY": str(handover.priority),
            "ORDERLINE_ORDER": channel_variable_text(str(facts.get("order_number") or ""), 40),
            "ORDERLINE_VERIFIED": "yes" if facts.get("verified") else "no",
        }


def channel_variable_text(text: str, length: int) -> str:
    """Text that may stand in a channel variable and a SIP header: one line, no quotes, no dialplan syntax."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w .,:;+@#()/'-]", " ", text)).strip()[:length]
