"""A call and the job it is for: what the conversation begins with, what it may ask of the dialler, what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from agent.asterisk.channel import AsteriskCallerLine
from agent.call.outbound_record import ANSWER, CALL_BACK, SUPPRESS
from agent.call.ports import Services, Voice
from agent.call.records import OUTBOUND, CallOrigin, CallRecord
from agent.common.atomic_write import write_bytes
from agent.common.audio import SAMPLE_RATE, wave_file
from agent.common.phone_numbers import e164, is_ordinary
from agent.common.service_error import ServiceError
from agent.config.base import SettingsError
from agent.config.outbound import OutboundSettings
from agent.config.settings import Settings
from agent.config.shop import ShopSettings
from agent.config.sound import check_dialplan_path
from agent.dialog.callee import OutboundStory
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.outbound.model import (
    Attempt,
    CallOutcome,
    CallResult,
    GivenAnswer,
    Job,
    JobFacts,
    OutboundError,
    Reached,
    SuppressionScope,
)
from agent.outbound.ports import CallBackRefused, OutboundResults, OutboundUnavailable
from agent.outbound.windows import zones_of

log = logging.getLogger(__name__)

INFORMATION_MESSAGE = "outbound_information"
"""The pack's prompt that a customer hears from Asterisk where the agent is gone."""
_MESSAGE_DIRECTORY = "outbound"
_LEAD_IN_MS = 200
_RANG_BACK = "rang_back"
_BROKEN = frozenset({"failed", "informed", "lost", "rescued"})
"""Outcomes of records whose call a fault of ours ended."""


@dataclass(frozen=True)
class CallJob:
    """The job that a call is for: of a call that we placed, or of a customer's who rings back."""

    job: Job
    attempt: Attempt
    rang_back: bool = False

    def facts(self, outbound: OutboundSettings) -> dict[str, Any]:
        """Return what anybody who answers may hear."""
        return {
            "purpose": str(self.job.purpose),
            "name": self.job.facts.name,
            "call_back": outbound.caller_id_of(self.job.purpose),
            "message": outbound.voicemail_message and self.attempt.last and not self.rang_back,
            "measure": outbound.survey.measure,
            "comment": outbound.survey.comment,
            _RANG_BACK: self.rang_back,
        }

    def matter(self) -> dict[str, Any]:
        """Return what the right person alone may hear."""
        facts = self.job.facts
        return {
            "order_number": facts.order_number,
            "delivered_on": facts.delivered_on.isoformat() if facts.delivered_on else "",
            "parcels": facts.parcels,
            "subject": facts.subject,
        }

    def local(self, moment: datetime) -> datetime:
        """Return an aware moment on the customer's clock: "tomorrow at five" is theirs, wherever the shop is.

        Where no zone of theirs is known it stays as it is.
        """
        try:
            return moment.astimezone(zones_of(self.job.number, self.job.zone)[0])
        except OutboundError:
            return moment

    def origin(self, of_line: CallOrigin) -> CallOrigin:
        """Return what the record says of why there is this call."""
        if not self.rang_back:
            return of_line
        return CallOrigin(purpose=str(self.job.purpose), job=self.job.key)


async def job_of_call(results: OutboundResults, line: AsteriskCallerLine, region: str) -> CallJob | None:
    """Return the job that a call is for, None for an ordinary call.

    Raises OutboundUnavailable for a call that we placed and whose job cannot be read: nothing can be said to whoever
    answered. A customer who rings in is served whether or not the file can be read.
    """
    if line.origin.direction == OUTBOUND:
        attempt = await results.attempt(line.origin.attempt)
        job = None if attempt is None else await results.job_of_attempt(attempt.id)
        if attempt is None or job is None:
            raise OutboundUnavailable(f"attempt {line.origin.attempt} is not in the file of jobs")
        return CallJob(job, attempt)
    number = e164(line.caller.number, region)
    if line.entry != "inbound" or not number:
        return None
    try:
        found = await results.recent_attempt_to(number)
    except OutboundUnavailable as error:
        log.warning("whether a caller was called before is not known: %s", error.message)
        return None
    if found is None or found[0].over:
        return None
    return CallJob(*found, rang_back=True)


class OutboundOperations:
    """Implements :class:`agent.call.ports.Services` for one call: those named ``outbound.``."""

    def __init__(
        self,
        services: Services,
        results: OutboundResults,
        call: CallJob | None,
        call_id: str,
        number: str,
        shop: ShopSettings,
    ) -> None:
        """``number`` is the customer's, E.164; ``services`` do everything else."""
        self._services = services
        self._results = results
        self._call = call
        self._call_id = call_id
        self._number = number
        self._shop = shop

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one named operation. What is answered is on the disk."""
        try:
            if name == SUPPRESS:
                return await self._suppress(arguments)
            if name == ANSWER:
                return await self._answer(arguments)
            if name == CALL_BACK:
                return await self._call_back(arguments)
        except CallBackRefused as error:
            raise ServiceError("not_allowed", error.message) from error
        except OutboundUnavailable as error:
            raise ServiceError("unavailable", error.message) from error
        return await self._services.perform(name, arguments, key)

    async def _suppress(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            scope = SuppressionScope(str(arguments.get("scope", "all")))
        except ValueError as error:
            raise ServiceError("bad_request", str(error)) from error
        if not self._number:
            raise ServiceError("bad_request", "the caller's number is not known")
        await self._results.suppress(self._number, scope, f"call:{self._call_id}")
        return {"suppressed": {"scope": str(scope)}}

    async def _answer(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._call is None:
            raise ServiceError("bad_request", "this call is for no job")
        given = {name: str(arguments.get(name) or "") for name in ("question", "value", "scale")}
        await self._results.survey_answered(self._call.attempt.id, GivenAnswer(**given))
        return {"answer": given}

    async def _call_back(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Promise a call to the number of this call, to no other: anybody could name a number that is not theirs."""
        if not can_call_back(self._number, self._shop):
            raise CallBackRefused("the caller's number is withheld, abroad, or costs extra")
        name = self._call.job.facts.name if self._call is not None else ""
        order = str(arguments.get("order_number") or "")
        await self._results.promise_call_back(self._call_id, self._number, JobFacts(self._shop.name, name, order))
        return {"call_back": {"promised": True}}


