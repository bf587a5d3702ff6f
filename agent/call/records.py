"""What is recorded of one call: the caller, each turn, the steps it went through, what it was about, the outcome.

The shape is what is stored, exported and sent on: ``agent/records/call_record.py`` makes JSON of it, field by field,
with ``"schema": 1`` in front. Fields are only ever added, and each new one has a value that stands for "not known":
records of older versions lack fields and are read with these. Every ``at_seconds`` counts from the answer; add it to
``answered_utc`` for the time of day.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Caller:
    """Who is on the line, as far as the network says. A hint, never proof."""

    number: str = ""
    name: str = ""
    dialled: str = ""


INBOUND, OUTBOUND = "inbound", "outbound"
"""Directions of calls: a customer has called us, or we have called a customer."""


@dataclass(frozen=True)
class CallOrigin:
    """Why there is this call: what is known of it before a word is said, besides who calls."""

    direction: str = INBOUND
    purpose: str = ""
    """Of an outbound call, what it is for."""
    job: str = ""
    """The outbound job it belongs to."""
    attempt: str = ""
    """The attempt of that job that this call is."""
    continues: str = ""
    """The id of the visit before, for a call that came back from the queue or from staff."""


@dataclass(frozen=True)
class CandidateRecord:
    """One meaning that an answer in the caller's own words may have had."""

    meaning: str
    """A procedure's id, or ``topic:ID``, ``promotion:ID``, ``command:ID``, ``escalate:ID``."""
    score: float
    """0..1: how likely it is what was meant."""


@dataclass
class TurnRecord:
    """One exchange as it went into the record."""

    at_seconds: float
    """Seconds since the call was answered."""
    agent: str
    """What the agent said."""
    heard: str = ""
    """What the caller's answer was recognised as, or the keys."""
    understood: str = ""
    via: str = ""
    confidence: float | None = None
    flow: str = ""
    step: str = ""
    slot: str = ""
    barged_in: bool = False
    response_ms: float | None = None
    """Caller's last voice or key -> this turn's first audio handed to Asterisk; the agent's own measure."""
    spent_ms: dict[str, float] = field(default_factory=dict)
    """The parts ``response_ms`` is made of: ``wait``, ``recognition``, ``rules``, ``look_up``, ``voice``."""
    secret: bool = False
    """True where the slot that was asked for is kept out of summaries (its ``redact``)."""
    result: str = ""
    """What became of the answer: ``understood``, ``partial`` (a number goes on), ``no_match``, ``no_input``; ``""``
    where nothing was asked, or the call ended before the answer."""
    decision: str = ""
    """Of an open question: ``act``, ``confirm``, ``choose``, ``again`` or ``person``; ``""`` where none was scored."""
    candidates: list[CandidateRecord] = field(default_factory=list)
    """Of an open question: what may have been meant, the likeliest first; at most five."""
    audible_at_seconds: float | None = None
    """When the first audio of ``agent`` was handed to Asterisk; None for a turn without words."""
    heard_from_seconds: float | None = None
    """When the caller's answer began: the first voice or key, or the beginning of listening where that is not known."""
    heard_until_seconds: float | None = None
    """When the answer ended: the last voice or key."""
    second_opinion: str = ""
    """What came of asking a second recogniser: ``used`` (the call went on with its text), ``agreed`` (the first text
    stayed), ``late``, ``busy``, ``failed``; ``""`` where it was not asked."""
    heard_by: str = ""
    """Which recogniser's text ``heard`` is: ``first`` or ``second``; ``""`` for keys, and where nothing was said."""


@dataclass
class TrailStep:
    """One step of a procedure that the call came to, and the way it went on from there."""

    flow: str
    step: str
    """Its name, or its place (``3``) where it has none."""
    kind: str
    """``collect``, ``say``, ``call``, ``set``, ``if``, ``next``, ``link``, ``handover``, ``hangup``."""
    at_seconds: float
    """When the call came to it."""
    way: str = ""
    """The way taken (docs/records.md lists them by kind): ``answered``, ``then``, ``failed.not_found``, ...; for the
    last step how the call ended there, like ``hung_up``; ``""`` while it is open."""
    left_at_seconds: float | None = None
    """When the call went on from it; None while it is open."""


