"""The events of a call, one frozen dataclass each, and their registry. docs/events.md is made from this file.

A call publishes them on the :class:`agent.telemetry.event_bus.EventBus`; live feed, list of active calls and metrics
subscribe to it. A field that may be kept from readers is None then, and is left out of the message of the live feed.
The docstrings of the classes and fields are the text of docs/events.md: after a change write it anew with
``orderline events -o docs/events.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self

ABSENT = "absent"
"""Key of a field's metadata: when the field is None and left out of the message."""
AFTER_REFUSAL = "after a refusal of recording"
UNLESS_PRIVATE = "unless `control.show_private` is on"
_WORDS = {ABSENT: AFTER_REFUSAL}
"""Marks a field that holds, or gives away, what was said."""


@dataclass(frozen=True)
class CallingParty:
    """Who is calling, as the network says: a hint, never proof."""

    number: str
    name: str
    dialled: str


@dataclass(frozen=True)
class CallEvent:
    """Something that happened on a call. Each subclass is one kind of event."""

    event: ClassVar[str]
    """The name of this kind in the live feed."""
    ends_call: ClassVar[bool] = False
    """True for what is told when a call is over for the agent, and after that."""

    call_id: str
    """The call it happened on. A call that comes back from the queue has an id of its own: `ID-2`, `ID-3`."""

    def data(self) -> dict[str, Any]:
        """Return the fields as JSON-like data, without the call's id and without what is kept from readers."""
        held: dict[str, Any] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "call_id" or (value is None and ABSENT in one.metadata):
                continue
            held[one.name] = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
        return held

    def without_words(self) -> Self:
        """Return the event as it may be told when the caller has refused to be recorded."""
        withheld: dict[str, Any] = {one.name: None for one in fields(self) if one.metadata.get(ABSENT) == AFTER_REFUSAL}
        return replace(self, **withheld)


@dataclass(frozen=True)
class CallBegan(CallEvent):
    """A call has reached the agent; it may not be answered yet. Only `call_refused` comes before it."""

    event = "call_started"

    caller: CallingParty
    """`number`, `name` and `dialled` as the network says them."""
    dialled: str
    """The number that was called."""
    entry: str
    """`inbound`, or how the call came back: `queue_failed`, `queue_escape`, `transfer_back`."""
    direction: str = "inbound"
    """`inbound` or `outbound`."""
    purpose: str = ""
    """Of an outbound call, what it is for; empty for others."""
    job: str = ""
    """The outbound job it belongs to; empty for none."""
    edition: str = ""
    """The edition of the procedures it runs on; empty for a call that is not taken."""
    continues: str = ""
    """The id of the visit before, for a call that came back; empty for others."""


@dataclass(frozen=True)
class CallResumed(CallEvent):
    """Another process goes on with a call whose agent died, from where it was kept last.

    What the feed told of the call after that moment did not count: the trail goes on from here.
    """

    event = "call_resumed"

    edition: str
    """The edition of the procedures it runs on."""
    steps: int
    """How many steps of the trail stand; the next `step` has this `index`, or one less while a step is open."""
    requests: int
    """How many requests stand."""
    trail: tuple[Mapping[str, Any], ...] | None = field(metadata=_WORDS)
    """The steps so far, for a reader who has not followed the call: the record's `trail`."""


@dataclass(frozen=True)
class CallRepeats(CallEvent):
    """The same number has called before, within `records.repeat_hours`."""

    event = "repeat"

    of: str | None = field(metadata=_WORDS)
    """The id of that call, the latest one that is over."""


@dataclass(frozen=True)
class CallStep(CallEvent):
    """The call has come to a step of a procedure, or has gone on from it.

    A step that waits (for the caller, a system, a person) is told twice with the same `index`: when it is reached, and
    when it is left.
    """

    event = "step"

    index: int
    """The place in the call's trail, from 0."""
    flow: str | None = field(metadata=_WORDS)
    """The procedure."""
    step: str | None = field(metadata=_WORDS)
    """Its step: the name, or the place (`3`) where it has none."""
    kind: str | None = field(metadata=_WORDS)
    """`collect`, `say`, `call`, `set`, `if`, `next`, `link`, `handover` or `hangup`."""
    way: str | None = field(metadata=_WORDS)
    """The way on from it ([records.md](records.md#the-trail)); empty while it is open."""
    at_seconds: float
    """When it was reached, in seconds since the answer."""
    left_at_seconds: float | None
    """When it was left; null while it is open."""


@dataclass(frozen=True)
class CallRequest(CallEvent):
    """The caller has asked for something, more is known of that, or it is over. The latest of an `index` counts."""

    event = "request"

    index: int
    """0 for the first request of the call."""
    intent: str | None = field(metadata=_WORDS)
    """The procedure that answers it."""
    result: str | None = field(metadata=_WORDS)
    """What came of it ([records.md](records.md#requests)); empty while it is open."""
    about: Mapping[str, Any] | None = field(metadata=_WORDS)
    """What the procedure's `keeps` names, as far as it is known."""
    at_seconds: float
    """When it was understood, in seconds since the answer."""


