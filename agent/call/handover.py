"""Hands one call over to the staff. Every way to a queue goes through here: prepare, execute, emergency."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent.call.latency import LOOK_UP, ResponseTimer
from agent.call.ports import CallerLine
from agent.call.queue_status import StaffQueues
from agent.call.records import OUTBOUND, CallRecord, QueueWait
from agent.call.sound import CallSound, NoSound
from agent.call.ticketing import HandoverTicket
from agent.common.channel_variables import channel_variable_text
from agent.common.tasks import cancel_and_wait
from agent.dialog.contract import Dialog, HandOverAction, QueueReport, Turn
from agent.errors import OrderlineError
from agent.telemetry.events import EventPublisher, HandedOver, QueueChecked

log = logging.getLogger(__name__)

EMERGENCY_TICKET_SECONDS = 1.0
"""When something broke, or the agent is being stopped, the caller hears nothing: the ticket must not take longer."""
_SUMMARY_CHARACTERS = 240
PERSON_WANTED = "ORDERLINE_PERSON_WANTED"
"""Channel variable: ``1`` lets a customer whom we have called pass to the queue; the dialplan stops them without."""
HIGHEST_PRIORITY = 1000
"""Of a call in the queue. The dialplan takes digits alone: a sign would be lost."""


@dataclass(frozen=True)
class HandoverSources:
    """What a hand-over is prepared from, for a call that has a conversation."""

    dialog: Dialog
    record: CallRecord
    ticket: HandoverTicket
    timer: ResponseTimer
    events: EventPublisher
    queues: StaffQueues | None = None
    """Knows the staff queues, where they are set."""
    sound: CallSound | NoSound = field(default_factory=NoSound)


@dataclass(frozen=True)
class PreparedHandover:
    """All that goes to the staff with the caller."""

    reason: str
    """Machine word; the extension of the dialplan's hand-over context."""
    variables: Mapping[str, str]
    """Channel variables (``ORDERLINE_...``) that the hand-over context reads."""
    recorded: Mapping[str, Any]
    """The record's ``handover``: ``reason``, ``queue``, ``priority``, ``summary``, ``ticket``, ``facts``."""


async def nothing_announced() -> None:
    """Return at once: the caller is told nothing."""


class Handover:
    """The hand-over of one call: done once, whatever happens meanwhile."""

    def __init__(self, line: CallerLine, sources: HandoverSources | None = None) -> None:
        """``sources``: None for a call without a conversation (never answered, or never begun): only a reason goes."""
        self._line = line
        self._sources = sources
        self._report: QueueReport | None = None
        self._executed = False

    @property
    def _outbound(self) -> bool:
        return self._line.origin.direction == OUTBOUND

    @property
    def emergency_outcome(self) -> tuple[str, str]:
        """The record's ``outcome`` and ``ended_by`` of a call after :meth:`emergency`."""
        return ("informed", "fault") if self._outbound else ("handed_over", "handover")

    async def prepare_words(self, turn: Turn) -> Turn:
        """Ask how the queue stands before a word is said: nobody hears "I'll put you through" where nobody is.

        Returns the turn to be said: the given one where nothing is to be handed over or no queue is known, otherwise
        what the dialog says now that it knows of the queue.
        """
        sources = self._sources
        if sources is None or sources.queues is None or not isinstance(turn.then, HandOverAction):
            return turn
        report = self._report = await sources.queues.report(turn.then.queue)
        sources.timer.lap(LOOK_UP)
        sources.events.publish(QueueChecked(self._line.id, report.standing, report.wait_minutes, report.opens))
        answer = sources.dialog.hear(report)
        if isinstance(answer.then, HandOverAction):
            said, trail = (*turn.say, *answer.say), (*turn.trail, *answer.trail)
            return replace(turn, say=said, then=answer.then, trail=trail, requests=(*turn.requests, *answer.requests))
        trail, requests = (*turn.trail, *answer.trail), (*turn.requests, *answer.requests)
        return replace(answer, understood=turn.understood, reading=turn.reading, trail=trail, requests=requests)

    async def prepare(
        self, handover: HandOverAction, announced: Callable[[], Awaitable[None]] = nothing_announced
    ) -> PreparedHandover:
        """Write the ticket while ``announced`` waits for the last word of the announcement. Raises what that raises."""
        sources = self._sources
        if sources is None:
            await announced()
            return _without_conversation(handover)
        handover = sources.ticket.redacted(handover)
        writing = asyncio.create_task(sources.ticket.create(handover), name="handover-ticket")
        try:
            await announced()
            ticket = await writing
        finally:
            await cancel_and_wait(writing)
        # the whisper is spoken after the last word: while the announcement is synthesised, it would miss its deadline
        return await _with_conversation(sources, handover, ticket, whisper=True)

    async def execute(self, prepared: PreparedHandover) -> None:
        """Let the caller go to the staff. Raises LineGone, CallReclaimedError."""
        if self._sources is not None:
            self._sources.record.handover = dict(prepared.recorded)
            self._sources.record.queue_wait = queue_wait(str(prepared.recorded["queue"]), self._report)
            self._sources.events.publish(HandedOver(self._line.id, **prepared.recorded))
        variables = {**prepared.variables, PERSON_WANTED: "1"} if self._outbound else prepared.variables
        await self._line.hand_over(variables, prepared.reason)
        self._executed = True

    async def emergency(self, reason: str, *, ticket: bool = True) -> bool:
        """Hand the call over at once, without a word, with the story so far; False when that did not succeed.

        A customer whom we have called did not ask for staff: they hear the information message.
        ``ticket``: False when there is not even the second that one may take.
        """
        if self._executed:
            return True
        try:
            if self._outbound:
                await self._line.inform()
                self._executed = True
            else:
                await self.execute(await self._prepare_at_once(reason, ticket=ticket))
        except OrderlineError as error:
            log.warning("Call %s could not be left to the dialplan: %s", self._line.id, error)
            if self._sources is not None:
                self._sources.record.handover = self._sources.record.queue_wait = None
            return False
        return True

    async def _prepare_at_once(self, reason: str, *, ticket: bool) -> PreparedHandover:
        sources = self._sources
        if sources is None:
            return _without_conversation(HandOverAction(reason, ""))
        handover = sources.ticket.redacted(sources.dialog.hand_over(reason))
        ticket_id = await sources.ticket.create(handover, EMERGENCY_TICKET_SECONDS) if ticket else ""
        return await _with_conversation(sources, handover, ticket_id, whisper=False)


