"""The contract between the dialog and whoever runs it: events in, turns out.

A conversation is a strict alternation. The holder (a phone call, ``orderline chat``, a flow test) asks
for the first :class:`Turn`, says its prompts, does what its ``then`` asks, and answers with exactly one
event: :class:`TurnInput` or :class:`NoInput` for a :class:`Listen`, :class:`EffectSucceeded` or
:class:`EffectFailed` for an :class:`Effect`. :class:`HandOverAction` and :class:`HangUp` end it; a holder who
knows the state of the staff queue may tell it by a :class:`QueueReport` before it does what a HandOverAction
asks. :class:`HungUp` may come at any moment.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.dialog.callee import CalleeReport, CalleeWatch, OutboundStory
from agent.dialog.turn_report import AnswerReading, RequestProgress, StepTaken

InputMode = Literal["speech", "keypad"]


@dataclass(frozen=True)
class Word:
    """One recognised word."""

    text: str
    """Lower-case, as in the grammar."""
    confidence: float
    """0..1, the recogniser's own."""


@dataclass(frozen=True)
class TurnInput:
    """What the caller said or keyed in one turn."""

    text: str = ""
    """Best text, lower-case words separated by single spaces; ``""`` when nothing was intelligible."""
    words: tuple[Word, ...] = ()
    """The words of ``text`` with confidences; empty when the recogniser gave none."""
    alternatives: tuple[str, ...] = ()
    """Other readings, best first, without ``text`` itself."""
    spelled: tuple[str, ...] = ()
    """Readings of the same sound as single digits and letters alone (:attr:`Listen.symbols`), best first. Whatever was
    said has some: by themselves they mean nothing."""
    keys: str = ""
    """Keypad entry (``0-9*#``) of this turn, terminator removed."""
    barged_in: bool = False
    """True when the caller spoke or keyed over the agent."""

    @property
    def via(self) -> InputMode:
        """How the caller answered."""
        return "keypad" if self.keys else "speech"

    @property
    def confidence(self) -> float:
        """Mean word confidence, 0..1; 1.0 for keys and for text typed without confidences."""
        if self.keys or not self.words:
            return 1.0
        return sum(word.confidence for word in self.words) / len(self.words)


@dataclass(frozen=True)
class SecondText:
    """What a second recogniser wrote down of the same sound."""

    text: str
    """As it writes: with capitals and punctuation, numbers in digits."""
    confidence: float = 1.0
    """0..1, its own: the mean probability of a piece of a word."""


@dataclass(frozen=True)
class NoInput:
    """The caller stayed silent for the time the turn allowed."""

    seconds: float = 0.0


@dataclass(frozen=True)
class EffectSucceeded:
    """An effect succeeded."""

    effect: str
    """The effect's id."""
    result: Mapping[str, Any] = field(default_factory=dict)
    """JSON-like values, as the service returned them."""


@dataclass(frozen=True)
class EffectFailed:
    """An effect failed, or did not answer within its deadline."""

    effect: str
    code: str
    """``not_found``, ``not_allowed``, ``unavailable``, ``timed_out`` or a service's own code."""
    message: str = ""
    reason: str = ""
    """Of a refusal, a machine word: ``already_shipped``, ``window_over``; ``""`` when none was given."""


@dataclass(frozen=True)
class HungUp:
    """The caller is gone."""


QueueAvailability = Literal["open", "unknown", "closed", "holiday", "empty", "full", "too_long"]
"""The state of the staff queue: ``open``; outside its ``closed`` hours; ``holiday``; nobody logged in (``empty``);
no more callers fit in (``full``); the wait is ``too_long``; ``unknown`` counts as open."""


@dataclass(frozen=True)
class QueueReport:
    """How the queue stands that a :class:`HandOverAction` would lead to.

    May follow a HandOverAction, and nothing else: the next turn is the HandOverAction again, with a word about the
    wait, or goes on
    with the caller where nobody can be had.
    """

    standing: QueueAvailability = "open"
    wait_minutes: int = 0
    """The expected wait, whole minutes; 0 for less than one, or when nobody knows."""
    opens: str = ""
    """When staff are back, ISO 8601 local time; ``""`` when now, or when nobody knows."""


