"""The results of the shop's operations as models: what a flow test may let a service answer, and nothing else.

The shapes are those of ``order_data``, ``eligibility_data`` and the like; ``tests/shop/test_answers.py`` holds them to
the operations themselves. A canned answer may leave out what its call does not need: it is completed with what the
service gives when nothing is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.shop.models import OrderStatus
from agent.shop.returns import Condition, RefundMethod, RefundState, ReturnReason, ReturnState, Route


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


ItemRefusal = Literal[
    "",
    "non_returnable",
    "return_exists",
    "not_known",
    "not_delivered",
    "window_over",
    "cancelled",
    "returned",
    "refunded",
]


class ReturnableAnswer(AnswerModel):
    """A line of an order and whether it may come back."""

    line: Annotated[str, Field(min_length=1)]
    sku: str = ""
    name: Annotated[str, Field(min_length=1)]
    quantity: int | float | None = 1
    price: Amount | None = None
    allowed: bool
    reason: ItemRefusal = ""
    return_number: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_a_key(cls, data: Any) -> Any:
        """Give the line the key the shop would give it when the answer leaves it out."""
        if isinstance(data, Mapping) and "line" not in data:
            return {**data, "line": data.get("sku") or data.get("name") or "line 1"}
        return data

    @model_validator(mode="after")
    def _agrees(self) -> ReturnableAnswer:
        if self.allowed == bool(self.reason):
            raise ValueError("an item is either allowed or has a reason why not")
        return self


class EligibilityAnswer(AnswerModel):
    """See :func:`agent.shop.returns.eligibility_data`."""

    allowed: bool
    reason: ItemRefusal = ""
    last_day: Day | None = None
    days_left: int = 0
    return_number: str | None = None
    items: list[ReturnableAnswer] = []
    conditions: list[Condition] = []
    routes: list[Route] = []
    refunds: list[RefundMethod] = []

    @model_validator(mode="after")
    def _agrees(self) -> EligibilityAnswer:
        if self.allowed == bool(self.reason):
            raise ValueError("an order is either allowed or has a reason why not")
        if any(item.allowed for item in self.items) != self.allowed:
            raise ValueError("an order may come back when one of its items may, and only then")
        if len({item.line for item in self.items}) < len(self.items):
            raise ValueError("two items have the same key (line)")
        return self


class EligibilityFound(AnswerModel):
    """``returns.eligibility``."""

    eligibility: EligibilityAnswer


class ReturnAnswer(AnswerModel):
    """See :func:`agent.shop.returns.return_data`."""

    number: str
    order_number: str = ""
    sku: str = ""
    item: str = ""
    reason: ReturnReason | str = ""
    condition: str = ""
    route: str = ""
    refund: str = ""
    state: ReturnState = "open"
    created_on: Day | None = None
    updated_on: Day | None = None
    send_by: Day | None = None
    refund_days: int = 5
    amount: Amount | None = None
    currency: Currency = ""


class ReturnMadeAnswer(ReturnAnswer):
    """A return that has just been opened: its opener knows how."""

    route: Route = "label"
    refund: RefundMethod = "original"


class ReturnMade(AnswerModel):
    """``returns.create``."""

    made: Annotated[ReturnMadeAnswer, Field(alias="return")]


class ReturnsFound(AnswerModel):
    """``returns.status``."""

    returns: list[ReturnAnswer]


class RefundAnswer(AnswerModel):
    """See :func:`agent.shop.returns.refund_data`."""

    number: str = ""
    state: RefundState
    amount: Amount | None = None
    currency: Currency | None = None
    method: str | None = None
    on: Day | None = None
    return_number: str | None = None
    sent_already: Amount | None = None

    @model_validator(mode="after")
    def _agrees(self) -> RefundAnswer:
        if self.state in ("none", "unknown") and self.amount:
            raise ValueError("where no refund is known there is no amount of one")
        if self.amount and not self.currency:
            raise ValueError("an amount has a currency")
        return self


class RefundFound(AnswerModel):
    """``refunds.status``."""

    refund: RefundAnswer


class PromotionAnswer(AnswerModel):
    """What ``promotions.check`` says of a promotion."""

    reason: Literal["", "expired", "not_started", "used", "first_order_only", "tier_only", "minimum"]
    promotion: dict[str, Any] = {}


class PromotionChecked(AnswerModel):
    """``promotions.check``."""

    check: PromotionAnswer


class LoyaltyAnswer(AnswerModel):
    """A customer's points."""

    points: int
    value: float
    currency: Currency
    tier: str = ""
    next_tier: str | None = None
    points_to_next: int | None = None


class PointsFound(AnswerModel):
    """``loyalty.points``."""

    loyalty: LoyaltyAnswer


class MessageAnswer(AnswerModel):
    """A text message that was sent."""

    id: str
    to_last_digits: Annotated[str, Field(pattern=r"^\d{2}$")]


class MessageSent(AnswerModel):
    """``messages.send``."""

    message: MessageAnswer


class TicketAnswer(AnswerModel):
    """A ticket; without an id and ``pending`` when it follows later."""

    id: str
    created_at: str | None = None
    reason: str = ""
    priority: int = 0
    pending: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> TicketAnswer:
        if self.pending == bool(self.id):
            raise ValueError("a ticket has an id, or it is pending")
        return self


class TicketMade(AnswerModel):
    """``tickets.create``."""

    ticket: TicketAnswer


class SurveyAnswer(AnswerModel):
    """A survey's answer as it is kept."""

    number: str = ""
    scores: dict[str, int]
    comment: str = ""


class SurveyKept(AnswerModel):
    """``surveys.answer``."""

    survey: SurveyAnswer


ANSWERS: Mapping[str, type[AnswerModel]] = {
    "orders.verify": OrderFound,
    "orders.find": OrderFound,
    "orders.find_by_phone": OrdersFound,
    "customers.by_phone": CustomerFound,
    "shipments.track": ShipmentTracked,
    "shipments.streets": StreetsFound,
    "shipments.change_address": DeliveryChanged,
    "shipments.reschedule": DeliveryChanged,
    "shipments.investigate": CaseOpened,
    "returns.eligibility": EligibilityFound,
    "returns.create": ReturnMade,
    "returns.status": ReturnsFound,
    "refunds.status": RefundFound,
    "promotions.check": PromotionChecked,
    "loyalty.points": PointsFound,
    "messages.send": MessageSent,
    "tickets.create": TicketMade,
    "surveys.answer": SurveyKept,
}


def complete_answer(name: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer of an operation with everything the service gives besides.

    Raises ValueError, in words for whoever wrote the answer, when the service cannot give it.
    """
    model = ANSWERS.get(name)
    if model is None:
        raise ValueError(f"there is no service {name}")
    try:
        return model.model_validate(dict(answer)).model_dump(by_alias=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        message = "there is no such key" if first["type"] == "extra_forbidden" else first["msg"]
        raise ValueError(f"{place}: {message.removeprefix('Value error, ')}") from None
