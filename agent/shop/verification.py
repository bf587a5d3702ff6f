"""Verifies callers by two facts: one answer and one delay for every failure, attempts limited across calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from agent.common.service_error import ServiceError
from agent.shop import arguments as take
from agent.shop import normalise
from agent.shop.models import Order, PartialOrders, order_data
from agent.shop.protocols import AttemptLimits, Orders
from agent.shop.refusal import Refusal

log = logging.getLogger(__name__)

VERIFY_FLOOR_SECONDS = 0.25
"""A refused verification never answers sooner, so that its delay does not tell why it was refused."""
MAX_ORDERS = 10
MAX_FACT_CHARS = 200
FACTS = ("postcode", "phone", "email", "name")
"""What may be compared with the order."""
_NOWHERE = "no postcode"
"""Compared with when there is no order, so that both refusals do the same work."""
T = TypeVar("T")


class VerificationOperations:
    """The operations that open an order to a caller."""

    def __init__(
        self,
        orders: Orders,
        region: str,
        limits: AttemptLimits | None = None,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        on_alarm: Callable[[str, str], None] | None = None,
        floor_seconds: float = VERIFY_FLOOR_SECONDS,
        second_facts: Sequence[str] = ("postcode", "phone"),
    ) -> None:
        """``on_alarm(caller, number)`` is told of every call that is refused because of too many attempts.

        ``floor_seconds``: a refusal never comes sooner. It must be longer than a look-up usually takes.
        """
        self._floor_seconds = floor_seconds
        self._second_facts = second_facts
        self._orders = orders
        self._region = region
        self._limits = limits
        self._pause = pause
        self._clock = clock
        self._on_alarm = on_alarm

    async def verify(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return the order that both facts fit; ``not_found`` for any failure, ``not_allowed`` when locked.

        The second fact is one of the shop's ``second_facts``, whichever the flow asks for: the postcode of the delivery
        address, the phone number or e-mail address given with the order, the name it is sent to; of those that are
        given all must fit. One that the shop does not take is refused (``fact_not_taken``); nothing is looked up then.
        """
        number = take.number(arguments)
        told = {name: take.text(arguments, name, MAX_FACT_CHARS, optional=True) for name in FACTS}
        given = {name: value for name, value in told.items() if value}
        if not given:
            raise ServiceError("bad_request", f"orders.verify needs a second fact: one of {', '.join(FACTS)}")
        for name in given:
            if name not in self._second_facts:
                raise Refusal("fact_not_taken", f"this shop does not take the {name} as proof")

        async def look() -> Order | None:
            try:
                order: Order | None = await self._orders.find(number)
            except ServiceError as error:
                if error.code != "not_found":
                    raise
                order = None
            fits = [self._fits(name, value, order) for name, value in given.items()]
            return order if all(fits) else None

        async def belongs_to(caller: str) -> bool:
            try:
                order = await self._orders.find(number)
            except ServiceError as error:
                if error.code != "not_found":
                    raise
                return False
            return normalise.same_phone(caller, order.phone, self._region)

        order = await self._guarded(arguments, number, look, belongs_to)
        if order is None:
            raise ServiceError("not_found", "no order has this number and this second fact")
        return {"order": order_data(order)}

    def _fits(self, name: str, value: str, order: Order | None) -> bool:
        """Compare with nothing when there is no order, so that both refusals do the same work."""
        if name == "postcode":
            return normalise.same_postcode(value, _NOWHERE if order is None else order.postcode)
        if name == "phone":
            return normalise.same_phone(value, "" if order is None else order.phone, self._region)
        if name == "email":
            return normalise.same_email(value, "" if order is None else order.email)
        return normalise.same_name(value, "" if order is None else order.name)

    async def find_by_phone(self, arguments: Mapping[str, Any], _key: str) -> dict[str, Any]:
        """Return the orders of a phone number; with a postcode only those that were sent there.

        ``more`` says that there may be others which could not be seen.
        """
        phone = phone_of(arguments, self._region)
        postcode = take.text(arguments, "postcode", take.MAX_NUMBER_CHARS) if "postcode" in arguments else None

        more = False

        async def look() -> Sequence[Order] | None:
            nonlocal more
            found = await self._orders.find_by_phone(phone)
            more = isinstance(found, PartialOrders)
            if postcode is not None:
                found = [order for order in found if normalise.same_postcode(postcode, order.postcode)]
            return found or None

        async def belongs_to(caller: str) -> bool:
            return caller == phone

        orders = await self._guarded(arguments, phone, look, belongs_to)
        if orders is None:
            raise ServiceError("not_found", "no order was placed with what the caller gave")
        return {
            "orders": [order_data(order) for order in orders[:MAX_ORDERS]],
            "more": more or len(orders) > MAX_ORDERS,
        }

    async def _guarded(
        self,
        arguments: Mapping[str, Any],
        number: str,
        look: Callable[[], Awaitable[T | None]],
        belongs_to: Callable[[str], Awaitable[bool]],
    ) -> T | None:
        """Look something up; failures and refusals answer after the same time and are counted.

        What strangers have locked by trying stays open to the phone that it belongs to, ``belongs_to(caller)``: it has
        tries of its own, and must give the second fact as anybody must. A forged number gains those few tries.
        """
        started = self._clock()
        counted = self._limits is not None and "caller" in arguments
        caller = normalise.phone(take.text(arguments, "caller", 200, optional=True), self._region)
        lock = await self._limits.locked(caller, number) if counted and self._limits is not None else ""
        if lock == "number" and caller and await belongs_to(caller):
            lock = ""
        if lock:
            log.warning("verification locked: too many failed attempts (caller %s)", mask(caller))
            if self._on_alarm is not None:
                self._on_alarm(caller, number)
            await self._wait_until(started + self._floor_seconds)
            raise Refusal("locked", "too many failed attempts")
        found = await look()
        if found is None:
            if counted and self._limits is not None:
                await self._limits.failed(caller, number)
            await self._wait_until(started + self._floor_seconds)
        return found

    async def _wait_until(self, moment: float) -> None:
        await self._pause(max(0.0, moment - self._clock()))


def phone_of(arguments: Mapping[str, Any], region: str) -> str:
    """Return the argument ``phone`` in E.164. Raises ``not_found`` for what cannot be a phone number."""
    phone = normalise.phone(take.text(arguments, "phone", take.MAX_NUMBER_CHARS), region)
    if not phone:
        # An anonymous or internal caller id is an everyday thing, not a mistake in a flow.
        raise ServiceError("not_found", "this cannot be a phone number, so nothing is known about it")
    return phone


def mask(phone: str) -> str:
    """Return the last two digits of a number, for logs."""
    return f"...{phone[-2:]}" if phone else "hidden"
