"""The typed model of a flow pack: flows, steps, slots, prompts and phrases, as written in YAML.

The shape follows Rasa's flows (``flows -> id -> steps``), the words follow VoiceXML (``prompt``, ``reprompt``,
``noinput``, ``nomatch``, ``bargein``, ``confirm``), so that both feel at home. docs/flows.md explains every key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from agent.dialog.model.base import FileModel, Reason, Texts
from agent.dialog.model.knowledge_file import Knowledge
from agent.dialog.model.outbound import OutboundCalls
from agent.dialog.model.services import Service
from agent.dialog.model.understanding import UnderstandingSettings, UnservedGroup

END = "end"
"""Where a ``next`` goes to end the flow."""
PERSON, GOODBYE = "person", "goodbye"
"""What a slot's ``give_up`` can name besides a value."""

Expression = str
"""A small expression over slots and variables: ``order.status == 'delayed'``."""


# --- prompts --------------------------------------------------------------------------------------


class ConditionalPrompt(FileModel):
    """A prompt whose words depend on a value."""

    choose: Expression
    """The value that decides: ``order.status``."""
    cases: dict[str, str]
    """Value -> words."""
    otherwise: str = ""
    """Said for values without a case."""


def _prompt_kind(value: Any) -> str:
    return "choose" if isinstance(value, (dict, ConditionalPrompt)) else "text"


PromptSource = Annotated[
    Annotated[str, Tag("text")] | Annotated[ConditionalPrompt, Tag("choose")], Discriminator(_prompt_kind)
]


# --- slots ----------------------------------------------------------------------------------------


class QuestionSettings(FileModel):
    """How a question is asked and what happens when it is not answered; pack-wide defaults and per slot."""

    reprompt: Texts = ()
    """Asked again after an interruption; the prompt itself when empty."""
    help: Texts = ()
    """Said when the caller asks for help, before the question again."""
    noinput: Texts = ()
    """One prompt a level: said after the first, second, ... silence. After the last level, a person."""
    nomatch: Texts = ()
    """The same for answers not understood."""
    bargein: Literal["any", "keys", "off"] | None = None
    """What interrupts the agent: voice and keys, keys alone, or nothing."""
    timeout: float | None = Field(default=None, gt=0, le=120)
    """Seconds of silence that count as no input."""
    max_speech: float | None = Field(default=None, gt=0, le=120)
    """Seconds after which the caller's turn is cut."""


class ChoicesFrom(FileModel):
    """Choices that come from data: this caller's items, the days a parcel can come on."""

    list: Expression
    """What there is to choose from: a list of mappings, or of plain values (``eligibility.items``)."""
    value: str = ""
    """The key that holds the slot's value; the entry itself when empty."""
    name: str = ""
    """The key that holds the words for it (``Brass Desk Lamp`` is also chosen by "the lamp"); the value when empty."""


def _as_choices_from(value: Any) -> Any:
    return {"list": value} if isinstance(value, str) else value


