"""One call from ring to record: asks the dialog for turns, speaks them, listens, does what they ask."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.call.errors import (
    CallReclaimedError,
    CallTakenOver,
    HandOverRequired,
    LineGone,
    MediaLostError,
    RecognitionFailed,
)
from agent.call.handover import CallHandOver
from agent.call.inbox import InboxReader
from agent.call.inbox_events import KeyPressed, PlaybackFinished
from agent.call.latency import LOOK_UP, RECOGNITION, RULES, ResponseTime, ResponseTimer
from agent.call.listening import ListeningComponents, TurnListener
from agent.call.operations import CallOperations
from agent.call.playback import PromptPlayback
from agent.call.ports import (
    CallerLine,
    CallObserver,
    CallRecordWriter,
    EchoSuppressor,
    GainControl,
    Media,
    NoEchoSuppression,
    NoiseGate,
    NoSnapshots,
    Recognizer,
    Services,
    SnapshotWriter,
    Voice,
    VoiceActivityDetector,
)
from agent.call.queue_status import StaffQueues
from agent.call.records import CallRecord, TurnRecord
from agent.call.snapshot import RESTARTED_FAULT, RecoveredCall, snapshot_of
from agent.call.turn_taking import TurnTakingOptions
from agent.dialog.contract import (
    Dialog,
    Effect,
    Event,
    HandOver,
    HangUp,
    HungUp,
    Listen,
    Prompt,
    RecognitionLost,
    Turn,
    TurnInput,
)
from agent.errors import OrderlineError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CallComponents:
    """What a call is made of; built by the composition root."""

    dialog: Dialog
    recognizer: Recognizer
    voice: Voice
    gain: GainControl
    vad: VoiceActivityDetector
    gate: Callable[[], NoiseGate]
    """Makes the gate of one turn."""
    services: Services
    records: CallRecordWriter
    observer: CallObserver
    redact: Callable[[str, str], str]
    """``redact(text, slot)``: the text without what may not be kept."""
    clock: Callable[[], float]
    """Monotonic seconds."""
    wall: Callable[[], datetime]
    """Aware local time."""
    echo: EchoSuppressor = field(default_factory=NoEchoSuppression)
    known_as: Callable[[], str] = lambda: ""
    """What the shop knows the calling number as, once it has said so: for people, never proof."""
    queues: StaffQueues | None = None
    """Knows the people's queues, where they are set."""
    memory: SnapshotWriter = field(default_factory=NoSnapshots)
    """Lets another process go on with the call if this one dies."""
    resumed: RecoveredCall | None = None
    """What an earlier process left of this call; ``dialog`` is then restored from it."""
    turn_taking: TurnTakingOptions = field(default_factory=TurnTakingOptions)
    chunk_frames: int = 2
    """How many 20 ms frames go to the recogniser together."""


@dataclass(frozen=True)
class _CallEnd:
    outcome: str
    ended_by: str


