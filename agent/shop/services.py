"""The business systems behind one door: named operations with JSON-like arguments, for the call to perform."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from agent.call.errors import ServiceError
from agent.shop import normalise
from agent.shop.models import Order, TicketDraft, customer_data, order_data, ticket_data
from agent.shop.protocols import Customers, Orders, Tickets

log = logging.getLogger(__name__)

VERIFY_FLOOR_SECONDS = 0.25
"""A refused verification never answers sooner, so that its delay does not tell why it was refused."""

MAX_ORDERS = 10
MAX_PRIORITY = 100
MAX_NUMBER_CHARS = 40
MAX_SUMMARY_CHARS = 4000
MAX_TRANSCRIPT_LINES = 1000

_NOWHERE = "no postcode"
"""Compared with when there is no order, so that both refusals do the same work."""


class ShopServices:
    """Implements :class:`agent.call.protocols.Services` over the shop's Protocols.

    ======================  ============================================  =============================
    name                    arguments                                     result
    ======================  ============================================  =============================
    orders.verify           number, postcode                              {"order": {...}}
    orders.find             number                                        {"order": {...}}
    orders.find_by_phone    phone, optionally postcode                    {"orders": [{...}, ...]}
    customers.by_phone      phone                                         {"customer": {...}}
    tickets.create          reason, summary and those of ``TicketDraft``  {"ticket": {"id": ...}}
    ======================  ============================================  =============================

    ``orders.verify`` (and ``orders.find_by_phone``) fails with one and the same ``not_found`` whether the order does
    not exist or the postcode is another one, after the same work and not before ``VERIFY_FLOOR_SECONDS``.
    ``orders.find`` proves nothing: what a flow may say after it is the flow's business.
    """

    def __init__(
        self,
        orders: Orders,
        customers: Customers,
        tickets: Tickets,
        *,
        region: str = "US",
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._orders = orders
        self._customers = customers
        self._tickets = tickets
        self._region = region
        self._pause = pause
        self._clock = clock
        self._operations: Mapping[str, Callable[[Mapping[str, Any], str], Awaitable[dict[str, Any]]]] = {
            "orders.verify": self._verify,
            "orders.find": self._find,
            "orders.find_by_phone": self._find_by_phone,
            "customers.by_phone": self._customer,
            "tickets.create": self._ticket,
        }

    @property
    def names(self) -> tuple[str, ...]:
        """The operations there are, for linters of flows."""
        return tuple(self._operations)

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one named operation; see the class for names, arguments and results.

        Raises ``ServiceError``: what the systems raise, and ``bad_request`` for an unknown name or bad arguments.
        """
        operation = self._operations.get(name)
        if operation is None:
            raise ServiceError("bad_request", f"there is no service {name!r}; there are: {', '.join(self.names)}")
        return await operation(arguments, key)

    async def _verify(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        started = self._clock()
        number = self._number(arguments)
        postcode = _text(arguments, "postcode", MAX_NUMBER_CHARS)
        order: Order | None
        try:
            order = await self._orders.find(number)
        except ServiceError as error:
            if error.code != "not_found":
                raise
            order = None
        matches = normalise.same_postcode(postcode, _NOWHERE if order is None else order.postcode)
        if order is None or not matches:
            await self._wait_until(started + VERIFY_FLOOR_SECONDS)
            raise ServiceError("not_found", "no order has this number and this postcode")
        return {"order": order_data(order)}

    async def _find(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        return {"order": order_data(await self._orders.find(self._number(arguments)))}

    async def _find_by_phone(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        started = self._clock()
        postcode = _text(arguments, "postcode", MAX_NUMBER_CHARS) if "postcode" in arguments else None
        orders: Sequence[Order] = await self._orders.find_by_phone(self._phone(arguments))
        if postcode is not None:
            orders = [order for order in orders if normalise.same_postcode(postcode, order.postcode)]
        if not orders:
            await self._wait_until(started + VERIFY_FLOOR_SECONDS)
            raise ServiceError("not_found", "no order was placed with what the caller gave")
        return {"orders": [order_data(order) for order in orders[:MAX_ORDERS]]}

    async def _customer(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        return {"customer": customer_data(await self._customers.by_phone(self._phone(arguments)))}

    async def _ticket(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        if not key:
            raise ServiceError("bad_request", "tickets.create needs an idempotency key")
        draft = ticket_draft(arguments)
        ticket = await self._tickets.create(draft, key)
        log.info("ticket %s: %s", ticket.id, ticket.draft.reason)
        return {"ticket": ticket_data(ticket)}

    async def _wait_until(self, moment: float) -> None:
        await self._pause(max(0.0, moment - self._clock()))

    def _number(self, arguments: Mapping[str, Any]) -> str:
        number = normalise.order_number(_text(arguments, "number", MAX_NUMBER_CHARS))
        if not number:
            raise ServiceError("bad_request", "argument 'number' holds neither letters nor digits")
        return number

    def _phone(self, arguments: Mapping[str, Any]) -> str:
        phone = normalise.phone(_text(arguments, "phone", MAX_NUMBER_CHARS), self._region)
        if not phone:
            # An anonymous or internal caller id is an everyday thing, not a mistake in a flow.
            raise ServiceError("not_found", "this cannot be a phone number, so nothing is known about it")
        return phone


def ticket_draft(arguments: Mapping[str, Any]) -> TicketDraft:
    """Build a draft from a flow's arguments; what it has no field for goes into ``facts``.

    Raises ``ServiceError`` with code ``bad_request`` when a field is missing or of the wrong type.
    """
    priority = arguments.get("priority", 0)
    verified = arguments.get("verified", False)
    if not isinstance(priority, int) or isinstance(priority, bool) or not 0 <= priority <= MAX_PRIORITY:
        raise ServiceError("bad_request", f"argument 'priority' must be a whole number from 0 to {MAX_PRIORITY}")
    if not isinstance(verified, bool):
        raise ServiceError("bad_request", "argument 'verified' must be true or false")
    known = {"reason", "summary", "caller", "order_number", "verified", "priority", "transcript", "facts"}
    facts = arguments.get("facts") or {}
    if not isinstance(facts, Mapping):
        raise ServiceError("bad_request", "argument 'facts' must be a mapping")
    return TicketDraft(
        reason=_text(arguments, "reason", 100),
        summary=_text(arguments, "summary", MAX_SUMMARY_CHARS, cut=True),
        caller=_text(arguments, "caller", 200, optional=True),
        order_number=_text(arguments, "order_number", MAX_NUMBER_CHARS, optional=True),
        verified=verified,
        priority=priority,
        transcript=_lines(arguments.get("transcript")),
        facts={**facts, **{name: value for name, value in arguments.items() if name not in known}},
    )


def _text(arguments: Mapping[str, Any], name: str, max_chars: int, *, optional: bool = False, cut: bool = False) -> str:
    value = arguments.get(name)
    if value is None and optional:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ServiceError("bad_request", f"argument {name!r} must be text, got {type(value).__name__}")
    # Half characters (lone surrogates, from badly decoded caller names) fit into no database.
    value = value.encode("utf-8", "replace").decode("utf-8").strip()
    if not value and not optional:
        raise ServiceError("bad_request", f"argument {name!r} is empty")
    if len(value) > max_chars and not cut:
        raise ServiceError("bad_request", f"argument {name!r} is longer than {max_chars} characters")
    return value[:max_chars]


def _lines(transcript: object) -> tuple[str, ...]:
    if transcript is None:
        return ()
    if isinstance(transcript, str):
        lines: list[object] = list(transcript.splitlines())
    elif isinstance(transcript, Sequence):
        lines = list(transcript)
    else:
        raise ServiceError("bad_request", "argument 'transcript' must be text or a list of lines")
    return tuple(str(line)[:MAX_SUMMARY_CHARS] for line in lines[-MAX_TRANSCRIPT_LINES:])
