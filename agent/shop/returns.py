"""Models and pure rules of returns, exchanges and refunds: what may come back, how, and where the money is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, get_args

from agent.common.service_error import ServiceError
from agent.shop.models import Order, OrderItem
from agent.shop.policy import Policy
from agent.shop.refusal import Refusal

ReturnReason = Literal["changed_mind", "wrong_size", "defective"]
Condition = Literal["unopened", "opened", "used", "damaged"]
Route = Literal["label", "store", "replacement"]
RefundMethod = Literal["original", "store_credit", "exchange"]
ReturnState = Literal["open", "in_transit", "received", "refunded", "replacement_sent", "rejected"]

REASONS: tuple[str, ...] = get_args(ReturnReason)
CONDITIONS: tuple[str, ...] = get_args(Condition)
ROUTES: tuple[str, ...] = get_args(Route)
REFUNDS: tuple[str, ...] = get_args(RefundMethod)

_CONDITIONS = {
    "changed_mind": ("unopened", "opened"),
    "wrong_size": ("unopened", "opened"),
    "defective": CONDITIONS,
}
_ROUTES = {
    "changed_mind": ("label", "store"),
    "wrong_size": ("label", "store", "replacement"),
    "defective": ("label", "store", "replacement"),
}


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
    created_on: dt.date
    updated_on: dt.date
    """Day of the last change of state."""
    amount: Decimal
    """Of the whole line."""
    currency: str
    key: str = field(default="", repr=False)
    """Idempotency key it was opened with; empty when the system does not tell."""


@dataclass(frozen=True)
class ReturnableItem:
    """One line of an order and whether it may come back."""

    item: OrderItem
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
    state: str
    """``none``, ``cancelled``, ``waiting_for_goods``, ``in_progress``, ``sent``, ``replacement``, ``rejected``."""
    amount: Decimal | None = None
    currency: str = ""
    method: str = ""
    on: dt.date | None = None
    """Day it was sent; while it is in progress the day it is expected on."""
    return_number: str = ""


def eligibility(
    order: Order, policy: Policy, existing: Sequence[Return], today: dt.date, *, item: str = "", reason: str = ""
) -> Eligibility:
    """Judge an order, or one item of it (SKU or name). ``reason`` widens the window for defective goods.

    Raises ``ServiceError`` ``not_found`` when the order holds no such item.
    """
    lines = _lines(order, item)
    if order.status not in ("delivered", "returned", "refunded"):
        return Eligibility("cancelled" if order.status == "cancelled" else "not_delivered", ())
    judged = tuple(_judge(line, order, policy, existing, reason) for line in lines)
    days = policy.defective_days if reason == "defective" else policy.return_days
    last_day = (order.delivered_on or order.placed_on) + dt.timedelta(days=days)
    left = max(0, (last_day - today).days)
    if all(line.refusal == "return_exists" for line in judged):
        return Eligibility("return_exists", judged, last_day, left)
    if order.status != "delivered":
        return Eligibility(order.status, judged, last_day, left)
    if today > last_day:
        return Eligibility("window_over", judged, last_day, 0)
    refusal = next((line.refusal for line in judged if line.refusal), "")
    return Eligibility("" if any(not line.refusal for line in judged) else refusal, judged, last_day, left)


def check_return(
    draft: ReturnDraft, order: Order, policy: Policy, existing: Sequence[Return], today: dt.date
) -> OrderItem:
    """Return the item of a return that may be made; raises :class:`Refusal` with why not."""
    found = eligibility(order, policy, existing, today, item=draft.item, reason=draft.reason)
    if found.refusal:
        raise Refusal(found.refusal, "this cannot be sent back")
    if draft.condition not in _CONDITIONS[draft.reason]:
        raise Refusal(draft.condition, "goods in this condition only come back when they are defective")
    if draft.route not in _ROUTES[draft.reason]:
        raise Refusal("route_not_offered", f"for {draft.reason} there are {', '.join(_ROUTES[draft.reason])}")
    if draft.route == "replacement" and draft.refund != "exchange":
        raise Refusal("refund_not_offered", "a replacement is an exchange; no money goes back")
    return found.items[0].item


def refund_of(order: Order, returns: Sequence[Return], policy: Policy) -> Refund:
    """Say where the money of an order is; ``returns`` are the order's own, newest first."""
    latest = returns[0] if returns else None
    if latest is not None:
        state = {
            "open": "waiting_for_goods",
            "in_transit": "waiting_for_goods",
            "received": "in_progress",
            "refunded": "sent",
            "replacement_sent": "replacement",
            "rejected": "rejected",
        }[latest.state]
        day = latest.updated_on
        if state == "in_progress":
            day += dt.timedelta(days=policy.refund_days)
        elif state != "sent":
            return Refund(order.number, state, latest.amount, order.currency, latest.refund, None, latest.number)
        amount = latest.amount if order.refund_amount is None else order.refund_amount
        return Refund(order.number, state, amount, order.currency, latest.refund, day, latest.number)
    if order.status == "refunded":
        return Refund(order.number, "sent", order.refund_amount, order.currency, "original")
    if order.status == "returned":
        return Refund(order.number, "in_progress", order.total, order.currency, "original")
    return Refund(order.number, "cancelled" if order.status == "cancelled" else "none")


def _lines(order: Order, item: str) -> tuple[OrderItem, ...]:
    if not item:
        return order.items
    wanted = item.casefold()
    found = tuple(line for line in order.items if wanted in (line.sku.casefold(), line.name.casefold()))
    if not found:
        raise ServiceError("not_found", "the order holds no such item")
    return found[:1]


def _judge(line: OrderItem, order: Order, policy: Policy, existing: Sequence[Return], reason: str) -> ReturnableItem:
    # A rejected return does not come back a second time without a person looking at it.
    for known in existing:
        if known.order_number == order.number and known.sku == line.sku:
            return ReturnableItem(line, "return_exists", known.number)
    if line.sku in policy.non_returnable and reason != "defective":
        return ReturnableItem(line, "non_returnable")
    return ReturnableItem(line, "")


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
                "sku": line.item.sku,
                "name": line.item.name,
                "quantity": line.item.quantity,
                "price": float(line.item.price),
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


def return_data(made: Return, policy: Policy) -> dict[str, Any]:
    """Return a return as JSON-like data for the dialog."""
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
        "created_on": made.created_on.isoformat(),
        "updated_on": made.updated_on.isoformat(),
        "send_by": (made.created_on + dt.timedelta(days=policy.send_back_days)).isoformat(),
        "refund_days": policy.refund_days,
        "amount": float(made.amount),
        "currency": made.currency,
    }


def refund_data(refund: Refund) -> dict[str, Any]:
    """Return a refund as JSON-like data for the dialog."""
    return {
        "number": refund.order_number,
        "state": refund.state,
        "amount": None if refund.amount is None else float(refund.amount),
        "currency": refund.currency or None,
        "method": refund.method or None,
        "on": None if refund.on is None else refund.on.isoformat(),
        "return_number": refund.return_number or None,
    }