class CallSession:
    """Holds one conversation on one line. :meth:`run` returns when the call is over and recorded."""

    def __init__(self, line: CallerLine, media: Media, parts: CallComponents) -> None:
        self._line = line
        self._media = media
        self._parts = parts
        self._reader = InboxReader(line.inbox)
        self._marks = itertools.count(1)
        self._typed_ahead_keys: list[str] = []
        self._answered_at: float | None = None
        self._resumed = parts.resumed
        self._watch = ResponseTimer(parts.clock)
        self._current: TurnRecord | None = None
        self._record = self._begin_record()
        self._call_operations = CallOperations(
            parts.services, self._record, lambda: parts.dialog.story, parts.known_as, parts.redact
        )
        self._call_hand_over = CallHandOver(
            line, parts.services, self._record, self._call_operations, parts.redact, self._notify, parts.queues
        )

    def _begin_record(self) -> CallRecord:
        """Return the call's record: a new one, or the one that an earlier process has begun."""
        line, parts, left = self._line, self._parts, self._resumed
        if left is None:
            started_at = parts.wall().isoformat(timespec="milliseconds")
            return CallRecord(id=line.id, caller=line.caller, started_at=started_at)
        if left.answered_at is not None:
            self._answered_at = parts.clock() - (parts.wall().timestamp() - left.answered_at)
        left.record.faults.append(RESTARTED_FAULT)
        return left.record

    async def run(self) -> CallRecord:
        """Hold the call. What breaks it is in the record, and the caller is with people.

        Raises it only when they could not be given to people either; the caller is then still on the line.
        """
        started = self._parts.clock()
        record = self._record
        beginning = asyncio.create_task(self._parts.records.begin(record), name="call-begins")
        self._notify(
            "call_started", caller=asdict(self._line.caller), dialled=self._line.caller.dialled, entry=self._line.entry
        )
        try:
            end = await self._converse()
            record.outcome, record.ended_by = end.outcome, end.ended_by
        except LineGone:
            self._parts.dialog.hear(HungUp())
            record.outcome, record.ended_by = "caller_hung_up", "caller"
        except CallTakenOver as taken:
            self._parts.dialog.hear(HungUp())
            record.outcome, record.ended_by = "taken_over", "supervisor"
            self._notify("taken_over", by=taken.by)
            await self._line.give_up()
        except HandOverRequired as error:
            record.outcome, record.ended_by = "handed_over", "handover"
            if not await self._hand_over_now(error.reason):
                record.outcome, record.ended_by = "failed", "fault"
                raise
        except CallReclaimedError as error:
            record.outcome, record.ended_by = "rescued", "fault"
            record.faults.append(error.message)
        except BaseException as error:
            record.outcome, record.ended_by = "failed", "fault"
            record.faults.append(f"{type(error).__name__}: {error}")
            if not await self._end_broken_call(error):
                raise
        finally:
            record.duration_seconds = round(self._parts.clock() - (self._answered_at or started), 3)
            record.slots = dict(self._parts.dialog.slots)
            await beginning
            await self._store(record)
        return record

    async def _converse(self) -> _CallEnd:
        parts = self._parts
        turn = self._first_turn()
        while True:
            if isinstance(turn.then, HandOver) and parts.queues is not None:
                turn = await self._ask_queue_first(turn, turn.then, parts.queues)
            speaking = self._speaking(turn)
            if self._answered_at is None:
                if not self._line.is_answered:
                    await self._line.answer()
                self._answered_at = self._parts.clock()
            self._keep()
            speaking.start()
            try:
                match turn.then:
                    case Listen() as listen:
                        event = await self._listen(listen, speaking)
                    case Effect() as effect:
                        await parts.memory.written()
                        event = await self._perform(effect, speaking)
                    case HandOver() as handover:
                        await self._hand_over(handover, speaking)
                        return _CallEnd("handed_over", "handover")
                    case HangUp() as hang_up:
                        await self._finish_speaking(speaking)
                        await self._line.hang_up()
                        return _CallEnd(hang_up.outcome, "agent")
            finally:
                await speaking.close()
            turn = self._parts.dialog.hear(event)
            self._watch.lap(RULES)

    def _first_turn(self) -> Turn:
        if self._resumed is None:
            return self._parts.dialog.start()
        if self._resumed.hand_over:
            return Turn((), self._parts.dialog.hand_over(self._resumed.hand_over))
        return self._parts.dialog.resume()

    def _keep(self) -> None:
        """Keep the call as it stands, for the process that comes after this one."""
        parts = self._parts
        answered = self._answered_at
        at = None if answered is None else parts.wall().timestamp() - (parts.clock() - answered)
        parts.memory.keep(self._record.id, snapshot_of(self._record, at, parts.dialog.snapshot()))

    async def _end_broken_call(self, error: BaseException) -> bool:
        """Find the best end for a call that broke; False when there is none."""
        record = self._record
        if isinstance(error, asyncio.CancelledError):  # there is hardly any time left
            await self._hand_over_now("agent_stopping", ticket=False)
            return False
        if isinstance(error, MediaLostError) and await self._line.is_lost():
            record.outcome = "lost"
            return True
        log.error("Call %s broke and goes to a person: %s", record.id, error, exc_info=unexpected_only(error))
        if not await self._hand_over_now("agent_fault"):
            return False
        record.outcome = "handed_over"
        return True

    async def _hand_over_now(self, reason: str, *, ticket: bool = True) -> bool:
        return await self._call_hand_over.hand_over_now(self._parts.dialog.hand_over(reason), ticket=ticket)

    # --- speaking -----------------------------------------------------------------------------------

    def _speaking(self, turn: Turn) -> PromptPlayback:
        if self._current is not None and turn.understood:
            self._current.understood = turn.understood
        first_audio = self._open_turn(turn)
        return self._mouth(turn.say, first_audio)

    def _mouth(self, prompts: Sequence[Prompt], on_first_audio: Callable[[float], object]) -> PromptPlayback:
        parts = self._parts
        return PromptPlayback(parts.voice, self._media, prompts, self._marks, parts.clock, on_first_audio, parts.echo)

    async def _finish_speaking(self, speaking: PromptPlayback) -> None:
        """Wait until the last word has been heard; what the caller says meanwhile is not a turn."""
        while not speaking.check():
            event = await self._reader.next()
            if isinstance(event, PlaybackFinished):
                speaking.played(event.mark)

    # --- listening ----------------------------------------------------------------------------------

    async def _listen(self, listen: Listen, speaking: PromptPlayback) -> Event:
        parts = self._parts
        listening = TurnListener(
            self._reader,
            ListeningComponents(
                recognizer=parts.recognizer,
                gain=parts.gain,
                vad=parts.vad,
                gate=parts.gate,
                echo=parts.echo,
                completeness=parts.dialog.completeness,
                clock=parts.clock,
                on_listening=lambda: self._notify("listening", slot=listen.slot or ""),
                options=parts.turn_taking,
                chunk_frames=parts.chunk_frames,
            ),
            listen,
            speaking,
        )
        keys, self._typed_ahead_keys = self._typed_ahead_keys, []
        try:
            answer = await listening.run(keys)
        except RecognitionFailed as error:
            log.error("Call %s goes on by keypad: %s", self._record.id, error)
            self._record.faults.append(error.message)
            return RecognitionLost()
        self._watch.caller_stopped(answer.caller_stopped_at, answer.ended_at)
        self._watch.lap(RECOGNITION)
        if isinstance(answer.event, TurnInput):
            self._note_heard(answer.event)
        return answer.event

    # --- effects and endings ------------------------------------------------------------------------

    async def _perform(self, effect: Effect, speaking: PromptPlayback) -> Event:
        """Do one effect while the line is kept alive; a filler is said when it takes long. Keys are kept for later."""
        parts = self._parts
        started = parts.clock()
        self._notify("effect_started", name=effect.name)
        work = asyncio.create_task(self._call_operations.perform(effect), name=f"effect-{effect.name}")
        work.add_done_callback(lambda _: self._reader.wake_up())
        mouth = speaking
        filler = effect.filler
        try:
            while not (work.done() and mouth.check()):
                event = await self._reader.next()
                if isinstance(event, PlaybackFinished):
                    mouth.played(event.mark)
                elif isinstance(event, KeyPressed):
                    self._typed_ahead_keys.append(event.digit)
                late = parts.clock() - started >= effect.filler_after_seconds
                if filler is not None and late and not work.done() and mouth.check():
                    mouth, filler = self._speaking(Turn((filler,), effect)), None
                    mouth.start()
            result = work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            if mouth is not speaking:
                await mouth.close()
        self._watch.lap(LOOK_UP)
        milliseconds = round((parts.clock() - started) * 1000, 1)
        code = self._call_operations.note(effect, result, milliseconds)
        self._notify("effect", name=effect.name, code=code, ms=milliseconds)
        return result

    async def _ask_queue_first(self, turn: Turn, handover: HandOver, queues: StaffQueues) -> Turn:
        """Ask how the queue stands before a word is said: nobody hears "I'll put you through" where nobody is."""
        report = await queues.report(handover.queue)
        self._watch.lap(LOOK_UP)
        self._notify("queue", **asdict(report))
        answer = self._parts.dialog.hear(report)
        if isinstance(answer.then, HandOver):
            return replace(turn, say=(*turn.say, *answer.say), then=answer.then)
        return replace(answer, understood=turn.understood)

    async def _hand_over(self, handover: HandOver, speaking: PromptPlayback) -> None:
        """Write the ticket while the announcement plays; the last word is heard before the caller leaves."""
        await self._call_hand_over.give(handover, lambda: self._finish_speaking(speaking))

    # --- the record ---------------------------------------------------------------------------------

    def _open_turn(self, turn: Turn) -> Callable[[float], object]:
        """Begin the record of a turn; returns what to call with the time of its first audio."""
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
        self._record.turns.append(record)

        def first_audio(at: float) -> None:
            response = self._first_audio(at)
            record.response_ms, record.spent_ms = response.ms, response.spent_ms
            self._notify(
                "agent_said",
                text=text,
                prompts=[prompt.id for prompt in turn.say],
                flow=turn.flow,
                step=turn.step,
                understood=turn.understood,
                response_ms=record.response_ms,
                spent_ms=record.spent_ms,
            )

        return first_audio

    def _first_audio(self, at: float) -> ResponseTime:
        """Take note that the agent is audible from ``at`` on."""
        if self._record.greeting_ms is None and self._answered_at is not None:
            self._record.greeting_ms = round((at - self._answered_at) * 1000, 1)
        return self._watch.stop_at_first_audio(at)

    def _note_heard(self, heard: TurnInput) -> None:
        turn = self._current
        if turn is None:
            return
        turn.heard = heard.keys or heard.text
        turn.via = heard.via
        turn.confidence = round(heard.confidence, 3)
        turn.barged_in = heard.barged_in
        self._notify(
            "caller_said",
            heard=turn.heard,
            via=turn.via,
            confidence=turn.confidence,
            barged_in=turn.barged_in,
            slot=turn.slot,
        )

    async def _store(self, record: CallRecord) -> None:
        try:
            await self._parts.records.write(record)
        except OrderlineError:
            log.exception("Call %s could not be recorded", record.id)
        self._parts.memory.forget(record.id)
        self._notify(
            "call_ended",
            outcome=record.outcome,
            ended_by=record.ended_by,
            duration_seconds=record.duration_seconds,
            record=asdict(record),
        )

    def _notify(self, event: str, **data: Any) -> None:
        self._parts.observer.notify(event, self._line.id, data)


def unexpected_only(error: BaseException) -> BaseException | None:
    """Return the error where its trace says more than its message: an error that is none of ours."""
    return None if isinstance(error, OrderlineError) else error
