"""What a killed agent leaves behind, for the tests of recovery."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from agent.call.records import Caller, CallRecord, SoundRecord, TurnRecord
from agent.call.snapshot import snapshot_of
from agent.dialog.contract import TurnInput
from agent.dialog.engine.engine import CallFacts, Conversation
from agent.dialog.pack.loader import FlowPack
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from tests.shipped_pack import RENDER, shipped_pack

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
FACTS = CallFacts(now=NOW)


def load_pack() -> FlowPack:
    return shipped_pack()


def record_of(call_id: str) -> CallRecord:
    return CallRecord(call_id, Caller("2025550143"), NOW.isoformat())


async def died_with(
    directory: Path, pack: FlowPack, call_id: str, *heard: str, sound: SoundRecord | None = None
) -> None:
    """Leave behind what a killed agent would of a call in which this was said, and whose sound was kept or not."""
    conversation = Conversation(pack, CallFacts(now=NOW, call_id=call_id), RENDER)
    conversation.start()
    for text in heard:
        conversation.hear(TurnInput(text))
    record = record_of(call_id)
    record.turns.append(TurnRecord(0.0, "How can I help?"))
    record.sound = sound
    store = await SqliteSnapshotStore.open(directory / "state.sqlite", "the-dead-one")
    store.keep(call_id, snapshot_of(record, NOW.timestamp(), conversation.snapshot()))
    await store.close()
