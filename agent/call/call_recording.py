"""Keeps the record of one call: writes each turn as it happens, publishes it, stores the record at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict

from agent.call.components import CallComponents
from agent.call.latency import ResponseTime, ResponseTimer
from agent.call.ports import CallerLine
from agent.call.records import CallRecord, TurnRecord
from agent.call.snapshot import RESTARTED_FAULT, snapshot_of
from agent.dialog.contract import Listen, Turn, TurnInput
from agent.errors import OrderlineError
from agent.telemetry.events import AgentSaid, CallBegan, CallerSaid, CallFinished, CallingParty

log = logging.getLogger(__name__)


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
            self.record = CallRecord(line.id, line.caller, parts.wall().isoformat(timespec="milliseconds"))
        else:
            self.record = recovered.record
            self.record.faults.append(RESTARTED_FAULT)
            if recovered.answered_at is not None:
                self._answered_at = parts.clock() - max(0.0, parts.wall().timestamp() - recovered.answered_at)

    @property
    def is_answered(self) -> bool:
        """True once :meth:`note_answered` was called, by this process or the one before."""
        return self._answered_at is not None

    def begin(self) -> asyncio.Task[None]:
        """Note that the call has begun, and publish that; the task is for :meth:`finish`."""
        caller = self._line.caller
        beginning = asyncio.create_task(self._parts.records.begin(self.record), name="call-begins")
        party = CallingParty(caller.number, caller.name, caller.dialled)
        self._parts.events.publish(CallBegan(self._line.id, party, caller.dialled, self._line.entry))
        return beginning

    def note_answered(self) -> None:
        """The call is answered from now on."""
        self._answered_at = self._parts.clock()

    def since_answer(self, at: float) -> float:
        """Return a moment of the clock (monotonic seconds) as seconds since the answer; 0 before that."""
        return at - self._answered_at if self._answered_at is not None else 0.0

    def begin_turn(self, turn: Turn) -> Callable[[float], object]:
        """Begin the record of a turn; returns what to call with the time of its first audio."""
        if self._current is not None and turn.understood:
            self._current.understood = turn.understood
        text = " ".join(prompt.text for prompt in turn.say)
        if not text and not isinstance(turn.then, Listen):
            return self._first_audio
        now = self._parts.clock()
        record = TurnRecord(
            at_seconds=round(now - (self._answered_at if self._answered_at is not None else now), 3),
            agent=text,
            flow=turn.flow,
            step=turn.step,
            slot=(turn.then.slot or "") if isinstance(turn.then, Listen) else "",
        )
        self._current = record
        self.record.turns.append(record)

        def first_audio(at: float) -> None:
            response = self._first_audio(at)
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

    def note_heard(self, heard: TurnInput) -> None:
        """Put the caller's answer into the record of the turn that asked for it."""
        turn = self._current
        if turn is None:
            return
        turn.heard = heard.keys or heard.text
        turn.via = heard.via
        turn.confidence = round(heard.confidence, 3)
        turn.barged_in = heard.barged_in
        self._parts.events.publish(
            CallerSaid(
                self._line.id,
                heard=turn.heard,
                via=turn.via,
                confidence=turn.confidence,
                barged_in=turn.barged_in,
                slot=turn.slot,
            )
        )

    def keep_snapshot(self) -> None:
        """Keep the call as it stands, for the process that comes after this one."""
        parts = self._parts
        answered = self._answered_at
        at = None if answered is None else parts.wall().timestamp() - (parts.clock() - answered)
        parts.memory.keep(self.record.id, snapshot_of(self.record, at, parts.dialog.snapshot()))

    async def finish(self, beginning: asyncio.Task[None]) -> None:
        """Store the record of a call that is over, forget its snapshot and publish the end."""
        record, parts = self.record, self._parts
        started_at = self._started_at if self._answered_at is None else self._answered_at
        record.duration_seconds = round(parts.clock() - started_at, 3)
        record.slots = dict(parts.dialog.slots)
        await beginning
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
                record=asdict(record),
            )
        )

    def _first_audio(self, at: float) -> ResponseTime:
        """Take note that the agent is audible from ``at`` on."""
        if self.record.greeting_ms is None and self._answered_at is not None:
            self.record.greeting_ms = round((at - self._answered_at) * 1000, 1)
        return self._timer.stop_at_first_audio(at)
