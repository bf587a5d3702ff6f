"""Models and pure rules of returns, exchanges and refunds: what may come back, how, and where the money is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, get_args

from agent.common.service_error import ServiceError
from agent.shop.models import Order, OrderItem, amount_data, line_keys, quantity_data
from agent.shop.policy import Policy
from agent.shop.refusal import Refusal

ReturnReason = Literal["changed_mind", "wrong_size", "defective", "wrong_item", "wrong_color"]
"""``wrong_item`` and ``wrong_color``: the shop has sent other goods than were ordered; the right ones are sent."""
Condition = Literal["unopened", "opened", "used", "damaged"]
Route = Literal["label", "store", "replacement"]
RefundMethod = Literal["original", "store_credit", "exchange"]
ReturnState = Literal[
    "open", "in_transit", "received", "refunded", "replacement_sent", "rejected", "requested", "closed", "unknown"
]
"""``requested``: the shop has not said yes yet. ``closed``: nothing more happens, and no money is to be seen."""
ReturnRefusal = Literal["", "window_over", "non_returnable", "used", "incomplete", "other"]
RefundState = Literal[
    "none",
    "cancelled",
    "waiting_for_approval",
    "waiting_for_goods",
    "in_progress",
    "sent",
    "replacement",
    "rejected",
    "unknown",
]
"""``none``: it is known that no money has gone back, and that there is no return; ``unknown``: it is not."""

REASONS: tuple[str, ...] = get_args(ReturnReason)
CONDITIONS: tuple[str, ...] = get_args(Condition)
ROUTES: tuple[str, ...] = get_args(Route)
REFUNDS: tuple[str, ...] = get_args(RefundMethod)

_CONDITIONS = {
    "changed_mind": ("unopened", "opened"),
    "wrong_size": ("unopened", "opened"),
    "defective": CONDITIONS,
    "wrong_item": ("unopened", "opened"),
    "wrong_color": ("unopened", "opened"),
}
_ROUTES = {
    "changed_mind": ("label", "store"),
    "wrong_size": ("label", "store", "replacement"),
    "defective": ("label", "store", "replacement"),
    "wrong_item": ("label", "store", "replacement"),
    "wrong_color": ("label", "store", "replacement"),
}
_FAULT_OF_THE_SHOP = frozenset(("defective", "wrong_item", "wrong_color"))
"""Reasons for which everything may come back, and for longer."""


@dataclass(frozen=True)
class ReturnDraft:
    """What a caller wants to send back, and what for."""

    order_number: str
    item: str
    """SKU or name of one line of the order."""
    reason: str
    condition: str
    route: str
    refund: str
    note: str = ""
    """What else the shop should know: the size wanted instead."""


@dataclass(frozen=True)
class ReturnedLine:
    """What tells which line of an order comes back: the system's id of the line, or its SKU, or its name."""

    line: str
    sku: str
    name: str


@dataclass(frozen=True)
class Return:
    """A return the shop has accepted."""

    number: str
    """``R-2001``."""
    order_number: str
    sku: str
    item: str
    reason: str
    condition: str
    route: str
    refund: str
    state: ReturnState
    created_on: dt.date | None
    """None when it is not known."""
    updated_on: dt.date | None
    """Day of the last change of state; None when it is not known."""
    amount: Decimal | None
    """Of everything that comes back; None when it is not known."""
    currency: str
    key: str = field(default="", repr=False)
    """Idempotency key it was opened with; empty when the system does not tell."""
    lines: tuple[ReturnedLine, ...] = ()
    refusal: ReturnRefusal = ""
    """Why the shop did not accept it; empty when it did, or when that is not known."""
    """What comes back, when the system tells line by line; otherwise the one of ``sku`` and ``item``."""


@dataclass(frozen=True)
class ReturnableItem:
    """One line of an order and whether it may come back."""

    item: OrderItem
    key: str
    """What tells it from the other lines of its order."""
    refusal: str
    """``""`` when it may: ``non_returnable``, ``return_exists``."""
    return_number: str = ""


@dataclass(frozen=True)
class Eligibility:
    """Whether something of an order may come back."""

    refusal: str
    """``""`` when it may."""
    items: tuple[ReturnableItem, ...]
    """All lines, or the one that was asked for; empty when the whole order is refused."""
    last_day: dt.date | None = None
    days_left: int = 0


@dataclass(frozen=True)
class Refund:
    """Where a caller's money is."""

    order_number: str
    state: RefundState
    amount: Decimal | None = None
    """Of what the state says; None when it is not known."""
    currency: str = ""
    method: str = ""
    on: dt.date | None = None
    """Day it was sent; while it is in progress the day it is expected on."""
    return_number: str = ""
    sent_already: Decimal | None = None
    """What has gone back besides, when the state is about money that has not."""


