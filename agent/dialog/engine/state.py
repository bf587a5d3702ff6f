"""The state of a conversation: plain data that is written to a snapshot and restored from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter

from agent.common.untrusted import of_shape
from agent.dialog.callee import Reached
from agent.dialog.contract import Prompt, QueueReport
from agent.dialog.errors import DialogError

SNAPSHOT_VERSION = 4
FocusKind = Literal["collect", "confirm", "confirm_request", "choose_request"]


@dataclass(frozen=True)
class CallFacts:
    """What is known when the call begins. All of it handed in: the engine reads no clock and no settings."""

    now: datetime
    """The shop's local time at the start of the call."""
    shop_name: str = ""
    caller_number: str = ""
    """A hint, never proof."""
    dialled: str = ""
    entry: str = "inbound"
    """How the call came in: ``inbound``, or back from the queue or a person (the pack's ``entries``)."""
    call_id: str = ""
    """Makes effect ids, and so idempotency keys, unique over calls."""
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Number slot -> numbers this caller may well mean; decides between readings, is never spoken."""
    left: Mapping[str, str] = field(default_factory=dict)
    """What the dialplan left for this call (an IVR's choice, a language), by name; a hint, never proof."""
    customer: Mapping[str, Any] = field(default_factory=dict)
    """What the shop knows of the number that calls, where it wants to greet by it (``first_name``, ``tier``)."""
    survey: bool = False
    """Whether the shop wants callers to be asked at the end how the call was."""
    automated: bool = True
    """Whether the greeting says that an automated assistant speaks."""
    calls_back: bool = False
    """Whether we may promise to call this caller back ourselves (``outbound.call_back``)."""
    second_facts: tuple[str, ...] = ("postcode", "phone", "email")
    """What proves, besides its number, that an order is the caller's."""
    job: Mapping[str, Any] = field(default_factory=dict)
    """Of a call that we placed (``entry`` is ``outbound``), and of one whose caller rings back: ``purpose``, ``name``
    (whom to ask for), ``call_back`` (the number that can be called), ``message`` (whether a voicemail gets one),
    ``rang_back``, of a survey ``measure`` (``nps``, ``ces`` or nothing) and ``comment`` (whether one is asked for).
    Anybody who answers may hear it."""
    job_key: str = ""
    """The job's own key: makes the keys of what is done for it the same on every call for it. Never spoken."""
    matter: Mapping[str, Any] = field(default_factory=dict)
    """What such a call is about: ``order_number``, ``delivered_on`` (ISO), ``parcels``, ``subject``. Prompts and
    expressions see it once the right person has said so."""
    recognizer: str = ""
    """Which recogniser hears this call, for the pack's thresholds; ``""`` for typed text."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        data = asdict(self)
        data["now"] = self.now.isoformat()
        data["known"] = {slot: list(values) for slot, values in self.known.items()}
        data["second_facts"] = list(self.second_facts)
        data["customer"], data["left"] = dict(self.customer), dict(self.left)
        data["job"], data["matter"] = dict(self.job), dict(self.matter)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CallFacts:
        """Rebuild from :meth:`to_json`. Raises :class:`DialogError` for data of another shape."""
        try:
            facts = of_shape(_FACTS, {**data})
        except (TypeError, ValueError) as error:
            raise DialogError(f"the snapshot does not hold a call's facts: {error}") from error
        if facts.now.tzinfo is None:
            raise DialogError("the snapshot does not hold a call's facts: its time has no zone")
        return facts


@dataclass(frozen=True)
class SlotValue:
    """One thing the caller told us."""

    value: str
    doubt: bool = False
    """True until the caller has confirmed what was not certain."""
    confidence: float = 1.0
    others: tuple[str, ...] = ()
    """Other whole readings, likeliest first, of which the shop is to be asked before this one is read back."""


@dataclass
class FlowFrame:
    """A flow that is running or waits for another to come back."""

    flow: str
    step: int = 0
    asking: bool = False
    """True while the collect step at ``step`` waits for its answer."""
    request: bool = False
    """True when the caller asked for this flow (and not a link)."""
    interrupts: bool = False
    """True when it was asked for in the middle of another flow."""
    number: int = -1
    """Of a flow that the caller asked for: which of :attr:`ConversationState.asked` it answers."""


@dataclass
class AskedRequest:
    """A request of the caller as the record shows it (:class:`agent.dialog.contract.RequestProgress`)."""

    intent: str
    result: str = ""
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PendingRequest:
    """A request as understood, kept while the caller is asked whether it was meant."""

    flow: str
    trigger: int = 0
    values: tuple[tuple[str, str], ...] = ()
    number_slot: str = ""
    number: str = ""
    doubt: bool = False
    so_far: str = ""
    confidence: float = 1.0
    also: tuple[tuple[str, str, bool], ...] = ()
    """Further numbers of the same sentence: slot, number, whether it must be confirmed."""
    guessed: bool = False
    """True when only the gist of the sentence was understood."""


@dataclass(frozen=True)
class Focus:
    """What the conversation is listening for."""

    kind: FocusKind
    slot: str
    request: PendingRequest | None = None
    other: PendingRequest | None = None
    """The second of two requests the caller is asked to choose from."""


@dataclass(frozen=True)
class PendingEffect:
    """The service call whose outcome is awaited."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    key: str = ""
    """Idempotency key: the same for the same act on behalf of the same request."""


@dataclass(frozen=True)
class LastHandOver:
    """The hand-over that was last asked for."""

    reason: str
    priority: int = 0
    queue: str = ""


@dataclass
class ConversationState:
    """Everything that changes during a conversation."""

    frames: list[FlowFrame] = field(default_factory=list)
    slots: dict[str, SlotValue] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    focus: Focus | None = None
    effect: PendingEffect | None = None
    effects: int = 0
    """Effects asked for so far; makes their ids."""
    failure: dict[str, str] = field(default_factory=dict)
    """``code`` and ``reason`` of the last service call that failed."""
    failures: int = 0
    """Silences and misunderstandings since the last answer."""
    no_match: int = 0
    no_input: int = 0
    wrong: int = 0
    """Read-backs the caller rejected since the last answer that stood."""
    waiting: bool = False
    """True after "hold on"."""
    so_far: str = ""
    """Number words of earlier breaths."""
    so_far_slot: str = ""
    breaths: int = 0
    guessed: bool = False
    """True while the last request was only guessed from what it was about."""
    denied: list[str] = field(default_factory=list)
    """What the caller said no to when asked whether it was meant."""
    unclear: list[dict[str, Any]] = field(default_factory=list)
    """What was said and not understood for sure, with what it may have meant: ``said``, ``perhaps``."""
    meant: str = ""
    """The name of the last request: a flow, ``topic:ID``, ``promotion:ID``."""
    unserved: str = ""
    """The topic of a request that was recognised and that no procedure serves."""
    last_said: list[Prompt] = field(default_factory=list)
    last_heard: str = ""
    later: list[PendingRequest] = field(default_factory=list)
    """Further wishes of one sentence, taken up when the first is done."""
    opening: str = ""
    """The words of the last request: what is asked later may be answered in them already."""
    requests: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    asked: list[AskedRequest] = field(default_factory=list)
    """The requests of this conversation, in order, as often as they were made."""
    path: list[str] = field(default_factory=list)
    """Every step reached, each once, as ``flow.step``."""
    open_step: list[str] = field(default_factory=list)
    """The step that was reached and not left yet: flow, step, kind; empty for none."""
    ended: str = ""
    """The outcome once the conversation is over."""
    handed: LastHandOver | None = None
    queue: dict[str, Any] = field(default_factory=lambda: asdict(QueueReport()))
    """What was last reported of the staff queue: ``standing``, ``wait_minutes``, ``opens``."""
    waits: bool = False
    """True when the caller wants to wait whatever the queue is like."""
    spoken: bool = False
    """True once a recogniser has heard something: letters of this conversation were said and not typed."""
    deaf: bool = False
    """True when only the keypad can answer."""
    greeting: Literal["", "callee", "behind_screener"] = ""
    """Set while a call that we placed waits for the callee's greeting: the first one, or that of the person behind
    something that asked who is calling."""
    reached: Reached = ""
    """Who answered a call that we placed, as far as it is known."""
    message_left: bool = False

    def reset_failures(self) -> None:
        """Forget the failures: the caller has been understood."""
        self.failures = self.no_match = self.no_input = 0
        self.waiting = self.guessed = False

    def clear_partial_number(self) -> None:
        """Drop the beginning of a number."""
        self.so_far = self.so_far_slot = ""
        self.breaths = 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON-like data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ConversationState:
        """Rebuild from :meth:`to_json`. Raises :class:`DialogError` for data of another shape."""
        try:
            of_shape(_STATE, {**data})
            focus, effect, handed = data["focus"], data["effect"], data["handed"]
            return cls(
                **{
                    **data,
                    "frames": [FlowFrame(**frame) for frame in data["frames"]],
                    "asked": [AskedRequest(**one) for one in data.get("asked", ())],
                    "later": [_request(wish) for wish in data.get("later", ())],
                    "slots": {
                        name: SlotValue(**{**value, "others": tuple(value.get("others", ()))})
                        for name, value in data["slots"].items()
                    },
                    "focus": None if focus is None else _focus(focus),
                    "effect": None if effect is None else PendingEffect(**effect),
                    "handed": None if handed is None else LastHandOver(**handed),
                    "last_said": [Prompt(**prompt) for prompt in data["last_said"]],
                }
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DialogError(f"the snapshot does not hold a conversation: {error}") from error


def _focus(data: Mapping[str, Any]) -> Focus:
    request = data["request"]
    other = data.get("other")
    return Focus(
        data["kind"],
        data["slot"],
        None if request is None else _request(request),
        None if other is None else _request(other),
    )


def _request(data: Mapping[str, Any]) -> PendingRequest:
    values = tuple((name, value) for name, value in data["values"])
    also = tuple((name, number, doubt) for name, number, doubt in data["also"])
    return PendingRequest(**{**data, "values": values, "also": also})


_FACTS = TypeAdapter(CallFacts)
_STATE = TypeAdapter(ConversationState)
"""They check every value: a snapshot may have come from another node, or from whoever can write to Redis."""
