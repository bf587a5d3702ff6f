"""DurableServices: notes each change in the outbox before it is tried, so that a killed agent loses none.

====================================== ===========================================================================
killed or cut off                      what happens then
====================================== ===========================================================================
before the note                        nothing was asked of any system; the caller is with the dialplan's queue
between note and call, or during it    it is done again with the same key: the system does it once
after the call, before the mark        the same; the system answers with its first confirmation
====================================== ===========================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.call.ports import Services
from agent.common.service_error import NOT_SENT_AGAIN, ServiceError
from agent.records.delivery import Deliverer, DeliveryFailed
from agent.records.outbox import Outbox
from agent.records.outbox_sql import NewOutboxEntry, OutboxEntry

KIND_OF_OPERATION = {"tickets.create": "ticket", "messages.send": "sms"}
"""Operations that the outbox goes on trying when a call could not finish them; every other change is an ``act``."""
OPERATION_LANES = ("ticket", "sms", "act")
DIRECT_ATTEMPT_SECONDS = 3.75
"""How long a call itself waits for a ticket or a text message: longer than a mapped system's own 3.5 s, which knows
whether it may be sent again, and shorter than the deadline of flows (4 s), so that the caller hears that it follows."""
_OUTCOME_NOT_AWAITED = ("surveys.answer",)
"""Changes whose outcome no caller wants to hear."""
_RETRYABLE_CODES = ("unavailable", "timed_out")
"""Failures after which the same request may succeed, or may have succeeded."""

EventsOfOperation = Callable[[str, str, Mapping[str, Any], Mapping[str, Any], str], Sequence[NewOutboxEntry]]
"""``announce(call_id, operation, arguments, result, key)``: what others must hear of something done."""


class DurableServices:
    """Implements :class:`agent.call.ports.Services` for one call: changes are noted in the outbox first.

    A ticket that the ticket system does not take now is safe in the outbox: its result is then
    ``{"ticket": {"id": "", "pending": True}}``. A text message raises all the same ("I have texted you" would not be
    true yet) with reason ``pending``, and is sent later.
    """

    def __init__(
        self, services: Services, outbox: Outbox, announce: EventsOfOperation, changes: frozenset[str], call_id: str
    ) -> None:
        """``changes`` names the operations that change something."""
        self._services = services
        self._outbox = outbox
        self._announce = announce
        self._changes = changes
        self._call_id = call_id

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one operation; see :class:`agent.call.ports.Services`."""
        if name not in self._changes or not key:
            return await self._services.perform(name, arguments, key)
        kind = KIND_OF_OPERATION.get(name, "act")
        await self._outbox.intend(
            NewOutboxEntry(kind, key, {"name": name, "arguments": dict(arguments)}, self._call_id)
        )
        try:
            async with asyncio.timeout(None if kind == "act" else DIRECT_ATTEMPT_SECONDS):
                result = await self._services.perform(name, arguments, key)
        except asyncio.CancelledError:
            # too slow, or the caller hung up. A change is decided with the record of the call: see settle_call
            if kind != "act":
                self._outbox.release_soon(key, "not finished during the call")
            raise
        except TimeoutError:
            slow = ServiceError("timed_out", f"{name}: no answer within {DIRECT_ATTEMPT_SECONDS:g} s", retryable=True)
            return await self._failed(kind, key, slow)
        except ServiceError as error:
            return await self._failed(kind, key, error)
        also = self._announce(self._call_id, name, arguments, result, key)
        await asyncio.shield(self._outbox.confirm(key, also))
        return result

    async def _failed(self, kind: str, key: str, error: ServiceError) -> Mapping[str, Any]:
        if kind == "act" or error.code not in _RETRYABLE_CODES:
            await self._outbox.abandon(key)
            raise error
        kept = await self._outbox.release(key, error.message)
        if error.reason == NOT_SENT_AGAIN:
            raise error  # it ends as a dead letter, where a person sees it: nobody may say that it follows
        if kept and kind == "ticket":
            return {"ticket": {"id": "", "pending": True}}
        raise ServiceError(error.code, error.message, retryable=error.retryable, reason="pending" if kept else "")


def operation_deliverer(services: Services, announce: EventsOfOperation) -> Deliverer:
    """Return what does tickets, text messages and other changes from the outbox."""

    async def deliver(entry: OutboxEntry) -> Sequence[NewOutboxEntry]:
        name, arguments = str(entry.payload["name"]), entry.payload["arguments"]
        try:
            result = await services.perform(name, arguments, entry.key)
        except ServiceError as error:
            final = error.code not in _RETRYABLE_CODES or error.reason == NOT_SENT_AGAIN
            raise DeliveryFailed(f"{error.code}: {error.message}", final=final) from error
        also = list(announce(entry.call_id, name, arguments, result, entry.key))
        if entry.kind == "act" and name not in _OUTCOME_NOT_AWAITED:
            also.append(_outcome_not_heard_ticket(entry, name, arguments, result))
        return also

    return deliver


def _outcome_not_heard_ticket(
    entry: OutboxEntry, name: str, arguments: Mapping[str, Any], result: Mapping[str, Any]
) -> NewOutboxEntry:
    """A ticket for something a caller asked for, and that was done after they had gone."""
    told = next((value for value in result.values() if isinstance(value, Mapping)), {})
    number = told.get("number") or told.get("confirmation") or ""
    order = str(arguments.get("number") or "")
    summary = (
        f"The call ended before the caller heard the outcome: {name} for order {order} was done"
        f"{f', number {number}' if number else ''}. Tell the customer."
    )
    draft = {
        "reason": "outcome_not_heard",
        "summary": summary,
        "order_number": order,
        "facts": {"call_id": entry.call_id},
    }
    return NewOutboxEntry(
        "ticket", f"{entry.key}:unheard", {"name": "tickets.create", "arguments": draft}, entry.call_id
    )