def handover_variables(handover: HandOverAction, ticket: str) -> dict[str, str]:
    """Return the channel variables of a hand-over, whatever its queue: safe text, none of it dialplan syntax."""
    facts = handover.facts
    return {
        "ORDERLINE_TICKET": channel_variable_text(ticket, 40),
        "ORDERLINE_REASON": channel_variable_text(handover.reason, 40),
        "ORDERLINE_SUMMARY": channel_variable_text(handover.summary, _SUMMARY_CHARACTERS),
        "ORDERLINE_QUEUE": channel_variable_text(handover.queue, 40),
        "ORDERLINE_PRIORITY": str(min(max(handover.priority, 0), HIGHEST_PRIORITY)),
        "ORDERLINE_ORDER": channel_variable_text(str(facts.get("order_number") or ""), 40),
        "ORDERLINE_VERIFIED": "yes" if facts.get("verified") else "no",
    }


def queue_wait(queue: str, report: QueueReport | None = None) -> QueueWait:
    """Return what is known of a wait that begins; ``report`` is what was asked of the queue, None for nothing."""
    if report is None:
        return QueueWait(queue)
    expected = None if report.standing == "unknown" else report.wait_minutes
    return QueueWait(queue, report.standing, expected)


def _without_conversation(handover: HandOverAction) -> PreparedHandover:
    """The dialplan has a value of its own for each variable that is not set."""
    variables = {"ORDERLINE_REASON": handover.reason}
    return PreparedHandover(handover.reason, variables, _recorded(handover, handover.queue, ""))


async def _with_conversation(
    sources: HandoverSources, handover: HandOverAction, ticket: str, *, whisper: bool
) -> PreparedHandover:
    queues, record = sources.queues, sources.record
    queue, variables = handover.queue, handover_variables(handover, ticket)
    variables |= await sources.sound.handover_variables(record)
    if queues is not None:
        queue = queues.name(handover.queue)
        variables |= await queues.variables(handover, ticket, record.id, record.caller.number, whisper=whisper)
    return PreparedHandover(handover.reason, variables, _recorded(handover, queue, ticket))


def _recorded(handover: HandOverAction, queue: str, ticket: str) -> dict[str, Any]:
    return {
        "reason": handover.reason,
        "queue": queue,
        "priority": handover.priority,
        "summary": handover.summary,
        "ticket": ticket,
        "facts": dict(handover.facts),
    }
