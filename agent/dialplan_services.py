"""What a dialplan may ask the agent, and leave for it: the services behind FastAGI."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any

from agent.asterisk.fastagi import Question, Service, plain
from agent.call.errors import ServiceError
from agent.call.pausing import PauseFlag
from agent.call.protocols import Services

LEFT_SECONDS = 900.0
"""How long a value waits for its call."""
_MOST_CHANNELS = 10_000
_MAX_LEFT_CHARS = 80
_ORDER_FIELDS = {"status": "STATUS", "expected_on": "EXPECTED", "delivered_on": "DELIVERED", "place": "PLACE"}
"""Field of an order -> channel variable; nothing about the person."""


class LeftValues:
    """Values a dialplan leaves for the call that is coming, by channel; forgotten after a quarter of an hour."""

    def __init__(self, names: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        """Only ``names`` are taken."""
        self._names = frozenset(names)
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, dict[str, str]]] = OrderedDict()

    def leave(self, channel_id: str, name: str, value: str) -> bool:
        """Leave one value; False when nobody waits for that name."""
        if name not in self._names or not channel_id:
            return False
        _, values = self._left.pop(channel_id, (0.0, {}))
        values[name] = plain(value)[:_MAX_LEFT_CHARS]
        self._left[channel_id] = (self._clock(), values)
        self._tidy()
        return True

    def of(self, channel_id: str) -> Mapping[str, str]:
        """Return what was left for a call; it stays for when the call comes back."""
        self._tidy()
        return dict(self._left.get(channel_id, (0.0, {}))[1])

    def _tidy(self) -> None:
        oldest = self._clock() - LEFT_SECONDS
        while self._left:
            channel_id, (at, _) = next(iter(self._left.items()))
            if at >= oldest and len(self._left) <= _MOST_CHANNELS:
                return
            del self._left[channel_id]


class DialplanServices:
    """The services by name: ``order_status``, ``customer_tier``, ``accepting``, ``leave_value``."""

    def __init__(self, services: Services, pause: PauseFlag, left: LeftValues) -> None:
        self._services = services
        self._pause = pause
        self._left = left

    @property
    def by_name(self) -> Mapping[str, Service]:
        """For :class:`agent.asterisk.fastagi.FastAgiServer`."""
        return {
            "order_status": self._order_status,
            "customer_tier": self._customer_tier,
            "accepting": self._accepting,
            "leave_value": self._leave_value,
        }

    async def _order_status(self, question: Question) -> Mapping[str, str]:
        """Number and postcode in; one answer for "no such order" and "another postcode", after the same time."""
        nothing = dict.fromkeys(_ORDER_FIELDS.values(), "")
        if len(question.arguments) < 2 or not all(question.arguments[:2]):
            return {**nothing, "RESULT": "bad_request"}
        number, postcode = question.arguments[:2]
        given = {"number": number, "postcode": postcode, "caller": question.caller}
        try:
            found = await self._services.perform("orders.verify", given, "")
        except ServiceError as error:
            return {**nothing, "RESULT": error.code}
        order = found.get("order", {})
        return {"RESULT": "ok", **{name: _text(order.get(field)) for field, name in _ORDER_FIELDS.items()}}

    async def _customer_tier(self, question: Question) -> Mapping[str, str]:
        """The tier of the number that calls, or of the one given: a hint for queues and priorities, never proof."""
        phone = question.arguments[0] if question.arguments else question.caller
        if not phone:
            return {"RESULT": "not_found", "TIER": ""}
        try:
            found = await self._services.perform("customers.by_phone", {"phone": phone}, "")
        except ServiceError as error:
            return {"RESULT": error.code, "TIER": ""}
        return {"RESULT": "ok", "TIER": _text(found.get("customer", {}).get("tier"))}

    async def _accepting(self, _: Question) -> Mapping[str, str]:
        """Whether a call sent to the agent now is taken by it."""
        pause = self._pause.pause
        return {
            "RESULT": "ok",
            "ACCEPTING": "no" if pause.is_on else "yes",
            "ACCEPTING_REASON": pause.reason,
        }

    async def _leave_value(self, question: Question) -> Mapping[str, str]:
        """Name and value in; the conversation of this channel sees it as ``left.name``."""
        if len(question.arguments) < 2:
            return {"RESULT": "bad_request"}
        taken = self._left.leave(question.channel_id, question.arguments[0], question.arguments[1])
        return {"RESULT": "ok" if taken else "not_allowed"}


def _text(value: Any) -> str:
    return "" if value is None else str(value)