def can_call_back(number: str, shop: ShopSettings) -> bool:
    """Return whether a number that somebody calls from (E.164 or ``""``) may be called back; it can be forged."""
    return bool(number) and is_ordinary(number, shop.country)


async def note_result(
    results: OutboundResults, call: CallJob, record: CallRecord | None, story: OutboundStory | None, zone: tzinfo | None
) -> None:
    """Tell the dialler what a call came to. Never raises: what cannot be written is found out by the dialler."""
    result = call_result(record, story, zone)
    try:
        if not call.rang_back:
            await results.call_ended(call.attempt.id, result)
        else:
            if result.opted_out is not None:
                await results.suppress(call.job.number, result.opted_out, f"call:{result.call_id}")
            await results.rang_back(call.job.key, result)
    except OutboundUnavailable as error:
        log.error("what the call for %s came to is not noted: %s", call.job.key, error.message)


def call_result(record: CallRecord | None, story: OutboundStory | None, zone: tzinfo | None) -> CallResult:
    """Return what a call came to. ``record`` is None for a session that broke; ``zone`` is that of its clock."""
    story = story or OutboundStory()
    broken = record is None or record.outcome in _BROKEN
    call_id = record.id if record is not None else ""
    reached = Reached(story.reached) if story.reached else Reached.PERSON if broken else Reached.SILENT
    outcome = _outcome(record, story, reached, broken=broken)
    on_the_list = record is not None and record.outbound is not None and bool(record.outbound.opted_out)
    return CallResult(
        reached,
        outcome,
        call_id,
        appointment=_appointment(story.appointment, zone),
        # what could not be written when it was said is written now, with the result
        opted_out=SuppressionScope.ALL if outcome is CallOutcome.OPTED_OUT and not on_the_list else None,
        message_left=story.message_left,
        case=_case(record),
    )


def _case(record: CallRecord | None) -> str:
    """Return the number of what was opened in a call: the ticket of its hand-over, or of a call back; a return."""
    if record is None:
        return ""
    ticket = str((record.handover or {}).get("ticket") or "")
    return ticket or (record.outbound.case if record.outbound is not None else "")


def _outcome(record: CallRecord | None, story: OutboundStory, reached: Reached, *, broken: bool) -> CallOutcome:
    told = story.outcome if story.outcome in {one.value for one in CallOutcome} else ""
    if record is not None and record.outcome == "handed_over":
        return CallOutcome.HANDED_OVER
    if told and not (broken and told == CallOutcome.PARTIAL):
        return CallOutcome(told)
    if broken:
        return CallOutcome.FAILED
    return CallOutcome.PARTIAL if reached is Reached.RIGHT_PERSON else CallOutcome.NOT_REACHED


def _appointment(text: str, zone: tzinfo | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        log.warning("The procedures gave %r for a time to call again, which is none", text)
        return None
    return moment.replace(tzinfo=zone) if moment is not None and moment.tzinfo is None else moment


@dataclass(frozen=True)
class SpeechOfMessage:
    """What the information message is made with."""

    pack: FlowPack
    render: Renderer
    voice: Voice


async def information_message(settings: Settings, speech: SpeechOfMessage) -> str:
    """Make the recording that Asterisk plays to customers where the agent is gone; return its path without ending.

    Raises SettingsError for a state directory whose path cannot stand in the dialplan, VoiceError, and OSError.
    """
    target = (settings.state_directory / _MESSAGE_DIRECTORY / "information-message.wav").absolute()
    try:
        check_dialplan_path(target.parent)
    except ValueError as error:
        raise SettingsError(f"state_directory: {target.parent}: {error}") from error
    prompt = speech.pack.contents.prompts.get(INFORMATION_MESSAGE)
    if not isinstance(prompt, str):
        raise SettingsError(f"outbound.enabled: the procedures have no prompt {INFORMATION_MESSAGE}")
    known = {"shop": settings.shop.name, "job": {"call_back": settings.outbound.caller_id}}
    voice = speech.voice
    text = speech.render(prompt, known, speech.pack.language)
    gap = bytes(SAMPLE_RATE * _LEAD_IN_MS // 1000 * 2)
    pieces = [await voice.render(INFORMATION_MESSAGE, piece) for piece in voice.pieces(INFORMATION_MESSAGE, text)]
    # readable for all: Asterisk often runs as another user
    await asyncio.to_thread(write_bytes, target, wave_file(gap + gap.join(pieces)))
    return str(target.with_suffix(""))
