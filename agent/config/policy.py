"""The shop's rules as an administrator writes them, made into the policy the operations judge by."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from agent.shop.policy import Policy

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Window = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]


Unsent = Literal["placed", "awaiting_payment", "on_hold", "packed"]
SecondFact = Literal["postcode", "phone", "email", "name"]


class PolicySettings(BaseModel):
    """``shop.policy``; whatever is not set is as :class:`agent.shop.policy.Policy` has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    return_days: int | None = Field(default=None, ge=0, le=3650)
    defective_days: int | None = Field(default=None, ge=0, le=3650)
    non_returnable: tuple[str, ...] | None = None
    send_back_days: int | None = Field(default=None, ge=1, le=365)
    refund_days: int | None = Field(default=None, ge=0, le=365)
    reschedule_days: int | None = Field(default=None, ge=0, le=365)
    no_delivery_weekdays: tuple[str, ...] | None = None
    """English names; an empty list: every day is delivered on."""
    windows: tuple[Window, ...] | None = None
    point_value: Decimal | None = Field(default=None, ge=0, le=1000)
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    tiers: dict[str, int] | None = None
    templates: dict[str, str] | None = None
    link: str | None = Field(default=None, pattern="^https?://")
    search_days: int | None = Field(default=None, ge=0, le=365)
    cancel_while: tuple[Unsent, ...] | None = None
    """Statuses in which an order may be cancelled on the phone; an empty list: a person does it."""
    change_while: tuple[Unsent, ...] | None = None
    """Statuses in which what is in an order may be changed on the phone."""
    second_facts: Annotated[tuple[SecondFact, ...], Field(min_length=1)] | None = None
    """What proves, besides its number, that an order is the caller's."""

    @field_validator("no_delivery_weekdays")
    @classmethod
    def _weekdays(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in value or ():
            if name.lower() not in _WEEKDAYS:
                raise ValueError(f"{name!r} is no weekday; there are: {', '.join(_WEEKDAYS)}")
        return value

    def over(self, base: Policy) -> Policy:
        """Return the policy that these settings make of another one."""
        given = {name: value for name, value in self if value is not None}
        if self.non_returnable is not None:
            given["non_returnable"] = frozenset(self.non_returnable)
        if self.no_delivery_weekdays is not None:
            given["no_delivery_weekdays"] = frozenset(_WEEKDAYS.index(day.lower()) for day in self.no_delivery_weekdays)
        if self.link is not None:
            given["link"] = self.link.rstrip("/")
        return replace(base, **given)
