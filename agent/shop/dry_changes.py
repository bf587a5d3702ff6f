"""Systems that are read but not changed: what would change something is confirmed with a number that says so.

For trying procedures on a shop's real systems. The rules of the shop are applied as ever, before anything gets here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from agent.shop.messages import Message, MessageDraft
from agent.shop.models import Order, Ticket, TicketDraft
from agent.shop.order_changes import ChangeKind, OrderChange
from agent.shop.protocols import NotServed, OrderChanges, Returns, Shipments, ShopSystems
from agent.shop.returns import Return, ReturnDraft, line_amount, order_line
from agent.shop.shipments import Address, DeliveryChange, ParcelInvestigation, Streets

NOT_DONE = "NOT-DONE"
"""The number of whatever was not made."""
RequireServed = Callable[[str], None]
"""Raises NotServed for an operation that no system serves."""


def without_changes(systems: ShopSystems, serves: Callable[[str], bool], now: Callable[[], dt.datetime]) -> ShopSystems:
    """Return the same systems for reading; a change sends nothing and answers with :data:`NOT_DONE`.

    ``serves`` tells which operations there are: a change that no system serves raises NotServed, as it really would.
    ``now`` gives the shop's local time.
    """

    def require(name: str) -> None:
        if not serves(name):
            raise NotServed("unavailable", f"no system maps {name}")

    return replace(
        systems,
        tickets=DryTickets(require, now),
        shipments=None if systems.shipments is None else DryShipments(systems.shipments, require),
        returns=None if systems.returns is None else DryReturns(systems.returns, require),
        order_changes=None if systems.order_changes is None else DryOrderChanges(systems.order_changes, require),
        messages=None if systems.messages is None else DryMessages(require),
    )


class DryTickets:
    """Makes no tickets."""

    def __init__(self, require: RequireServed, now: Callable[[], dt.datetime]) -> None:
        self._require = require
        self._now = now

    async def create(self, draft: TicketDraft, _key: str) -> Ticket:
        """See :class:`agent.shop.protocols.Tickets`."""
        self._require("tickets.create")
        return Ticket(NOT_DONE, self._now(), draft)


class DryMessages:
    """Sends no messages."""

    def __init__(self, require: RequireServed) -> None:
        self._require = require

    async def send(self, draft: MessageDraft, _key: str) -> Message:
        """See :class:`agent.shop.protocols.Messages`."""
        self._require("messages.send")
        return Message(NOT_DONE, draft.phone)


class DryShipments:
    """Knows the streets, changes no delivery."""

    def __init__(self, systems: Shipments, require: RequireServed) -> None:
        self._systems = systems
        self._require = require

    async def streets(self, postcode: str) -> Streets:
        """See :class:`agent.shop.protocols.Shipments`."""
        return await self._systems.streets(postcode)

    async def change_address(self, order: Order, address: Address, _key: str) -> DeliveryChange:
        """See :class:`agent.shop.protocols.Shipments`."""
        self._require("shipments.change_address")
        return DeliveryChange(NOT_DONE, order.number, address=address)

    async def reschedule(self, order: Order, day: dt.date, window: str, _key: str) -> DeliveryChange:
        """See :class:`agent.shop.protocols.Shipments`."""
        self._require("shipments.reschedule")
        return DeliveryChange(NOT_DONE, order.number, day=day, window=window)

    async def investigate(self, order: Order, _note: str, answer_by: dt.date, _key: str) -> ParcelInvestigation:
        """See :class:`agent.shop.protocols.Shipments`."""
        self._require("shipments.investigate")
        return ParcelInvestigation(NOT_DONE, order.number, answer_by)

    async def leave_note(self, order: Order, note: str, _key: str) -> DeliveryChange:
        """See :class:`agent.shop.protocols.Shipments`."""
        self._require("shipments.leave_note")
        return DeliveryChange(NOT_DONE, order.number, note=note)


class DryOrderChanges:
    """Knows what could be changed, changes nothing."""

    def __init__(self, systems: OrderChanges, require: RequireServed) -> None:
        self._systems = systems
        self._require = require

    @property
    def can_change(self) -> Collection[str]:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        return self._systems.can_change

    async def made_before(self, kind: ChangeKind, order: Order, key: str) -> OrderChange | None:
        """Nothing is ever made."""
        return None

    async def cancel(self, order: Order, _key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        return self._not_done("orders.cancel", "cancel", order)

    async def remove_line(self, order: Order, line: str, _key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        return self._not_done("orders.remove_line", "remove", order, line)

    async def set_quantity(self, order: Order, line: str, quantity: int, _key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        return replace(self._not_done("orders.set_quantity", "quantity", order, line), quantity=quantity)

    async def set_option(self, order: Order, line: str, option: str, _key: str) -> OrderChange:
        """See :class:`agent.shop.protocols.OrderChanges`."""
        return replace(self._not_done("orders.set_option", "option", order, line), option=option)

    def _not_done(self, name: str, kind: ChangeKind, order: Order, line: str = "") -> OrderChange:
        self._require(name)
        item = order_line(order, line).name if line else ""
        return OrderChange(order.number, kind, NOT_DONE, line, item, currency=order.currency)


class DryReturns:
    """Knows the returns there are, opens none."""

    def __init__(self, systems: Returns, require: RequireServed) -> None:
        self._systems = systems
        self._require = require

    async def of_order(self, number: str, order_id: str = "") -> Sequence[Return]:
        """See :class:`agent.shop.protocols.Returns`."""
        return await self._systems.of_order(number, order_id)

    async def create(self, draft: ReturnDraft, order: Order, line: str, on: dt.date, key: str) -> Return:
        """See :class:`agent.shop.protocols.Returns`."""
        self._require("returns.create")
        item = order_line(order, line)
        return Return(
            number=NOT_DONE,
            order_number=order.number,
            sku=item.sku,
            item=item.name,
            reason=draft.reason,
            condition=draft.condition,
            route=draft.route,
            refund=draft.refund,
            state="open",
            created_on=on,
            updated_on=on,
            amount=line_amount(item),
            currency=order.currency,
            key=key,
        )
