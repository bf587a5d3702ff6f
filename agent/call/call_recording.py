"""Keeps the record of one call: writes each turn as it happens, publishes it, stores the record at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from agent.call.components import CallComponents
from agent.call.latency import ResponseTime, ResponseTimer
from agent.call.outbound_record import begin_part, complete_part
from agent.call.ports import CallerLine
from agent.call.progress import CallProgress
from agent.call.records import CallOrigin, CallRecord, TurnRecord, record_data
from agent.call.second_opinion import SecondOutcome
from agent.call.snapshot import RESTARTED_FAULT, silence_untold, snapshot_of
from agent.dialog.contract import Listen, Turn, TurnInput
from agent.errors import OrderlineError
from agent.telemetry.events import (
    AgentSaid,
    CallBegan,
    CallerSaid,
    CallFinished,
    CallingParty,
    CallRepeats,
    CallResumed,
    EventPublisher,
    OutboundFinished,
)

log = logging.getLogger(__name__)

EVENTS_AFTER_SNAPSHOT = 1000
"""More events than a call tells between two snapshots: the numbers of a call that goes on begin after these."""


class CallRecording:
    """The record of one call as it grows; a recovered call goes on with the record that was begun."""

    def __init__(self, line: CallerLine, parts: CallComponents, timer: ResponseTimer) -> None:
        self._line = line
        self._parts = parts
        self._timer = timer
        self._started_at = parts.clock()
        self._current: TurnRecord | None = None
        self._answered_at: float | None = None
        """Monotonic seconds."""
        if (recovered := parts.resumed) is None:
            self.record = new_record(line, parts.wall(), parts.origin)
        else:
            self.record = recovered.record
            self.record.faults.append(RESTARTED_FAULT)
            if recovered.answered_at is not None:
                self._answered_at = parts.clock() - max(0.0, parts.wall().timestamp() - recovered.answered_at)
            silence_untold(self.record, self.seconds)
            parts.events.go_on(line.id, recovered.events + EVENTS_AFTER_SNAPSHOT)
        begin_part(self.record, parts.dialog.outbound)
        self.record.edition, self.record.understanding = parts.dialog.edition, parts.dialog.understanding
        self._progress = CallProgress(self.record, parts.events, lambda: self.seconds)

    @property
    def is_answered(self) -> bool:
        """True once :meth:`note_answered` was called, by this process or the one before."""
        return self._answered_at is not None

    def begin(self) -> asyncio.Task[None]:
        """Note that the call has begun, and publish that; the task is for :meth:`finish`."""
        beginning = asyncio.create_task(self._begin(), name="call-begins")
        publish_beginning(self._parts.events, self._line, self.record)
        if self._parts.resumed is not None:
            trail = tuple(asdict(step) for step in self.record.trail)
            steps, requests = len(trail), len(self.record.intents)
            self._parts.events.publish(CallResumed(self._line.id, self.record.edition, steps, requests, trail))
        return beginning

    async def _begin(self) -> None:
        record = self.record
        repeat_of = await self._parts.records.begin(record)
        if repeat_of and not record.repeat_of:
            record.repeat_of = repeat_of
            self._parts.events.publish(CallRepeats(self._line.id, repeat_of))

    def note_answered(self) -> None:
        """The call is answered from now on."""
        self._answered_at = self._parts.clock()
        self.record.answered_utc = round(self._parts.wall().timestamp(), 3)

    def since_answer(self, at: float) -> float:
        """Return a moment of the clock (monotonic seconds) as seconds since the answer; 0 before that."""
        return at - self._answered_at if self._answered_at is not None else 0.0

    def begin_turn(self, turn: Turn) -> Callable[[float], object]:
        """Begin the record of a turn; returns what to call with the time of its first audio."""
        self._progress.follow(turn, self._current)
        text = " ".join(prompt.text for prompt in turn.say)
        if not text and not isinstance(turn.then, Listen):
            return self._first_audio
        record = TurnRecord(
            at_seconds=self.seconds,
            agent=text,
            flow=turn.flow,
            step=turn.step,
            slot=(turn.then.slot or "") if isinstance(turn.then, Listen) else "",
            secret=isinstance(turn.then, Listen) and turn.then.secret,
        )
        self._current = record
        self.record.turns.append(record)

        def first_audio(at: float) -> None:
            response = self._first_audio(at)
            record.audible_at_seconds = self._since_answer(at)
            record.response_ms, record.spent_ms = response.ms, response.spent_ms
            self._parts.events.publish(
                AgentSaid(
                    self._line.id,
                    text=text,
                    prompts=tuple(prompt.id for prompt in turn.say),
                    flow=turn.flow,
                    step=turn.step,
                    understood=turn.understood,
                    response_ms=record.response_ms,
                    spent_ms=record.spent_ms,
                )
            )

        return first_audio

    def note_heard(
        self,
        heard: TurnInput,
        began_at: float | None = None,
        ended_at: float | None = None,
        second: SecondOutcome = "",
    ) -> None:
        """Put the caller's answer into the record of the turn that asked for it.

        ``began_at`` and ``ended_at`` are the clock times of the first and the last voice or key; ``second`` is what
        came of a second opinion.
        """
        turn = self._current
        if turn is None:
            return
        turn.heard_from_seconds, turn.heard_until_seconds = self._since_answer(began_at), self._since_answer(ended_at)
        turn.heard = heard.keys or heard.text
        turn.via = heard.via
        turn.confidence = round(heard.confidence, 3)
        turn.barged_in = heard.barged_in
        turn.second_opinion = second
        turn.heard_by = "" if turn.via == "keypad" else "second" if second == "used" else "first"
        self._parts.events.publish(
            CallerSaid(
                self._line.id,
                heard=turn.heard,
                via=turn.via,
                confidence=turn.confidence,
                barged_in=turn.barged_in,
                slot=turn.slot,
                second_opinion=second,
                heard_by=turn.heard_by,
            )
        )

    def keep_snapshot(self) -> None:
        """Keep the call as it stands, for the process that comes after this one."""
        parts = self._parts
        answered = self._answered_at
        at = None if answered is None else parts.wall().timestamp() - (parts.clock() - answered)
        told = parts.events.count(self.record.id)
        parts.memory.keep(self.record.id, snapshot_of(self.record, at, parts.dialog.snapshot(), told))

    async def finish(self, beginning: asyncio.Task[None]) -> None:
        """Store the record of a call that is over, forget its snapshot and publish the end."""
        record, parts = self.record, self._parts
        started_at = self._started_at if self._answered_at is None else self._answered_at
        record.duration_seconds = round(parts.clock() - started_at, 3)
        record.slots = dict(parts.dialog.slots)
        record.ended_utc = round(parts.wall().timestamp(), 3)
        self._progress.close()
        await beginning
        complete_part(record, parts.dialog.outbound)
        part = record.outbound
        if part is not None and part.outcome:
            scores = dict(part.scores)
            parts.events.publish(
                OutboundFinished(
                    self._line.id, record.purpose, record.job, part.reached, part.outcome, scores, part.partial
                )
            )
        try:
            await parts.records.write(record)
        except OrderlineError:
            log.exception("Call %s could not be recorded", record.id)
        parts.memory.forget(record.id)
        parts.events.publish(
            CallFinished(
                self._line.id,
                outcome=record.outcome,
                ended_by=record.ended_by,
                duration_seconds=record.duration_seconds,
                record=record_data(record),
            )
        )

    @property
    def seconds(self) -> float:
        """Seconds since the answer, 0 before it."""
        return self._since_answer(self._parts.clock()) or 0.0

    def _since_answer(self, at: float | None) -> float | None:
        """Return a clock time as seconds since the answer; None for None, and before the answer."""
        if at is None or self._answered_at is None:
            return None
        return round(max(0.0, at - self._answered_at), 3)

    def _first_audio(self, at: float) -> ResponseTime:
        """Take note that the agent is audible from ``at`` on."""
        if self.record.greeting_ms is None and self._answered_at is not None:
            self.record.greeting_ms = round((at - self._answered_at) * 1000, 1)
        return self._timer.stop_at_first_audio(at)


def new_record(line: CallerLine, now: datetime, origin: CallOrigin) -> CallRecord:
    """Return the record of a call that begins; ``now`` is aware local time."""
    return CallRecord(
        line.id,
        line.caller,
        now.isoformat(timespec="milliseconds"),
        direction=origin.direction,
        entry=line.entry,
        purpose=origin.purpose,
        job=origin.job,
        attempt=origin.attempt,
        started_utc=round(now.timestamp(), 3),
        continues=origin.continues,
    )


def publish_beginning(events: EventPublisher, line: CallerLine, record: CallRecord) -> None:
    """Tell that a call begins."""
    caller = line.caller
    events.publish(
        CallBegan(
            line.id,
            CallingParty(caller.number, caller.name, caller.dialled),
            caller.dialled,
            line.entry,
            direction=record.direction,
            purpose=record.purpose,
            job=record.job,
            edition=record.edition,
            continues=record.continues,
        )
    )
