"""Models of the webhook events; webhook_schema.json is made from them (docs/webhooks.md)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

VERSION = 1
"""Raised when a field goes or changes its meaning; new fields may come at any time."""


class _Model(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class CallStarted(_Model):
    """A call has come in."""

    started_at: str
    """ISO 8601 with offset."""
    caller_number: str | None = None
    """As the network says; a hint, never proof. Null unless the webhook is set to get phone numbers."""
    dialled: str = ""


class EffectDone(_Model):
    """One thing the agent asked of a business system."""

    name: str
    code: str
    """`ok`, or why it failed: `not_found`, `not_allowed`, `unavailable`, `timed_out`, `bad_request`."""
    ms: float | None = None


class RequestMade(_Model):
    """One thing the caller asked for."""

    intent: str
    """The procedure that answers it."""
    result: str
    """What came of it: `answered`, `handed_over`, `cancelled`, `hung_up`, ... (docs/records.md)."""
    about: dict[str, Any] = {}
    """What the procedure keeps of it: `reason`, `promotion`, `status`, ..."""


class FactKept(_Model):
    """One thing an operation was about."""

    operation: str
    """Like `orders.find`."""
    name: str
    """Like `order.status`."""
    value: str | float | int | bool | None = None


class CallEnded(_Model):
    """A call is over. Comes for every call, once."""

    started_at: str
    """ISO 8601 with offset."""
    duration_seconds: float
    outcome: str
    """`answered`, `handed_over`, `taken_over`, `caller_hung_up`, `transferred`, `held_too_long`, `abandoned`,
    `failed`, or one of the shop's flows."""
    ended_by: str
    """`agent`, `caller`, `handover`, `supervisor` or `fault`."""
    caller_number: str | None = None
    """Null unless the webhook is set to get phone numbers."""
    dialled: str = ""
    order_number: str | None = None
    """The last one that was talked about."""
    turns: int
    """Exchanges between agent and caller."""
    effects: list[EffectDone] = []
    faults: list[str] = []
    """What went wrong inside the agent."""
    edition: str = ""
    """The edition of the procedures it ran on; empty for a call that was not taken."""
    direction: str = "inbound"
    """`inbound` or `outbound`."""
    purpose: str = ""
    """Of an outbound call, what it was for."""
    job: str = ""
    """The outbound job it belonged to."""
    requests: list[RequestMade] = []
    """What was asked for, in order; empty after a refusal of recording."""
    facts: list[FactKept] = []
    """What the operations were about; empty after a refusal of recording."""
    repeat_of: str | None = None
    """The id of the latest earlier call from the same number, where there was one in the time that counts."""
    continues: str | None = None
    """The id of the visit before, for a call that came back from the queue or from staff."""


class CallHandedOver(_Model):
    """A call has gone to a staff queue."""

    reason: str
    queue: str = ""
    """Empty for the default queue."""
    priority: int = 0
    summary: str = ""
    ticket: str | None = None
    """Null when it follows later, as `ticket.created`."""
    order_number: str | None = None
    verified: bool = False
    """True when the caller gave both facts of the order."""
    caller_number: str | None = None
    """Null unless the webhook is set to get phone numbers."""


class ReturnCreated(_Model):
    """The back office has confirmed a return."""

    number: str
    order_number: str
    sku: str | None = None
    item: str | None = None
    reason: str | None = None
    condition: str | None = None
    route: str | None = None
    refund: str | None = None
    amount: float | None = None
    currency: str | None = None


class TicketCreated(_Model):
    """The ticket system has taken a ticket."""

    ticket: str
    reason: str
    priority: int = 0
    order_number: str | None = None
    verified: bool = False


class SurveyAnswered(_Model):
    """A caller has answered the satisfaction survey."""

    order_number: str | None = None
    scores: dict[str, int] = {}
    """Question -> score."""
    comment: str | None = None
    """As understood, without card and phone numbers."""
    purpose: str = ""
    """`survey` for a call that we placed for it; empty for the question at the end of a customer's call."""
    recording: str | None = None
    """The name of the sound that the comment is in, where sound is kept."""
    partial: bool = False
    """True where the customer ended the call before the last question."""