@dataclass(frozen=True)
class AnswerTaken(CallEvent):
    """What the caller's answer, or silence, was taken for. `caller_said` comes before it, unless it was silence."""

    event = "understood"

    slot: str | None = field(metadata=_WORDS)
    """What was asked for; empty where it is no value."""
    understood: str | None = field(metadata=_WORDS)
    """Like `order_number=10473`, `yes` or `silence`."""
    result: str
    """`understood`, `partial` (a number goes on), `no_match` or `no_input`."""
    decision: str
    """Of an open question: `act`, `confirm`, `choose`, `again` or `person`; empty where nothing was scored."""
    candidates: tuple[tuple[str, float], ...] | None = field(metadata=_WORDS)
    """Of an open question: meanings with their scores (0 to 1), the likeliest first."""


@dataclass(frozen=True)
class AgentSaid(CallEvent):
    """The agent has begun to say something: its first audio is on its way to Asterisk."""

    event = "agent_said"

    text: str | None = field(metadata=_WORDS)
    """All of what is said in this turn, also when the caller interrupts it later."""
    prompts: tuple[str, ...] | None = field(metadata=_WORDS)
    """The ids of the prompts it is made of."""
    flow: str | None = field(metadata=_WORDS)
    """The procedure that speaks."""
    step: str | None = field(metadata=_WORDS)
    """Its step."""
    understood: str | None = field(metadata=_WORDS)
    """How the caller's last answer was understood, like `order_number=10473`, `yes` or `silence`; empty at first."""
    response_ms: float | None
    """Caller's last voice or key to this audio, in milliseconds; null when the caller had said nothing."""
    spent_ms: Mapping[str, float] | None = field(metadata=_WORDS)
    """The parts of `response_ms` in milliseconds: `wait`, `recognition`, `rules`, `look_up`, `voice`."""


@dataclass(frozen=True)
class ListeningStarted(CallEvent):
    """The agent has finished speaking and waits for the caller."""

    event = "listening"

    slot: str | None = field(metadata=_WORDS)
    """What was asked for; empty where it is no value."""


@dataclass(frozen=True)
class CallerSaid(CallEvent):
    """The caller has answered, by voice or keys."""

    event = "caller_said"

    heard: str | None = field(metadata=_WORDS)
    """The words as recognised, or the keys; empty when nothing was intelligible."""
    via: str
    """`speech` or `keypad`."""
    confidence: float | None = field(metadata=_WORDS)
    """Of the recogniser, 0 to 1; 1 for keys."""
    barged_in: bool
    """True when the caller spoke or keyed over the agent."""
    slot: str | None = field(metadata=_WORDS)
    """What was asked for; empty where it is no value."""
    second_opinion: str = ""
    """What came of asking a second recogniser: `used`, `agreed`, `late`, `busy`, `failed`; empty where it was not
    asked."""
    heard_by: str = ""
    """Which recogniser's words they are: `first` or `second`; empty for keys."""


@dataclass(frozen=True)
class EffectStarted(CallEvent):
    """The agent has begun to ask something of the shop's systems."""

    event = "effect_started"

    name: str
    """The operation, like `orders.verify`."""


@dataclass(frozen=True)
class EffectEnded(CallEvent):
    """The shop's systems have answered, or did not in time."""

    event = "effect"

    name: str
    """The operation, like `orders.verify`."""
    code: str
    """`ok`, or why not: `not_found`, `not_allowed`, `unavailable`, `timed_out`, `bad_request`."""
    ms: float
    """How long it took, in milliseconds."""
    reason: str = ""
    """Of a refusal, why: `already_shipped`, ...; empty where none was given."""
    facts: Mapping[str, Any] | None = field(default=None, metadata=_WORDS)
    """What the pack's `services` let be kept of it, by name: `order.status`, ..."""


@dataclass(frozen=True)
class QueueChecked(CallEvent):
    """The agent has looked at the staff queue before it promises a person."""

    event = "queue"

    standing: str
    """`open`, `unknown`, `closed`, `holiday`, `empty` (nobody is logged in), `full` or `too_long`."""
    wait_minutes: int
    """The expected wait in whole minutes; 0 for less than one, or when nobody knows."""
    opens: str
    """When staff can be had again, ISO 8601 local time; empty when now, or when nobody knows."""


@dataclass(frozen=True)
class HandedOver(CallEvent):
    """The agent hands the call over to a staff queue."""

    event = "handed_over"

    reason: str
    """Machine word of the reason, like `caller_asked`, `no_match`, `agent_fault`."""
    queue: str
    """The queue's name; empty for the usual one of an agent without queue settings."""
    priority: int
    """The caller's priority in the queue; 0 is the usual one."""
    summary: str | None = field(metadata=_WORDS)
    """The story so far, one sentence or a few."""
    ticket: str
    """The id of the ticket; empty when there is none, or when it follows later."""
    facts: Mapping[str, Any] | None = field(metadata=_WORDS)
    """What is known, by name: `order_number`, `verified`, ..."""