_DELIVERED = ("delivered", "picked_up")
_NOT_KNOWN = ("unknown", "completed")
"""Statuses that do not tell whether the goods are with the caller."""


def order_line(order: Order, key: str) -> OrderItem:
    """Return the line of an order that a key names. Raises ``ServiceError`` ``not_found``."""
    for item, own in zip(order.items, line_keys(order.items), strict=True):
        if own == key:
            return item
    raise ServiceError("not_found", "the order holds no such item")


def line_amount(item: OrderItem) -> Decimal | None:
    """Return what a whole line costs; None when its price or its quantity is not known."""
    return None if item.price is None or item.quantity is None else item.price * item.quantity


def eligibility(
    order: Order, policy: Policy, existing: Sequence[Return], today: dt.date, *, item: str = "", reason: str = ""
) -> Eligibility:
    """Judge an order, or one item of it (SKU or name). ``reason`` widens the window for defective goods.

    Raises ``ServiceError`` ``not_found`` when the order holds no such item.
    """
    lines = _lines(order, item)
    if order.status in _NOT_KNOWN or not lines:
        return Eligibility("not_known", ())
    if order.status not in (*_DELIVERED, "returned", "refunded"):
        return Eligibility("cancelled" if order.status == "cancelled" else "not_delivered", ())
    returned = _returned_lines(order, existing)
    judged = tuple(_judge(order.items[at], key, returned.get(at), policy, reason) for at, key in lines)
    days = policy.defective_days if reason in _FAULT_OF_THE_SHOP else policy.return_days
    # Without a day of delivery only this is sure: it was not before the day the order was placed.
    since = order.delivered_on or order.placed_on
    last_day = None if since is None else since + dt.timedelta(days=days)
    left = 0 if last_day is None else max(0, (last_day - today).days)
    told = last_day if order.delivered_on is not None else None
    if all(line.refusal == "return_exists" for line in judged):
        return Eligibility("return_exists", judged, told, left)
    if order.status not in _DELIVERED:
        return Eligibility(order.status, judged, told, left)
    if last_day is None or today > last_day:
        return Eligibility("not_known" if order.delivered_on is None else "window_over", judged, told, 0)
    refusal = next((line.refusal for line in judged if line.refusal), "")
    return Eligibility("" if any(not line.refusal for line in judged) else refusal, judged, told, left)


def check_return(
    draft: ReturnDraft, order: Order, policy: Policy, existing: Sequence[Return], today: dt.date
) -> ReturnableItem:
    """Return the line of a return that may be made; raises :class:`Refusal` with why not."""
    found = eligibility(order, policy, existing, today, item=draft.item, reason=draft.reason)
    if found.refusal:
        raise Refusal(found.refusal, "this cannot be sent back")
    if draft.condition not in _CONDITIONS[draft.reason]:
        raise Refusal(draft.condition, "goods in this condition only come back when they are defective")
    if draft.route not in _ROUTES[draft.reason]:
        raise Refusal("route_not_offered", f"for {draft.reason} there are {', '.join(_ROUTES[draft.reason])}")
    if draft.route == "replacement" and draft.refund != "exchange":
        raise Refusal("refund_not_offered", "a replacement is an exchange; no money goes back")
    return found.items[0]


def refund_of(order: Order, returns: Sequence[Return] | None, policy: Policy) -> Refund:
    """Say where the money of an order is; ``returns`` are the order's own, newest first, None when nobody knows."""
    sent = order.refund_amount or None
    latest = returns[0] if returns else None
    if latest is not None and (found := _refund_of_return(order, latest, policy, sent)) is not None:
        return found
    if order.status == "refunded" or sent is not None:
        return Refund(order.number, "sent", sent, order.currency, "original" if latest is None else latest.refund)
    if order.status == "returned":
        return Refund(order.number, "in_progress", None, order.currency, "original")
    if order.status == "cancelled":
        return Refund(order.number, "cancelled")
    is_known = order.refund_amount is not None and returns is not None and latest is None
    return Refund(order.number, "none" if is_known else "unknown")


def _refund_of_return(order: Order, latest: Return, policy: Policy, sent: Decimal | None) -> Refund | None:
    """Say where the money of a return is; None when the return does not tell."""
    states: Mapping[ReturnState, RefundState] = {
        "requested": "waiting_for_approval",
        "open": "waiting_for_goods",
        "in_transit": "waiting_for_goods",
        "received": "in_progress",
        "refunded": "sent",
        "replacement_sent": "replacement",
        "rejected": "rejected",
    }
    state = states.get(latest.state)
    if state is None:
        return None
    if state == "sent":
        amount = sent if latest.amount is None else latest.amount
        on = latest.updated_on
        return Refund(order.number, state, amount, _currency(order, latest), latest.refund, on, latest.number)
    day = latest.updated_on if state == "in_progress" else None
    if day is not None:
        day += dt.timedelta(days=policy.refund_days)
    currency = _currency(order, latest)
    # an amount in one currency and one in another cannot be told in one sentence
    already = sent if currency == order.currency else None
    return Refund(order.number, state, latest.amount, currency, latest.refund, day, latest.number, already)


