"""The FastAGI services a dialplan may ask for (docs/agi.md), and the values it leaves for its calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from agent.asterisk.fastagi import AgiRefusal, AgiRequest, AgiService
from agent.call.ports import Services
from agent.common.channel_variables import channel_variable_text

KEPT_SECONDS = 900.0
"""How long a value waits for its call."""
_MOST_VALUES = 20
_MOST_CALLS = 1000
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_VALUE_CHARS = 200


class DialplanValues:
    """Values the dialplan left, by channel id: hints for the flows (``left.NAME``), never proof of anything."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` gives monotonic seconds."""
        self._clock = clock
        self._left: dict[str, tuple[float, dict[str, str]]] = {}

    def leave(self, channel_id: str, name: str, value: str) -> None:
        """Keep a value for the call on this channel. Raises AgiRefusal for a name that is none, or too many."""
        if not channel_id or _NAME.fullmatch(name) is None:
            raise AgiRefusal("bad_request", f"{name!r} is no name: small letters, digits and _, 30 at most")
        now = self._clock()
        self._left = {key: kept for key, kept in self._left.items() if now - kept[0] <= KEPT_SECONDS}
        _, values = self._left.get(channel_id, (now, {}))
        if len(values) >= _MOST_VALUES and name not in values:
            raise AgiRefusal("bad_request", f"more than {_MOST_VALUES} values for one call")
        while channel_id not in self._left and len(self._left) >= _MOST_CALLS:
            del self._left[next(iter(self._left))]
        self._left[channel_id] = (now, {**values, name: channel_variable_text(value, _VALUE_CHARS)})

    def of(self, channel_id: str) -> Mapping[str, str]:
        """Return what was left for this call; it is there for each of its visits."""
        left_at, values = self._left.get(channel_id, (0.0, {}))
        return dict(values) if self._clock() - left_at <= KEPT_SECONDS else {}


def agi_services(services: Services, left: DialplanValues, why_not: Callable[[], str]) -> dict[str, AgiService]:
    """Return the services by name. ``why_not()`` says why the agent takes no calls now, ``""`` when it does."""

    async def order_status(question: AgiRequest) -> dict[str, str]:
        number, postcode = question.argument(0), question.argument(1)
        if not (number and postcode):
            raise AgiRefusal("bad_request", "order_status needs an order number and its postcode")
        given = {"number": number, "postcode": postcode, "caller": question.caller}
        order = await _found(services, "orders.verify", given, "order")
        return {
            "ORDERLINE_STATUS": _text(order, "status"),
            "ORDERLINE_EXPECTED": _text(order, "expected_on"),
            "ORDERLINE_PLACE": _text(order, "place"),
        }

    async def customer_tier(question: AgiRequest) -> dict[str, str]:
        phone = question.argument(0) or question.caller
        if not phone:
            raise AgiRefusal("not_found", "the number is hidden")
        customer = await _found(services, "customers.by_phone", {"phone": phone}, "customer")
        return {"ORDERLINE_TIER": _text(customer, "tier"), "ORDERLINE_ORDERS": _text(customer, "orders_count")}

    async def accepting(question: AgiRequest) -> dict[str, str]:
        why = why_not()
        return {"ORDERLINE_ACCEPTING": "no" if why else "yes", "ORDERLINE_WHY": why}

    async def leave_value(question: AgiRequest) -> dict[str, str]:
        left.leave(question.channel_id, question.argument(0), question.argument(1))
        return {}

    return {
        "order_status": order_status,
        "customer_tier": customer_tier,
        "accepting": accepting,
        "leave_value": leave_value,
    }


async def _found(services: Services, operation: str, arguments: Mapping[str, str], what: str) -> Mapping[str, Any]:
    found = (await services.perform(operation, arguments, "")).get(what)
    if not isinstance(found, Mapping):
        raise AgiRefusal("not_found", f"{operation} names no {what}")
    return found


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)
