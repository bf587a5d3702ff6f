"""The event bus: numbers the events of all calls and passes them to their subscribers."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime

from agent.errors import OrderlineError
from agent.telemetry.events import CallEvent
from agent.telemetry.published_event import PublishedEvent

log = logging.getLogger(__name__)

_MOST_CALLS_OVER = 1000
"""Calls that are over of which it is known how many events they had: one more may follow."""

EventHandler = Callable[[PublishedEvent], object]

_CONTAINED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, OrderlineError)
"""What a subscriber that does not work may raise; the others get the event, and the call goes on."""


def local_now() -> datetime:
    """The time of day with the machine's own offset."""
    return datetime.now().astimezone()


class EventBus:
    """Implements :class:`agent.telemetry.events.EventPublisher`. One a process, used from its event loop only."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = local_now,
        epoch: str = "",
    ) -> None:
        """``clock`` gives monotonic seconds, ``wall`` aware time of day; ``epoch`` names the process (a new name)."""
        self._clock = clock
        self._wall = wall
        self._seq = 0
        self._of_call: dict[str, int] = {}
        """Events of each call that is going on, by call id."""
        self._of_calls_over: dict[str, int] = {}
        self._subscriptions: list[tuple[EventHandler, tuple[type[CallEvent], ...]]] = []
        self.epoch = epoch or uuid.uuid4().hex
        """Names this process; see :class:`agent.telemetry.published_event.PublishedEvent`."""

    def subscribe(self, handler: EventHandler, *kinds: type[CallEvent]) -> Callable[[], None]:
        """Call ``handler`` with every event of these kinds, of all kinds when none are named; it must not wait.

        Subscribers are called in the order in which they have subscribed. Returns what ends the subscription.
        """
        subscription = (handler, kinds or (CallEvent,))
        self._subscriptions.append(subscription)

        def unsubscribe() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

        return unsubscribe

    def count(self, call_id: str) -> int:
        """Return how many events of a call were told; 0 for one that is unknown or over."""
        return self._of_call.get(call_id, 0)

    def go_on(self, call_id: str, count: int) -> None:
        """Go on counting a call's events after ``count``: it began in another process."""
        self._of_call[call_id] = max(count, self.count(call_id))

    def _count(self, event: CallEvent) -> int:
        """Return which event of its call this is."""
        call_id = event.call_id
        told = self._of_call.pop(call_id, 0) or self._of_calls_over.pop(call_id, 0)
        (self._of_calls_over if event.ends_call else self._of_call)[call_id] = told + 1
        if len(self._of_calls_over) > _MOST_CALLS_OVER:
            del self._of_calls_over[next(iter(self._of_calls_over))]
        return told + 1

    def publish(self, event: CallEvent) -> PublishedEvent:
        """Number one event and pass it on. A subscriber that fails costs neither the call nor the others."""
        self._seq += 1
        in_call = self._count(event)
        published = PublishedEvent(self._seq, self.epoch, in_call, self._wall(), self._clock(), event)
        for handler, kinds in tuple(self._subscriptions):
            if not isinstance(event, kinds):
                continue
            try:
                handler(published)
            except _CONTAINED:
                log.exception("A subscriber of the event bus has failed at %s", event.event)
        return published
