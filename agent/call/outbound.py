"""What a call that we placed, or one that rings back, leaves behind: answers and wishes at once, the result at the end.

The dialler is behind :class:`OutboundJournal`; what is told of such a call in its record is :class:`OutboundPart`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from agent.call.ports import Services
from agent.call.records import CallRecord, OutboundPart
from agent.common.service_error import ServiceError
from agent.dialog.callee import OutboundStory
from agent.dialog.contract import Effect, EffectFailed, EffectSucceeded
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

ANSWER, SUPPRESS = "outbound.answer", "outbound.suppress"
OPERATIONS = (ANSWER, SUPPRESS)
"""The operations that the dialler performs, and no system of the shop."""
Scope = Literal["all", "surveys"]
_SCOPES: tuple[Scope, ...] = ("all", "surveys")
_MAX_CHARS = 1000
_CASES = {
    "returns.create": ("return", "number"),
    "shipments.investigate": ("case", "number"),
    "tickets.create": ("ticket", "id"),
}
"""Operations that open a case -> where its number stands in the result."""
_SECONDS = 3.0
"""So long the dialler's file is waited for."""


class OutboundJournal(Protocol):
    """Where the dialler keeps what calls come to. What is written is on the disk when a method returns.

    The methods raise an :class:`agent.errors.OrderlineError` when the file cannot be used.
    """

    async def answered(self, question: str, value: str, scale: str) -> None:
        """Store one answer of a survey as it is given."""

    async def suppress(self, scope: Scope) -> None:
        """Put the number of this call on the do-not-call list. Raises ValueError where the number is not known."""

    async def ended(self, part: OutboundPart, *, failed: bool) -> None:
        """Note what the call came to; ``failed``: a fault of ours ended it."""


class OutboundServices:
    """Implements :class:`agent.call.ports.Services` for one call: what is the dialler's goes to its journal."""

    def __init__(self, services: Services, journal: OutboundJournal | None) -> None:
        """``journal`` is None where no calls are placed: then nothing can be written down."""
        self._services = services
        self._journal = journal

    async def perform(self, name: str, arguments: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """Do one operation."""
        if name not in OPERATIONS:
            return await self._services.perform(name, arguments, key)
        if self._journal is None:
            raise ServiceError("not_allowed", "this agent places no calls", reason="not_set_up")
        if name == ANSWER:
            given = {one: str(arguments.get(one) or "")[:_MAX_CHARS] for one in ("question", "value", "scale")}
            await _written(self._journal.answered(**given))
            return {"answer": given}
        scope = next((one for one in _SCOPES if one == arguments.get("scope")), None)
        if scope is None:
            raise ServiceError("bad_request", f"argument 'scope' must be one of {', '.join(_SCOPES)}")
        try:
            await _written(self._journal.suppress(scope))
        except ValueError as error:
            raise ServiceError("not_allowed", str(error), reason="no_number") from error
        return {"suppressed": {"scope": scope}}


async def _written(work: Awaitable[None]) -> None:
    """Wait until something is on the disk. Raises ``ServiceError``."""
    try:
        async with asyncio.timeout(_SECONDS):
            await work
    except TimeoutError as error:
        raise ServiceError("timed_out", "the dialler's file did not answer", retryable=True) from error
    except OrderlineError as error:
        raise ServiceError("unavailable", error.message, retryable=True) from error


def note_operation(record: CallRecord, effect: Effect, result: EffectSucceeded | EffectFailed) -> None:
    """Keep in the record what an operation tells of an outbound call; nothing for other calls."""
    if isinstance(result, EffectFailed):
        return
    if effect.name == SUPPRESS:
        _part(record).opted_out = str(effect.arguments.get("scope") or "")
    elif effect.name == ANSWER:
        part, question = _part(record), str(effect.arguments.get("question") or "")
        value = str(effect.arguments.get("value") or "")
        if value.isdigit():
            part.scores[question] = int(value)
        else:
            part.comment = value
    elif effect.name in _CASES and record.outbound is not None:
        what, number = _CASES[effect.name]
        told = result.result.get(what)
        if isinstance(told, Mapping) and told.get(number):
            record.outbound.case = str(told[number])


def _part(record: CallRecord) -> OutboundPart:
    if record.outbound is None:
        record.outbound = OutboundPart()
    return record.outbound


@dataclass
class OutboundCall:
    """One call for a job; ``order_number`` is what it is about, for whoever hears of its result."""

    journal: OutboundJournal
    order_number: str = ""
    rang_back: bool = False
    _ended: bool = field(default=False, init=False)

    def begin(self, record: CallRecord) -> None:
        """Give the record its part; a recovered call has one."""
        part = _part(record)
        part.order_number, part.rang_back = self.order_number, self.rang_back

    async def finish(self, record: CallRecord, story: OutboundStory | None) -> None:
        """Complete the record's part and tell the dialler, once. Never raises."""
        if self._ended or story is None:
            return
        self._ended = True
        complete(record, story)
        try:
            async with asyncio.timeout(_SECONDS):
                await self.journal.ended(_part(record), failed=record.ended_by == "fault")
        except (OrderlineError, TimeoutError) as error:
            log.error("The result of call %s could not be told to the dialler: %s", record.id, error)


def complete(record: CallRecord, story: OutboundStory) -> None:
    """Write into the record's part what the conversation knows at the end."""
    part = _part(record)
    part.reached, part.appointment, part.message_left = story.reached, story.appointment, story.message_left
    part.details = {name: str(value) for name, value in story.details.items()}
    part.outcome = _outcome(record, story, part)
    part.partial = bool(part.scores or part.comment) and part.outcome != "completed"
    part.recording = record.sound.name if part.comment and record.sound is not None else ""


def _outcome(record: CallRecord, story: OutboundStory, part: OutboundPart) -> str:
    """Return what the call came to, in the dialler's words; a wish never to be called stands above all."""
    if part.opted_out and story.outcome != "handed_over":
        return "opted_out"
    if record.ended_by == "fault":
        return "failed"
    if record.outcome == "handed_over":
        return "handed_over"
    if story.outcome:
        return story.outcome
    return "partial" if story.reached == "right_person" else "not_reached"
