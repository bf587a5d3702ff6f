"""An event with its numbers and times: what the event bus passes on, and the message of the live feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.telemetry.events import CallEvent


@dataclass(frozen=True)
class PublishedEvent:
    """An event with its place in the order of all events of this process."""

    seq: int
    """1 for the first event of the process, one more for each that follows, whatever call it is of."""
    epoch: str
    """Names the process: another one means that the agent was started anew and counts from 1 again."""
    call_seq: int
    """1 for the first event of the call, one more for each that follows. Where another process goes on with the call
    it jumps ahead, past whatever the first one may have told."""
    at: datetime
    """Time of day; in the message ISO 8601 with milliseconds and offset."""
    at_seconds: float
    """Monotonic seconds of the agent's machine: for the time between two events, whatever is done to the clock."""
    event: CallEvent

    def message(self) -> dict[str, Any]:
        """Return the message of the live feed as JSON-like data."""
        return {
            "event": self.event.event,
            "call_id": self.event.call_id,
            "seq": self.seq,
            "epoch": self.epoch,
            "call_seq": self.call_seq,
            "at": self.at.isoformat(timespec="milliseconds"),
            "at_seconds": round(self.at_seconds, 4),
            "data": self.event.data(),
        }
