"""What every live call is doing, for supervisors: an observer of the calls that remembers the last of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.call.protocols import Observer


@dataclass
class Doing:
    """One call at this moment."""

    doing: str = "begins"
    """``speaks``, ``listens``, ``looks up orders.verify``, ``hands over``."""
    flow: str = ""
    step: str = ""
    said: str = ""
    """The agent's last words."""
    heard: str = ""
    """The caller's."""
    since: float = 0.0
    """Monotonic seconds at which the call began."""


class LiveCalls:
    """:class:`agent.call.protocols.Observer` that passes every event on to others and knows what each call is doing."""

    def __init__(
        self,
        *others: Observer,
        redact: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``redact(event, data)`` gives what may be shown of an event."""
        self._others = others
        self._redact = redact
        self._clock = clock
        self._calls: dict[str, Doing] = {}

    def notify(self, event: str, call_id: str, data: Mapping[str, Any]) -> None:
        """Take note of one event."""
        for other in self._others:
            other.notify(event, call_id, data)
        if event == "call_ended":
            self._calls.pop(call_id, None)
            return
        call = self._calls.setdefault(call_id, Doing(since=self._clock()))
        shown = self._redact(event, data) if self._redact is not None else data
        self._note(call, event, shown)

    def row(self, call_id: str) -> dict[str, Any]:
        """Return what a call is doing as JSON-like data."""
        call = self._calls.get(call_id) or Doing(since=self._clock())
        return {
            "seconds": round(self._clock() - call.since),
            "doing": call.doing,
            "flow": call.flow,
            "step": call.step,
            "said": call.said,
            "heard": call.heard,
        }

    @staticmethod
    def _note(call: Doing, event: str, data: Mapping[str, Any]) -> None:
        if event == "agent_said":
            call.doing, call.said = "speaks", str(data.get("text", ""))
            call.flow, call.step = str(data.get("flow", "")), str(data.get("step", ""))
        elif event == "listening":
            slot = data.get("slot", "")
            call.doing = f"listens for {slot}" if slot else "listens"
        elif event == "caller_said":
            call.doing, call.heard = "thinks", str(data.get("heard", ""))
        elif event == "effect":
            call.doing = f"got {data.get('name', '')}: {data.get('code', '')}"
        elif event == "handed_over":
            call.doing = f"hands over: {data.get('reason', '')}"


def table(calls: Sequence[Mapping[str, Any]]) -> str:
    """Return live calls as lines for a terminal, the number to dial after a feature code first."""
    if not calls:
        return "No live calls."
    lines = [f"{'call':>4}  {'caller':<16}{'time':>6}  {'where':<28}{'what':<24}last words"]
    for call in calls:
        minutes, seconds = divmod(int(call["seconds"]), 60)
        where = ".".join(part for part in (call["flow"], call["step"]) if part)
        last = f"{call['heard']!r} -> {call['said']}" if call["heard"] else call["said"]
        lines.append(
            f"{call['number']:>4}  {call['caller'] or 'hidden':<16}{f'{minutes}:{seconds:02}':>6}  {where[:27]:<28}"
            f"{call['doing'][:23]:<24}{last[:80]}"
        )
    return "\n".join(lines)
