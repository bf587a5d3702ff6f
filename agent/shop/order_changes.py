"""Models and pure rules of changes to an order that has not been sent: what may still be changed, and why not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from agent.common.service_error import ServiceError
from agent.shop.models import Order, OrderItem, amount_data, line_keys, quantity_data
from agent.shop.policy import Policy
from agent.shop.refusal import Refusal

ChangeKind = Literal["cancel", "remove", "quantity", "option"]
"""``option`` is another size or color of the same article, in the caller's words."""
KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
ChangeRefusal = Literal[
    "",
    "packed",
    "already_shipped",
    "delivered",
    "cancelled",
    "returned",
    "refunded",
    "pickup",
    "completed",
    "unknown",
    "not_served",
    "not_allowed",
]
"""``not_served``: the shop's system cannot do it. ``not_allowed``: the shop does not want it done on the phone."""
MAX_QUANTITY = 99

_WHY_NOT: dict[str, ChangeRefusal] = {
    "packed": "packed",
    "shipped": "already_shipped",
    "in_transit": "already_shipped",
    "delayed": "already_shipped",
    "out_for_delivery": "already_shipped",
    "held_at_customs": "already_shipped",
    "partly_shipped": "already_shipped",
    "delivery_attempted": "already_shipped",
    "delivery_failed": "already_shipped",
    "delivered": "delivered",
    "picked_up": "delivered",
    "cancelled": "cancelled",
    "returned": "returned",
    "refunded": "refunded",
    "ready_for_pickup": "pickup",
    "completed": "completed",
    "unknown": "unknown",
}
_STILL_HERE = frozenset(("placed", "awaiting_payment", "packed", "on_hold", "cancelled", "unknown"))
"""Statuses of parcels that have not left."""


@dataclass(frozen=True)
class OrderChange:
    """A change of an order that the order system has confirmed."""

    order_number: str
    kind: ChangeKind
    confirmation: str = ""
    """What the caller is told: ``X-7001``; empty where the system gives none."""
    line: str = ""
    """Key of the line; empty for a cancellation."""
    item: str = ""
    quantity: int | None = None
    option: str = ""
    refunded: bool = False
    """True when the system gives back what was paid by itself."""
    amount: Decimal | None = None
    """What goes back; None when it is not known."""
    currency: str = ""
    pending: bool = False
    """True when the system has taken the order to do it, and tells the customer once it is done."""


def cancel_refusal(order: Order, policy: Policy, can: Collection[str]) -> ChangeRefusal:
    """Return why an order cannot be cancelled on the phone; ``""`` when it can."""
    return _refusal(order, policy.cancel_while, "cancel" in can)


def change_refusal(order: Order, policy: Policy, can: Collection[str]) -> ChangeRefusal:
    """Return why nothing in an order can be changed on the phone; ``""`` when something can."""
    return _refusal(order, policy.change_while, bool({"remove", "quantity", "option"} & set(can)))


def _refusal(order: Order, allowed: Collection[str], served: bool) -> ChangeRefusal:
    left = any(parcel.status not in _STILL_HERE for parcel in order.parcels)
    if left and order.status not in _WHY_NOT:
        return "already_shipped"
    if order.status in allowed:
        return "" if served else "not_served"
    return _WHY_NOT.get(order.status, "not_allowed")


def check_cancel(order: Order, policy: Policy, can: Collection[str]) -> None:
    """Raise :class:`Refusal` when the order cannot be cancelled."""
    refusal = cancel_refusal(order, policy, can)
    if refusal:
        raise Refusal(refusal, "this order cannot be cancelled on the phone")


def check_line(order: Order, policy: Policy, can: Collection[str], kind: str, line: str) -> OrderItem:
    """Return the line that may be changed in this way; raises :class:`Refusal`, or ``not_found`` for no such line."""
    refusal = change_refusal(order, policy, can)
    if not refusal and kind not in can:
        refusal = "not_served"
    if refusal:
        raise Refusal(refusal, "this order cannot be changed on the phone")
    keys = line_keys(order.items)
    if line not in keys:
        raise ServiceError("not_found", "the order holds no such item")
    if kind == "remove" and len(keys) == 1 and not order.more_items:
        # an order with nothing in it is a cancelled order, which has words and rules of its own
        raise Refusal("only_item", "the last item is not taken out: the order is cancelled instead")
    return order.items[keys.index(line)]


def changeable_data(order: Order, policy: Policy, can: Collection[str]) -> dict[str, Any]:
    """Return what may be changed about an order as JSON-like data for the dialog."""
    cancel, change = cancel_refusal(order, policy, can), change_refusal(order, policy, can)
    return {
        "number": order.number,
        "status": order.status,
        "can_cancel": not cancel,
        "cancel_reason": cancel,
        "can_change": not change,
        "change_reason": change,
        "kinds": [kind for kind in KINDS if kind != "cancel" and kind in can and not change],
        "paid": order.status != "awaiting_payment",
        "total": amount_data(order.total),
        "currency": order.currency,
        "items": [
            {
                "line": key,
                "sku": item.sku,
                "name": item.name or "item",
                "quantity": quantity_data(item.quantity),
                "price": amount_data(item.price),
            }
            for key, item in zip(line_keys(order.items), order.items, strict=True)
        ],
    }


def order_change_data(made: OrderChange, order: Order) -> dict[str, Any]:
    """Return a confirmed change as JSON-like data for the dialog.

    ``refund_due``: money was paid for what is gone, and the system does not give it back by itself.
    """
    less = made.kind in ("cancel", "remove") or (made.kind == "quantity" and _is_fewer(order, made))
    return {
        "number": made.order_number,
        "kind": made.kind,
        "confirmation": made.confirmation,
        "item": made.item,
        "quantity": made.quantity,
        "option": made.option,
        "refunded": made.refunded,
        "refund_due": less and not made.refunded and order.status != "awaiting_payment",
        "amount": amount_data(made.amount),
        "currency": made.currency or order.currency,
        "pending": made.pending,
    }


def _is_fewer(order: Order, made: OrderChange) -> bool:
    keys = line_keys(order.items)
    before = order.items[keys.index(made.line)].quantity if made.line in keys else None
    return before is None or made.quantity is None or made.quantity < before
