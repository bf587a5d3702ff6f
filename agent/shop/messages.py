"""Text messages to customers: always to the phone given at checkout, from the shop's own templates. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.common.service_error import ServiceError
from agent.shop.policy import Policy

TEMPLATES: Mapping[str, str] = {
    "return_label": "Your return {number} for order {order}: print the label at {link} and send it back by {send_by}.",
    "store_return": "Your return {number} for order {order}: show this message in any of our stores by {send_by}.",
    "replacement": "Your replacement for order {order} is being prepared. Return number {number}. Details: {link}",
    "wrong_item": (
        "We send the {item} of order {order} as ordered. Return {number}: print the label for the wrong one at {link}"
        " and send it back by {send_by}."
    ),
    "photo_link": "Please upload a photo of the item from order {order} here: {link}",
    "address_link": "Enter the new delivery address of order {order} here: {link}",
    "invoice": "The invoice of order {order}: {link}",
    "tracking": "Follow your order {order} here: {link}",
    "delivery_change": "Order {order}: your change is confirmed, number {confirmation}.",
}
"""What is sent where the shop gives no words of its own. ``{link}`` is the shop's page for it."""
MAX_TEXT_CHARS = 459
"""Three linked SMS."""


@dataclass(frozen=True)
class MessageDraft:
    """A message to be sent."""

    template: str
    order_number: str
    phone: str = field(repr=False)
    """E.164."""
    text: str = field(repr=False)


@dataclass(frozen=True)
class Message:
    """A message the gateway has taken."""

    id: str
    phone: str = field(repr=False)


def compose(template: str, order_number: str, values: Mapping[str, object], policy: Policy) -> str:
    """Fill a template in. Values are inserted as they are; what a template needs and nobody gave is left out.

    Raises ``ServiceError`` ``bad_request`` for a template nobody knows.
    """
    source = policy.templates.get(template) or TEMPLATES.get(template)
    if source is None:
        known = ", ".join(sorted({*TEMPLATES, *policy.templates}))
        raise ServiceError("bad_request", f"there is no message {template!r}; there are: {known}")
    told = {"link": f"{policy.link}/{template.replace('_', '-')}", **values, "order": order_number}
    for name, value in told.items():
        # values may hold braces of their own: they are data
        source = source.replace("{" + name + "}", str(value).replace("{", "(").replace("}", ")"))
    return source[:MAX_TEXT_CHARS]
