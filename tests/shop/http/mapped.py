"""Mappings and answers that the tests of mapped systems share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from agent.shop.http.shop import HttpShop

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
PHONE = "+12025550143"
Open = Callable[..., HttpShop]

FIELDS = """
      number: number
      status: {path: state, map: {new: placed, sent: shipped, arrived: delivered}}
      placed_on: created
      currency: money.currency
      total: money.total
      postcode: {path: ship_to.zip, default: ""}
      phone: ship_to.phone
      items:
        list: lines
        fields: {sku: sku, name: title, quantity: qty, price: price}
"""
SHOP = f"""
system: shop
base_url: BASE/api
timeout_seconds: 1
operations:
  orders.find:
    get: /orders/{{{{ number }}}}
    status: {{404: not_found}}
    fields: {FIELDS}
  orders.find_by_phone:
    get: /orders
    query: {{phone: "{{{{ phone }}}}"}}
    list: orders
    fields: {FIELDS}
"""
DESK = """
system: desk
base_url: BASE/desk
timeout_seconds: 1
operations:
  tickets.create:
    post: /tickets
    json:
      subject: "Call: {{ reason }}"
      verified: "{{ verified }}"
      priority: "{{ priority }}"
      lines: "{{ transcript }}"
      api: 2
    fields: {id: ticket.id, created_at: ticket.created}
"""


def order(**changes: Any) -> dict[str, Any]:
    """Return an order as the made-up shop writes it."""
    return {
        "number": "10473",
        "state": "sent",
        "created": "2026-11-20T23:30:00-06:00",
        "money": {"currency": "usd", "total": "49.90"},
        "ship_to": {"zip": "60614", "phone": "(202) 555-0143"},
        "lines": [{"sku": "MUG", "title": "Mug", "qty": 2, "price": 24.95}],
        **changes,
    }
