"""The snapshot of a live call as plain values, and the contract of a snapshot store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from agent.common.untrusted import finite_number, parse_json

_MOST_ID_CHARS = 200


@dataclass(frozen=True)
class CallSnapshot:
    """A call as it stood after its last turn."""

    call_id: str
    holder: str
    """The process that held it."""
    at: float
    """Seconds since 1970, on the clock of the host that reads it."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """JSON-like; made and read by :mod:`agent.call.snapshot`."""
    ahead_seconds: float = 0.0
    """How far the clock of the host that wrote it, by which the times in ``state`` are, is ahead of the reader's."""

    def to_text(self) -> str:
        """Return one line of JSON."""
        return json.dumps([self.call_id, self.holder, self.at, self.state], default=str)

    @classmethod
    def from_text(cls, text: str | bytes) -> CallSnapshot:
        """Rebuild from :meth:`to_text`, which may come from anywhere. Raises ValueError for anything else."""
        parts = parse_json(text)
        if not isinstance(parts, list) or len(parts) != 4:
            raise ValueError("not a kept call")
        call_id, holder, at, state = parts
        if not isinstance(state, dict) or not all(isinstance(name, str) and name for name in (call_id, holder)):
            raise ValueError("not a kept call")
        if len(call_id) > _MOST_ID_CHARS or not call_id.isprintable():
            raise ValueError("not a call's id")
        return cls(call_id, holder, finite_number(at), state)


def call_was_on_channel(call_id: str, channel_id: str) -> bool:
    """Return whether a call was held on this channel: its id is the channel's own, or a later visit's."""
    return call_id == channel_id or call_id.startswith(f"{channel_id}-")


class SnapshotStore(Protocol):
    """Where live state is kept. Nothing here holds up a call."""

    def keep(self, call_id: str, state: Mapping[str, Any]) -> None:
        """Keep a call as it stands now. Never waits, never raises."""

    async def written(self) -> None:
        """Return when what was kept on this node is written, or a moment later. Never raises."""

    def forget(self, call_id: str, holder: str = "") -> None:
        """Forget a call that is over and that ``holder`` held, the process itself where that is not said.

        What another process keeps of it stays. Never waits, never raises.
        """

    async def left_behind(self) -> Sequence[CallSnapshot]:
        """Return the calls that other processes kept and did not end."""

    async def of_channel(self, channel_id: str) -> Sequence[CallSnapshot]:
        """Return the calls on a channel that other processes keep. Never raises."""

    async def close(self) -> None:
        """Write what is waiting and close."""
