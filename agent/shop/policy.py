"""The shop's rules: return periods, delivery windows, non-returnable goods, text message templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Policy:
    """The shop's rules, as its back office keeps them."""

    return_days: int = 30
    """How long after delivery goods may come back."""
    defective_days: int = 365
    """The same for goods that arrived broken or broke by themselves."""
    non_returnable: frozenset[str] = frozenset()
    """SKUs that only come back when they are defective."""
    send_back_days: int = 14
    """How long a return number holds until the goods must be on their way."""
    refund_days: int = 5
    """From the goods' arrival to the money's."""
    reschedule_days: int = 14
    """How far behind the first possible day a delivery can be put."""
    no_delivery_weekdays: frozenset[int] = frozenset({6})
    """0 is Monday, 6 is Sunday."""
    windows: tuple[str, ...] = ("09:00-12:00", "12:00-15:00", "13:00-17:00", "17:00-20:00")
    point_value: Decimal = Decimal("0.01")
    """What one loyalty point is worth, in ``currency``."""
    currency: str = "USD"
    tiers: Mapping[str, int] = field(default_factory=lambda: {"none": 0, "silver": 300, "gold": 1000})
    """Loyalty tiers, lowest first, with the points that reach them."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """SMS texts by name, with ``{name}`` where a value goes, instead of the usual ones."""
    link: str = "https://shop.example.com/service"
    """Beginning of the links in messages."""
    search_days: int = 3
    """How long a search for a missing parcel takes."""
    cancel_while: tuple[str, ...] = ("placed", "awaiting_payment", "on_hold")
    """Statuses in which an order may be cancelled on the phone; none: a person does it."""
    change_while: tuple[str, ...] = ("placed", "awaiting_payment", "on_hold")
    """Statuses in which what is in an order may be changed on the phone."""
    second_facts: tuple[str, ...] = ("postcode", "phone", "email")
    """What proves, besides its number, that an order is the caller's: also ``name``, where the shop takes that."""
