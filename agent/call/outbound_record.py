"""What the record of a call says of a job: of a call that we placed, or of a customer's who rang back or opted out."""

from __future__ import annotations

from collections.abc import Mapping

from agent.call.records import CallRecord, OutboundPart
from agent.dialog.callee import OutboundStory
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded

ANSWER, SUPPRESS, CALL_BACK = "outbound.answer", "outbound.suppress", "outbound.call_back"
"""Operations that the dialler does, not the shop."""
_CASES: Mapping[str, tuple[str, str]] = {
    "returns.create": ("return", "number"),
    "shipments.investigate": ("case", "number"),
    "tickets.create": ("ticket", "id"),
}
"""Operations that open a case -> where its number stands in the result."""
_COMMENT = "comment"


def note_operation(record: CallRecord, effect: Effect, result: EffectSucceeded | EffectFailed) -> None:
    """Keep what an operation tells of a job, when it is done: whoever hangs up has answered so far."""
    if isinstance(result, EffectFailed):
        return
    if effect.name == SUPPRESS:
        _part(record).opted_out = str(effect.arguments.get("scope") or "")
    elif effect.name == ANSWER:
        _note_answer(_part(record), effect.arguments)
    elif effect.name in _CASES:
        what, number = _CASES[effect.name]
        told = result.result.get(what)
        if record.outbound is not None and isinstance(told, Mapping) and told.get(number):
            record.outbound.case = str(told[number])


def begin_part(record: CallRecord, story: OutboundStory | None) -> None:
    """Give the record of a call for a job its part; that of a recovered call stays as it is."""
    if story is not None:
        part = _part(record)
        part.order_number, part.rang_back = story.order_number, story.rang_back


def complete_part(record: CallRecord, story: OutboundStory | None) -> None:
    """Write what the conversation knows at the end; ``record`` has outcome and sound already."""
    if story is None:
        return
    part = _part(record)
    part.reached, part.appointment, part.message_left = story.reached, story.appointment, story.message_left
    part.details = {name: str(value) for name, value in story.details.items()}
    part.outcome = _outcome(record, story, part)
    part.partial = bool(part.scores or part.comment) and part.outcome != "completed"
    part.recording = record.sound.name if part.comment and record.sound is not None else ""


def _note_answer(part: OutboundPart, arguments: Mapping[str, object]) -> None:
    question, value = str(arguments.get("question") or ""), str(arguments.get("value") or "")
    if question == _COMMENT or not value.isdecimal():
        part.comment = value
    else:
        part.scores[question] = int(value)


def _outcome(record: CallRecord, story: OutboundStory, part: OutboundPart) -> str:
    """Return what the call came to, in the dialler's words."""
    if record.outcome == "handed_over":
        return "handed_over"
    if story.outcome:
        return story.outcome
    if part.opted_out:
        return "opted_out"
    if record.ended_by == "fault":
        return "failed"
    return "partial" if story.reached == "right_person" else "not_reached"


def _part(record: CallRecord) -> OutboundPart:
    if record.outbound is None:
        record.outbound = OutboundPart()
    return record.outbound
