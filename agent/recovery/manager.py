"""Recovery of calls after a restart: admission, snapshots, lost calls and attempt limits of one agent."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError
from agent.asterisk.channel import AsteriskCallerLine
from agent.call.consent_filter import REFUSED, outcome_only
from agent.call.records import CallRecord
from agent.call.reject import PAUSED
from agent.call.snapshot import RecoveredCall, recovered_call
from agent.common.redis import SharedRedis
from agent.config.settings import Settings
from agent.control.pause import PauseSwitch
from agent.control.pause_sync import PauseSync
from agent.dialog.engine.consent import ConsentAnswer
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.errors import DialogError
from agent.dialog.pack.loader import FlowPack
from agent.dialog.templating.rendering import Renderer
from agent.records.call_record import call_record
from agent.records.call_store import CallStore
from agent.recovery.redis_snapshots import RedisSnapshotStore
from agent.recovery.returning_calls import ReturningCalls
from agent.recovery.snapshot import CallSnapshot, SnapshotStore, call_was_on_channel
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from agent.shop.attempts_redis import RedisAttemptLimits
from agent.shop.attempts_sqlite import SqliteAttemptLimits
from agent.shop.protocols import AttemptLimits

log = logging.getLogger(__name__)

MAX_SNAPSHOT_AGE_SECONDS = 300.0
"""An older state may be of a conversation that has gone on since without being kept."""
RECOVERY_SECONDS = 10.0
"""The records of lost calls are written after this long even when no Asterisk answers."""


class RecoveryManager:
    """The state of one agent beyond its process. Make it with :meth:`open`, and close it."""

    def __init__(
        self,
        settings: Settings,
        pause: PauseSwitch,
        keeper: SnapshotStore,
        limits: AttemptLimits,
        left: Mapping[str, CallSnapshot],
        wall: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._pause = pause
        self._wall = wall
        self._kept = ReturningCalls(time.monotonic)
        self.keeper = keeper
        self.limits = limits
        self._left = dict(left)
        self._own_call_ids: set[str] = set()
        """Those of them that this node held; other nodes may be alive and hold theirs still."""
        self._recovered_ids: set[str] = set()
        """Calls of an earlier process that this one has taken over."""
        self.draining = False
        """True when new calls go to people because the agent is about to stop."""

    @classmethod
    async def open(
        cls, settings: Settings, pause: PauseSwitch, wall: Callable[[], datetime], stack: contextlib.AsyncExitStack
    ) -> RecoveryManager:
        """Open the state; what it opens is closed by ``stack``."""
        holder = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
        own = await SqliteSnapshotStore.open(settings.state_directory / "state.sqlite", holder)
        allowed = settings.shop.verification
        window_seconds = allowed.window_minutes * 60.0
        attempts = SqliteAttemptLimits(
            settings.state_directory / "attempts.sqlite",
            per_caller=allowed.per_caller,
            per_number=allowed.per_order,
            hidden=allowed.hidden_callers,
            window_seconds=window_seconds,
        )
        stack.push_async_callback(attempts.close)
        keeper: SnapshotStore = own
        limits: AttemptLimits = attempts
        if address := settings.redis.address():
            link = SharedRedis(address)
            stack.push_async_callback(link.close)
            keeper = RedisSnapshotStore(own, link, holder)
            limits = RedisAttemptLimits(
                attempts,
                link,
                per_caller=allowed.per_caller,
                per_number=allowed.per_order,
                hidden=allowed.hidden_callers,
                window_seconds=window_seconds,
            )
            together = PauseSync(pause, link)
            await together.start()
            stack.push_async_callback(together.close)
        stack.push_async_callback(keeper.close)
        left = {kept.call_id: kept for kept in await keeper.left_behind()}
        survival = cls(settings, pause, keeper, limits, left, wall)
        survival._own_call_ids = {kept.call_id for kept in await own.left_behind()}
        return survival

    def admit(self, live_calls: int) -> str:
        """Return why a new call goes straight to people, ``""`` when it does not."""
        if self.draining:
            return "draining"
        if self._pause.now is not None:
            return PAUSED
        most = self._settings.call.max_calls
        return "overload" if most and live_calls >= most else ""

    def id_of(self, channel_id: str) -> str:
        """Return the id under which an earlier process held the call on a channel, ``""`` when none did.

        Whoever asks takes the call over.
        """
        visits = [kept for kept in self._left.values() if call_was_on_channel(kept.call_id, channel_id)]
        found = max(visits, key=lambda kept: kept.at).call_id if visits else ""
        self._recovered_ids.add(found or channel_id)
        return found

    def conversation(
        self, line: AsteriskCallerLine, pack: FlowPack, facts: CallFacts, render: Renderer
    ) -> tuple[Conversation, RecoveredCall | None]:
        """Return the conversation to hold on a line: a new one, or what can be saved of the one it had."""
        if not line.adopted:
            return self._kept.begin(pack, facts, render, line.channel_id), None
        kept = self._left.get(line.id)
        if kept is None:
            if not line.is_answered:  # it has heard nothing but ringing yet
                return Conversation(pack, facts, render), None
            return Conversation(pack, facts, render), _hand_over_only(line, facts.now)
        try:
            left = recovered_call(kept.state)
        except ValueError as error:
            log.warning("Call %s cannot be gone on with: %s", line.id, error)
            return Conversation(pack, facts, render), _hand_over_only(line, facts.now)
        try:
            if time.time() - kept.at > MAX_SNAPSHOT_AGE_SECONDS:
                raise DialogError("it was kept too long ago")
            return Conversation.restore(pack, left.conversation, render), left
        except (DialogError, KeyError, TypeError, ValueError) as error:
            log.warning("Call %s cannot be gone on with and goes to a person: %s", line.id, error)
            return Conversation(pack, facts, render), dataclasses.replace(left, hand_over="controller_restarted")

    def consent(self, line: AsteriskCallerLine) -> ConsentAnswer:
        """Return what the caller said about recording on an earlier visit; ask before :meth:`conversation`."""
        return self._kept.consent(line.channel_id) if line.entry != "inbound" else ""

    def ended(self, line: AsteriskCallerLine, snapshot: dict[str, Any]) -> None:
        """Keep what a dialog knew, for when people give the caller back."""
        self._kept.keep(line.channel_id, snapshot)

    async def take_over(self, records: CallStore, adopted: asyncio.Event, ari: Callable[[], AriClient | None]) -> int:
        """Write the records of calls that ended while no controller lived; returns how many.

        Waits until it is known which of them still go on.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECOVERY_SECONDS):
                await adopted.wait()
        with_people = await _channels(ari())
        latest = {}
        for call_id in self._own_call_ids - self._recovered_ids:
            kept = self._left[call_id]
            with contextlib.suppress(ValueError):
                record = recovered_call(kept.state).record
                started = datetime.fromisoformat(record.started_at).timestamp()
                record.duration_seconds = round(max(0.0, kept.at - started), 3)
                alive = any(call_was_on_channel(call_id, channel_id) for channel_id in with_people)
                record.outcome, record.ended_by = "rescued" if alive else "lost", "fault"
                latest[call_id] = call_record(consent_filtered(record, kept.state))
        count = await records.take_over(latest, self._recovered_ids)
        for call_id in self._own_call_ids - self._recovered_ids:
            self.keeper.forget(call_id)
        return count


def consent_filtered(record: CallRecord, state: Mapping[str, Any]) -> CallRecord:
    """Return the record with what was said about recording, and without words where that was no or not said yet."""
    conversation = state.get("conversation", {})
    answer = REFUSED if conversation.get("asking") else str(conversation.get("consent", ""))
    record.consent = answer
    return outcome_only(record) if answer == REFUSED else record


def _hand_over_only(line: AsteriskCallerLine, now: datetime) -> RecoveredCall:
    record = CallRecord(line.id, line.caller, now.isoformat(timespec="milliseconds"))
    return RecoveredCall(record, None, {}, hand_over="controller_restarted")


async def _channels(ari: AriClient | None) -> list[str]:
    if ari is None:
        return []
    try:
        channels: list[dict[str, Any]] = await ari.channels.list()
    except AriError:
        return []
    return [str(channel["id"]) for channel in channels]
