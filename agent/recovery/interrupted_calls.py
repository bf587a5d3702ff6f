"""Calls that an earlier process held when it ended: finds them by their channel and restores their conversations."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from agent.call.call_recording import new_record
from agent.call.ports import CallerLine
from agent.call.snapshot import RecoveredCall, recovered_call
from agent.common.untrusted import CLOCK_SKEW_SECONDS
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.recovery.snapshot import CallSnapshot, call_was_on_channel

log = logging.getLogger(__name__)

MAX_SNAPSHOT_AGE_SECONDS = 300.0
"""An older snapshot may be of a conversation that has gone on since without being kept."""


class InterruptedCalls:
    """The snapshots that earlier processes left, and which of those calls this process goes on with."""

    def __init__(
        self, snapshots: Iterable[CallSnapshot], own_ids: Iterable[str], clock: Callable[[], float] = time.time
    ) -> None:
        """``own_ids`` are the calls that this node held; other nodes may be alive and hold theirs still.

        ``clock`` gives seconds since 1970.
        """
        self._snapshots = {snapshot.call_id: snapshot for snapshot in snapshots}
        self._own_ids = frozenset(own_ids)
        self._claimed: set[str] = set()
        self._clock = clock

    @property
    def claimed(self) -> frozenset[str]:
        """The ids of the calls of an earlier process that this one goes on with."""
        return frozenset(self._claimed)

    @property
    def unclaimed(self) -> list[CallSnapshot]:
        """The calls of this node that nobody goes on with."""
        return [self._snapshots[call_id] for call_id in self._own_ids - self._claimed if call_id in self._snapshots]

    def claim(self, channel_id: str) -> str:
        """Take over the call on a channel; returns the id under which it was held, ``""`` when nobody knows it."""
        visits = [visit for visit in self._snapshots.values() if call_was_on_channel(visit.call_id, channel_id)]
        found = max(visits, key=lambda visit: visit.at).call_id if visits else ""
        self._claimed.add(found or channel_id)
        return found

    @property
    def own_ids(self) -> frozenset[str]:
        """The calls that earlier processes of this node held."""
        return self._own_ids

    def leave(self, call_ids: Collection[str]) -> None:
        """Leave these calls to somebody else."""
        self._own_ids -= frozenset(call_ids)

    def take(self, channel_id: str, snapshots: Iterable[CallSnapshot]) -> str:
        """Take over the call on a channel, of which these visits are known; return its id, ``""`` for none.

        It may be one that an earlier process of this node had taken before.
        """
        own = [visit for visit in self.unclaimed if call_was_on_channel(visit.call_id, channel_id)]
        latest = max((*snapshots, *own), key=lambda snapshot: snapshot.at, default=None)
        if latest is None:
            return ""
        self._snapshots[latest.call_id] = latest
        self._claimed.add(latest.call_id)
        return latest.call_id

    def begin_anew(self, call_id: str) -> None:
        """Take over a call in which nothing was said: what is left of it is not an ended call's."""
        self._claimed.add(call_id)

    def left_of(self, call_id: str) -> CallSnapshot | None:
        """Return what an earlier process left of a call, None where that is nothing."""
        return self._snapshots.get(call_id)

    def restore(
        self, line: CallerLine, pack: FlowPack, facts: CallFacts, render: Renderer
    ) -> tuple[Conversation, RecoveredCall | None]:
        """Return the conversation of a call that has been claimed, and what is left of the call.

        Where it cannot go on, the second says why it goes to the staff. It is None for a caller who has heard nothing
        but ringing yet: that call begins anew.
        """
        snapshot = self._snapshots.get(line.id)
        if snapshot is None:
            if not line.is_answered:
                return Conversation(pack, facts, render), None
            return Conversation(pack, facts, render), _hand_over_only(line, facts.now)
        try:
            left = recovered_call(snapshot.state)
            if left.answered_at is not None:
                left = dataclasses.replace(left, answered_at=left.answered_at - snapshot.ahead_seconds)
        except ValueError as error:
            log.warning("Call %s cannot be gone on with: %s", line.id, error)
            return Conversation(pack, facts, render), _hand_over_only(line, facts.now)
        try:
            age_seconds = self._clock() - snapshot.at
            if age_seconds > MAX_SNAPSHOT_AGE_SECONDS:
                raise DialogError("it was kept too long ago")
            if age_seconds < -CLOCK_SKEW_SECONDS:
                raise DialogError("it is from the future")
            return Conversation.restore(pack, left.conversation, render), left
        except (DialogError, KeyError, TypeError, ValueError) as error:
            log.warning("Call %s cannot be gone on with and goes to a person: %s", line.id, error)
            return Conversation(pack, facts, render), dataclasses.replace(left, hand_over="controller_restarted")


def _hand_over_only(line: CallerLine, now: datetime) -> RecoveredCall:
    record = new_record(line, now, line.origin)
    return RecoveredCall(record, None, {}, hand_over="controller_restarted")
