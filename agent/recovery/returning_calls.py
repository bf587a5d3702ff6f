"""Keeps conversation snapshots of calls handed to staff, for callers whom staff send back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from agent.dialog.engine.consent import ConsentAnswer, consent_in_snapshot
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer

log = logging.getLogger(__name__)

KEPT_SECONDS = 900.0
"""A caller who comes back later than this is asked anew."""
_MOST = 1000


class ReturningCalls:
    """Snapshots by channel id. What the dialplan says of a call is never believed here: only our own snapshots are."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """``clock`` gives monotonic seconds."""
        self._clock = clock
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}
        self._visits: dict[str, str] = {}

    def last_visit(self, channel_id: str) -> str:
        """Return the id of the latest call on this channel, ``""`` for none that is known."""
        return self._visits.get(channel_id, "")

    def keep(self, channel_id: str, snapshot: dict[str, Any], call_id: str = "") -> None:
        """Keep what a conversation knows at its end; ``call_id`` is the visit's own."""
        self._visits.pop(channel_id, None)
        while len(self._visits) >= _MOST:
            del self._visits[next(iter(self._visits))]
        self._visits[channel_id] = call_id or channel_id
        now = self._clock()
        self._kept = {name: kept for name, kept in self._kept.items() if now - kept[0] <= KEPT_SECONDS}
        self._kept.pop(channel_id, None)
        while len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[channel_id] = (now, snapshot)

    def take(self, channel_id: str) -> Mapping[str, Any] | None:
        """Return and forget what is known of the call on this channel."""
        kept_at, snapshot = self._kept.pop(channel_id, (0.0, None))
        return snapshot if snapshot is not None and self._clock() - kept_at <= KEPT_SECONDS else None

    def consent(self, channel_id: str) -> ConsentAnswer:
        """Return what the caller on this channel has said about recording before, ``""`` for nothing known."""
        kept_at, snapshot = self._kept.get(channel_id, (0.0, {}))
        if self._clock() - kept_at > KEPT_SECONDS:
            return ""
        return consent_in_snapshot(snapshot)

    def begin(self, pack: FlowPack, facts: CallFacts, render: Renderer, channel_id: str) -> Conversation:
        """Return the conversation of a call that begins: with what it knew before, when it comes back."""
        snapshot = self.take(channel_id)
        if snapshot is not None and facts.entry != "inbound":
            try:
                return Conversation.resume_returning_call(pack, facts, snapshot, render)
            except DialogError as error:
                log.info("Call %s comes back to an empty memory: %s", facts.call_id, error)
        return Conversation(pack, facts, render)
