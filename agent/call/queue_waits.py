"""Finds out how long callers who were handed over waited in the queue, and puts it into their records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent.common.tasks import cancel_and_wait, report_failure
from agent.telemetry.events import CallBegan, CallFinished, EventPublisher, HandedOver, QueueWaitEnded
from agent.telemetry.published_event import PublishedEvent

log = logging.getLogger(__name__)

_MOST_WAITING = 1000
_COMES_BACK = {"queue_failed": "timed_out", "queue_escape": "left"}
"""How a call comes back from the queue -> how its wait ended."""


@dataclass
class _Waiting:
    call_id: str
    since: float
    """Monotonic seconds."""
    recorded: bool = False
    """True once the record of the call is written."""
    end: tuple[float, str] | None = None
    """Seconds and how it ended, where that is known before the record is."""


class QueueWaits:
    """Follows the events of all calls (:meth:`update` subscribes to the event bus) and what the PBX says of queues."""

    def __init__(self, keep: Callable[[str, float, str], Awaitable[object]], events: EventPublisher) -> None:
        """``keep(call_id, seconds, how)`` puts a wait into the record of a call that is over."""
        self._keep = keep
        self._events = events
        self._waiting: dict[str, _Waiting] = {}
        self._work: set[asyncio.Task[None]] = set()

    def update(self, published: PublishedEvent) -> None:
        """Take one event of a call."""
        event = published.event
        match event:
            case HandedOver():
                self._wait(event.call_id, published.at_seconds)
            case CallFinished():
                self._finished(event, published.at_seconds)
            case CallBegan() if event.continues in self._waiting:
                waiting = self._waiting[event.continues]
                how = _COMES_BACK.get(event.entry, "unknown")
                self._ended(waiting, published.at_seconds - waiting.since, how)

    def left_the_queue(self, channel_id: str, seconds: float, how: str) -> None:
        """Take what the PBX says: who was on this channel waited so long, and was ``answered`` or ``hung_up``."""
        found = [one for call_id, one in self._waiting.items() if _was_on(call_id, channel_id)]
        if found:
            self._ended(found[-1], seconds, how)

    async def close(self) -> None:
        """Stop."""
        await cancel_and_wait(*self._work)

    def _wait(self, call_id: str, since: float) -> _Waiting:
        while len(self._waiting) >= _MOST_WAITING:
            del self._waiting[next(iter(self._waiting))]
        waiting = self._waiting[call_id] = _Waiting(call_id, since)
        return waiting

    def _finished(self, event: CallFinished, at: float) -> None:
        waiting = self._waiting.get(event.call_id)
        if event.outcome != "handed_over":  # where it was announced, it did not come to it
            self._waiting.pop(event.call_id, None)
            return
        if waiting is None:  # a call that was not taken goes to the queue without a word
            waiting = self._wait(event.call_id, at)
        waiting.recorded = True
        if waiting.end is not None:
            self._ended(waiting, *waiting.end)

    def _ended(self, waiting: _Waiting, seconds: float, how: str) -> None:
        if not waiting.recorded:
            waiting.end = (seconds, how)
            return
        self._waiting.pop(waiting.call_id, None)
        seconds = round(max(0.0, seconds), 1)
        task = asyncio.create_task(self._note(waiting.call_id, seconds, how), name=f"wait-{waiting.call_id}")
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        task.add_done_callback(report_failure)

    async def _note(self, call_id: str, seconds: float, how: str) -> None:
        await self._keep(call_id, seconds, how)
        self._events.publish(QueueWaitEnded(call_id, waited_seconds=seconds, ended=how))


def _was_on(call_id: str, channel_id: str) -> bool:
    """A call's id is its channel's own, or a later visit's: ``CHANNEL-...``."""
    return call_id == channel_id or call_id.startswith(f"{channel_id}-")
