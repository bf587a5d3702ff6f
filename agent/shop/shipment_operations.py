"""The shipments.* operations: track, change the address or the day, search for a parcel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from agent.shop import arguments as take
from agent.shop import normalise, shipments
from agent.shop.policy import Policy
from agent.shop.protocols import Orders, Shipments
from agent.shop.shipments import Address

MAX_ADDRESS_CHARS = 100
MAX_NOTE_CHARS = 200


class ShipmentOperations:
    """The ``shipments.*`` operations. The caller has been verified: that is the flow's business."""

    def __init__(self, orders: Orders, systems: Shipments, policy: Policy, today: Callable[[], dt.date]) -> None:
        self._orders = orders
        self._shipments = systems
        self._policy = policy
        self._today = today

    async def track(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return where an order is and what may still be changed about it."""
        order = await self._orders.find(take.number(arguments))
        return {"shipment": shipments.shipment_data(shipments.shipment(order, self._policy, self._today()))}

    async def streets(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return the streets of a postcode."""
        postcode = normalise.postcode(take.text(arguments, "postcode", take.MAX_NUMBER_CHARS))
        found = await self._shipments.streets(postcode)
        return {"postcode": found.postcode, "city": found.city, "streets": list(found.streets)}

    async def change_address(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Send an order to another address, if nothing of it has left."""
        order = await self._orders.find(take.number(arguments))
        street = take.text(arguments, "street", MAX_ADDRESS_CHARS)
        house = take.text(arguments, "house", MAX_ADDRESS_CHARS)
        postcode = normalise.postcode(take.text(arguments, "postcode", take.MAX_NUMBER_CHARS))
        shipments.check_address(order)
        city = (await self._shipments.streets(postcode)).city
        change = await self._shipments.change_address(order, Address(house, street, city, postcode), key)
        return {"change": shipments.change_data(change)}

    async def reschedule(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Have an order come on another day."""
        order = await self._orders.find(take.number(arguments))
        day = take.day(arguments, "date")
        window = take.text(arguments, "window", take.MAX_NUMBER_CHARS, optional=True)
        shipments.check_day(order, self._policy, self._today(), day, window)
        return {"change": shipments.change_data(await self._shipments.reschedule(order, day, window, key))}

    async def leave_note(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Have the driver told where to leave an order."""
        order = await self._orders.find(take.number(arguments))
        note = take.text(arguments, "note", MAX_NOTE_CHARS)
        shipments.check_note(order)
        return {"change": shipments.change_data(await self._shipments.leave_note(order, note, key))}

    async def investigate(self, arguments: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Have the carrier search for a parcel that is marked delivered."""
        order = await self._orders.find(take.number(arguments))
        note = take.text(arguments, "note", 500, optional=True, cut=True)
        shipments.check_missing(order)
        answer_by = self._today() + dt.timedelta(days=self._policy.search_days)
        case = await self._shipments.investigate(order, note, answer_by, key)
        return {"case": shipments.investigation_data(case)}