@dataclass(frozen=True)
class RecognitionLost:
    """The recogniser does not work any more: from now on the caller can only use the keypad."""


Event = TurnInput | NoInput | EffectSucceeded | EffectFailed | HungUp | QueueReport | RecognitionLost | CalleeReport


class BargeIn(enum.Enum):
    """Who may interrupt the prompts of a turn. One truth table for the whole product.

    ========  =================  ==============
    value     voice interrupts   keys interrupt
    ========  =================  ==============
    ANY       yes                yes
    KEYS      no                 yes
    OFF       no                 no (kept and used when the prompt has ended)
    ========  =================  ==============
    """

    ANY = "any"
    KEYS = "keys"
    OFF = "off"


class Completeness(enum.Enum):
    """What a partial text would be worth if the caller stopped now. Decides how long we wait."""

    COMPLETE = "complete"
    """A whole answer: end the turn after a short silence."""
    LIKELY = "likely"
    """A whole answer that callers often continue ("where is my order", with a number or without): a moment more."""
    OPEN = "open"
    """Could become an answer, or is none that was understood yet: the usual silence."""
    INCOMPLETE = "incomplete"
    """Certainly unfinished (some digits of a longer number): be patient."""
    UNEXPECTED = "unexpected"
    """No answer of this turn is, or begins, like this: after a short sound it was most likely no speech at all."""


@dataclass(frozen=True)
class Prompt:
    """One thing to say."""

    id: str
    """``flow.step`` or the name in the prompts file; a call centre's own recording goes by this id."""
    text: str
    """The exact words to be spoken, variables filled in, numbers written as words."""


@dataclass(frozen=True)
class KeyEntry:
    """How keypad digits are gathered in a turn."""

    max_digits: int = 1
    """The entry ends at once when it has this many digits."""
    longer: tuple[tuple[str, int], ...] = ()
    """First digits -> more digits than those: a telephone number keyed with its country code."""
    terminators: str = "#"
    """Keys that end the entry and are not part of it."""
    inter_digit_seconds: float = 2.5
    """The entry also ends after this pause between keys."""
    instant: str = ""
    """Keys that end the entry at once when they come first: ``0`` for a person, ``*`` to hear it again."""


@dataclass(frozen=True)
class Listen:
    """Listen for one answer."""

    phrases: tuple[str, ...]
    """Whole phrases the caller may say: the recogniser's grammar for this turn."""
    words: tuple[str, ...] = ()
    """Single words that may be strung together freely (digits, letters, number words)."""
    samples: tuple[str, ...] = ()
    """Typical answers made of ``words`` (made-up numbers), so that the recogniser knows how they are strung together.
    They may repeat: what is more frequent is more likely."""
    symbols: tuple[str, ...] = ()
    """Where a number is asked for, those of ``words`` that are one digit or letter each. What sounds like a number is
    decoded once more with these alone (:attr:`TurnInput.spelled`)."""
    slot: str | None = None
    """The slot being collected, for logs and reports."""
    barge_in: BargeIn = BargeIn.ANY
    no_input_seconds: float = 5.0
    """Silence after the end of the prompt that counts as no input."""
    max_speech_seconds: float = 20.0
    """The caller's turn is cut here, whatever is heard."""
    keys: KeyEntry = KeyEntry()
    speech: bool = True
    """False where nobody can hear the caller: only keys answer."""
    secret: bool = False
    """True where the answer is kept out of summaries (the slot's ``redact``)."""
    callee: CalleeWatch | None = None
    """Set while it is not known who answers a call that we placed: a :class:`CalleeReport` may take the answer's
    place."""


