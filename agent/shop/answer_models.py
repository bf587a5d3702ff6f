"""Answer models of orders, customers and deliveries, and what all answer models have in common."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agent.shop.models import CancelReason, OrderStatus


def _iso_day(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a day like 2026-11-24") from None
    return text


Day = Annotated[str, AfterValidator(_iso_day)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Window = Annotated[str, Field(pattern=r"^\d\d:\d\d-\d\d:\d\d$")]
Currency = Annotated[str, Field(pattern=r"^([A-Z]{3})?$")]


class AnswerModel(BaseModel):
    """What all answers have in common: no other keys, and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ItemAnswer(AnswerModel):
    """A line of an order."""

    name: str
    quantity: int | float | None = 1
    sku: str = ""
    price: Amount | None = None


class ParcelAnswer(AnswerModel):
    """A parcel."""

    number: str = ""
    status: OrderStatus
    carrier: str = ""
    place: str | None = None
    expected_on: Day | None = None
    delivered_on: Day | None = None
    left_at: str | None = None


class TrackedAnswer(AnswerModel):
    """What an order and its shipment tell alike."""

    number: str = ""
    status: OrderStatus
    carrier: str | None = None
    place: str | None = None
    expected_on: Day | None = None
    expected_window: Window | None = None
    delivered_on: Day | None = None
    delay_reason: str | None = None
    parcels: list[ParcelAnswer] = []


class OrderAnswer(TrackedAnswer):
    """See :func:`agent.shop.models.order_data`."""

    placed_on: Day | None = None
    items: list[ItemAnswer] = []
    more_items: bool = False
    goods: str = ""
    cancel_reason: CancelReason = ""
    refund_amount: Amount | None = None
    currency: Currency = ""
    total: Amount | None = None


class OrderFound(AnswerModel):
    """``orders.find`` and ``orders.verify``."""

    order: OrderAnswer


class OrdersFound(AnswerModel):
    """``orders.find_by_phone``."""

    orders: Annotated[list[OrderAnswer], Field(min_length=1, max_length=10)]
    more: bool = False


class CustomerAnswer(AnswerModel):
    """See :func:`agent.shop.models.customer_data`."""

    id: str = ""
    name: str = ""
    first_name: str = ""
    phone: str = ""
    tier: str = ""
    points: int | None = None
    orders_count: int | None = None
    first_order: bool = False


class NumbersFound(AnswerModel):
    """``orders.existing``."""

    numbers: Annotated[list[str], Field(max_length=8)] = []


class CustomerFound(AnswerModel):
    """``customers.by_phone``."""

    customer: CustomerAnswer


AddressReason = Literal[
    "",
    "already_shipped",
    "out_for_delivery",
    "held_at_customs",
    "delivered",
    "cancelled",
    "returned",
    "refunded",
    "pickup",
    "completed",
    "unknown",
]
DayReason = Literal[
    "",
    "awaiting_payment",
    "held_at_customs",
    "delivered",
    "cancelled",
    "returned",
    "refunded",
    "on_hold",
    "delivery_failed",
    "pickup",
    "completed",
    "unknown",
]


class ShipmentAnswer(TrackedAnswer):
    """See :func:`agent.shop.shipments.shipment_data`."""

    status: OrderStatus = "unknown"
    can_change_address: bool = False
    address_reason: AddressReason = ""
    can_reschedule: bool = False
    reschedule_reason: DayReason = ""
    days: list[Day] = []
    latest: Day | None = None
    windows: list[Window] = []

    @model_validator(mode="after")
    def _agrees(self) -> ShipmentAnswer:
        if (self.can_change_address and self.address_reason) or (self.can_reschedule and self.reschedule_reason):
            raise ValueError("what can be changed has no reason why not")
        return self


class ShipmentTracked(AnswerModel):
    """``shipments.track``."""

    shipment: ShipmentAnswer


class StreetsFound(AnswerModel):
    """``shipments.streets``."""

    postcode: str
    city: str
    streets: list[str]


class ChangeAnswer(AnswerModel):
    """See :func:`agent.shop.shipments.change_data`."""

    confirmation: str
    number: str = ""
    house: str | None = None
    street: str | None = None
    city: str | None = None
    postcode: str | None = None
    date: Day | None = None
    window: Window | None = None
    note: str | None = None


class DeliveryChanged(AnswerModel):
    """``shipments.change_address`` and ``shipments.reschedule``."""

    change: ChangeAnswer


class CaseAnswer(AnswerModel):
    """See :func:`agent.shop.shipments.investigation_data`."""

    number: str
    order_number: str = ""
    answer_by: Day
    existing: bool = False


class CaseOpened(AnswerModel):
    """``shipments.investigate``."""

    case: CaseAnswer
