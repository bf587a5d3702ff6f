"""Puts what a conversation goes through into the record and the live feed: steps, requests, how answers were taken."""

from __future__ import annotations

from collections.abc import Callable

from agent.call.records import CallRecord, CandidateRecord, IntentRecord, TrailStep, TurnRecord
from agent.dialog.contract import Turn
from agent.dialog.turn_report import RequestProgress, StepTaken
from agent.telemetry.events import AnswerTaken, CallRequest, CallStep, EventPublisher

MOST_CANDIDATES = 5
"""Of an open answer, so many meanings are kept."""


class CallProgress:
    """Follows the turns of one call."""

    def __init__(self, record: CallRecord, events: EventPublisher, seconds: Callable[[], float]) -> None:
        """``record`` is the call's, as it grows; ``seconds`` gives the time since the answer."""
        self._record = record
        self._events = events
        self._seconds = seconds

    def follow(self, turn: Turn, answered: TurnRecord | None) -> None:
        """Take what a turn tells; ``answered`` is the record of the turn whose answer it reacts to."""
        if answered is not None:
            self._take_answer(turn, answered)
        for step in turn.trail:
            self._take_step(step)
        for request in turn.requests:
            self._take_request(request)

    def close(self) -> None:
        """The call is over: say how it ended in the step and the requests that were still open."""
        trail, intents = close_open(self._record, self._seconds())
        for index in trail:
            self._tell_step(index)
        for index in intents:
            self._tell_request(index)

    def _take_answer(self, turn: Turn, answered: TurnRecord) -> None:
        if turn.understood:
            answered.understood = turn.understood
        reading = turn.reading
        if reading is None:
            return
        answered.result, answered.decision = reading.result, reading.decision
        answered.candidates = [
            CandidateRecord(one.meaning, round(one.score, 4)) for one in reading.candidates[:MOST_CANDIDATES]
        ]
        self._events.publish(
            AnswerTaken(
                self._record.id,
                slot=answered.slot,
                understood=turn.understood,
                result=reading.result,
                decision=reading.decision,
                candidates=tuple((one.meaning, one.score) for one in answered.candidates),
            )
        )

    def _take_step(self, taken: StepTaken) -> None:
        trail, now = self._record.trail, self._seconds()
        if taken.reached:
            trail.append(TrailStep(taken.flow, taken.step, taken.kind, now))
        elif not trail or trail[-1].way:
            return  # what was left began before this record did
        step = trail[-1]
        if taken.way:
            step.way, step.left_at_seconds = taken.way, now
        self._tell_step(len(trail) - 1)

    def _take_request(self, told: RequestProgress) -> None:
        intents, now = self._record.intents, self._seconds()
        if told.number >= len(intents):
            intents.append(IntentRecord(told.intent, now))
        index = min(told.number, len(intents) - 1)
        intent = intents[index]
        intent.about = dict(told.about)
        if told.result and not intent.result:
            intent.result, intent.ended_at_seconds = told.result, now
        self._tell_request(index)

    def _tell_step(self, index: int) -> None:
        step = self._record.trail[index]
        self._events.publish(
            CallStep(
                self._record.id,
                index=index,
                flow=step.flow,
                step=step.step,
                kind=step.kind,
                way=step.way,
                at_seconds=step.at_seconds,
                left_at_seconds=step.left_at_seconds,
            )
        )

    def _tell_request(self, index: int) -> None:
        intent = self._record.intents[index]
        self._events.publish(
            CallRequest(
                self._record.id,
                index=index,
                intent=intent.intent,
                result=intent.result,
                about=dict(intent.about),
                at_seconds=intent.at_seconds,
            )
        )


def close_open(record: CallRecord, at_seconds: float) -> tuple[list[int], list[int]]:
    """Close what is open in the record of a call that is over; return the places in ``trail`` and ``intents``."""
    way, result = _ending(record)
    steps = [index for index, step in enumerate(record.trail) if not step.way]
    for index in steps:
        step = record.trail[index]
        step.way, step.left_at_seconds = _way_of(step, way), at_seconds
    intents = [index for index, intent in enumerate(record.intents) if not intent.result]
    for index in intents:
        record.intents[index].result, record.intents[index].ended_at_seconds = result, at_seconds
    return steps, intents


def _ending(record: CallRecord) -> tuple[str, str]:
    """Return how the call ended for its last step, and for the requests that were open."""
    if record.ended_by == "fault":
        return "fault", "fault"
    if record.outcome == "handed_over":
        reason = str((record.handover or {}).get("reason") or "")
        return f"person.{reason}" if reason else "handed_over", "handed_over"
    if record.outcome == "taken_over":
        return "taken_over", "taken_over"
    if record.ended_by == "caller":
        return "hung_up", "hung_up"
    return "ended", record.outcome or "ended"


def _way_of(step: TrailStep, way: str) -> str:
    return "handed_over" if step.kind == "handover" and way.startswith("person.") else way