class OutboundFinishedData(_Model):
    """A call that we placed, or one of a customer who rang back, is over; or a job is, and no call told so."""

    purpose: str
    """`delivery`, `survey` or `callback`."""
    job: str
    """The job it was made for."""
    reached: str = ""
    """`person`, `right_person`, `wrong_number`, `voicemail`, `screener`, `ivr`, `fax` or `silent`; empty where nobody
    knows."""
    outcome: str
    """`completed`, `partial`, `later`, `not_here`, `declined`, `opted_out`, `wrong_number`, `handed_over`,
    `not_reached` or `failed`. Of a job without such a call: `not_reached`, or `dropped` where nobody was ever
    dialled."""
    reason: str = ""
    """Why a job is over without a call that told it: `attempts_used_up`, `expired`, `bad_number`, `declined` (rejected
    twice), `suppressed`, `returned`, `called_in`, ...; empty for a call."""
    attempts: int | None = None
    """How often the customer was tried, of such a job."""
    order_number: str | None = None
    rang_back: bool = False
    appointment: str | None = None
    """When the customer wants to be called again; ISO 8601, the shop's local time."""
    message_left: bool = False
    case: str | None = None
    """The return, search or ticket that was opened."""
    scores: dict[str, int] = {}
    details: dict[str, str] = {}
    """What the procedures keep besides: `delivery_state`."""


class OutboundOptedOut(_Model):
    """Somebody does not want to be called any more. It was written down before the agent said so."""

    scope: str
    """`all`, or `surveys`."""
    job: str = ""
    """The job of the call it was said on; empty for a customer's own call."""
    caller_number: str | None = None
    """Null unless the webhook is set to get phone numbers."""


class TestSent(_Model):
    """Somebody ran `orderline webhooks test`."""

    message: str = ""


class _Envelope(_Model):
    version: Literal[1] = 1
    id: str
    """The same whenever this event is sent again, and for every webhook that gets it."""
    at: str
    """When it happened; ISO 8601 with offset."""
    call_id: str = ""
    """Empty for what belongs to no call."""


class CallStartedEvent(_Envelope):
    """`call.started`."""

    event: Literal["call.started"]
    data: CallStarted


class CallEndedEvent(_Envelope):
    """`call.ended`."""

    event: Literal["call.ended"]
    data: CallEnded


class CallHandedOverEvent(_Envelope):
    """`call.handed_over`."""

    event: Literal["call.handed_over"]
    data: CallHandedOver


class ReturnCreatedEvent(_Envelope):
    """`return.created`."""

    event: Literal["return.created"]
    data: ReturnCreated


class TicketCreatedEvent(_Envelope):
    """`ticket.created`."""

    event: Literal["ticket.created"]
    data: TicketCreated


class SurveyAnsweredEvent(_Envelope):
    """`survey.answered`."""

    event: Literal["survey.answered"]
    data: SurveyAnswered


class OutboundFinishedEvent(_Envelope):
    """`outbound.finished`."""

    event: Literal["outbound.finished"]
    data: OutboundFinishedData


class OutboundOptedOutEvent(_Envelope):
    """`outbound.opted_out`."""

    event: Literal["outbound.opted_out"]
    data: OutboundOptedOut


class TestEvent(_Envelope):
    """`test`: to be answered like any other and otherwise ignored."""

    event: Literal["test"]
    data: TestSent


class WebhookEvent(
    RootModel[
        Annotated[
            CallStartedEvent
            | CallEndedEvent
            | CallHandedOverEvent
            | ReturnCreatedEvent
            | TicketCreatedEvent
            | SurveyAnsweredEvent
            | OutboundFinishedEvent
            | OutboundOptedOutEvent
            | TestEvent,
            Field(discriminator="event"),
        ]
    ]
):
    """One body of an Orderline webhook, version 1."""


EVENTS = (
    *("call.started", "call.ended", "call.handed_over"),
    *("return.created", "ticket.created", "survey.answered"),
    *("outbound.finished", "outbound.opted_out"),
)
"""What a webhook may ask for."""


def envelope(event: str, event_id: str, at: str, call_id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Return a checked body. Raises ``pydantic.ValidationError`` when the data is not of this event's shape."""
    body = {"version": VERSION, "id": event_id, "event": event, "at": at, "call_id": call_id, "data": data}
    checked: dict[str, Any] = WebhookEvent.model_validate(body).model_dump(mode="json")
    return checked


def schema_text() -> str:
    """Return the JSON Schema of all events: what webhook_schema.json beside this module must hold."""
    schema = WebhookEvent.model_json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"
