"""Writes a ticket's page with all that staff need to go on with the call. Pure: facts in, Markdown out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.call.records import OUTBOUND, Caller, CallOrigin, IntentRecord, TrailStep, TurnRecord
from agent.call.ticket_phrases import (
    COUNTED_AS_VERIFICATION,
    confirmed_phrases,
    failed_phrases,
    found_phrases,
    verification_phrase,
)
from agent.dialog.contract import ConversationSummary
from agent.languages.en.numbers import NUMBERS

MAX_QUOTES = 4
"""Of what the caller said: the first words, and the last ones."""
MAX_STEPS = 8
"""Of the way through the procedures, the last ones."""
_TOLD_KINDS = frozenset({"collect", "call", "handover"})
"""Steps that asked the caller or a system; the others only lead from one to the next."""
_FEWEST_WORDS = 3
"""Shorter answers ("yes", "the first one") tell nothing by themselves, and neither do numbers."""
_NUMBER_WORDS = frozenset({*NUMBERS.digits, *NUMBERS.teens, *NUMBERS.tens, *NUMBERS.repeats, "hundred"})

REASONS: Mapping[str, str] = {
    "caller_asked": "the caller asked for a person",
    "no_match": "the agent did not understand the caller",
    "no_input": "the caller stayed silent",
    "not_served": "what was asked for is known, and no procedure serves it",
    "verification_failed": "the caller could not be verified",
    "back_office_down": "a system did not answer",
    "fault": "the agent's rules failed during this call",
    "call_back": "the caller wants to be called back",
    "return_unconfirmed": "the order system did not confirm the return",
    "return_refused": "the order system refused the return",
    "defective_item": "a defective item needs a decision",
    "defective_photo": "a defective item needs a decision once the photo is in",
}
"""Reasons in words; any other one is shown as it is, with spaces."""
_PROMISES = {
    "call_back": "We call them back on the number they called from.",
    "defective_photo": "An answer within a working day after the photo is in.",
}
"""What the caller was told together with a ticket of this reason."""


@dataclass(frozen=True)
class PerformedOperation:
    """One thing the agent asked of a business system, and what came of it."""

    name: str
    arguments: Mapping[str, Any]
    code: str
    """``ok``, or why it failed."""
    reason: str = ""
    result: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class TicketPageFacts:
    """What a page is made of."""

    caller: Caller
    known_as: str
    """What the CRM knows the calling number as; ``""`` for a stranger."""
    started_at: str
    story: ConversationSummary
    acts: Sequence[PerformedOperation]
    turns: Sequence[TurnRecord]
    intents: Sequence[IntentRecord] = ()
    """Everything that was asked for, with what came of it so far."""
    trail: Sequence[TrailStep] = ()
    """The steps the call came to, in order."""
    edition: str = ""
    """Of the procedures the call ran on."""
    origin: CallOrigin = field(default_factory=CallOrigin)
    """Why there was the call: whether we have placed it, or the customer rang back because of one."""


@dataclass(frozen=True)
class TicketReason:
    """Why there is a ticket."""

    reason: str
    summary: str
    priority: int = 0


def ticket_page(call: TicketPageFacts, why: TicketReason, redact: Callable[[str, str], str]) -> str:
    """Return the page. ``redact(text, slot)`` takes out what no ticket may hold; it is given all that was said."""
    sections = (
        ("Caller", _caller(call)),
        ("Verified", [_verified(call)]),
        ("Wanted", _wanted(call.story, redact) or ["not understood; see the transcript"]),
        ("Found", found_phrases(call.acts)),
        (
            "Done and promised",
            [*confirmed_phrases(call.acts), *([_PROMISES[why.reason]] if why.reason in _PROMISES else [])],
        ),
        ("Tried and failed", failed_phrases(call.acts)),
        ("In their words", [f'"{words}"' for words in _quotes(call.turns, redact)]),
        ("How it went", list(_course(call))),
        ("Priority", [f"{priority_words(why.priority)}, because {reason_words(why.reason)}."]),
    )
    lines = [f"# {_title(call, why)}", "", redact(why.summary, ""), ""]
    for title, content in sections:
        lines += [f"## {title}", "", *(f"- {line}" for line in content or ["nothing"]), ""]
    lines += ["## Transcript", "", *_transcript(call.turns, redact)]
    return "\n".join(lines).rstrip() + "\n"


def reason_words(reason: str) -> str:
    """Return a reason in words."""
    return REASONS.get(reason) or reason.replace("_", " ")


def priority_words(priority: int) -> str:
    """Return a priority in words; 0 is usual."""
    return "usual (0)" if priority <= 0 else f"raised ({priority})" if priority < 5 else f"urgent ({priority})"


def _title(call: TicketPageFacts, why: TicketReason) -> str:
    order = f"Order {call.story.about}: " if call.story.about else ""
    return f"{order}{reason_words(why.reason)}"


def _caller(call: TicketPageFacts) -> list[str]:
    placed = call.origin.direction == OUTBOUND
    hint = "we have called it; no proof of who answered" if placed else "a hint, not proof of who called"
    number = f"{call.caller.number} ({hint})" if call.caller.number else "hidden"
    lines = [f"Number: {number}", f"Called at: {call.started_at}"]
    if call.origin.job:
        why = call.origin.purpose.replace("_", " ")
        lines.append(f"{'We called' if placed else 'Rang back'} about: {why}, job {call.origin.job}")
    if call.known_as:
        lines.append(f"The shop knows this number as: {call.known_as}")
    return lines


def _verified(call: TicketPageFacts) -> str:
    failures = [act for act in call.acts if act.name in COUNTED_AS_VERIFICATION and act.code == "not_found"]
    times = f"{len(failures)} failed attempt{'s' if len(failures) > 1 else ''}"
    locked = any(act.reason == "locked" for act in call.acts)
    if call.story.verified:
        return f"yes, by {verification_phrase(call.acts)}" + (f", after {times}" if failures else "")
    if locked:
        return "no: locked after too many failed attempts"
    return f"no: {times}" if failures else "no: it did not come to that"


def _wanted(story: ConversationSummary, redact: Callable[[str, str], str]) -> list[str]:
    lines = [f"{wish}{' (still open)' if wish in story.unanswered else ''}" for wish in story.wanted]
    for said, perhaps in story.unclear:
        guess = f", perhaps {', or '.join(perhaps)}" if perhaps else ""
        lines.append(f'said: "{redact(said, "")}"{guess}')
    return lines + [f"{name.replace('_', ' ')}: {value.replace('_', ' ')}" for name, value in story.answers]


def _course(call: TicketPageFacts) -> Iterator[str]:
    """Yield what was asked for and became of it, the last steps that asked or did something, and the edition."""
    for intent in call.intents:
        result = intent.result.replace("_", " ") or "still open"
        yield f"{_clock(intent.at_seconds)} {intent.intent.replace('_', ' ')}: {result}"
    steps = [step for step in call.trail if step.kind in _TOLD_KINDS][-MAX_STEPS:]
    if steps:
        yield "Last steps: " + ", ".join(f"{step.flow}.{step.step}{_way(step)}" for step in steps)
    if call.edition:
        yield f"Procedures: edition {call.edition}"


def _way(step: TrailStep) -> str:
    return f" ({step.way.replace('_', ' ')})" if step.way else ""


def _clock(at_seconds: float) -> str:
    minutes, seconds = divmod(int(at_seconds), 60)
    return f"{minutes}:{seconds:02d}"


def _quotes(turns: Sequence[TurnRecord], redact: Callable[[str, str], str]) -> list[str]:
    said = [
        redact(turn.heard, turn.slot)
        for turn in turns
        if turn.via != "keypad" and sum(word not in _NUMBER_WORDS for word in turn.heard.split()) >= _FEWEST_WORDS
    ]
    said = list(dict.fromkeys(said))
    return said if len(said) <= MAX_QUOTES else [said[0], *said[-(MAX_QUOTES - 1) :]]


def _transcript(turns: Sequence[TurnRecord], redact: Callable[[str, str], str]) -> Iterator[str]:
    for turn in turns:
        at = _clock(turn.at_seconds)
        if turn.agent:
            yield f"    {at}  agent   {redact(turn.agent, '')}"
        if turn.heard:
            keyed = " (keys)" if turn.via == "keypad" else ""
            yield f"    {at}  caller  {redact(turn.heard, turn.slot)}{keyed}"
