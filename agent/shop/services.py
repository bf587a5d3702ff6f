"""ShopServices: every shop operation by name, with JSON-like arguments, for the call to perform."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import arguments as take
from agent.shop.customer_operations import MessageOperations, PromotionOperations
from agent.shop.models import TicketDraft, customer_data, order_data, ticket_data
from agent.shop.optional_lookups import optional_lookups
from agent.shop.order_change_operations import OrderChangeOperations
from agent.shop.policy import Policy
from agent.shop.protocols import AttemptLimits, Customers, Orders, ShopSystems, Tickets
from agent.shop.return_operations import ReturnOperations
from agent.shop.shipment_operations import ShipmentOperations
from agent.shop.surveys import survey_answer
from agent.shop.verification import VERIFY_FLOOR_SECONDS, VerificationOperations, phone_of

__all__ = ["CHANGES", "VERIFY_FLOOR_SECONDS", "ShopServices", "ticket_draft"]

log = logging.getLogger(__name__)

MAX_PRIORITY = 100
MAX_SUMMARY_CHARS = 4000
MAX_TRANSCRIPT_LINES = 1000
MAX_PAGE_CHARS = 60_000
MOST_NUMBERS = 8
"""Numbers of which one ``orders.existing`` may ask."""
NUMBERS_AT_ONCE = 2
"""Numbers that one ``orders.existing`` looks up at the same time."""
OperationHandler = Callable[[Mapping[str, Any], str], Awaitable[dict[str, Any]]]
CHANGES = frozenset(
    {
        *("shipments.change_address", "shipments.reschedule", "shipments.investigate", "returns.create"),
        *("messages.send", "tickets.create", "surveys.answer", "shipments.leave_note"),
        *("orders.cancel", "orders.remove_line", "orders.set_quantity", "orders.set_option"),
    }
)
"""What changes something, and so needs an idempotency key."""


class ShopServices:
    """Implements :class:`agent.call.ports.Services` over the shop's Protocols; docs/shop.md lists the operations.

    ``orders.verify`` (and ``orders.find_by_phone``) fails with one and the same ``not_found`` whether the order does
    not exist or the postcode is another one, after the same work and not before ``verify_floor_seconds``.
    The other operations prove nothing: what a flow may do and say is the flow's business.
    """

    def __init__(
        self,
        orders: Orders,
        customers: Customers,
        tickets: Tickets,
        *,
        others: ShopSystems | None = None,
        policy: Policy | None = None,
        limits: AttemptLimits | None = None,
        on_alarm: Callable[[str, str], None] | None = None,
        region: str = "US",
        today: Callable[[], dt.date] = dt.date.today,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        verify_floor_seconds: float = VERIFY_FLOOR_SECONDS,
    ) -> None:
        """``others`` brings the systems besides the first three; ``today`` is the shop's local day."""
        self._orders = orders
        self._customers = customers
        self._tickets = tickets
        self._region = region
        taken = (policy or Policy()).second_facts
        verification = VerificationOperations(
            orders, region, limits, pause, clock, on_alarm, verify_floor_seconds, taken
        )
        self._operations: dict[str, OperationHandler] = {
            "orders.verify": verification.verify,
            "orders.find": self._find,
            "orders.find_by_phone": verification.find_by_phone,
            "orders.existing": self._existing,
            "customers.by_phone": self._customer,
            "tickets.create": self._ticket,
            "surveys.answer": survey_answer,
        }
        if others is not None:
            self._add(others, policy or Policy(), today)

    @classmethod
    def of(cls, systems: ShopSystems, **options: Any) -> ShopServices:
        """Join every system of a shop; the options are those of the constructor."""
        return cls(systems.orders, systems.customers, systems.tickets, others=systems, **options)

    def _add(self, systems: ShopSystems, policy: Policy, today: Callable[[], dt.date]) -> None:
        orders = systems.orders
        changes = OrderChangeOperations(orders, systems.order_changes, policy)
        self._operations |= {
            "orders.changeable": changes.changeable,
            "orders.cancel": changes.cancel,
            "orders.remove_line": changes.remove_line,
            "orders.set_quantity": changes.set_quantity,
            "orders.set_option": changes.set_option,
        }
        if systems.shipments is not None:
            deliveries = ShipmentOperations(orders, systems.shipments, policy, today)
            self._operations |= {
                "shipments.track": deliveries.track,
                "shipments.streets": deliveries.streets,
                "shipments.change_address": deliveries.change_address,
                "shipments.reschedule": deliveries.reschedule,
                "shipments.investigate": deliveries.investigate,
                "shipments.leave_note": deliveries.leave_note,
            }
        if systems.returns is not None:
            desk = ReturnOperations(orders, systems.returns, policy, today)
            self._operations |= {
                "returns.eligibility": desk.eligibility,
                "returns.create": desk.create,
                "returns.status": desk.status,
                "refunds.status": desk.refund,
            }
        if systems.loyalty is not None:
            offers = PromotionOperations(orders, systems.customers, systems.loyalty, policy, today, self._region)
            self._operations |= {"promotions.check": offers.check, "loyalty.points": offers.points}
        if systems.messages is not None:
            self._operations["messages.send"] = MessageOperations(orders, systems.messages, policy).send

    @property
    def names(self) -> tuple[str, ...]:
        """The operations there are, for linters of flows."""
        return tuple(self._operations)

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one named operation; docs/shop.md has names, arguments and results.

        Raises ``ServiceError``: what the systems raise, and ``bad_request`` for an unknown name or bad arguments.
        """
        operation = self._operations.get(name)
        if operation is None:
            raise ServiceError("bad_request", f"there is no service {name!r}; there are: {', '.join(self.names)}")
        if name in CHANGES and not key:
            raise ServiceError("bad_request", f"{name} needs an idempotency key")
        return await operation(arguments, key)

    async def _find(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        return {"order": order_data(await self._orders.find(take.number(arguments)))}

    async def _existing(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return the first of several numbers that there is, as it was given, or none.

        They are looked up in their order, two at a time. The first failure before a number that exists is raised:
        whether the number that failed exists is not known, and it comes first.
        """
        numbers = take.texts(arguments, "numbers", take.MAX_NUMBER_CHARS)[:MOST_NUMBERS]
        with optional_lookups():
            for start in range(0, len(numbers), NUMBERS_AT_ONCE):
                some = numbers[start : start + NUMBERS_AT_ONCE]
                looked_up = await asyncio.gather(*map(self._is_there, some), return_exceptions=True)
                for number, there in zip(some, looked_up, strict=True):
                    if isinstance(there, BaseException):
                        raise there
                    if there:
                        return {"numbers": [number]}
        return {"numbers": []}

    async def _is_there(self, number: str) -> bool:
        try:
            await self._orders.find(take.number({"number": number}))
        except ServiceError as error:
            if error.code != "not_found":
                raise
            return False
        return True

    async def _customer(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        return {"customer": customer_data(await self._customers.by_phone(phone_of(arguments, self._region)))}

    async def _ticket(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        draft = ticket_draft(arguments)
        ticket = await self._tickets.create(draft, key)
        log.info("ticket %s: %s", ticket.id, ticket.draft.reason)
        return {"ticket": ticket_data(ticket)}


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
    known = {"reason", "summary", "caller", "order_number", "verified", "priority", "transcript", "facts", "page"}
    facts = arguments.get("facts") or {}
    if not isinstance(facts, Mapping):
        raise ServiceError("bad_request", "argument 'facts' must be a mapping")
    return TicketDraft(
        reason=take.text(arguments, "reason", 100),
        summary=take.text(arguments, "summary", MAX_SUMMARY_CHARS, cut=True),
        caller=take.text(arguments, "caller", 200, optional=True),
        order_number=take.text(arguments, "order_number", take.MAX_NUMBER_CHARS, optional=True),
        verified=verified,
        priority=priority,
        transcript=_lines(arguments.get("transcript")),
        page=take.text(arguments, "page", MAX_PAGE_CHARS, optional=True, cut=True),
        facts={**facts, **{name: value for name, value in arguments.items() if name not in known}},
    )


def _lines(transcript: object) -> tuple[str, ...]:
    if transcript is None:
        return ()
    if isinstance(transcript, str):
        lines: list[object] = list(transcript.splitlines())
    elif isinstance(transcript, Sequence):
        lines = list(transcript)
    else:
        raise ServiceError("bad_request", "argument 'transcript' must be text or a list of lines")
    told = [text for line in lines for text in _utterances(line)]
    return tuple(text[:MAX_SUMMARY_CHARS] for text in told[-MAX_TRANSCRIPT_LINES:])


def _utterances(line: object) -> list[str]:
    """A turn (``{agent: ..., caller: ...}``) is a line for each who said something; anything else is a line."""
    if isinstance(line, Mapping):
        return [f"{who}: {said}" for who, said in line.items() if said]
    return [str(line)]
