"""A node that takes calls and sends their records to PostgreSQL, to be killed at any moment (``kills.py``).

``python -m tests.history.sending_node DIRECTORY URL GENERATION CALLS``: takes so many calls, then runs until everything
has been sent. ``DIRECTORY/log`` gets the id of each call whose record is on the disk.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
from pathlib import Path

from agent.call.records import Caller, CallRecord, TurnRecord
from agent.history.record_delivery import LANE, RecordSender, entries_of_record
from agent.records.call_store import CallStore
from agent.records.delivery import DeliveryOptions, OutboxDelivery
from agent.records.outbox_sql import OPEN_STATES, rows
from agent.records.records_lock import records_lock

OPTIONS = DeliveryOptions(
    first_pause_seconds=0.05, longest_pause_seconds=0.2, longest_lane_pause_seconds=0.2, poll_seconds=0.02
)

PAUSE_SECONDS = 0.02
"""Between two calls: more of them would only make the comparison longer."""


async def node(directory: Path, url: str, generation: int, calls: int) -> None:
    """Be one node."""
    store = await CallStore.open(directory / "calls.sqlite", news=entries_of_record)
    sender = RecordSender(url, store.get, store.outbox.node)
    deliveries = OutboxDelivery(store.outbox, sender.deliverers(), options=OPTIONS, unshared=(LANE,))
    log = os.open(directory / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stopping = asyncio.Event()

    async def deliver() -> None:
        async with records_lock(directory / "lock", stopping, poll_seconds=0.02) as held:
            if held:
                await store.take_over()
                await deliveries.run()

    delivering = asyncio.create_task(deliver())
    for number in range(calls):
        await _take_call(store, f"call.{generation}.{number}", log)
        await asyncio.sleep(PAUSE_SECONDS)
    while await store._database.transaction(lambda db: len(rows(db, OPEN_STATES, 1))):  # noqa: ASYNC110
        await asyncio.sleep(0.05)  # SQLite tells nobody when the last row is done
    stopping.set()
    deliveries.stop()
    await delivering
    await sender.close()
    await store.close()


async def _take_call(store: CallStore, call_id: str, log: int) -> None:
    record = CallRecord(call_id, Caller("2025550143", "", "7000"), dt.datetime.now(dt.UTC).isoformat())
    await store.begin(record)
    record.turns.append(TurnRecord(0.0, "How can I help?", f"this is {call_id}"))
    record.outcome, record.ended_by = "answered", "agent"
    await store.write(record)
    os.write(log, f"{call_id}\n".encode())


if __name__ == "__main__":
    asyncio.run(node(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