class Slot(QuestionSettings):
    """Something the conversation wants to know."""

    type: Literal["number", "yes_no", "choice", "date", "request", "text"]
    """What kind of answer it is."""
    description: str = ""
    """What the slot holds, in words for staff: "the order number"."""
    prompt: Texts = ()
    """The question: a prompt's name or the words."""
    format: str = ""
    """Number slots: ``99999``, ``AA-99999``, ``99999[-9999]``."""
    check: str = ""
    """Number slots: a rule of ``number_checks`` (``luhn``, ``uk_postcode``)."""
    phrases: Texts = ()
    """How the answer may be wrapped (``(it's | that's) {order_number}``); also answers that hold more than was asked
    (``{return_reason} and it's {condition}``)."""
    choices: dict[str, Texts] = {}
    """Choice and request slots: value -> phrase templates."""
    give_up: dict[Literal["noinput", "nomatch"], str] = {}
    """What happens after the last level: ``person`` (the usual), ``goodbye``, or a value of this slot that then counts
    as the answer (silence after "anything else?" is a no)."""
    choices_from: Annotated[
        ChoicesFrom | None, BeforeValidator(_as_choices_from, json_schema_input_type=str | ChoicesFrom | None)
    ] = None
    """Choice slots: more choices, from data. ``promotions`` and ``answers`` stand for those of the knowledge file. The
    n-th one can also be chosen by "the first one" and by its key; prompts see the names as ``options``."""
    days_ahead: int = Field(default=35, ge=1, le=366)
    """Date slots: how far ahead a caller can name a day, beginning tomorrow."""
    named_before: bool = False
    """Choice slots with ``choices_from``: takes what the request itself has named ("take the candle off my order"). For
    what is read back before anything is done."""
    several: str = ""
    """Choice slots with ``choices_from``: the variable that takes the values of all things named in one answer ("both
    the jacket and the scarf"); the slot has the first of them."""
    dtmf: dict[str, str] = {}
    """Key -> value, for choice, request and yes_no slots."""
    own_keys: bool = False
    """Choice slots: all keys are answers here, also ``0`` and ``*``, and an entry may have two (``10``)."""
    confirm: Literal["never", "low_confidence", "always"] = "low_confidence"
    """When a number is read back for a yes or no."""
    confirm_prompt: Texts = ()
    """How it is read back; ``value`` is the number."""
    exists: str = ""
    """Number slots with letters: the service that is asked, before a code is read back, which of its readings exist
    (``orders.existing``: takes ``numbers``, answers with the first of them that there is)."""
    corrects: str = ""
    """The number slot that this slot's prompt reads back; "no, it's ..." changes that one."""
    resets: tuple[str, ...] = ()
    """Slots and variables that are forgotten when this slot gets another value."""
    redact: bool = False
    """True keeps the value out of summaries and of the facts handed over to staff."""


# --- steps ----------------------------------------------------------------------------------------


class _Step(FileModel):
    id: str = ""
    """Name to jump to; steps without one are called by their place (``3``)."""
    next: str = ""
    """Where to go afterwards: a step id or ``end``; the following step when empty."""


class CollectStep(_Step):
    """Ask for a slot unless it is known already."""

    collect: str
    """The slot."""
    prompt: Texts = ()
    """Instead of the slot's own prompt."""
    force: bool = False
    """Ask even when the slot has a value."""


class SayStep(_Step):
    """Say something and go on."""

    say: Texts
    """A prompt's name or the words; several are said one after the other."""


class ServiceCallStep(_Step):
    """Have a service do something."""

    call: str
    """The service: ``orders.verify``."""
    arguments: dict[str, Expression] = Field(default={}, alias="with")
    """Argument -> expression."""
    save: dict[str, Expression] = {}
    """Variable -> expression over ``result``."""
    failed: dict[str, str] = {}
    """Failure -> step: a code with its reason (``not_allowed.already_shipped``), a code, or ``otherwise``. The steps
    behind it see ``failure.code`` and ``failure.reason``."""
    filler: Texts = ()
    """Said when the service takes longer than ``filler_after``."""
    filler_after: float = Field(default=1.0, ge=0, le=10)
    """Seconds."""
    deadline: float = Field(default=4.0, gt=0, le=30)
    """Seconds after which the service has failed as ``timed_out``."""
    once_for: tuple[Expression, ...] = ()
    """What the act is about: asked for again for the same values, in this call or a later one, it is the first act and
    gives its result, for as long as the system behind it knows the act's key (a mapped one: 30 days). Empty: each call
    does it anew."""


class SetStep(_Step):
    """Give slots or variables a value; ``none`` forgets."""

    set: dict[str, Expression]
    """Slot or variable -> expression."""


class IfStep(_Step):
    """Go one way or the other."""

    if_: Expression = Field(alias="if")
    """What is looked at: ``order.status == 'delayed'``."""
    then: str
    """Where to go when it holds: a step id or ``end``."""
    else_: str = Field(default="", alias="else")
    """Where to go when it does not; on, when empty."""


class NextStep(_Step):
    """Go to another step."""


class LinkStep(_Step):
    """Run another flow, then come back."""

    link: str
    """The flow."""


