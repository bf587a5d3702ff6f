"""Handles one call from the first instant to the last, or rejects it to the staff queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent.app.outbox_factory import OutboxService
from agent.app.recovery_factory import CallRecovery
from agent.app.sound_factory import sound_of_call
from agent.app.speech_factory import ScoreWarmUp, SpeechEngines
from agent.asterisk.stasis_app import AsteriskCallerLine
from agent.call.caller_lookup import CallerLookup
from agent.call.components import CallComponents
from agent.call.consent_filter import ConsentFilteredEvents, ConsentFilteredRecords, ConsentFilteredServices
from agent.call.ports import Media
from agent.call.queue_status import StaffQueues
from agent.call.reject import reject_to_queue
from agent.call.session import CallSession
from agent.call.snapshot import RecoveredCall
from agent.call.turn_taking import TurnTakingOptions
from agent.config.call import CallSettings
from agent.config.settings import Settings
from agent.control.agi import DialplanValues
from agent.dialog.callee import OUTBOUND
from agent.dialog.engine.consent import ConsentAnswer, ConsentDialog, consent_in_snapshot
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.model.model import RecordingConsent
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import Renderer
from agent.records.redaction import redact_text
from agent.records.sound_files import SoundDirectory
from agent.shop.services import ShopServices
from agent.speech.echo import LoudnessEchoSuppressor
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.vad import VoiceActivityFactory
from agent.telemetry.events import ConsentAnswered, EventPublisher
from agent.telemetry.log_format import CALL_ID

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
    vad_factory: VoiceActivityFactory
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
    recognizer: str = ""
    """The recogniser's model: the pack may have thresholds for it."""

    async def take(self, line: AsteriskCallerLine, media: Media) -> None:
        """Hold the conversation of one call. Raises what :meth:`CallSession.run` raises."""
        CALL_ID.set(line.id)
        introduction = CallerLookup(self.services, line.caller.number)
        facts = await self._facts(line, introduction)
        continues = self.recovery.returning.last_visit(line.channel_id) if line.entry != "inbound" else ""
        consent, conversation, resumed = self._conversation(line, facts)
        parts = CallComponents(
            dialog=consent,
            recognizer=self.speech.recognizer,
            voice=self.speech.speaker,
            gain=AutomaticGain(),
            vad=self.vad_factory.new(),
            gate=SpeechGate,
            echo=LoudnessEchoSuppressor(time.monotonic),
            services=ConsentFilteredServices(self.outbox_service.services_of(line.id), lambda: consent.answer),
            records=ConsentFilteredRecords(self.outbox_service.records, lambda: consent.answer),
            known_as=introduction.known_as,
            events=ConsentFilteredEvents(self.events, lambda: consent.answer),
            redact=lambda text, slot: redact_text(text, slot=slot),
            clock=time.monotonic,
            wall=self.wall,
            queues=self.queues,
            turn_taking=_turn_taking(self.settings.call),
            hold_seconds=self.settings.call.hold_seconds,
            origin=replace(line.origin, continues=continues),
            memory=self.recovery.snapshots,
            sound=sound_of_call(self.settings, self.sound, line, lambda: consent.answer),
            resumed=resumed,
            understanding_ready=lambda: self.warm_up.loaded(self.procedures.current.score),
        )
        learning = asyncio.create_task(_learn_orders(introduction, conversation), name="learn-orders")
        try:
            await CallSession(line, media, parts).run()
        finally:
            learning.cancel()
            self.recovery.returning.keep(line.channel_id, consent.snapshot(), line.id)
            await introduction.close()

    async def reject(self, line: AsteriskCallerLine, reason: str) -> None:
        """Send a call to the queue before it is answered, and record it."""
        CALL_ID.set(line.id)
        await reject_to_queue(line, reason, self.outbox_service.records, self.events, self.wall)

    def _conversation(
        self, line: AsteriskCallerLine, facts: CallFacts
    ) -> tuple[ConsentDialog, Conversation, RecoveredCall | None]:
        """Return the dialog of a call, the conversation behind its question about recording, and what is left of it.

        The call is new, or sent back by the staff, or it has outlived an earlier process: then something is left.
        Who comes back, or outlived a process, is not asked about the recording again: the answer given before holds.
        Where no answer is known (the call went past the agent, or came back too late) it is asked for.
        """
        pack, returning = self.procedures.current, self.recovery.returning
        answer: ConsentAnswer = returning.consent(line.channel_id) if line.entry != "inbound" else ""
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

    async def _facts(self, line: AsteriskCallerLine, introduction: CallerLookup) -> CallFacts:
        shop = self.settings.shop
        customer = await introduction.customer(_GREETING_SECONDS) if shop.greet_by_name else {}
        return CallFacts(
            now=self.wall(),
            shop_name=shop.name,
            caller_number=line.caller.number,
            dialled=line.caller.dialled,
            entry=line.entry,
            call_id=line.id,
            left=self.left.of(line.channel_id),
            customer=customer,
            survey=shop.survey,
            automated=shop.automated_greeting,
            second_facts=self.second_facts,
            recognizer=self.recognizer,
        )


def must_ask(entry: str, answer: ConsentAnswer, *, outlived: bool) -> bool:
    """Return whether a caller is to be asked, or told, about the recording.

    ``answer`` is what the caller said on an earlier visit, ``""`` for nothing known: a call that went to the queue past
    the agent, or comes back too late. ``outlived``: the call goes on from another process, with what was said there.
    """
    return entry == "inbound" or (not answer and not outlived)


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
