"""The active calls and what each is doing, for ``orderline calls`` and consoles; follows call events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.telemetry.events import (
    AgentSaid,
    CallBegan,
    CallerSaid,
    CallEvent,
    CallFinished,
    EffectEnded,
    HandedOver,
    ListeningStarted,
    QueueChecked,
)
from agent.telemetry.published_event import PublishedEvent

_DOING: Mapping[type[CallEvent], str] = {
    AgentSaid: "speaking",
    ListeningStarted: "listening",
    CallerSaid: "thinking",
    EffectEnded: "thinking",
    QueueChecked: "handing over",
    HandedOver: "handing over",
}


@dataclass(frozen=True)
class ActiveCall:
    """One call as it stands."""

    call_id: str
    caller: str
    """The number it comes from."""
    dialled: str
    entry: str
    """``inbound``, or how it came back."""
    doing: str = "answering"
    """``answering``, ``speaking``, ``listening``, ``thinking``, ``handing over``."""
    flow: str = ""
    step: str = ""
    said: str = ""
    """The agent's last words."""
    heard: str = ""
    """The caller's last words."""
    seconds: float = 0.0
    """Since it came in."""


class ActiveCalls:
    """Follows the events of all calls; :meth:`update` subscribes to the event bus."""

    def __init__(self, redact: Callable[[CallEvent], CallEvent], clock: Callable[[], float]) -> None:
        """``redact(event)`` gives what may be shown; ``clock`` monotonic seconds, the event bus's own."""
        self._redact = redact
        self._clock = clock
        self._calls: dict[str, tuple[float, ActiveCall]] = {}

    def update(self, published: PublishedEvent) -> None:
        """Take one event in."""
        event = self._redact(published.event)
        if isinstance(event, CallBegan):
            call = ActiveCall(event.call_id, event.caller.number, event.dialled, event.entry)
            self._calls[event.call_id] = (published.at_seconds, call)
        elif isinstance(event, CallFinished):
            self._calls.pop(event.call_id, None)
        elif event.call_id in self._calls and type(event) in _DOING:
            since, call = self._calls[event.call_id]
            self._calls[event.call_id] = (since, _after(call, event))

    def list(self) -> list[dict[str, Any]]:
        """Return the calls, the oldest first, as JSON-like data."""
        now = self._clock()
        return [asdict(replace(call, seconds=round(now - since, 1))) for since, call in self._calls.values()]


def _after(call: ActiveCall, event: CallEvent) -> ActiveCall:
    """Return the call as it stands after an event."""
    call = replace(call, doing=_DOING[type(event)])
    match event:
        case AgentSaid():
            return replace(call, flow=event.flow or "", step=event.step or "", said=event.text or "")
        case CallerSaid():
            return replace(call, heard=event.heard or "")
    return call
