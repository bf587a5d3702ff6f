"""Handles one call from the first instant to the last, or rejects it to the staff queue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.app.conversation_factory import create_conversation
from agent.app.outbox_factory import OutboxService
from agent.asterisk.stasis_app import AsteriskCallerLine
from agent.call.caller_lookup import CallerLookup
from agent.call.consent_filter import ConsentFilteredObserver, ConsentFilteredRecords, ConsentFilteredServices
from agent.call.ports import CallObserver, Media
from agent.call.queue_status import StaffQueues
from agent.call.reject import reject_to_queue
from agent.call.session import CallComponents, CallSession
from agent.call.turn_taking import TurnTakingOptions
from agent.config.call import CallSettings
from agent.config.settings import Settings
from agent.control.active_calls import ActiveCalls
from agent.control.agi import DialplanValues
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.reloader import FlowPackReloader
from agent.dialog.templating.rendering import Renderer
from agent.records.redaction import redact_text
from agent.recovery.manager import RecoveryManager
from agent.shop.services import ShopServices
from agent.speech.echo import LoudnessEchoSuppressor
from agent.speech.gain import AutomaticGain
from agent.speech.gate import SpeechGate
from agent.speech.recognizer import VoskRecognizer
from agent.speech.vad import VoiceActivityFactory
from agent.speech.voice import PromptSynthesizer
from agent.telemetry.log_format import CALL_ID

_GREETING_SECONDS = 0.25
"""A greeting by name is not worth more silence before it."""


@dataclass(frozen=True)
class CallHandler:
    """What all calls share; :meth:`take` is one call, from the first instant to the last."""

    settings: Settings
    procedures: FlowPackReloader
    render: Renderer
    recognizer: VoskRecognizer
    speaker: PromptSynthesizer
    vad_factory: VoiceActivityFactory
    services: ShopServices
    outbox_service: OutboxService
    queues: StaffQueues | None
    survival: RecoveryManager
    left: DialplanValues
    """What the dialplan left for its calls."""
    observer: CallObserver
    """Hears of calls that are not taken."""
    live_calls: ActiveCalls
    """Hears of those that are."""
    wall: Callable[[], datetime]

    async def take(self, line: AsteriskCallerLine, media: Media) -> None:
        """Hold the conversation of one call. Raises what :meth:`CallSession.run` raises."""
        CALL_ID.set(line.id)
        introduction = CallerLookup(self.services, line.caller.number)
        facts = await self._facts(line, introduction)
        begun = create_conversation(
            self.survival,
            line,
            self.procedures.current,
            facts,
            self.render,
            self.settings.call.consent,
            lambda answer: self.live_calls.notify("consent", line.id, {"answer": answer}),
        )
        consent = begun.dialog
        parts = CallComponents(
            dialog=consent,
            recognizer=self.recognizer,
            voice=self.speaker,
            gain=AutomaticGain(),
            vad=self.vad_factory.new(),
            gate=SpeechGate,
            echo=LoudnessEchoSuppressor(time.monotonic),
            services=ConsentFilteredServices(self.outbox_service.services_of(line.id), lambda: consent.answer),
            records=ConsentFilteredRecords(self.outbox_service.records, lambda: consent.answer),
            known_as=introduction.known_as,
            observer=ConsentFilteredObserver(self.live_calls, lambda: consent.answer),
            redact=lambda text, slot: redact_text(text, slot=slot),
            clock=time.monotonic,
            wall=self.wall,
            queues=self.queues,
            turn_taking=_turn_taking(self.settings.call),
            memory=self.survival.keeper,
            resumed=begun.resumed,
        )
        learning = asyncio.create_task(_learn_orders(introduction, begun.conversation), name="learn-orders")
        try:
            await CallSession(line, media, parts).run()
        finally:
            learning.cancel()
            self.survival.ended(line, consent.snapshot())
            await introduction.close()

    async def reject(self, line: AsteriskCallerLine, reason: str) -> None:
        """Give a call to people before it is answered, and record it."""
        CALL_ID.set(line.id)
        self.observer.notify("call_refused", line.id, {"why": reason})
        await reject_to_queue(line, reason, self.outbox_service.records, self.live_calls, self.wall)

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
        )


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
