"""Why a promotion does not count for a caller, by the promotion's own rules. Pure.

The rules come as JSON-like data from the flow (the call's own edition of the knowledge file), so that an edit
counts from the next call on; what they are judged by comes from the order system.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from agent.shop import arguments as take
from agent.shop.models import Customer, Order

_YES = ("true", "yes", "on", "1")


def judge(
    promotion: Mapping[str, Any],
    today: dt.date,
    *,
    order: Order | None = None,
    customer: Customer | None = None,
    used: Collection[str] = (),
) -> str:
    """Return what speaks against a promotion, ``""`` when nothing does as far as is known.

    In this order: ``expired``, ``not_started``, ``used``, ``first_order_only``, ``tier_only``, ``minimum``. Without an
    order or a customer the rules about them are not judged. Raises ``ServiceError`` ``bad_request`` for rules that
    make no sense.
    """
    if promotion.get("ends") and take.day(promotion, "ends") < today:
        return "expired"
    if promotion.get("starts") and take.day(promotion, "starts") > today:
        return "not_started"
    if _is_set(promotion, "once") and str(promotion.get("id", "")) in used:
        return "used"
    counted = customer is not None and customer.orders_count is not None
    if customer is not None and counted and _is_set(promotion, "first_order") and not customer.first_order:
        return "first_order_only"
    tiers = take.texts(promotion, "tiers", 40)
    if customer is not None and customer.tier and tiers and customer.tier not in tiers:
        return "tier_only"
    minimum = take.amount(promotion, "minimum")
    if order is not None and minimum is not None and order.total is not None and order.total < minimum:
        return "minimum"
    return ""


def _is_set(promotion: Mapping[str, Any], name: str) -> bool:
    return str(promotion.get(name) or "").lower() in _YES
