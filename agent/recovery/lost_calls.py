"""Writes the records of calls that ended because their process did.

It runs once at each start, before anything is delivered: what those calls were trying to do in the shop's systems is
settled in the same transaction as their records.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Protocol

from agent.call.consent_filter import REFUSED, outcome_only
from agent.call.progress import close_open
from agent.call.records import CallRecord
from agent.call.snapshot import recovered_call, silence_untold
from agent.common.tasks import cancel_and_wait, is_set_within
from agent.records.begun_calls import begun_calls, forget_begun
from agent.records.call_record import call_record
from agent.records.call_store import CallStore
from agent.recovery.interrupted_calls import InterruptedCalls
from agent.recovery.snapshot import CallSnapshot, SnapshotStore, call_was_on_channel
from agent.recovery.taken_calls import TAKING_SECONDS, TakenCalls

log = logging.getLogger(__name__)

RECOVERY_SECONDS = 10.0
"""The records of lost calls are written after this long even when no Asterisk answers."""
TAKEN_SECONDS = 5.0 + TAKING_SECONDS
"""A call that goes from one instance to another is noted by then: the timer's time, and a moment."""
_RETRY_SECONDS = 1.0
"""Between two tries while the file of the records is locked or its disk full."""


class Telephony(Protocol):
    """Knows which callers are still there."""

    adopted: asyncio.Event
    """Set when the callers of an earlier process have been taken over."""

    async def channel_ids(self) -> Collection[str]:
        """Return the ids of all channels there are; none when nobody can say."""


class LostCalls:
    """The calls of this node that ended with an earlier process."""

    def __init__(
        self,
        interrupted: InterruptedCalls,
        snapshots: SnapshotStore,
        records: CallStore,
        *,
        taken: TakenCalls | None = None,
        recovery_seconds: float = RECOVERY_SECONDS,
        taken_seconds: float = TAKEN_SECONDS,
    ) -> None:
        """``taken`` tells which of them another instance goes on with; None for an agent alone.

        ``taken_seconds`` is how long an instance may need to note one whose caller is still on the line.
        """
        self._taken = taken
        self._interrupted = interrupted
        self._snapshots = snapshots
        self._records = records
        self._recovery_seconds = recovery_seconds
        self._taken_seconds = taken_seconds

    async def write_records(self, telephony: Telephony, stopping: asyncio.Event) -> int:
        """Write their records, and make due again what they left in the outbox; returns how many calls there were.

        Waits until it is known which calls go on, at most ``recovery_seconds``. Only one process at a time may do this
        for one file of records. While that file cannot be used it is tried again, until ``stopping`` is set. A process
        that is to stop before it is known which calls go on leaves them to the next one.
        """
        waits = [asyncio.create_task(event.wait()) for event in (telephony.adopted, stopping)]
        await asyncio.wait(waits, timeout=self._recovery_seconds, return_when=asyncio.FIRST_COMPLETED)
        await cancel_and_wait(*waits)
        if stopping.is_set() and not telephony.adopted.is_set():
            return 0
        channel_ids = await telephony.channel_ids()
        await self._forget_taken()
        if await self._may_be_taken(channel_ids):
            if await is_set_within(stopping, self._taken_seconds):
                return 0
            channel_ids = await telephony.channel_ids()
        while True:
            await self._forget_taken()
            unclaimed = self._interrupted.unclaimed
            latest = {snapshot.call_id: record for snapshot in unclaimed if (record := _record(snapshot, channel_ids))}
            try:
                count = await self._records.take_over(latest, self._interrupted.claimed)
            except sqlite3.Error as error:
                log.warning("the records of lost calls cannot be written just now: %s", error)
            else:
                for snapshot in unclaimed:
                    self._snapshots.forget(snapshot.call_id, snapshot.holder)
                self._interrupted.leave([snapshot.call_id for snapshot in unclaimed])
                return count
            if await is_set_within(stopping, _RETRY_SECONDS):
                return 0

    async def _may_be_taken(self, channel_ids: Collection[str]) -> bool:
        """Return whether a caller of a call that nobody has taken is still on the line: another instance may do it."""
        if self._taken is None:
            return False
        left = await begun_calls(self._records.database, but_of=self._records.owner) | self._interrupted.own_ids
        left -= self._interrupted.claimed
        return any(call_was_on_channel(call_id, channel_id) for call_id in left for channel_id in channel_ids)

    async def _forget_taken(self) -> None:
        """Leave the calls that another instance goes on with to that one."""
        if self._taken is None:
            return
        elsewhere = await self._taken.with_others(
            [*await begun_calls(self._records.database), *self._interrupted.own_ids]
        )
        await forget_begun(self._records.database, elsewhere)
        for call_id in elsewhere:
            self._snapshots.forget(call_id)
        self._interrupted.leave(elsewhere)


def consent_filtered(record: CallRecord, state: Mapping[str, Any]) -> CallRecord:
    """Return the record with what was said about recording, and without words where that was no or not said yet."""
    conversation = state.get("conversation", {})
    answer = REFUSED if conversation.get("asking") else str(conversation.get("consent", ""))
    record.consent = answer
    return outcome_only(record) if answer == REFUSED else record


def ended_record(snapshot: CallSnapshot, outcome: str, ended_by: str) -> CallRecord | None:
    """Return the record of a call that ended so, as far as its snapshot tells; None when that cannot be read."""
    try:
        record = recovered_call(snapshot.state).record
        started = datetime.fromisoformat(record.started_at).timestamp()
    except ValueError:
        return None
    record.duration_seconds = round(max(0.0, snapshot.at - started), 3)
    record.outcome, record.ended_by = outcome, ended_by
    record.ended_utc = round(snapshot.at, 3)
    close_open(record, max(0.0, round(snapshot.at - (record.answered_utc or snapshot.at), 3)))
    silence_untold(record, None)
    return consent_filtered(record, snapshot.state)


def _record(snapshot: CallSnapshot, channel_ids: Collection[str]) -> dict[str, Any] | None:
    """Return the record of a lost call as far as its snapshot tells, None when that cannot be read."""
    # the dialplan or a rescuer has given the caller to the staff
    alive = any(call_was_on_channel(snapshot.call_id, channel_id) for channel_id in channel_ids)
    record = ended_record(snapshot, "rescued" if alive else "lost", "fault")
    return None if record is None else call_record(record)