def _currency(order: Order, latest: Return) -> str:
    return order.currency if latest.amount is None else latest.currency or order.currency


def _lines(order: Order, item: str) -> tuple[tuple[int, str], ...]:
    """Return place and key of every line, or of the one that is named by its key, its SKU or its name."""
    keys = line_keys(order.items)
    if not item:
        return tuple(enumerate(keys))
    wanted = item.casefold()
    names = [[key.casefold() for key in keys]]
    names += [[line.sku.casefold() for line in order.items], [line.name.casefold() for line in order.items]]
    for own in names:
        if wanted in own:
            at = own.index(wanted)
            return ((at, keys[at]),)
    raise ServiceError("not_found", "the order holds no such item")


def _returned_lines(order: Order, existing: Sequence[Return]) -> dict[int, Return]:
    """Find the lines that have a return; each returned line is one line of the order, the first that it fits."""
    # A rejected return does not come back a second time without a person looking at it.
    found: dict[int, Return] = {}
    for known in existing:
        if known.order_number != order.number:
            continue
        for returned in known.lines or (ReturnedLine("", known.sku, known.item),):
            fits = (at for at, line in enumerate(order.items) if at not in found and _is_same(line, returned))
            at = next(fits, None)
            if at is not None:
                found[at] = known
    return found


def _is_same(line: OrderItem, returned: ReturnedLine) -> bool:
    if line.line and returned.line:
        return line.line == returned.line
    if line.sku and returned.sku:
        return line.sku == returned.sku
    return bool(line.name) and line.name.casefold() == returned.name.casefold()


def _judge(line: OrderItem, key: str, known: Return | None, policy: Policy, reason: str) -> ReturnableItem:
    if known is not None:
        return ReturnableItem(line, key, "return_exists", known.number)
    if line.sku and line.sku in policy.non_returnable and reason not in _FAULT_OF_THE_SHOP:
        return ReturnableItem(line, key, "non_returnable")
    return ReturnableItem(line, key, "")


def eligibility_data(found: Eligibility, reason: str) -> dict[str, Any]:
    """Return an eligibility as JSON-like data for the dialog; with a reason also what may be chosen."""
    numbers = [line.return_number for line in found.items if line.return_number]
    return {
        "allowed": not found.refusal,
        "reason": found.refusal,
        "last_day": None if found.last_day is None else found.last_day.isoformat(),
        "days_left": found.days_left,
        "return_number": numbers[0] if numbers else None,
        "items": [
            {
                "line": line.key,
                "sku": line.item.sku,
                "name": line.item.name or "item",
                "quantity": quantity_data(line.item.quantity),
                "price": amount_data(line.item.price),
                "allowed": not (found.refusal or line.refusal),
                "reason": line.refusal or found.refusal,
                "return_number": line.return_number or None,
            }
            for line in found.items
        ],
        "conditions": list(_CONDITIONS.get(reason, ())),
        "routes": list(_ROUTES.get(reason, ())),
        "refunds": list(REFUNDS if reason else ()),
    }


def return_data(made: Return, policy: Policy, order: Order) -> dict[str, Any]:
    """Return a return of an order as JSON-like data for the dialog; its money is the order's unless it says so."""
    return {
        "number": made.number,
        "order_number": made.order_number,
        "sku": made.sku,
        "item": made.item,
        "reason": made.reason,
        "condition": made.condition,
        "route": made.route,
        "refund": made.refund,
        "state": made.state,
        "created_on": _iso(made.created_on),
        "updated_on": _iso(made.updated_on),
        "send_by": _iso(_after(made.created_on, policy.send_back_days)),
        "refund_days": policy.refund_days,
        "amount": amount_data(made.amount),
        "currency": made.currency or order.currency,
        "refusal": made.refusal,
    }


def refund_data(refund: Refund) -> dict[str, Any]:
    """Return a refund as JSON-like data for the dialog."""
    return {
        "number": refund.order_number,
        "state": refund.state,
        "amount": amount_data(refund.amount),
        "currency": refund.currency or None,
        "method": refund.method or None,
        "on": _iso(refund.on),
        "return_number": refund.return_number or None,
        "sent_already": amount_data(refund.sent_already),
    }


def _after(day: dt.date | None, days: int) -> dt.date | None:
    return None if day is None else day + dt.timedelta(days=days)


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
