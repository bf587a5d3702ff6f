"""Handles one call from the first instant to the last, or rejects it to the staff queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent.app.outbound_calls import CallJob, OutboundOperations, can_call_back, job_of_call, note_result
from agent.app.outbox_factory import OutboxService
from agent.app.recovery_factory import CallRecovery
from agent.app.sound_factory import sound_of_call
from agent.app.speech_factory import ScoreWarmUp, SpeechEngines
from agent.asterisk.stasis_app import AsteriskCallerLine
from agent.call.call_recording import new_record
from agent.call.caller_lookup import CallerLookup
from agent.call.components import CallComponents
from agent.call.consent_filter import ConsentFilteredEvents, ConsentFilteredRecords, ConsentFilteredServices
from agent.call.ports import Media, Services
from agent.call.queue_status import StaffQueues
from agent.call.records import INBOUND, OUTBOUND, CallRecord, record_data
from agent.call.reject import reject_to_queue
from agent.call.second_opinion import SecondOpinionSource
from agent.call.session import CallSession
from agent.call.snapshot import RecoveredCall
from agent.call.turn_taking import TurnTakingOptions
from agent.common.phone_numbers import e164
from agent.config.call import CallSettings
from agent.config.settings import Settings
from agent.control.agi import DialplanValues
from agent.dialog.engine.consent import ConsentAnswer, ConsentDialog, consent_in_snapshot
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.model.model import RecordingConsent
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import Renderer
from agent.errors import OrderlineError
from agent.outbound.ports import OutboundResults
from agent.records.redaction import redact_text
from agent.records.sound_files import SoundDirectory
from agent.recovery.lost_calls import ended_record
from agent.recovery.taken_calls import own_records
from agent.shop.services import ShopServices
from agent.speech.echo import LoudnessEchoSuppressor
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.vad_thread import SharedVoiceActivity
from agent.telemetry.events import CallFinished, ConsentAnswered, EventPublisher
from agent.telemetry.log_format import CALL_ID

log = logging.getLogger(__name__)

NEW = (INBOUND, OUTBOUND)
"""Entries of calls that were nowhere before."""
_GREETING_SECONDS = 0.25
"""A greeting by name is not worth more silence before it."""


@dataclass(frozen=True)
class CallHandler:
    """What all calls share; :meth:`take` is one call, from the first instant to the last."""

    settings: Settings
    procedures: FlowPackReloader
    render: Renderer
    speech: SpeechEngines
    warm_up: ScoreWarmUp
    voice_activity: SharedVoiceActivity
    services: ShopServices
    outbox_service: OutboxService
    queues: StaffQueues | None
    recovery: CallRecovery
    sound: SoundDirectory
    left: DialplanValues
    """What the dialplan left for its calls."""
    events: EventPublisher
    wall: Callable[[], datetime]
    second_facts: tuple[str, ...] = ("postcode", "phone", "email")
    """What the shop takes as proof besides the number of an order."""
    outbound: OutboundResults | None = None
    """The dialler, as calls see it; None for an agent without one."""
    recognizer: str = ""
    """The recogniser's model: the pack may have thresholds for it."""

    async def take(self, line: AsteriskCallerLine, media: Media) -> None:
        """Hold the conversation of one call. Raises what :meth:`CallSession.run` raises."""
        CALL_ID.set(line.id)
        job = await job_of_call(self.outbound, line, self.settings.shop.country) if self.outbound is not None else None
        introduction = CallerLookup(self.services, line.caller.number)
        facts = await self._facts(line, introduction, job)
        continues = self.recovery.returning.last_visit(line.channel_id) if line.entry not in NEW else ""
        consent, conversation, resumed = self._conversation(line, facts)
        parts = CallComponents(
            dialog=consent,
            recognizer=self.speech.recognizer,
            voice=self.speech.speaker,
            gain=AutomaticGain(),
            vad=self.voice_activity.new(),
            gate=SpeechGate,
            echo=LoudnessEchoSuppressor(time.monotonic),
            services=ConsentFilteredServices(self._services_of(line, job), lambda: consent.answer),
            records=ConsentFilteredRecords(
                own_records(self.outbox_service.records, self.recovery.taken), lambda: consent.answer
            ),
            known_as=introduction.known_as,
            events=ConsentFilteredEvents(self.events, lambda: consent.answer),
            redact=lambda text, slot: redact_text(text, slot=slot),
            clock=time.monotonic,
            wall=self.wall,
            queues=self.queues,
            turn_taking=_turn_taking(self.settings.call),
            hold_seconds=self.settings.call.hold_seconds,
            origin=replace(job.origin(line.origin) if job is not None else line.origin, continues=continues),
            memory=self.recovery.snapshots,
            sound=sound_of_call(self.settings, self.sound, line, lambda: consent.answer),
            resumed=resumed,
            second=self._second_opinion(),
            understanding_ready=lambda: self.warm_up.loaded(self.procedures.current.score),
        )
        learning = asyncio.create_task(_learn_orders(introduction, conversation), name="learn-orders")
        record: CallRecord | None = None
        try:
            async with self._told_to_dialler(line):
                record = await CallSession(line, media, parts).run()
        finally:
            learning.cancel()
            if self.outbound is not None and job is not None:
                await note_result(self.outbound, job, record, consent.outbound, job.local(self.wall()).tzinfo)
            self.recovery.returning.keep(line.channel_id, consent.snapshot(), line.id)
            await introduction.close()

    def _second_opinion(self) -> SecondOpinionSource | None:
        second = self.speech.second
        if second is None:
            return None
        wait = self.settings.speech.second_opinion.wait_ms / 1000

        def is_ready() -> bool:
            return second.is_ready and self.warm_up.is_loaded(self.procedures.current.score)

        return SecondOpinionSource(second, wait, is_ready)

    async def reject(self, line: AsteriskCallerLine, reason: str) -> None:
        """Send a call to the queue before it is answered, and record it."""
        CALL_ID.set(line.id)
        records = own_records(self.outbox_service.records, self.recovery.taken)
        await reject_to_queue(line, reason, records, self.events, self.wall)

    async def record_taken(self, line: AsteriskCallerLine, *, hung_up: bool) -> None:
        """Record a call that was taken from another instance and ended before it had a session here."""
        CALL_ID.set(line.id)
        ending = ("caller_hung_up", "caller") if hung_up else ("rescued", "fault")
        left = self.recovery.interrupted.left_of(line.id)
        record = ended_record(left, *ending) if left is not None else None
        if record is None:
            record = new_record(line, self.wall(), line.origin)
            record.outcome, record.ended_by = ending
            record.ended_utc = record.started_utc
        try:
            await own_records(self.outbox_service.records, self.recovery.taken).write(record)
        except OrderlineError:
            log.exception("Call %s could not be recorded", line.id)
        if left is not None:
            self.recovery.snapshots.forget(line.id, left.holder)
        ended = CallFinished(line.id, *ending, record.duration_seconds, record_data(record))
        self.events.publish(ended)

    def _conversation(
        self, line: AsteriskCallerLine, facts: CallFacts
    ) -> tuple[ConsentDialog, Conversation, RecoveredCall | None]:
        """Return the dialog of a call, the conversation behind its question about recording, and what is left of it.

        The call is new, or sent back by the staff, or it has outlived an earlier process: then something is left.
        Who comes back, or outlived a process, is not asked about the recording again: the answer given before holds.
        Where no answer is known (the call went past the agent, or came back too late) it is asked for.
        """
        pack, returning = self.procedures.current, self.recovery.returning
        answer: ConsentAnswer = returning.consent(line.channel_id) if line.entry not in NEW else ""
        if line.entry == OUTBOUND and self.settings.call.consent != "off":
            answer = "refused"  # whoever answers is asked who they are first, and nothing else: no words are kept
        resumed: RecoveredCall | None = None
        if line.adopted:
            conversation, resumed = self.recovery.interrupted.restore(line, pack, facts, self.render)
        else:
            conversation = returning.begin(pack, facts, self.render, line.channel_id)
        left: Mapping[str, Any] = resumed.conversation if resumed is not None else {}
        dialog = ConsentDialog(
            conversation,
            self.settings.call.consent if must_ask(line.entry, answer, outlived=resumed is not None) else "off",
            pack.contents.recording or RecordingConsent(),
            lambda text: self.render(text, {"shop": facts.shop_name}, pack.language),
            lambda given: self.events.publish(ConsentAnswered(line.id, given)),
            consent_in_snapshot(left) if left else answer,
            asking=bool(left.get("asking")) and resumed is not None and not resumed.hand_over,
            put_off=line.entry == OUTBOUND,
        )
        return dialog, conversation, resumed

    def _services_of(self, line: AsteriskCallerLine, job: CallJob | None) -> Services:
        services = self.outbox_service.services_of(line.id)
        if self.outbound is None:
            return services
        number = e164(line.caller.number, self.settings.shop.country)
        return OutboundOperations(services, self.outbound, job, line.id, number, self.settings.shop)

    @contextlib.asynccontextmanager
    async def _told_to_dialler(self, line: AsteriskCallerLine) -> AsyncIterator[None]:
        """For the block, nobody is dialled who is on the line already. Of no call that we placed: the dialler knows."""
        number = e164(line.caller.number, self.settings.shop.country)
        if self.outbound is None or line.origin.direction == OUTBOUND or not number:
            yield
            return
        await self.outbound.inbound_began(number)
        try:
            yield
        finally:
            await self.outbound.inbound_ended(number)

    async def _facts(self, line: AsteriskCallerLine, introduction: CallerLookup, job: CallJob | None) -> CallFacts:
        shop, outbound = self.settings.shop, self.settings.outbound
        greets = shop.greet_by_name and line.entry != OUTBOUND  # whoever answers is not greeted by anybody's name
        customer = await introduction.customer(_GREETING_SECONDS) if greets else {}
        return CallFacts(
            now=self.wall() if job is None else job.local(self.wall()),
            shop_name=shop.name,
            caller_number=line.caller.number,
            dialled=line.caller.dialled,
            entry=line.entry,
            call_id=line.id,
            left=self.left.of(line.channel_id),
            customer=customer,
            survey=shop.survey and job is None,
            automated=shop.automated_greeting,
            calls_back=self._can_call_back(line),
            second_facts=self.second_facts,
            job={} if job is None else job.facts(outbound),
            matter={} if job is None else job.matter(),
            job_key="" if job is None else job.job.key,
            recognizer=self.recognizer,
        )

    def _can_call_back(self, line: AsteriskCallerLine) -> bool:
        """Return whether we may promise a call of ours; whom we have called ourselves a person calls next."""
        if self.outbound is None or line.origin.direction == OUTBOUND or not self.outbound.calls_back:
            return False
        shop = self.settings.shop
        return can_call_back(e164(line.caller.number, shop.country), shop)


def must_ask(entry: str, answer: ConsentAnswer, *, outlived: bool) -> bool:
    """Return whether a caller is to be asked, or told, about the recording.

    ``answer`` is what the caller said on an earlier visit, ``""`` for nothing known: a call that went to the queue past
    the agent, or comes back too late. ``outlived``: the call goes on from another process, with what was said there.
    """
    return entry == INBOUND or (entry != OUTBOUND and not answer and not outlived)


def _turn_taking(call: CallSettings) -> TurnTakingOptions:
    """Return when a turn ends and a prompt stops, as set."""
    return TurnTakingOptions(
        end_complete_ms=call.end_complete_ms,
        end_likely_ms=call.end_likely_ms,
        end_open_ms=call.end_open_ms,
        end_incomplete_ms=call.end_incomplete_ms,
        barge_in_ms=call.barge_in_ms,
    )


async def _learn_orders(introduction: CallerLookup, conversation: Conversation) -> None:
    """Tell the conversation the caller's own order numbers as soon as the shop has named them."""
    numbers = (await introduction.whole()).order_numbers
    if numbers and conversation.subject_slot:
        conversation.learn({conversation.subject_slot: numbers})
