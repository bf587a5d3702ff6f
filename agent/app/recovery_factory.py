"""Opens what outlives one process, and keeps the order of a start: lost calls are recorded, then entries delivered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.app.outbox_factory import OutboxService
from agent.common.redis import SharedRedis
from agent.common.tasks import report_failure
from agent.config.settings import Settings
from agent.records.records_lock import records_lock
from agent.recovery.interrupted_calls import InterruptedCalls
from agent.recovery.lost_calls import LostCalls, Telephony
from agent.recovery.redis_snapshots import RedisSnapshotStore
from agent.recovery.returning_calls import ReturningCalls
from agent.recovery.snapshot import SnapshotStore
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from agent.recovery.taken_calls import FILE_NAME as TAKEN_CALLS
from agent.recovery.taken_calls import TakenCalls


@dataclass(frozen=True)
class CallRecovery:
    """The calls of one agent beyond its process."""

    snapshots: SnapshotStore
    """Keeps the live calls."""
    interrupted: InterruptedCalls
    """Those that an earlier process held when it ended."""
    returning: ReturningCalls
    """What earlier visits of a caller knew."""
    taken: TakenCalls | None
    """Which calls instances have taken from each other; None for an agent alone."""

    async def take(self, channel_id: str, *, answered: bool) -> str:
        """Take the call on a channel from another instance, which is dead or hangs.

        Returns the id under which it goes on, ``""`` for a conversation that nobody knows: the caller goes to staff.
        """
        if answered:
            known = self.interrupted.take(channel_id, await self.snapshots.of_channel(channel_id))
        else:
            known = channel_id
            self.interrupted.begin_anew(known)
        if known and self.taken is not None:
            await self.taken.take(known)
        return known


async def open_recovery(
    settings: Settings, redis: SharedRedis | None, stack: contextlib.AsyncExitStack
) -> CallRecovery:
    """Open the snapshots and read what earlier processes left; ``stack`` closes them."""
    holder = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
    own = await SqliteSnapshotStore.open(settings.state_directory / "state.sqlite", holder)
    store: SnapshotStore = own if redis is None else RedisSnapshotStore(own, redis, holder)
    stack.push_async_callback(store.close)
    left = await store.left_behind()
    own_ids = [snapshot.call_id for snapshot in await own.left_behind()]
    taken: TakenCalls | None = None
    if settings.instances > 1:
        taken = TakenCalls(settings.shared_directory / TAKEN_CALLS, settings.instance)
        stack.push_async_callback(taken.close)
    return CallRecovery(store, InterruptedCalls(left, own_ids), ReturningCalls(time.monotonic), taken)


@contextlib.asynccontextmanager
async def recovered_then_delivered(
    lock_file: Path,
    lost_calls: LostCalls,
    telephony: Telephony,
    outbox: OutboxService,
    housekeeping: Sequence[Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = (),
) -> AsyncIterator[None]:
    """While the block runs: write the records of lost calls, then deliver the outbox, and keep house beside that.

    ``housekeeping`` is what one process at a time may do with the files of the state directory; each part is given the
    event upon which it ends.

    Neither waits for Asterisk to answer, nor does the block wait for either. Where another process still holds the
    file of the records (one whose application is being taken) both wait for its end. At the block's end attempts under
    way may finish for a moment.
    """
    stopping = asyncio.Event()

    async def work() -> None:
        async with records_lock(lock_file, stopping) as held:
            if held:
                await lost_calls.write_records(telephony, stopping)
                tasks = [asyncio.create_task(part(stopping), name="housekeeping") for part in housekeeping]
                for one in tasks:
                    one.add_done_callback(report_failure)  # what breaks it is no reason to deliver nothing
                try:
                    await outbox.deliveries.run(outbox.redis_sharing)
                finally:
                    stopping.set()
                    await asyncio.gather(*tasks, return_exceptions=True)

    task = asyncio.create_task(work(), name="outbox-deliveries")
    task.add_done_callback(report_failure)
    try:
        yield
    finally:
        stopping.set()
        outbox.deliveries.stop()
        await asyncio.gather(task, return_exceptions=True)
