"""Puts operations on the business systems and their results into words for staff tickets. Pure.

Reads the operations' results (docs/shop.md) leniently: what is not there is not told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

COUNTED_AS_VERIFICATION = ("orders.verify", "orders.find_by_phone")
NOT_TOLD = ("orders.existing",)
"""Operations that a call can do without: that they failed is nothing for the staff."""

_DOING = {
    "orders.verify": "looking the order up",
    "orders.find": "looking the order up",
    "orders.find_by_phone": "looking orders up by phone number",
    "customers.by_phone": "looking the customer up",
    "shipments.track": "looking the delivery up",
    "shipments.streets": "looking the address up",
    "shipments.change_address": "changing the delivery address",
    "shipments.reschedule": "changing the delivery day",
    "shipments.investigate": "having the parcel searched for",
    "shipments.leave_note": "leaving a note for the driver",
    "orders.changeable": "checking what can be changed",
    "orders.cancel": "cancelling the order",
    "orders.remove_line": "taking an item off the order",
    "orders.set_quantity": "changing the number of pieces",
    "orders.set_option": "changing the size or color",
    "returns.eligibility": "checking whether it can come back",
    "returns.create": "opening the return",
    "returns.status": "looking the returns up",
    "refunds.status": "looking the refund up",
    "promotions.check": "checking the promotion",
    "loyalty.points": "looking the points up",
    "messages.send": "sending a text message",
    "tickets.create": "writing a ticket",
    "surveys.answer": "noting the answer to the survey",
    "outbound.answer": "noting the answer to the survey",
    "outbound.call_back": "arranging the call-back",
    "outbound.suppress": "noting that calls are not wanted",
}
_CHANGES = (
    *("shipments.change_address", "shipments.reschedule", "shipments.investigate", "returns.create"),
    *("messages.send", "tickets.create", "shipments.leave_note"),
    *("orders.cancel", "orders.remove_line", "orders.set_quantity", "orders.set_option"),
)
_OF_A_CHANGE = (
    *("line", "quantity", "option", "item", "reason", "condition", "route", "refund", "note", "date", "window"),
    *("house", "street"),
)
"""Arguments that say what a change was to be."""
_WHY = {
    "not_found": "it was not there",
    "not_allowed": "refused",
    "unavailable": "the system could not be reached",
    "timed_out": "the system did not answer in time",
    "bad_request": "the system did not understand the request",
}


class OperationView(Protocol):
    """One thing asked of a business system (:class:`agent.call.ticket_page.PerformedOperation`)."""

    @property
    def name(self) -> str:
        """The operation."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it was asked with."""

    @property
    def code(self) -> str:
        """``ok``, or why it failed."""

    @property
    def reason(self) -> str:
        """Of a refusal, a machine word."""

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What it answered."""


def verification_phrase(acts: Sequence[OperationView]) -> str:
    """Name the two facts that opened the order."""
    by_phone = any(act.name == "orders.find_by_phone" and act.code == "ok" for act in acts)
    by_number = any(act.name == "orders.verify" and act.code == "ok" for act in acts)
    return "phone number used at checkout and postcode" if by_phone and not by_number else "order number and postcode"


def found_phrases(acts: Sequence[OperationView]) -> list[str]:
    """Say what the systems told, the latest answer of each kind."""
    latest: dict[str, str] = {}
    for act in acts:
        if act.code != "ok" or act.result is None:
            continue
        for kind, line in _told(act):
            latest.pop(kind, None)
            latest[kind] = line
    return list(latest.values())


def confirmed_phrases(acts: Sequence[OperationView]) -> list[str]:
    """Say what was done and confirmed, in order."""
    lines = []
    for act in acts:
        if act.code == "ok" and act.result is not None and act.name in _CHANGES:
            lines.append(_done(act.name, act.arguments, act.result))
    return lines


def failed_phrases(acts: Sequence[OperationView]) -> list[str]:
    """Say what was tried and did not work; failed verifications are told elsewhere."""
    lines = []
    for act in acts:
        wrong_facts = act.name in COUNTED_AS_VERIFICATION and act.code == "not_found"
        if act.code == "ok" or act.name in NOT_TOLD or wrong_facts:
            continue
        why = _WHY.get(act.code, act.code.replace("_", " "))
        if act.reason and act.reason != "pending":
            why += f": {act.reason.replace('_', ' ')}"
        line = f"{_sentence(_DOING.get(act.name, act.name))}{_asked(act)}: {why}"
        if act.reason == "pending":
            line += "; it is sent as soon as that works"
        elif act.code == "timed_out" and act.name in _CHANGES:
            line += "; it may have been done all the same, look before doing it again"
        lines.append(line)
    return list(dict.fromkeys(lines))


def _asked(act: OperationView) -> str:
    """What a change was to be, so that a person can make it."""
    told = [
        _words(act.arguments[name])
        for name in _OF_A_CHANGE
        if act.arguments.get(name) and act.name in _CHANGES and act.name != "tickets.create"
    ]
    return f" ({', '.join(told)})" if told else ""


def _told(act: OperationView) -> list[tuple[str, str]]:
    result = act.result or {}
    lines: list[tuple[str, str]] = []
    order = result.get("order")
    orders = [order] if isinstance(order, Mapping) else _list(result.get("orders"))
    lines += [(f"order {one.get('number')}", _order(one)) for one in orders]
    if isinstance(shipment := result.get("shipment"), Mapping):
        number = act.arguments.get("number", "")
        can = [
            what for what, name in (("address", "can_change_address"), ("day", "can_reschedule")) if shipment.get(name)
        ]
        lines.append(
            (f"shipment {number}", f"Delivery of order {number}: can still be changed: {', '.join(can) or 'no'}")
        )
    if isinstance(judged := result.get("eligibility"), Mapping):
        verdict = "may come back" if judged.get("allowed") else f"may not come back ({_words(judged.get('reason'))})"
        until = f" until {judged['last_day']}" if judged.get("allowed") and judged.get("last_day") else ""
        lines.append(("eligibility", f"Order {act.arguments.get('number', '')} {verdict}{until}"))
    for one in _list(result.get("returns")):
        lines.append((f"return {one.get('number')}", f"Return {one.get('number')}: {_words(one.get('state'))}"))
    if isinstance(refund := result.get("refund"), Mapping):
        lines.append(("refund", f"Refund: {_words(refund.get('state'))}{_money(refund)}{_on(refund)}"))
    if isinstance(points := result.get("loyalty"), Mapping):
        lines.append(("loyalty", f"Points: {points.get('points')}, tier {points.get('tier')}"))
    if isinstance(check := result.get("check"), Mapping):
        lines.append(("check", f"Promotion: {_words(check.get('reason')) or 'counts'}"))
    return lines


def _order(order: Mapping[str, Any]) -> str:
    parts = [f"Order {order.get('number')}: {_words(order.get('status'))}"]
    if order.get("delivered_on"):
        parts.append(f"delivered on {order['delivered_on']}")
    elif order.get("expected_on"):
        parts.append(f"expected on {order['expected_on']} {order.get('expected_window') or ''}".strip())
    if order.get("carrier"):
        place = f", last seen in {order['place']}" if order.get("place") else ""
        parts.append(f"with {order['carrier']}{place}")
    if order.get("delay_reason"):
        parts.append(f"delayed: {order['delay_reason']}")
    goods = [f"{item.get('quantity')} x {item.get('name')}" for item in _list(order.get("items"))]
    if goods:
        parts.append(", ".join(goods))
    return "; ".join(parts)


def _done(name: str, arguments: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    def of(part: str) -> Mapping[str, Any]:
        value = result.get(part)
        return value if isinstance(value, Mapping) else {}

    order = arguments.get("number", "")
    if name == "returns.create":
        made = of("return")
        by = f", to be sent back by {made['send_by']}" if made.get("send_by") else ""
        how = f"{_words(made.get('route'))}, refund: {_words(made.get('refund'))}"
        return f"Return {made.get('number')} opened for {made.get('item')}: {how}{_money(made)}{by}"
    if name == "messages.send":
        to = of("message").get("to_last_digits")
        return f"Text message '{_words(arguments.get('template'))}' sent to the phone ending in {to}"
    if name == "tickets.create":
        return f"Ticket {of('ticket').get('id') or '(number follows)'}: {_words(arguments.get('reason'))}"
    if name == "shipments.investigate":
        case = of("case")
        until = f"answer promised by {case.get('answer_by')}"
        return f"The carrier searches for order {order}: case {case.get('number')}, {until}"
    if name.startswith("orders."):
        return _order_changed(order, of("order_change"))
    change = of("change")
    if name == "shipments.leave_note":
        return f"Note for the driver of order {order}: {change.get('note')}, confirmation {change.get('confirmation')}"
    what = "Delivery address" if name == "shipments.change_address" else "Delivery day"
    day = f" to {change['date']} {change.get('window') or ''}".rstrip() if change.get("date") else ""
    return f"{what} of order {order} changed{day}, confirmation {change.get('confirmation')}"


def _order_changed(order: object, made: Mapping[str, Any]) -> str:
    item = made.get("item")
    what = {
        "cancel": "cancelled",
        "remove": f"without {item} now",
        "quantity": f"now with {made.get('quantity')} x {item}",
        "option": f"{item} now in {made.get('option')}",
    }.get(str(made.get("kind")), "changed")
    number = f", confirmation {made['confirmation']}" if made.get("confirmation") else ""
    back = ""
    if made.get("refunded"):
        back = f", money goes back{_money(made)}"
    elif made.get("refund_due"):
        back = ", money is due back and has not been sent"
    return f"Order {order} {what}{number}{back}{', not finished yet' if made.get('pending') else ''}"


def _list(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _words(value: object) -> str:
    return str(value or "").replace("_", " ")


def _money(data: Mapping[str, Any]) -> str:
    amount = data.get("amount")
    return f", {amount:.2f} {data.get('currency') or ''}".rstrip() if isinstance(amount, int | float) else ""


def _on(data: Mapping[str, Any]) -> str:
    return f", {data['on']}" if data.get("on") else ""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
