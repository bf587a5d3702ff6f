"""The shop's Protocols over mapped operations: deliveries and returns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.common.service_error import ServiceError
from agent.shop import normalise
from agent.shop.http.adapters import SystemsByOperation, unmapped_operation
from agent.shop.models import Order, order_data
from agent.shop.protocols import Returns, Shipments
from agent.shop.returns import Return, ReturnDraft, ReturnedLine, line_amount, order_line
from agent.shop.shipments import Address, DeliveryChange, ParcelInvestigation, Streets


class HttpShipments:
    """The warehouse and the carriers, mapped."""

    def __init__(self, served: SystemsByOperation, otherwise: Shipments | None = None) -> None:
        self._served = served
        self._otherwise = otherwise

    def _other(self, name: str) -> Shipments:
        if self._otherwise is None:
            raise unmapped_operation(name)
        return self._otherwise

    async def streets(self, postcode: str) -> Streets:
        """See :class:`agent.shop.protocols.Shipments`."""
        system = self._served.get("shipments.streets")
        if system is None:
            return await self._other("shipments.streets").streets(postcode)
        found = await system.runner.one("shipments.streets", {"postcode": postcode})
        if found.postcode is not None and not normalise.same_postcode(found.postcode, postcode):
            system.reject_mismatch("shipments.streets", "the streets it gives are another postcode's")
        return Streets(postcode, found.city, tuple(found.streets))

    async def change_address(self, order: Order, address: Address, key: str) -> DeliveryChange:
        """See :class:`agent.shop.protocols.Shipments`."""
        system = self._served.get("shipments.change_address")
        if system is None:
            return await self._other("shipments.change_address").change_address(order, address, key)
        arguments = {
            "number": order.number,
            "order": order_data(order),
            "house": address.house,
            "street": address.street,
            "city": address.city,
            "postcode": address.postcode,
        }
        made = await system.runner.change("shipments.change_address", arguments, key)
        return DeliveryChange(made.confirmation, order.number, address=address)

    async def reschedule(self, order: Order, day: dt.date, window: str, key: str) -> DeliveryChange:
        """See :class:`agent.shop.protocols.Shipments`."""
        system = self._served.get("shipments.reschedule")
        if system is None:
            return await self._other("shipments.reschedule").reschedule(order, day, window, key)
        arguments = {"number": order.number, "order": order_data(order), "day": day.isoformat(), "window": window}
        made = await system.runner.change("shipments.reschedule", arguments, key)
        return DeliveryChange(made.confirmation, order.number, day=day, window=window)

    async def leave_note(self, order: Order, note: str, key: str) -> DeliveryChange:
        """See :class:`agent.shop.protocols.Shipments`."""
        system = self._served.get("shipments.leave_note")
        if system is None:
            return await self._other("shipments.leave_note").leave_note(order, note, key)
        arguments = {"number": order.number, "order": order_data(order), "note": note}
        made = await system.runner.change("shipments.leave_note", arguments, key)
        return DeliveryChange(made.confirmation, order.number, note=note)

    async def investigate(self, order: Order, note: str, answer_by: dt.date, key: str) -> ParcelInvestigation:
        """See :class:`agent.shop.protocols.Shipments`."""
        system = self._served.get("shipments.investigate")
        if system is None:
            return await self._other("shipments.investigate").investigate(order, note, answer_by, key)
        arguments = {
            "number": order.number,
            "order": order_data(order),
            "note": note,
            "answer_by": answer_by.isoformat(),
        }
        made = await system.runner.change("shipments.investigate", arguments, key)
        return ParcelInvestigation(made.number, order.number, made.answer_by or answer_by, made.existing)


class HttpReturns:
    """Returns and exchanges, mapped."""

    def __init__(
        self, served: SystemsByOperation, today: Callable[[], dt.date], otherwise: Returns | None = None
    ) -> None:
        self._served = served
        self._today = today
        self._otherwise = otherwise

    async def of_order(self, number: str, order_id: str = "") -> Sequence[Return]:
        """See :class:`agent.shop.protocols.Returns`."""
        system = self._served.get("returns.of_order")
        if system is None:
            if self._otherwise is None:
                raise unmapped_operation("returns.of_order")
            return await self._otherwise.of_order(number, order_id)
        try:
            arguments = {"number": number, "id": order_id or number}
            found = (await system.runner.many("returns.of_order", arguments)).nouns
        except ServiceError as error:
            if error.code != "not_found":
                raise
            return []
        known = {"order_number": number, "amount": None, "currency": "", "on": None, "state": "unknown"}
        returns = [_return(one, known) for one in found]
        return sorted(returns, key=lambda one: (one.created_on or dt.date.min, one.number), reverse=True)

    async def create(self, draft: ReturnDraft, order: Order, line: str, on: dt.date, key: str) -> Return:
        """See :class:`agent.shop.protocols.Returns`."""
        system = self._served.get("returns.create")
        if system is None:
            if self._otherwise is None:
                raise unmapped_operation("returns.create")
            return await self._otherwise.create(draft, order, line, on, key)
        item = order_line(order, line)
        amount = line_amount(item)
        said = {"reason": draft.reason, "condition": draft.condition, "route": draft.route, "refund": draft.refund}
        arguments = {
            **said,
            "number": order.number,
            "order": order_data(order),
            "item": item.name,
            "sku": item.sku,
            "line": item.line,
            "note": draft.note,
            "day": on.isoformat(),
            "amount": None if amount is None else str(amount),
        }
        made = await system.runner.change("returns.create", arguments, key)
        known = {
            **said,
            "order_number": order.number,
            "sku": item.sku,
            "item": item.name,
            "amount": amount,
            "currency": order.currency,
            "on": on,
            "state": "open",
        }
        return _return(made, known)


def _return(made: Any, known: Mapping[str, Any]) -> Return:
    """Make the noun of what came back and of what its opener knew."""

    def part(name: str) -> str:
        return str(getattr(made, name) or known.get(name, ""))

    created = made.created_on or known["on"]
    return Return(
        number=made.number,
        order_number=str(known["order_number"]),
        sku=part("sku"),
        item=part("item") or _names(made.lines),
        reason=part("reason"),
        condition=part("condition"),
        route=part("route"),
        refund=part("refund"),
        state=made.state or known["state"],
        created_on=created,
        updated_on=made.updated_on or created,
        amount=made.amount if made.amount is not None else known["amount"],
        currency=part("currency"),
        key=made.key,
        refusal=made.refusal,
        lines=tuple(ReturnedLine(one.line, one.sku, one.name) for one in made.lines),
    )


def _names(lines: Sequence[Any]) -> str:
    """Name everything that comes back with one return."""
    names = [line.name for line in lines if line.name]
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else ""
