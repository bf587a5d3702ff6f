"""Response models: fields read from an answer, strictly checked, then made into the models of the shop.

Every text has a greatest length, amounts are finite and not negative, days are days: what does not fit is refused
with the name of its field. Numbers may stand where a text is wanted (ids often do), never the other way round.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo

from agent.common.untrusted import encodable
from agent.shop import normalise
from agent.shop.deliveries import DeliveredOrder
from agent.shop.http.fields import FieldError, OddField
from agent.shop.models import CancelReason, Customer, Order, OrderItem, OrderStatus, Parcel
from agent.shop.returns import ReturnRefusal, ReturnState

MAX_AMOUNT = Decimal(10) ** 12
MAX_QUANTITY = 100_000


def _text(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise ValueError("must be text")
    return encodable(value).strip()


def _whole(value: Any) -> Any:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 12:
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**9:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _quantity(value: Any) -> Any:
    """Pieces, or a weight: goods by the kilo have quantities like 1.52."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("must be a number")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("must be a number") from None
    if not amount.is_finite() or not 0 <= amount <= MAX_QUANTITY:
        raise ValueError("must be a number of zero or more")
    return int(amount) if amount == int(amount) else round(amount, 4)


def _money(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("must be an amount")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("must be an amount") from None
    if not amount.is_finite() or not 0 <= amount <= MAX_AMOUNT:
        raise ValueError("must be an amount of zero or more")
    # sums of floats have long tails
    return round(amount, 4) if abs(amount.as_tuple().exponent) > 4 else amount  # type: ignore[arg-type] # is finite


def _day(value: Any, info: ValidationInfo) -> Any:
    """A point in time is the day it is in the system's zone; without an offset it is in that zone already."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date (ISO 8601, or give its format)") from None
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo is None else value.astimezone((info.context or {}).get("zone"))).date()
    if not isinstance(value, dt.date):
        raise ValueError("must be a date (ISO 8601, or give its format)")
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a time (ISO 8601, or give its format)") from None
    if not isinstance(value, dt.datetime):
        raise ValueError("must be a time (ISO 8601, or give its format)")
    return value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)


def _yes(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


Id = Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=100)]
Short = Annotated[str, BeforeValidator(_text), Field(max_length=200)]
Name = Annotated[str, BeforeValidator(_text), Field(max_length=500)]
Currency = Annotated[str, BeforeValidator(_text), AfterValidator(str.upper), Field(pattern=r"^[A-Za-z]{3}$")]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=-(10**9), le=10**9)]
Money = Annotated[Decimal, BeforeValidator(_money)]
Quantity = Annotated[int | Decimal, BeforeValidator(_quantity)]
Day = Annotated[dt.date, BeforeValidator(_day)]
Moment = Annotated[dt.datetime, BeforeValidator(_moment)]
Yes = Annotated[bool, BeforeValidator(_yes)]


class ResponseModel(BaseModel):
    """What every noun has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ItemFields(ResponseModel):
    """A line of an order, or of a return."""

    sku: Short = ""
    name: Name = ""
    quantity: Quantity | None = None
    price: Money | None = None
    currency: Currency | None = None
    """Of the price, where it may be another one than the order's: such a price is not known."""
    line: Short = ""


class ParcelFields(ResponseModel):
    """A parcel."""

    number: Short = ""
    status: OrderStatus = "unknown"
    carrier: Short = ""
    place: Short | None = None
    expected_on: Day | None = None
    delivered_on: Day | None = None
    left_at: Short | None = None


class OrderFields(ResponseModel):
    """An order; see :class:`agent.shop.models.Order`."""

    number: Id
    status: OrderStatus = "unknown"
    placed_on: Day | None = None
    currency: Currency = ""
    total: Money | None = None
    postcode: Short
    phone: Short
    items: Annotated[list[ItemFields], Field(max_length=500)] = []
    parcels: Annotated[list[ParcelFields], Field(max_length=100)] = []
    expected_on: Day | None = None
    expected_window: Annotated[str, BeforeValidator(_text), Field(pattern=r"^(\d\d:\d\d-\d\d:\d\d)?$")] | None = None
    delivered_on: Day | None = None
    carrier: Short | None = None
    place: Short | None = None
    delay_reason: Name | None = None
    refund_amount: Money | None = None
    id: Short = ""
    more_items: Yes = False
    email: Short = ""
    name: Name = ""
    cancel_reason: CancelReason = ""

    def order(self, region: str) -> Order:
        """Return the shop's noun; the phone in E.164, empty when it cannot be one."""
        plain = {name: getattr(self, name) for name in type(self).model_fields if name not in ("items", "parcels")}
        plain["phone"] = normalise.phone(self.phone, region)
        for name in ("expected_window", "carrier", "place", "delay_reason"):
            plain[name] = plain[name] or None
        return Order(
            **plain,
            items=tuple(map(self._item, self.items)),
            parcels=tuple(Parcel(**dict(parcel)) for parcel in self.parcels),
        )

    def _item(self, item: ItemFields) -> OrderItem:
        known = item.currency in (None, self.currency)
        return OrderItem(item.sku, item.name, item.quantity, item.price if known else None, item.line)


class DeliveredFields(ResponseModel):
    """An order that was delivered; see :class:`agent.shop.deliveries.DeliveredOrder`."""

    number: Id
    delivered_at: Moment
    phone: Short = ""
    name: Name = ""
    parcel: Short = ""

    def delivered(self, region: str) -> DeliveredOrder:
        """Return the shop's noun."""
        return DeliveredOrder(**{**dict(self), "phone": normalise.phone(self.phone, region)})


class CustomerFields(ResponseModel):
    """A customer; see :class:`agent.shop.models.Customer`."""

    id: Id
    name: Name = ""
    phone: Short
    email: Short = ""
    tier: Short = ""
    points: Whole | None = None
    orders_count: Whole | None = None

    def customer(self, region: str) -> Customer:
        """Return the shop's noun."""
        return Customer(**{**dict(self), "phone": normalise.phone(self.phone, region)})


class TicketFields(ResponseModel):
    """A ticket that has been made."""

    id: Id
    created_at: Moment | None = None


class StreetsFields(ResponseModel):
    """The streets of a postcode."""

    city: Short
    streets: Annotated[list[Short], Field(max_length=5000)]
    postcode: Short | None = None


class ChangeFields(ResponseModel):
    """A confirmed change of a delivery."""

    confirmation: Id


class OrderChangeFields(ResponseModel):
    """A confirmed change of an order that has not been sent."""

    confirmation: Short = ""
    refunded: Yes = False
    amount: Money | None = None
    currency: Currency | None = None
    pending: Yes = False


class InvestigationFields(ResponseModel):
    """A search for a parcel."""

    number: Id
    answer_by: Day | None = None
    existing: Yes = False


class ReturnFields(ResponseModel):
    """A return; what its opener knew already need not come back."""

    number: Id
    sku: Short | None = None
    item: Name | None = None
    reason: Short | None = None
    condition: Short | None = None
    route: Short | None = None
    refund: Short | None = None
    state: ReturnState | None = None
    created_on: Day | None = None
    updated_on: Day | None = None
    amount: Money | None = None
    currency: Currency | None = None
    lines: Annotated[list[ItemFields], Field(max_length=500)] = []
    """What comes back, where one return may hold several lines."""
    key: Short = ""
    refusal: ReturnRefusal = ""


class PromotionsFields(ResponseModel):
    """The promotions a customer has used."""

    promotions: Annotated[list[Id], Field(max_length=5000)]


class MessageFields(ResponseModel):
    """A message the gateway has taken."""

    id: Id


NEEDED: Mapping[type[ResponseModel], frozenset[str]] = {
    OrderFields: frozenset(("status", "placed_on", "currency", "total")),
    CustomerFields: frozenset(("name",)),
    ItemFields: frozenset(("name",)),
    ParcelFields: frozenset(("status",)),
}
"""Fields that a mapping must say where to find, though an answer may lack them."""


def needed(noun: type[ResponseModel]) -> frozenset[str]:
    """Return the fields that a mapping of this noun must have."""
    required = {name for name, field in noun.model_fields.items() if field.is_required()}
    return frozenset(required | NEEDED.get(noun, frozenset()))


def build(noun: type[ResponseModel], raw: dict[str, Any], zone: dt.tzinfo, explain: Callable[[str], str]) -> Any:
    """Return the checked noun; days are told in ``zone``.

    Raises FieldError; ``explain(field)`` adds what is known about a field's source.
    """
    try:
        return noun.model_validate(raw, context={"zone": zone})
    except ValidationError as error:
        field, message = _first(error)
        raise FieldError(field, message + explain(field)) from None


def build_leniently(
    noun: type[ResponseModel], raw: dict[str, Any], zone: dt.tzinfo, explain: Callable[[str], str]
) -> tuple[Any, tuple[OddField, ...]]:
    """Return the noun, and the optional fields that did not fit: those count as not told.

    A line or a parcel that does not fit loses the field that is wrong with it; one that is nothing at all is left out.
    Raises FieldError for a field that the noun cannot be without.
    """
    raw = copy.deepcopy(raw)
    odd: list[OddField] = []
    for _ in range(MAX_ODD_FIELDS):
        try:
            return noun.model_validate(raw, context={"zone": zone}), tuple(odd)
        except ValidationError as error:
            details = error.errors(include_input=False, include_url=False, include_context=False)
            dropped = [detail for detail in details if _drop(raw, noun, detail["loc"])]
            if len(dropped) < len(details):
                field, message = _first(error)
                raise FieldError(field, message + explain(field)) from None
            odd += [OddField(_path(detail["loc"]), _message(detail)) for detail in details]
            for part in ("items", "parcels", "lines"):
                if isinstance(raw.get(part), list):
                    raw[part] = [one for one in raw[part] if one is not None]
    raise FieldError("", "has too many fields that do not fit")


MAX_ODD_FIELDS = 10
"""Rounds of leaving out what does not fit: a list, then its entries, then their fields."""


def _drop(raw: dict[str, Any], noun: type[ResponseModel], at: Sequence[str | int]) -> bool:
    """Take the field at a place out of the raw values; False when the noun cannot be without it."""
    name = at[0]
    if not isinstance(name, str) or name not in noun.model_fields or noun.model_fields[name].is_required():
        return False
    whole = raw.get(name)
    if len(at) > 1 and isinstance(whole, list) and isinstance(at[1], int) and at[1] < len(whole):
        entry = whole[at[1]]
        if len(at) > 2 and isinstance(entry, dict) and isinstance(at[2], str):
            entry.pop(at[2], None)
        else:
            whole[at[1]] = None
    else:
        raw.pop(name, None)
    return True


def _first(error: ValidationError) -> tuple[str, str]:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return _path(first["loc"]), _message(first)


def _path(at: Sequence[str | int]) -> str:
    field = ""
    for part in at:
        field += f"[{part}]" if isinstance(part, int) else f".{part}" if field else str(part)
    return field


def _message(detail: Mapping[str, Any]) -> str:
    # the words of pydantic quote no values when the input is left out
    return "is missing" if detail["type"] == "missing" else str(detail["msg"]).removeprefix("Value error, ")
