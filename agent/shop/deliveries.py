"""Orders that were delivered, as a system lists them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class DeliveredOrder:
    """One order, or one parcel of it, that was delivered; what the list does not tell is empty."""

    number: str
    delivered_at: dt.datetime
    """Aware."""
    phone: str = field(default="", repr=False)
    """E.164."""
    name: str = field(default="", repr=False)
    parcel: str = ""


class Deliveries(Protocol):
    """A system that lists deliveries."""

    async def since(self, moment: dt.datetime) -> Sequence[DeliveredOrder]:
        """Return what was delivered from a moment (aware) on.

        Raises ``unavailable`` (:data:`agent.shop.protocols.CUT_OFF`) when not all of it could be looked at.
        """
        ...
