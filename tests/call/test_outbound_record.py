"""What the record of a call says of its job."""

from __future__ import annotations

import pytest

from agent.call.outbound_record import begin_part, complete_part, note_operation
from agent.call.records import Caller, CallRecord, OutboundPart, SoundRecord
from agent.dialog.callee import OutboundStory
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded

STORY = OutboundStory(reached="right_person", order_number="10473")


def record(**known: object) -> CallRecord:
    made = CallRecord("c-1", Caller("+12025550143"), "2026-11-30T10:00:00-05:00")
    for name, value in known.items():
        setattr(made, name, value)
    return made


def answer(question: str, value: str) -> Effect:
    return Effect("e1", "outbound.answer", {"question": question, "value": value})


def test_answers_are_kept_as_they_are_given_and_hang_ups_are_partial() -> None:
    call = record(outcome="caller_hung_up", ended_by="caller")
    begin_part(call, STORY)
    note_operation(call, answer("csat", "4"), EffectSucceeded("e1"))
    complete_part(call, STORY)
    assert call.outbound is not None
    assert (call.outbound.scores, call.outbound.outcome, call.outbound.partial) == ({"csat": 4}, "partial", True)
    assert call.outbound.order_number == "10473"


def test_what_failed_is_not_kept() -> None:
    call = record()
    note_operation(call, answer("csat", "4"), EffectFailed("e1", "unavailable"))
    assert call.outbound is None


def test_a_comment_names_the_sound_it_is_in() -> None:
    call = record(outcome="survey_done", ended_by="agent", sound=SoundRecord("5f"))
    note_operation(call, answer("comment", "4 weeks late"), EffectSucceeded("e1"))
    complete_part(call, OutboundStory(reached="right_person", outcome="completed"))
    assert call.outbound is not None
    assert (call.outbound.comment, call.outbound.recording, call.outbound.partial) == ("4 weeks late", "5f", False)


def test_an_opt_out_is_kept_on_a_customers_own_call_too() -> None:
    call = record(outcome="answered", ended_by="agent")
    begin_part(call, None)
    note_operation(call, Effect("e1", "outbound.suppress", {"scope": "all"}), EffectSucceeded("e1"))
    complete_part(call, None)
    assert call.outbound == OutboundPart(opted_out="all")


def test_a_case_is_kept_of_calls_for_a_job_alone() -> None:
    opened = EffectSucceeded("e1", {"case": {"number": "C-4711"}})
    search = Effect("e1", "shipments.investigate", {"number": "10473"})
    ordinary, placed = record(), record()
    begin_part(placed, STORY)
    note_operation(ordinary, search, opened)
    note_operation(placed, search, opened)
    assert ordinary.outbound is None
    assert placed.outbound is not None
    assert placed.outbound.case == "C-4711"


@pytest.mark.parametrize(
    ("outcome", "ended_by", "story", "told"),
    [
        ("handed_over", "handover", OutboundStory("right_person", "completed"), "handed_over"),
        ("later", "agent", OutboundStory("person", "later"), "later"),
        ("failed", "fault", OutboundStory("right_person"), "failed"),
        ("caller_hung_up", "caller", OutboundStory("right_person"), "partial"),
        ("caller_hung_up", "caller", OutboundStory("person"), "not_reached"),
        ("voicemail", "agent", OutboundStory("voicemail"), "not_reached"),
    ],
)
def test_every_call_for_a_job_has_an_outcome(outcome: str, ended_by: str, story: OutboundStory, told: str) -> None:
    call = record(outcome=outcome, ended_by=ended_by)
    complete_part(call, story)
    assert call.outbound is not None
    assert call.outbound.outcome == told