@dataclass(frozen=True)
class Effect:
    """Something to be done by the business systems; its outcome comes back as Done or Failed."""

    id: str
    """Unique in the conversation: its outcome comes back with it."""
    name: str
    """``orders.find``, ``tickets.create``, ..."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    deadline_seconds: float = 4.0
    """After this long the holder reports ``EffectFailed(code="timed_out")``."""
    filler: Prompt | None = None
    """Said when the answer takes longer than ``filler_after_seconds``."""
    filler_after_seconds: float = 1.0
    key: str = ""
    """Idempotency key for effects that change something: the same act for the same request has the same key, however
    often it is tried; ``id`` when empty."""
    keeps: tuple[str, ...] = ()
    """Arguments and parts of the result (``order.status``) that may go into the record as facts."""


@dataclass(frozen=True)
class HandOverAction:
    """Hand the call over to staff."""

    reason: str
    """Short machine word: ``caller_asked``, ``no_match``, ``verification_failed``, ``back_office_down``, ..."""
    summary: str
    """The story so far in one or two plain sentences for the human's screen."""
    queue: str = ""
    """Name of a configured queue; empty for the default one."""
    priority: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Slots worth carrying (order number, verified, ...), JSON-like."""


@dataclass(frozen=True)
class HangUp:
    """Say the prompts, then end the call."""

    outcome: str
    """What the call achieved: ``answered``, ``abandoned``, ... (for records and reports)."""


@dataclass(frozen=True)
class ConversationSummary:
    """What a conversation was about so far, for the staff who may have to go on with it."""

    wanted: tuple[str, ...] = ()
    """What was asked for, in order, each once, in the words of the flows' descriptions."""
    unanswered: tuple[str, ...] = ()
    """Those of them that are still open."""
    verified: bool = False
    """True when the caller has proved who they are, as the pack's ``story`` says."""
    about: str = ""
    """The number of what the call is about (an order's), as the pack's ``story`` says."""
    answers: tuple[tuple[str, str], ...] = ()
    """What else the caller told, slot by slot, without secrets and without yes and no."""
    unclear: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What was said and not understood for sure, with what it may have meant, the likeliest first."""


ABOUT_FACT = "order_number"
"""The name among a hand-over's facts of the number the call is about, whatever the pack calls its slot."""
VERIFIED_FACT = "verified"
"""The name there of whether the caller has proved who they are."""

NextAction = Listen | Effect | HandOverAction | HangUp


@dataclass(frozen=True)
class Turn:
    """The agent's side of one exchange."""

    say: tuple[Prompt, ...]
    then: NextAction
    flow: str = ""
    """The flow that speaks, for logs, ``chat`` and coverage."""
    step: str = ""
    understood: str = ""
    """What the last thing heard was taken to mean (``order_number=10473``), for logs and the live feed."""
    reading: AnswerReading | None = None
    """How the last answer was taken; None where the turn before asked for none."""
    trail: tuple[StepTaken, ...] = ()
    """The steps that were left and reached for this turn, in order."""
    requests: tuple[RequestProgress, ...] = ()
    """What changed about the caller's requests."""


class Dialog(Protocol):
    """One conversation, as whoever holds it sees it."""

    def start(self) -> Turn:
        """Return the first turn (greeting)."""

    def hear(self, event: Event) -> Turn:
        """Take the one event the last turn asked for and return the next turn."""

    def completeness(self, text: str) -> Completeness:
        """Judge a partial text against what the current turn expects. Cheap: called several times a second."""

    def doubts(self, heard: TurnInput) -> bool:
        """Return whether a second recogniser is worth asking about an answer; :meth:`hear` has not been told it yet."""

    def reconcile(self, heard: TurnInput, second: SecondText) -> TurnInput:
        """Return what to tell :meth:`hear`: ``heard`` itself, or what the second recogniser makes of it."""

    @property
    def slots(self) -> Mapping[str, Any]:
        """What is known so far, by slot."""

    @property
    def edition(self) -> str:
        """The edition of the procedures it runs on."""

    @property
    def understanding(self) -> str:
        """The fingerprint of the weights that score open answers; ``""`` where nothing is scored."""

    @property
    def story(self) -> ConversationSummary:
        """What it was about so far, for staff."""

    @property
    def outbound(self) -> OutboundStory | None:
        """What came of a call that we placed, or of one whose caller rang back; None for all others."""

    def snapshot(self) -> dict[str, Any]:
        """Return the conversation's state as JSON-like data."""

    def resume(self) -> Turn:
        """Return the turn that is open, asked again; in place of :meth:`start` for a conversation just restored."""

    def hand_over(self, reason: str) -> HandOverAction:
        """Return the hand-over of a call that must go to staff now, with the summary so far."""
