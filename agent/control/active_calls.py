"""The active calls and what each is doing, for ``orderline calls`` and consoles; follows call events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.call.ports import CallObserver

_DOING: Mapping[str, str] = {
    "agent_said": "speaking",
    "listening": "listening",
    "caller_said": "thinking",
    "effect": "thinking",
    "queue": "handing over",
    "handed_over": "handing over",
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
    """An :class:`agent.call.ports.CallObserver` that remembers, and passes every event on."""

    def __init__(
        self,
        onward: CallObserver,
        redact: Callable[[str, Mapping[str, Any]], Mapping[str, Any]],
        clock: Callable[[], float],
    ) -> None:
        """``redact(event, data)`` gives what may be shown; ``clock`` monotonic seconds."""
        self._next_observer = onward
        self._redact = redact
        self._clock = clock
        self._calls: dict[str, tuple[float, ActiveCall]] = {}

    def notify(self, event: str, call_id: str, data: Mapping[str, Any]) -> None:
        """Take one event in."""
        self._next_observer.notify(event, call_id, data)
        if event == "call_ended":
            self._calls.pop(call_id, None)
            return
        shown = self._redact(event, data)
        if event == "call_started":
            caller = shown.get("caller", {})
            number = str(caller.get("number", "")) if isinstance(caller, Mapping) else ""
            entry = str(shown.get("entry", "inbound"))
            self._calls[call_id] = (self._clock(), ActiveCall(call_id, number, str(shown.get("dialled", "")), entry))
            return
        if call_id not in self._calls or event not in _DOING:
            return
        since, call = self._calls[call_id]
        changes: dict[str, Any] = {"doing": _DOING[event]}
        if event == "agent_said":
            changes |= {
                name: str(shown.get(of, "")) for name, of in (("flow", "flow"), ("step", "step"), ("said", "text"))
            }
        elif event == "caller_said":
            changes["heard"] = str(shown.get("heard", ""))
        self._calls[call_id] = (since, replace(call, **changes))

    def list(self) -> list[dict[str, Any]]:
        """Return the calls, the oldest first, as JSON-like data."""
        now = self._clock()
        return [asdict(replace(call, seconds=round(now - since, 1))) for since, call in self._calls.values()]