class HandOverStep(_Step):
    """Give the call to a person."""

    handover: Reason
    """The reason, a short machine word: small letters, digits and ``_``, a letter first."""
    say: Texts = ()
    """Said before, instead of the usual words."""
    queue: str = ""
    """A configured queue; the usual one when empty."""
    priority: int = 0
    """Higher ones are answered first."""


class HangUpStep(_Step):
    """End the call."""

    hangup: str
    """The outcome, a short machine word."""
    say: Texts = ()
    """The last words."""


STEP_KINDS: dict[str, type[_Step]] = {
    "collect": CollectStep, "call": ServiceCallStep, "set": SetStep, "if": IfStep, "link": LinkStep,
    "handover": HandOverStep,
    "hangup": HangUpStep, "say": SayStep, "next": NextStep,
}  # fmt: skip


def _step_kind(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else ()
    return next((kind for kind in STEP_KINDS if kind in keys), None)


Step = Annotated[
    Annotated[CollectStep, Tag("collect")]
    | Annotated[ServiceCallStep, Tag("call")]
    | Annotated[SetStep, Tag("set")]
    | Annotated[IfStep, Tag("if")]
    | Annotated[LinkStep, Tag("link")]
    | Annotated[HandOverStep, Tag("handover")]
    | Annotated[HangUpStep, Tag("hangup")]
    | Annotated[SayStep, Tag("say")]
    | Annotated[NextStep, Tag("next")],
    Discriminator(
        _step_kind,
        custom_error_type="step_kind",
        custom_error_message="a step needs one of the keys " + ", ".join(STEP_KINDS),
    ),
]


# --- flows and the rest of the pack ---------------------------------------------------------------


class Trigger(FileModel):
    """Phrases that start a flow, with values they set."""

    phrases: Texts
    """How callers ask for it."""
    set: dict[str, Expression] = {}
    """Slot or variable -> expression, when it was asked for like this."""


def _as_triggers(value: Any) -> Any:
    """Let plain templates stand for triggers that set nothing."""
    items = [value] if isinstance(value, (str, dict)) else value
    return (
        [{"phrases": [item]} if isinstance(item, str) else item for item in items] if isinstance(items, list) else items
    )


def _as_named(value: Any) -> Any:
    """Let a plain list of names stand for what they hold."""
    return {name: name for name in value if isinstance(name, str)} if isinstance(value, list | tuple) else value


class Flow(FileModel):
    """One procedure."""

    description: str
    """What the caller wants, in words for staff: "where the order is"."""
    triggers: Annotated[
        tuple[Trigger, ...],
        BeforeValidator(_as_triggers, json_schema_input_type=str | Trigger | tuple[str | Trigger, ...]),
    ] = ()
    """What callers say to start this flow."""
    examples: Texts = ()
    """Requests for it in callers' own words, twenty or more: what the acceptance score is fitted from."""
    forgets: tuple[str, ...] = ()
    """Slots and variables that belong to one run of this flow: forgotten when it is over, however it ends."""
    keeps: Annotated[
        dict[str, Expression],
        BeforeValidator(_as_named, json_schema_input_type=tuple[str, ...] | dict[str, Expression]),
    ] = {}
    """What the record of a call keeps of a request for this flow, although it is forgotten here: names of slots and
    variables, or name -> expression (``status: order.status``). Nothing secret."""
    steps: tuple[Step, ...] = Field(min_length=1)
    """What is done, from the top down."""


class Escalation(FileModel):
    """Words that bring a person at once, wherever they are said."""

    words: Texts = ()
    """Single words recognised anywhere in what the caller says."""
    phrases: Texts = ()
    """Whole sentences."""
    priority: int = 0
    """Higher ones are answered first."""
    say: Texts = ()
    """Said before the person comes."""


class CorrectionPhrases(FileModel):
    """How a caller reacts to a number just read back; ``{value}`` stands for the number."""

    new: Texts = ()
    """They give another one: ``no it's {value}``."""
    wrong: Texts = ()
    """They say that it is wrong."""
    right: Texts = ()
    """They say that it is right."""


class RecordingConsent(FileModel):
    """What is said and asked about recording before the greeting (setting ``call.consent``)."""

    announcement: str = ""
    """Said before the greeting where the caller is only told."""
    question: str = ""
    """Asked where consent is needed; 1 and 2 on the keypad answer too."""
    question_again: str = ""
    """The second and last try."""
    accepted: str = ""
    """Said after a yes, before the greeting."""
    refused: str = ""
    """Said after anything else: what is not kept, and that the call goes on."""
    accept: Texts = ()
    """Whole answers that are consent."""
    refuse: Texts = ()
    """Whole answers that are none."""


class Story(FileModel):
    """What staff are told about a call: on tickets, at a hand-over, in the channel variables."""

    about: str = ""
    """The slot with the number of what the call is about (an order's): it heads the ticket and goes to the dialplan as
    ``ORDERLINE_ORDER``. The numbers the shop knows of the calling telephone number are expected in it."""
    verified: str = ""
    """The variable that is true once the caller has proved who they are; ``ORDERLINE_VERIFIED``."""
    slots: tuple[str, ...] = ()
    """The slots that are told; every one that is not redacted when empty."""


class CommandPhrases(FileModel):
    """Phrases that work at any moment."""

    repeat: Texts = ()
    help: Texts = ()
    cancel: Texts = ()
    aside: Texts = ()
    """Said to somebody else in the room: nothing is answered, and it costs nothing."""
    start_over: Texts = ()
    wait: Texts = ()
    agent: Texts = ()
    goodbye: Texts = ()
    stop_calling: Texts = ()
    """Never to be called again: begins the flow ``stop`` of ``outbound``."""


class PackFile(FileModel):
    """One file of a pack. A pack may be split over files as its author likes; names must be unique over all."""

    language: str = ""
    """``en``."""
    start: str = ""
    """The flow every call begins with."""
    entries: dict[str, str] = {}
    """How else a call can come in (``queue_failed``, ``transfer_back``, ...) -> the flow it begins with."""
    rules: dict[str, Texts] = {}
    """Named pieces for phrases: ``<name>``."""
    fillers: Texts = ()
    """Words dropped at the edges of what was said."""
    openers: Texts = ()
    """What callers say before they say it: "i was wondering if you could tell me"."""
    closers: Texts = ()
    """What they say after it: "as soon as possible"."""
    same: dict[str, Texts] = {}
    """A word or words -> other ways of writing them; makes them equal in what is understood."""
    commands: CommandPhrases | None = None
    """What works at any moment."""
    answers: dict[Literal["yes", "no"], Texts] = {}
    """Ways of saying yes and no."""
    corrections: CorrectionPhrases | None = None
    """How a number just read back is put right."""
    escalate: dict[Reason, Escalation] = {}
    """Reason of the hand-over -> words that bring a person at once."""
    defaults: QuestionSettings | None = None
    """How questions are asked unless a slot says otherwise."""
    wait_seconds: float | None = Field(default=None, gt=0, le=600)
    """How long "hold on" lasts."""
    variables: dict[str, str] = {}
    """Variables and what they start with (an expression)."""
    keep: tuple[str, ...] = ()
    """Variables that survive "start over" (attempt counters)."""
    story: Story | None = None
    """Which slots and which variable tell staff what the call was about."""
    other_languages: dict[str, Texts] = {}
    """Name of a language (``Spanish``) -> its commonest words: who speaks it gets a person at once, and is told so."""
    recording: RecordingConsent | None = None
    """What is said and asked about recording before the greeting."""
    outbound: OutboundCalls | None = None
    """Calls that the shop places, and their opening."""
    services: dict[str, Service] = {}
    """What the business systems can do."""
    slots: dict[str, Slot] = {}
    """What the conversation wants to know."""
    prompts: dict[str, PromptSource] = {}
    """What is said in more than one place, or by the engine itself."""
    knowledge: Knowledge | None = None
    """What shop staff edit; in one file of the pack."""
    flows: dict[str, Flow] = {}
    """The procedures."""
    not_for_us: dict[str, UnservedGroup] = {}
    """Name -> requests that no procedure serves; with a ``topic`` they go to a person at the first try."""
    understanding: UnderstandingSettings | None = None
    """From which score on a request is acted on or asked about."""