@dataclass
class IntentRecord:
    """One thing the caller asked for, and what came of it."""

    intent: str
    """The procedure that answers it."""
    at_seconds: float
    """When it was understood."""
    result: str = ""
    """``answered`` (the procedure came to its end), ``handed_over``, ``cancelled`` (the caller did not want it any
    more), ``not_meant`` (it was a wrong guess), ``goodbye`` (the caller left it at that), ``nobody_there`` (nobody of
    the staff could take it), ``hung_up``, ``taken_over``, ``fault``, or the word of the ``hangup`` step that ended the
    call in it; ``""`` while it is open."""
    ended_at_seconds: float | None = None
    about: dict[str, Any] = field(default_factory=dict)
    """What the procedure's ``keeps`` names, as last known while it ran: a return's reason, the promotion asked for."""


@dataclass(frozen=True)
class OperationFact:
    """One fact of an operation: an argument or a part of the result that the pack allows to be kept."""

    operation: str
    """``orders.find``, ``returns.create``, ..."""
    name: str
    """As the pack's ``services`` names it: ``status``, ``reason``."""
    value: str | float | int | bool | None
    at_seconds: float
    code: str = "ok"
    """How the operation ended: ``ok`` or its failure; of a failed one only arguments are known."""


@dataclass
class QueueWait:
    """The wait in a staff queue, before and after it happened."""

    queue: str = ""
    """The queue's name; ``""`` for the usual one of an agent without queue settings."""
    standing: str = ""
    """What the queue was like at the hand-over: ``open``, ``unknown``, ``closed``, ...; ``""`` where nobody asked."""
    expected_minutes: int | None = None
    """What the caller was told to expect; None where nobody asked."""
    waited_seconds: float | None = None
    """How long the caller waited; None until that is known (it may come after the record was written), or for ever."""
    ended: str = ""
    """How the wait ended: ``answered``, ``hung_up``, ``timed_out`` (nobody took the call), ``left`` (the caller pressed
    a key), ``unknown``."""


@dataclass
class SilentSpan:
    """A part of the sound that is silent, because something was said in it that is not kept."""

    from_seconds: float
    until_seconds: float | None
    """None: to the end."""
    side: str
    """``caller``: the left channel; ``both``."""


@dataclass
class SoundPart:
    """One stretch of sound that Asterisk recorded; a call that outlived its agent has several."""

    number: int
    from_seconds: float
    """When it begins, from the answer on."""


@dataclass
class SoundRecord:
    """The sound of a call: the caller on the left, the agent on the right, second 0 is the answer."""

    name: str
    """The file's name without ending: 32 hexadecimal digits of chance."""
    parts: list[SoundPart] = field(default_factory=list)
    staff: bool = False
    """True where the conversation with staff is part of it."""
    silent: list[SilentSpan] = field(default_factory=list)
    """Filled in where the record is redacted; before that, only what a killed agent had no time to write down."""


@dataclass
class OutboundPart:
    """Of a call that we placed, or that rang back: who was reached, and what came of it."""

    reached: str = ""
    """``person``, ``right_person``, ``wrong_number``, ``voicemail``, ``screener``, ``ivr``, ``fax``, ``silent``; ``""``
    where nobody knows."""
    outcome: str = ""
    """``completed``, ``partial``, ``later``, ``not_here``, ``declined``, ``opted_out``, ``wrong_number``,
    ``handed_over``, ``not_reached``, ``failed``."""
    order_number: str = ""
    rang_back: bool = False
    """True where the customer rang us, because we had tried to reach them."""
    scores: dict[str, int] = field(default_factory=dict)
    """Question of a survey (``csat``, ``nps``, ``ces``) -> score, as they were given."""
    comment: str = ""
    """What the customer said about it, as far as it was understood."""
    recording: str = ""
    """The name of the sound that the comment is in; ``""`` where none was kept."""
    partial: bool = False
    """True where a survey was begun and not ended."""
    appointment: str = ""
    """When the customer wants to be called again, ISO 8601 local time."""
    opted_out: str = ""
    """What the number is not called for any more: ``all``, ``surveys``; ``""`` where nobody asked."""
    message_left: bool = False
    """Whether a message was left on a voicemail."""
    case: str = ""
    """The return, search or ticket that was opened."""
    details: dict[str, str] = field(default_factory=dict)
    """What the pack keeps besides (``outbound: keeps``): ``delivery_state``."""


