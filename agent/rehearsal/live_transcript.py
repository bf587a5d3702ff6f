"""Prints the agent's live feed as a conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class TranscriptPrinter:
    """Turns events of the live feed into lines for a terminal."""

    def __init__(self, write: Callable[[str], None], *, colour: bool = False) -> None:
        self._write = write
        self._colour = colour

    def show(self, event: Mapping[str, Any]) -> None:
        """Print one event; those without anything for a reader are passed over."""
        data: Mapping[str, Any] = event.get("data", {})
        call = str(event.get("call_id", ""))[-6:]
        match event.get("event"):
            case "call_started":
                caller = data.get("caller", {})
                self._line(call, f"--- {caller.get('name') or 'somebody'} <{caller.get('number')}> rings")
            case "agent_said":
                took = data.get("response_ms")
                time = f"   [{took:.0f} ms]" if took is not None else ""
                self._line(call, f"agent   {data.get('text')}{time}", "36")
            case "caller_said":
                how = "keys" if data.get("via") == "keypad" else f"heard, {data.get('confidence', 0):.2f}"
                self._line(call, f"caller  {data.get('heard') or '(nothing intelligible)'}   ({how})", "33")
            case "effect":
                self._line(call, f"        {data.get('name')}: {data.get('code')} in {data.get('ms'):.0f} ms", "90")
            case "handed_over":
                self._line(call, f"--- to a person: {data.get('reason')}, ticket {data.get('ticket')}", "35")
            case "call_ended":
                self._line(call, f"--- ended: {data.get('outcome')} after {data.get('duration_seconds'):.1f} s")

    def _line(self, call: str, text: str, colour: str = "") -> None:
        if self._colour and colour:
            text = f"\033[{colour}m{text}\033[0m"
        self._write(f"{call}  {text}")
