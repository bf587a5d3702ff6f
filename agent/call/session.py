"""One call from ring to record: asks the dialog for turns, speaks them, listens, does what they ask."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import NamedTuple

from agent.call.call_recording import CallRecording
from agent.call.components import CallComponents
from agent.call.errors import (
    CallerOnHold,
    CallReclaimedError,
    CallTakenOver,
    HandOverRequired,
    HeldTooLong,
    LineGone,
    MediaLostError,
    RecognitionFailed,
    TransferredAway,
)
from agent.call.handover import Handover, HandoverSources
from agent.call.inbox import InboxReader
from agent.call.inbox_events import InboxEvent, KeyPressed, PlaybackFinished
from agent.call.keypad import EndedEntry
from agent.call.latency import LOOK_UP, RECOGNITION, RULES, ResponseTimer
from agent.call.listening import ListeningComponents, TurnListener
from agent.call.opening import CalleeWatcher
from agent.call.operations import CallOperations
from agent.call.outbound_record import SUPPRESS
from agent.call.playback import PromptPlayback
from agent.call.ports import CallerLine, Media
from agent.call.records import CallRecord
from agent.call.second_opinion import TurnSecondOpinion
from agent.call.ticketing import HandoverTicket
from agent.common.tasks import cancel_and_wait
from agent.dialog.callee import OUTBOUND, STOP_KEY
from agent.dialog.contract import (
    Effect,
    Event,
    HandOverAction,
    HangUp,
    HungUp,
    Listen,
    RecognitionLost,
    Turn,
    TurnInput,
)
from agent.errors import OrderlineError
from agent.telemetry.events import (
    CalleeOptedOut,
    EffectEnded,
    EffectStarted,
    HoldOver,
    HoldStarted,
    ListeningStarted,
    TakenOver,
)

log = logging.getLogger(__name__)


class _CallEnd(NamedTuple):
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
        self._ended_entry: EndedEntry | None = None
        self._timer = ResponseTimer(parts.clock)
        self._callee: CalleeWatcher | None = None
        self._recording = CallRecording(line, parts, self._timer)
        record = self._recording.record
        self._operations = CallOperations(
            parts.services, record, lambda: parts.dialog.story, parts.known_as, parts.redact
        )
        ticket = HandoverTicket(parts.services, record, parts.redact, self._operations.page)
        self._handover = Handover(
            line,
            HandoverSources(parts.dialog, record, ticket, self._timer, parts.events, parts.queues, parts.sound),
        )

    async def run(self) -> CallRecord:
        """Hold the call. What breaks it is in the record, and the caller is with the staff.

        Raises it only when the call could not be handed over either; the caller is then still on the line.
        """
        record = self._recording.record
        beginning = self._recording.begin()
        try:
            record.outcome, record.ended_by = await self._converse()
        except LineGone:
            self._parts.dialog.hear(HungUp())
            record.outcome, record.ended_by = "caller_hung_up", "caller"
        except TransferredAway:
            self._parts.dialog.hear(HungUp())
            record.outcome, record.ended_by = "transferred", "caller"
        except HeldTooLong as held:
            log.info("Call %s ends: %s", record.id, held)
            self._parts.dialog.hear(HungUp())
            record.outcome, record.ended_by = "held_too_long", "agent"
            await self._line.hang_up()
        except CallTakenOver as taken:
            self._parts.dialog.hear(HungUp())
            record.outcome, record.ended_by = "taken_over", "supervisor"
            self._parts.events.publish(TakenOver(self._line.id, taken.by))
            await self._line.release_to_supervisor()
        except HandOverRequired as error:
            record.outcome, record.ended_by = self._handover.emergency_outcome
            if not await self._handover.emergency(error.reason):
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
            await self._recording.finish(beginning)
        return record

    async def _converse(self) -> _CallEnd:
        parts, recording = self._parts, self._recording
        turn = self._first_turn()
        while True:
            turn = await self._handover.prepare_words(turn)
            speaking = self._speaking(turn)
            if not recording.is_answered:
                if not self._line.is_answered:
                    await self._line.answer()
                recording.note_answered()
            await parts.sound.begin_when_allowed(recording.record, recording.since_answer)
            recording.keep_snapshot()
            speaking.start()
            try:
                match turn.then:
                    case Listen() as listen:
                        event = await self._listen(listen, speaking)
                    case Effect() as effect:
                        await parts.memory.written()
                        event = await self._perform(effect, speaking)
                    case HandOverAction() as handover:
                        await self._hand_over(handover, speaking)
                        return _CallEnd("handed_over", "handover")
                    case HangUp() as hang_up:
                        if await self._finish_speaking(speaking, STOP_KEY if self._placed else ""):
                            event = TurnInput(keys=STOP_KEY)
                        else:
                            await self._line.hang_up()
                            return _CallEnd(hang_up.outcome, "agent")
            finally:
                await speaking.close()
            if isinstance(event, TurnInput) and event.text:
                await parts.understanding_ready()
            turn = parts.dialog.hear(event)
            self._timer.lap(RULES)

    def _first_turn(self) -> Turn:
        recovered = self._parts.resumed
        if recovered is None:
            return self._parts.dialog.start()
        if recovered.hand_over:
            return Turn((), self._parts.dialog.hand_over(recovered.hand_over))
        return self._parts.dialog.resume()

    async def _end_broken_call(self, error: BaseException) -> bool:
        """Find the best end for a call that broke; False when there is none."""
        record = self._recording.record
        if isinstance(error, asyncio.CancelledError):  # there is hardly any time left
            await self._handover.emergency("agent_stopping", ticket=False)
            return False
        if isinstance(error, MediaLostError) and await self._line.is_lost():
            record.outcome = "lost"
            return True
        log.error("Call %s broke and is left to the dialplan: %s", record.id, error, exc_info=unexpected_only(error))
        if not await self._handover.emergency("agent_fault"):
            return False
        record.outcome, _ = self._handover.emergency_outcome
        return True

    # --- speaking -----------------------------------------------------------------------------------

    def _speaking(self, turn: Turn) -> PromptPlayback:
        parts, first_audio = self._parts, self._recording.begin_turn(turn)
        return PromptPlayback(parts.voice, self._media, turn.say, self._marks, parts.clock, first_audio, parts.echo)

    @property
    def _placed(self) -> bool:
        """Whether we placed this call."""
        return self._line.entry == OUTBOUND

    async def _finish_speaking(self, speaking: PromptPlayback, until_key: str = "") -> bool:
        """Wait until the last word has been heard; what the caller says meanwhile is not a turn.

        True where ``until_key`` was pressed meanwhile, or before: the rest is not said.
        """
        while not speaking.check():
            event = await self._next(speaking)
            if isinstance(event, PlaybackFinished):
                speaking.played(event.mark)
            elif isinstance(event, KeyPressed) and event.digit == until_key:
                await speaking.stop()
                return True
        ahead, self._typed_ahead_keys = self._typed_ahead_keys, []
        return bool(until_key) and until_key in ahead

    async def _last_words(self, speaking: PromptPlayback) -> None:
        await self._finish_speaking(speaking)

    async def _next(self, speaking: PromptPlayback) -> InboxEvent:
        """Return the next event. A hold is waited out first; the words that it cut off are said after it."""
        while True:
            try:
                return await self._reader.next()
            except CallerOnHold:
                await self._wait_off_hold(speaking)
                await speaking.resume()

    async def _wait_off_hold(self, speaking: PromptPlayback) -> None:
        """Fall silent and wait until the caller is back from a hold. Raises HeldTooLong, and what ends a call."""
        await speaking.stop()
        self._timer.caller_stopped(None)  # the wait is no slow answer of ours
        parts = self._parts
        began = parts.clock()
        parts.events.publish(HoldStarted(self._line.id, float(parts.hold_seconds)))
        await self._reader.wait_off_hold(parts.hold_seconds)
        parts.events.publish(HoldOver(self._line.id, round(parts.clock() - began, 3)))

    # --- listening ----------------------------------------------------------------------------------

    async def _listen(self, listen: Listen, speaking: PromptPlayback) -> Event:
        """Listen until there is an answer. After a hold the question is put again, as if it had not been before."""
        while (event := await self._listen_once(listen, speaking)) is None:
            await self._wait_off_hold(speaking)
            await speaking.repeat()
        return event

    def _watch(self, listen: Listen) -> CalleeWatcher | None:
        """Return what tells machines from people in this turn; None where that is known, or nobody asks."""
        if listen.callee is None:
            return None
        if self._callee is None:
            self._callee = CalleeWatcher(listen.callee)
        self._callee.begin_turn(listen.callee)
        return self._callee

    async def _listen_once(self, listen: Listen, speaking: PromptPlayback) -> Event | None:
        """Listen; None when the caller has put the agent on hold meanwhile."""
        parts, callee = self._parts, self._watch(listen)
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
                on_listening=lambda: parts.events.publish(ListeningStarted(self._line.id, listen.slot or "")),
                options=parts.turn_taking if callee is None else callee.turn_taking(parts.turn_taking),
                chunk_frames=parts.chunk_frames,
                callee=callee,
                second=TurnSecondOpinion(parts.second, parts.dialog) if parts.second is not None else None,
            ),
            listen,
            speaking,
        )
        keys, self._typed_ahead_keys = self._typed_ahead_keys, []
        entry_before, self._ended_entry = self._ended_entry, None
        try:
            answer = await listening.run(keys, entry_before)
        except CallerOnHold:
            return None
        except RecognitionFailed as error:
            log.error("Call %s goes on by keypad: %s", self._recording.record.id, error)
            self._recording.record.faults.append(error.message)
            return RecognitionLost()
        self._ended_entry = answer.ended_entry
        self._timer.caller_stopped(answer.caller_stopped_at, answer.ended_at)
        self._timer.lap(RECOGNITION)
        if isinstance(answer.event, TurnInput):
            self._recording.note_heard(answer.event, answer.caller_began_at, answer.caller_stopped_at, answer.second)
        return answer.event

    # --- effects and hand-over ----------------------------------------------------------------------

    async def _perform(self, effect: Effect, speaking: PromptPlayback) -> Event:
        """Do one effect while the line is kept alive; a filler is said when it takes long. Keys are kept for later."""
        parts = self._parts
        started = parts.clock()
        parts.events.publish(EffectStarted(self._line.id, effect.name))
        work = asyncio.create_task(self._operations.perform(effect), name=f"effect-{effect.name}")
        work.add_done_callback(lambda _: self._reader.wake_up())
        playback = speaking
        filler = effect.filler
        try:
            while not (work.done() and playback.check()):
                event = await self._next(playback)
                if isinstance(event, PlaybackFinished):
                    playback.played(event.mark)
                elif isinstance(event, KeyPressed):
                    self._typed_ahead_keys.append(event.digit)
                late = parts.clock() - started >= effect.filler_after_seconds
                if filler is not None and late and not work.done() and playback.check():
                    playback, filler = self._speaking(Turn((filler,), effect)), None
                    playback.start()
            result = work.result()
        finally:
            await cancel_and_wait(work)
            if playback is not speaking:
                await playback.close()
        self._timer.lap(LOOK_UP)
        milliseconds = round((parts.clock() - started) * 1000, 1)
        noted = self._operations.note(effect, result, milliseconds, self._recording.seconds)
        parts.events.publish(
            EffectEnded(self._line.id, effect.name, noted.code, milliseconds, noted.reason, noted.facts)
        )
        if effect.name == SUPPRESS and noted.code == "ok":
            parts.events.publish(CalleeOptedOut(self._line.id, str(effect.arguments.get("scope") or "")))
        return result

    async def _hand_over(self, handover: HandOverAction, speaking: PromptPlayback) -> None:
        """Prepare while the announcement plays; the last word is heard before the caller leaves."""
        prepared = await self._handover.prepare(handover, lambda: self._last_words(speaking))
        await self._reader.wait_off_hold(self._parts.hold_seconds)  # staff would be rung by nobody
        await self._handover.execute(prepared)


def unexpected_only(error: BaseException) -> BaseException | None:
    """Return the error where its trace says more than its message: an error that is none of ours."""
    return None if isinstance(error, OrderlineError) else error
