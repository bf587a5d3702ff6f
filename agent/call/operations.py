"""The operations of one call on the business systems: performs, logs and writes them into the ticket page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agent.call.outbound_record import note_operation
from agent.call.ports import Services
from agent.call.records import CallOrigin, CallRecord, OperationFact
from agent.call.ticket_page import PerformedOperation, TicketPageFacts, TicketReason, ticket_page
from agent.common.service_error import ServiceError
from agent.dialog.contract import ConversationSummary, Effect, EffectFailed, EffectSucceeded
from agent.dialog.kept_facts import kept_facts

CREATE_TICKET = "tickets.create"


class NotedOperation(NamedTuple):
    """What was noted of an operation that is over."""

    code: str
    """``ok``, or why it failed."""
    reason: str
    facts: Mapping[str, Any]
    """What may be kept of it, by name."""


class CallOperations:
    """The acts of one call."""

    def __init__(
        self,
        services: Services,
        record: CallRecord,
        story: Callable[[], ConversationSummary],
        known_as: Callable[[], str],
        redact: Callable[[str, str], str],
    ) -> None:
        """``record`` is the call's, as it grows; ``known_as`` what the shop knows the calling number as by now."""
        self._services = services
        self._record = record
        self._story = story
        self._known_as = known_as
        self._redact = redact
        self._acts: list[PerformedOperation] = []

    async def perform(self, effect: Effect) -> EffectSucceeded | EffectFailed:
        """Do one effect within its deadline."""
        try:
            async with asyncio.timeout(effect.deadline_seconds):
                arguments = self._with_page(effect.arguments) if effect.name == CREATE_TICKET else effect.arguments
                return EffectSucceeded(
                    effect.id, await self._services.perform(effect.name, arguments, self._key(effect))
                )
        except ServiceError as error:
            return EffectFailed(effect.id, error.code, error.message, error.reason)
        except TimeoutError:
            return EffectFailed(effect.id, "timed_out", f"{effect.name} took longer than {effect.deadline_seconds:g} s")

    def note(
        self, effect: Effect, result: EffectSucceeded | EffectFailed, milliseconds: float, at_seconds: float = 0.0
    ) -> NotedOperation:
        """Write an effect that is over, and what may be kept of it, into the record.

        ``at_seconds`` is the time since the answer.
        """
        if isinstance(result, EffectFailed):
            act = PerformedOperation(effect.name, effect.arguments, result.code, result.reason)
        else:
            act = PerformedOperation(effect.name, effect.arguments, "ok", result=result.result)
        self._acts.append(act)
        key = self._key(effect)
        noted = {"name": effect.name, "code": act.code, "ms": milliseconds, "key": key, "at_seconds": at_seconds}
        self._record.effects.append({**noted, "reason": act.reason} if act.reason else noted)
        note_operation(self._record, effect, result)
        facts = dict(kept_facts(effect.keeps, effect.arguments, act.result or {}))
        self._record.facts += [
            OperationFact(effect.name, name, value, at_seconds, act.code) for name, value in facts.items()
        ]
        return NotedOperation(act.code, act.reason, facts)

    def page(self, why: TicketReason) -> str:
        """Return the page of a ticket written now."""
        record = self._record
        call = TicketPageFacts(
            record.caller, self._known_as(), record.started_at, self._story(), tuple(self._acts), tuple(record.turns),
            tuple(record.intents), tuple(record.trail), record.edition,
            CallOrigin(record.direction, record.purpose, record.job),
        )  # fmt: skip
        return ticket_page(call, why, self._redact)

    def _key(self, effect: Effect) -> str:
        return effect.key or f"{self._record.id}:{effect.id}"

    def _with_page(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A ticket that a flow writes brings the call's story along, like one of a hand-over."""
        priority = given.get("priority")
        why = TicketReason(
            str(given.get("reason", "")),
            str(given.get("summary", "")),
            priority if isinstance(priority, int) else 0,
        )
        return {**given, "page": self.page(why)}
