"""Which orders a survey asks about: by rule, by lot, and whoever was not asked lately. Never by agent or outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from agent.outbound.model import Purpose, SuppressionScope
from agent.outbound.policy import forbids
from agent.outbound.triggers.deliveries import Delivery


class Excluded(StrEnum):
    """Why an order is not asked about."""

    NO_RULE = "no_rule"
    """Its value is below the limit, and it is not the customer's first."""
    NOT_KNOWN = "not_known"
    """Neither value nor whether it is the first order is known."""
    NOT_DRAWN = "not_drawn"
    ASKED_LATELY = "asked_lately"
    COMPLAINED = "complained"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True)
class SelectionRules:
    """Whom a survey calls."""

    order_value: Decimal | None = None
    """OrderLookup of at least so much; None: the value does not matter."""
    first_order: bool = False
    """First orders as well, whatever their value."""
    share: float = 1.0
    """Of those who fit."""
    quarantine: timedelta = timedelta(days=90)


def select(
    delivery: Delivery,
    rules: SelectionRules,
    *,
    asked_lately: bool,
    suppressed: Collection[SuppressionScope],
    complained: bool = False,
) -> Excluded | None:
    """Return why an order is not asked about, None when it is."""
    if (by_rule := _by_rule(delivery, rules)) is not None:
        return by_rule
    if forbids(suppressed, Purpose.SURVEY):
        return Excluded.OPTED_OUT
    if complained:
        return Excluded.COMPLAINED
    if asked_lately:
        return Excluded.ASKED_LATELY
    if lot(delivery.order) >= rules.share:
        return Excluded.NOT_DRAWN
    return None


def _by_rule(delivery: Delivery, rules: SelectionRules) -> Excluded | None:
    if rules.order_value is None and not rules.first_order:
        return None
    by_value = rules.order_value is not None and delivery.order_value is not None
    if by_value and delivery.order_value is not None and delivery.order_value >= (rules.order_value or 0):
        return None
    if rules.first_order and delivery.first_order:
        return None
    is_known = by_value or (rules.first_order and delivery.first_order is not None)
    return Excluded.NO_RULE if is_known else Excluded.NOT_KNOWN


def lot(order: str) -> float:
    """Return an order's lot, 0 to 1: the same each time an event is repeated, and nobody can choose it."""
    return int.from_bytes(hashlib.sha256(f"survey lot {order}".encode()).digest()[:6], "big") / 2**48
