"""Sentences the rival bot says about an order's status. Pure."""

from __future__ import annotations

import datetime as dt

from agent.languages.en.wording import day, place, window
from agent.shop.models import Order


def status_sentence(order: Order, today: dt.date) -> str:
    """Return the status of an order as a sentence, with place and expected day where they are known."""
    expected = f"It should arrive {_when(order, today)}." if order.expected_on else ""
    where = f" in {place(order.place)}" if order.place else ""
    sentences = {
        "placed": "We have your order and are getting it ready.",
        "awaiting_payment": "We're waiting for your payment.",
        "packed": "It's packed and leaves soon.",
        "shipped": "It's on its way.",
        "in_transit": f"It's on its way, now{where}." if where else "It's on its way.",
        "out_for_delivery": "It's out for delivery.",
        "delivered": f"It was delivered {day(order.delivered_on, today)}."
        if order.delivered_on
        else "It was delivered.",
        "delayed": "It's delayed.",
        "held_at_customs": "It's held at customs.",
        "cancelled": "It was cancelled.",
        "returned": "It came back to us.",
        "refunded": "It was refunded.",
    }
    return f"{sentences[order.status]} {expected}".strip()


def _when(order: Order, today: dt.date) -> str:
    named = day(order.expected_on, today)
    return f"{named} {window(order.expected_window)}" if order.expected_window else named
