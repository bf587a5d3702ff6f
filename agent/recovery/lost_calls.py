"""Writes the records of calls that ended because their process did.

It runs once at each start, before anything is delivered: what those calls were trying to do in the shop's systems is
settled in the same transaction as their records.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Protocol

from agent.call.consent_filter import REFUSED, outcome_only
from agent.call.progress import close_open
from agent.call.records import CallRecord
from agent.call.snapshot import recovered_call, silence_untold
from agent.common.tasks import cancel_and_wait
from agent.records.begun_calls import begun_calls, forget_begun
from agent.records.call_record import call_record
from agent.records.call_store import CallStore
from agent.recovery.interrupted_calls import InterruptedCalls
from agent.recovery.snapshot import CallSnapshot, SnapshotStore, call_was_on_channel
from agent.recovery.taken_calls import TakenCalls

log = logging.getLogger(__name__)

RECOVERY_SECONDS = 10.0
"""The records of lost calls are written after this long even when no Asterisk answers."""
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
    ) -> None:
        """``taken`` tells which of them another instance goes on with; None for an agent alone."""
        self._taken = taken
        self._interrupted = interrupted
        self._snapshots = snapshots
        self._records = records
        self._recovery_seconds = recovery_seconds

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
                return count
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY_SECONDS):
                    await stopping.wait()
                return 0

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


def _record(snapshot: CallSnapshot, channel_ids: Collection[str]) -> dict[str, Any] | None:
    """Return the record of a lost call as far as its snapshot tells, None when that cannot be read."""
    try:
        record = recovered_call(snapshot.state).record
        started = datetime.fromisoformat(record.started_at).timestamp()
    except ValueError:
        return None
    record.duration_seconds = round(max(0.0, snapshot.at - started), 3)
    # the dialplan or a rescuer has given the caller to the staff
    alive = any(call_was_on_channel(snapshot.call_id, channel_id) for channel_id in channel_ids)
    record.outcome, record.ended_by = "rescued" if alive else "lost", "fault"
    record.ended_utc = round(snapshot.at, 3)
    close_open(record, max(0.0, round(snapshot.at - (record.answered_utc or snapshot.at), 3)))
    silence_untold(record, None)
    return call_record(consent_filtered(record, snapshot.state))