@dataclass(frozen=True)
class TakenOver(CallEvent):
    """A supervisor has taken the call over from the agent."""

    event = "taken_over"

    by: str
    """The number of the supervisor's phone."""


@dataclass(frozen=True)
class HoldStarted(CallEvent):
    """The caller has put the agent on hold: it falls silent and waits."""

    event = "hold"

    patience_seconds: float
    """So long the agent waits; then it ends the call."""


@dataclass(frozen=True)
class HoldOver(CallEvent):
    """The caller is back from a hold; what the agent was saying or asking follows again."""

    event = "hold_ended"

    held_seconds: float
    """How long the hold lasted."""


@dataclass(frozen=True)
class ConsentAnswered(CallEvent):
    """The caller was told of the recording, or has answered whether the call may be recorded."""

    event = "consent"

    answer: str
    """`announced`, `given` or `refused`."""


@dataclass(frozen=True)
class CallRefused(CallEvent):
    """A call is not taken and goes to the staff queue unanswered. `call_started` and `call_ended` follow."""

    event = "call_refused"

    why: str
    """`paused`, `draining` or `overload`."""


@dataclass(frozen=True)
class CalleeOptedOut(CallEvent):
    """Somebody does not want to be called any more, and it is written down; the agent says so next."""

    event = "outbound_opted_out"

    scope: str
    """`all`, or `surveys`."""


@dataclass(frozen=True)
class OutboundFinished(CallEvent):
    """A call that the shop placed, or whose caller rang back because of one, is over. `call_ended` follows."""

    event = "outbound_finished"

    purpose: str
    """`delivery`, `survey` or `callback`."""
    job: str
    """The job it was made for."""
    reached: str
    """`person`, `right_person`, `wrong_number`, `voicemail`, `screener`, `ivr`, `fax`, `silent`; empty where nobody
    knows."""
    outcome: str
    """`completed`, `partial`, `later`, `not_here`, `declined`, `opted_out`, `wrong_number`, `handed_over`,
    `not_reached` or `failed`."""
    scores: Mapping[str, int] | None = field(metadata=_WORDS)
    """Of a survey: question and score."""
    partial: bool = False
    """True where a survey was begun and not ended."""


@dataclass(frozen=True)
class CallFinished(CallEvent):
    """A call is over for the agent, and its record is written. The last event of every call but one.

    Of a call that was handed over `queue_left` may follow.
    """

    event = "call_ended"
    ends_call = True

    outcome: str
    """`answered`, `handed_over`, `taken_over`, `caller_hung_up`, `transferred`, `held_too_long`, `rescued`, `lost`,
    `failed`, or a procedure's own."""
    ended_by: str
    """`agent`, `caller`, `handover`, `supervisor` or `fault`."""
    duration_seconds: float
    """Answer to end; arrival to end for a call that was not answered, 0 for a refused one."""
    record: Mapping[str, Any] | None = field(metadata={ABSENT: UNLESS_PRIVATE})
    """The whole record of the call, not redacted; after a refusal of recording `greeting_ms` and `consent` only."""


@dataclass(frozen=True)
class QueueWaitEnded(CallEvent):
    """A caller who was handed over waits no longer in the staff queue. The record has it by now.

    Known where the manager interface tells it (`ami`), and for callers who come back from the queue.
    """

    event = "queue_left"
    ends_call = True

    waited_seconds: float
    """How long the caller waited."""
    ended: str
    """`answered`, `hung_up`, `timed_out` (nobody took the call), `left` (a key was pressed) or `unknown`."""


CALL_EVENTS: Mapping[str, type[CallEvent]] = MappingProxyType(
    {
        kind.event: kind
        for kind in (
            CallRefused,
            CallBegan,
            CallResumed,
            CallRepeats,
            ConsentAnswered,
            CallRequest,
            CallStep,
            AgentSaid,
            ListeningStarted,
            CallerSaid,
            AnswerTaken,
            EffectStarted,
            EffectEnded,
            HoldStarted,
            HoldOver,
            QueueChecked,
            HandedOver,
            TakenOver,
            CalleeOptedOut,
            OutboundFinished,
            CallFinished,
            QueueWaitEnded,
        )
    }
)
"""Every kind of event there is, by its name in the live feed, in the order a call may publish them."""


class EventPublisher(Protocol):
    """Where a call tells what happens on it. Never blocks, never raises."""

    def publish(self, event: CallEvent) -> object:
        """Tell one event to everybody who has subscribed."""

    def count(self, call_id: str) -> int:
        """Return how many events of a call were told; 0 for one that is unknown or over."""

    def go_on(self, call_id: str, count: int) -> object:
        """Go on counting a call's events after ``count``: it began in another process."""
