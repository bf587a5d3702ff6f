"""The doors to the business systems, in the shop's own words; the demo shop and REST adapters stand behind them.

Every method answers with a typed result or raises :class:`agent.call.errors.ServiceError` with code

============  ==============================================================================
code          meaning
============  ==============================================================================
not_found     there is no such thing; the system is well
not_allowed   the system refuses; the message says why
unavailable   the system cannot be reached or answers nonsense
timed_out     the system did not answer in time; whether it acted is unknown
bad_request   we asked for something that makes no sense (a mistake in a flow or a mapping)
============  ==============================================================================

Whatever changes something takes an idempotency key: the same key again returns the first confirmation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.shop.models import Customer, Order, Ticket, TicketDraft


class Orders(Protocol):
    """The order system."""

    async def find(self, number: str) -> Order:
        """Return the order with this number (normalised). Raises ``not_found``."""

    async def find_by_phone(self, phone: str) -> Sequence[Order]:
        """Return the orders placed with this phone number (E.164), newest first; empty when there are none."""


class Customers(Protocol):
    """The CRM."""

    async def by_phone(self, phone: str) -> Customer:
        """Return the customer with this phone number (E.164). Raises ``not_found``."""


class Tickets(Protocol):
    """The ticket system."""

    async def create(self, draft: TicketDraft, key: str) -> Ticket:
        """Create a ticket, or return the one already created with this key."""
