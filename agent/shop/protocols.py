"""Protocols of the business systems: orders, customers, tickets, shipments, returns, loyalty, text messages.

Every method answers with a typed result or raises :class:`agent.common.service_error.ServiceError` with code

============  ==============================================================================
code          meaning
============  ==============================================================================
not_found     there is no such thing; the system is well
not_allowed   the system refuses; ``reason`` is a machine word for why
unavailable   the system cannot be reached or answers nonsense
timed_out     the system did not answer in time; whether it acted is unknown
bad_request   we asked for something that makes no sense (a mistake in a flow or a mapping)
============  ==============================================================================

Whatever changes something takes an idempotency key: the same key again returns the first confirmation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.common.service_error import ServiceError
from agent.shop.deliveries import Deliveries
from agent.shop.messages import Message, MessageDraft
from agent.shop.models import Customer, Order, Ticket, TicketDraft
from agent.shop.order_changes import ChangeKind, OrderChange
from agent.shop.returns import Return, ReturnDraft
from agent.shop.shipments import Address, DeliveryChange, ParcelInvestigation, Streets

CUT_OFF = "cut_off"
"""Reason of an ``unavailable`` search: there are more results than were looked at, so "there is none" is not known."""


class NotServed(ServiceError):
    """An ``unavailable`` operation that no system of this shop serves: it is not down, there is none."""


class Orders(Protocol):
    """The order system."""

    async def find(self, number: str) -> Order:
        """Return the order with this number (normalised; what a shop puts in front of it may be missing).

        Raises ``not_found``, and ``unavailable`` (:data:`CUT_OFF`) when not all that was found could be looked at.
        """

    async def find_by_phone(self, phone: str) -> Sequence[Order]:
        """Return the orders placed with this phone number (E.164), newest first; empty when there are none.

        :class:`agent.shop.models.PartialOrders` when there may be more. Raises ``unavailable`` as :meth:`find`.
        """


class Customers(Protocol):
    """The CRM."""

    async def by_phone(self, phone: str) -> Customer:
        """Return the customer with this phone number (E.164). Raises ``not_found``."""


class Tickets(Protocol):
    """The ticket system."""

    async def create(self, draft: TicketDraft, key: str) -> Ticket:
        """Create a ticket, or return the one already created with this key."""


class Shipments(Protocol):
    """The warehouse and the carriers."""

    async def streets(self, postcode: str) -> Streets:
        """Return the streets of a postcode. Raises ``not_found``."""

    async def change_address(self, order: Order, address: Address, key: str) -> DeliveryChange:
        """Send an order elsewhere. Raises ``not_allowed`` when it has left meanwhile."""

    async def reschedule(self, order: Order, day: dt.date, window: str, key: str) -> DeliveryChange:
        """Have an order come on another day, in a window (``""``: any). Raises ``not_allowed``."""

    async def investigate(self, order: Order, note: str, answer_by: dt.date, key: str) -> ParcelInvestigation:
        """Have the carrier search for a parcel, or return the search there is already for this order."""

    async def leave_note(self, order: Order, note: str, key: str) -> DeliveryChange:
        """Have the driver told where to leave an order. Raises ``not_allowed``."""


class OrderChanges(Protocol):
    """The order system, for orders that have not been sent. Each raises ``not_allowed`` when it is too late."""

    @property
    def can_change(self) -> Collection[str]:
        """What the system can do: some of :data:`agent.shop.order_changes.KINDS`."""

    async def made_before(self, kind: ChangeKind, order: Order, key: str) -> OrderChange | None:
        """Return the change this key has made already: the order itself no longer shows that it may be made."""

    async def cancel(self, order: Order, key: str) -> OrderChange:
        """Cancel the whole order."""

    async def remove_line(self, order: Order, line: str, key: str) -> OrderChange:
        """Take out one line, named by its key (:func:`agent.shop.models.line_keys`)."""

    async def set_quantity(self, order: Order, line: str, quantity: int, key: str) -> OrderChange:
        """Order another number of pieces of one line."""

    async def set_option(self, order: Order, line: str, option: str, key: str) -> OrderChange:
        """Order another size or color of one line; ``option`` in words (``large``)."""


class Returns(Protocol):
    """Returns and exchanges."""

    async def of_order(self, number: str, order_id: str = "") -> Sequence[Return]:
        """Return the returns of an order, newest first; empty when there are none.

        ``order_id`` is the system's own id of the order, where the order told one.
        Raises :class:`NotServed` when no system knows of returns.
        """

    async def create(self, draft: ReturnDraft, order: Order, line: str, on: dt.date, key: str) -> Return:
        """Open a return of one line, named by its key (:func:`agent.shop.models.line_keys`).

        Raises ``not_allowed`` (``return_exists``) when that line has one already.
        """


class Loyalty(Protocol):
    """Who has used which promotion."""

    async def used_promotions(self, customer_id: str) -> Collection[str]:
        """Return the ids of the promotions a customer has used."""


class Messages(Protocol):
    """The SMS gateway."""

    async def send(self, draft: MessageDraft, key: str) -> Message:
        """Send a message, or return the one already sent with this key."""


Lock = Literal["", "caller", "number"]
"""Whose verification is locked; ``""`` for nobody's."""


class AttemptLimits(Protocol):
    """Counts failed verifications over calls, so that nobody can try numbers all day."""

    async def locked(self, caller: str, number: str) -> Lock:
        """Return who has failed too often: this caller (``""`` is a hidden number), or this order number by anybody."""

    async def failed(self, caller: str, number: str) -> None:
        """Count one failed verification."""


@dataclass(frozen=True)
class ShopSystems:
    """All doors of one shop. What is None is not there: operations on it fail as ``unavailable``."""

    orders: Orders
    customers: Customers
    tickets: Tickets
    shipments: Shipments | None = None
    returns: Returns | None = None
    loyalty: Loyalty | None = None
    messages: Messages | None = None
    order_changes: OrderChanges | None = None
    deliveries: Deliveries | None = None
