"""The results of the shop's operations as models: what a flow test may let a service answer, and nothing else.

The shapes are those of ``order_data``, ``eligibility_data`` and the like; ``tests/shop/test_answers.py`` holds them to
the operations themselves. A canned answer may leave out what its call does not need: it is completed with what the
service gives when nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from agent.shop.answer_models import (
    Amount,
    AnswerModel,
    CaseOpened,
    Currency,
    CustomerFound,
    Day,
    DeliveryChanged,
    NumbersFound,
    OrderFound,
    OrdersFound,
    ShipmentTracked,
    StreetsFound,
)
from agent.shop.dialler_answers import CallBackPromised, NumberSuppressed, OutboundAnswerKept
from agent.shop.models import OrderStatus
from agent.shop.order_changes import ChangeKind, ChangeRefusal
from agent.shop.returns import Condition, RefundMethod, RefundState, ReturnReason, ReturnRefusal, ReturnState, Route

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
    items: list[ReturnableAnswer] = Field(default_factory=list)
    conditions: list[Condition] = Field(default_factory=list)
    routes: list[Route] = Field(default_factory=list)
    refunds: list[RefundMethod] = Field(default_factory=list)

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
    refusal: ReturnRefusal = ""


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


class ChangeableItem(AnswerModel):
    """A line of an order that has not been sent."""

    line: Annotated[str, Field(min_length=1)]
    sku: str = ""
    name: Annotated[str, Field(min_length=1)]
    quantity: int | float | None = 1
    price: Amount | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_a_key(cls, data: Any) -> Any:
        """Give the line the key the shop would give it when the answer leaves it out."""
        if isinstance(data, Mapping) and "line" not in data:
            return {**data, "line": data.get("sku") or data.get("name") or "line 1"}
        return data


class ChangeableAnswer(AnswerModel):
    """See :func:`agent.shop.order_changes.changeable_data`."""

    number: str = ""
    status: OrderStatus
    can_cancel: bool = False
    cancel_reason: ChangeRefusal = ""
    can_change: bool = False
    change_reason: ChangeRefusal = ""
    kinds: list[ChangeKind] = Field(default_factory=list)
    paid: bool = True
    total: Amount | None = None
    currency: Currency = ""
    items: list[ChangeableItem] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> ChangeableAnswer:
        if self.can_cancel == bool(self.cancel_reason) or self.can_change == bool(self.change_reason):
            raise ValueError("what can be changed has no reason why not, and what cannot has one")
        if bool(self.kinds) != self.can_change:
            raise ValueError("an order can be changed in one of some kinds, or not at all")
        return self


class ChangeableFound(AnswerModel):
    """``orders.changeable``."""

    changeable: ChangeableAnswer


class OrderChangeAnswer(AnswerModel):
    """See :func:`agent.shop.order_changes.order_change_data`."""

    number: str = ""
    kind: ChangeKind
    confirmation: str = ""
    item: str = ""
    quantity: int | None = None
    option: str = ""
    refunded: bool = False
    refund_due: bool = False
    amount: Amount | None = None
    currency: Currency = ""
    pending: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> OrderChangeAnswer:
        if self.refunded and self.refund_due:
            raise ValueError("money that the system gives back is not due any more")
        return self


class OrderChanged(AnswerModel):
    """``orders.cancel``, ``orders.remove_line``, ``orders.set_quantity`` and ``orders.set_option``."""

    order_change: OrderChangeAnswer


class PromotionAnswer(AnswerModel):
    """What ``promotions.check`` says of a promotion."""

    reason: Literal["", "expired", "not_started", "used", "first_order_only", "tier_only", "minimum"]
    promotion: dict[str, Any] = Field(default_factory=dict)


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


class SurveyConfirmation(AnswerModel):
    """A survey's answer as it is kept."""

    number: str = ""
    scores: dict[str, int]
    comment: str = ""


class SurveyKept(AnswerModel):
    """``surveys.answer``."""

    survey: SurveyConfirmation


ANSWERS: Mapping[str, type[AnswerModel]] = {
    "orders.verify": OrderFound,
    "orders.find": OrderFound,
    "orders.find_by_phone": OrdersFound,
    "orders.existing": NumbersFound,
    "customers.by_phone": CustomerFound,
    "shipments.track": ShipmentTracked,
    "shipments.streets": StreetsFound,
    "shipments.change_address": DeliveryChanged,
    "shipments.reschedule": DeliveryChanged,
    "shipments.investigate": CaseOpened,
    "shipments.leave_note": DeliveryChanged,
    "orders.changeable": ChangeableFound,
    "orders.cancel": OrderChanged,
    "orders.remove_line": OrderChanged,
    "orders.set_quantity": OrderChanged,
    "orders.set_option": OrderChanged,
    "returns.eligibility": EligibilityFound,
    "returns.create": ReturnMade,
    "returns.status": ReturnsFound,
    "refunds.status": RefundFound,
    "promotions.check": PromotionChecked,
    "loyalty.points": PointsFound,
    "messages.send": MessageSent,
    "tickets.create": TicketMade,
    "surveys.answer": SurveyKept,
    "outbound.answer": OutboundAnswerKept,
    "outbound.suppress": NumberSuppressed,
    "outbound.call_back": CallBackPromised,
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