@dataclass
class CallRecord:
    """Everything about one call; written exactly once, when it is over. Only ``queue_wait`` is completed later."""

    id: str
    caller: Caller
    started_at: str
    """ISO 8601 with offset."""
    greeting_ms: float | None = None
    duration_seconds: float = 0.0
    outcome: str = ""
    """``answered``, ``handed_over``, ``informed`` (a customer we have called was left to the information message),
    ``taken_over``, ``caller_hung_up``, ``transferred``, ``held_too_long``, ``failed``, ..."""
    ended_by: str = ""
    """``agent``, ``caller``, ``handover``, ``supervisor`` or ``fault``."""
    turns: list[TurnRecord] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    """Each service call: ``name``, ``code``, ``ms``, its idempotency ``key``, ``at_seconds``, and the ``reason`` of a
    refusal where one was given."""
    handover: dict[str, Any] | None = None
    slots: dict[str, Any] = field(default_factory=dict)
    """What was known at the end. What was forgotten before is in ``intents`` and ``facts``, if the pack keeps it."""
    faults: list[str] = field(default_factory=list)
    consent: str = ""
    """About recording: ``announced``, ``given``, ``refused``; ``""`` where nobody was told or asked."""
    edition: str = ""
    """The edition of the procedures the call ran on; ``""`` for a call that never had a conversation."""
    understanding: str = ""
    """The fingerprint of the weights that scored open answers; ``""`` where nothing is scored."""
    direction: str = "inbound"
    """``inbound`` or ``outbound``."""
    entry: str = "inbound"
    """How the call came to the agent: ``inbound``, ``outbound`` (we have placed it), ``queue_failed``,
    ``queue_escape``, ``transfer_back``."""
    purpose: str = ""
    """Of an outbound call, what it is for; ``""`` for an inbound one."""
    job: str = ""
    """The id of the outbound job the call was dialled for, or of one a caller rang back about; ``""`` for none."""
    attempt: str = ""
    """The attempt of that job that the call is; ``""`` for an inbound call."""
    started_utc: float | None = None
    """``started_at`` as seconds since 1970 (UTC): orders calls whatever is done to the clocks."""
    answered_utc: float | None = None
    """When it was answered, seconds since 1970; None for a call that was not."""
    ended_utc: float | None = None
    """When it was over for the agent, seconds since 1970."""
    trail: list[TrailStep] = field(default_factory=list)
    """Every step the call came to, in order, as often as it came there."""
    intents: list[IntentRecord] = field(default_factory=list)
    """Everything that was asked for, in order."""
    facts: list[OperationFact] = field(default_factory=list)
    """What the operations were about, as far as the pack's ``services`` allow."""
    queue_wait: QueueWait | None = None
    """Of a call that was handed over: the wait that followed."""
    repeat_of: str = ""
    """The id of the latest earlier call from the same number within ``records.repeat_hours``; ``""`` for none."""
    sound: SoundRecord | None = None
    """None where nothing was recorded."""
    continues: str = ""
    """The id of the visit before, for a call that came back from the queue or from staff; ``""`` for none."""
    outbound: OutboundPart | None = None
    """Of a call that we placed, or that rang back; also of one whose caller wants no more calls."""


def record_data(record: CallRecord) -> dict[str, Any]:
    """Return the record as JSON-like data of its own, like ``dataclasses.asdict`` and ten times as fast.

    A call is kept after every turn, before the agent speaks: a long one has hundreds of steps.
    """
    wait, outbound, sound = record.queue_wait, record.outbound, record.sound
    return {
        **vars(record),
        "caller": {**vars(record.caller)},
        "turns": [_turn_data(turn) for turn in record.turns],
        "effects": [{**effect} for effect in record.effects],
        "handover": None if record.handover is None else copy.deepcopy(record.handover),
        "slots": {**record.slots},
        "faults": [*record.faults],
        "trail": [{**vars(step)} for step in record.trail],
        "intents": [{**vars(intent), "about": {**intent.about}} for intent in record.intents],
        "facts": [{**vars(fact)} for fact in record.facts],
        "queue_wait": None if wait is None else {**vars(wait)},
        "outbound": None if outbound is None else copy.deepcopy(vars(outbound)),
        "sound": None if sound is None else asdict(sound),
    }


def _turn_data(turn: TurnRecord) -> dict[str, Any]:
    candidates = [{**vars(one)} for one in turn.candidates]
    return {**vars(turn), "spent_ms": {**turn.spent_ms}, "candidates": candidates}
