"""Who is asked about the recording when a call begins; the records of calls without a session."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.app.call_handler import CallHandler, must_ask
from agent.app.recovery_factory import open_recovery
from agent.config.instances import instance_settings
from agent.config.settings import Settings
from agent.dialog.engine.consent import ConsentAnswer
from agent.records.begun_calls import begun_calls
from agent.records.call_store import CallStore
from agent.telemetry.events import CallFinished
from tests.call.fakes import FakeCallerLine, FakeEvents
from tests.recovery.killed_agent import died_with, load_pack


@pytest.mark.parametrize(
    ("entry", "answer", "outlived", "asked"),
    [
        ("inbound", "", False, True),
        ("queue_failed", "given", False, False),
        ("transfer_back", "refused", False, False),
        ("queue_failed", "", False, True),
        ("transfer_back", "", False, True),
        ("transfer_back", "", True, False),
    ],
)
def test_a_caller_whose_answer_is_not_known_is_asked_whatever_way_the_call_comes(
    entry: str, answer: ConsentAnswer, outlived: bool, asked: bool
) -> None:
    assert must_ask(entry, answer, outlived=outlived) is asked


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[CallStore]:
    store = await CallStore.open(tmp_path / "calls.sqlite")
    yield store
    await store.close()


@contextlib.asynccontextmanager
async def handler(directory: Path, records: CallStore, number: int) -> AsyncIterator[Any]:
    """What of an instance's handler records a call without a session."""
    async with contextlib.AsyncExitStack() as stack:
        whole = Settings.model_validate({"state_directory": str(directory), "instances": 2})
        settings = instance_settings(whole, number)
        settings.state_directory.mkdir(exist_ok=True)
        yield SimpleNamespace(
            recovery=await open_recovery(settings, None, stack),
            outbox_service=SimpleNamespace(records=records),
            events=FakeEvents(),
            wall=lambda: datetime(2026, 3, 2, 9, 31, tzinfo=UTC),
        )


async def test_a_call_that_another_instance_has_taken_is_not_recorded_where_it_is_rejected(
    tmp_path: Path, records: CallStore
) -> None:
    line: Any = FakeCallerLine()
    line.refuses = True  # it is not here any more
    async with handler(tmp_path, records, 1) as first, handler(tmp_path, records, 2) as second:
        assert await second.recovery.take(line.id, answered=False) == line.id
        await CallHandler.reject(first, line, "paused")
    assert await records.get(line.id) is None
    assert await begun_calls(records.database) == frozenset()


@pytest.mark.parametrize(
    ("hung_up", "outcome", "ended_by"), [(True, "caller_hung_up", "caller"), (False, "rescued", "fault")]
)
async def test_a_taken_conversation_that_did_not_go_on_is_recorded_with_what_was_said(
    tmp_path: Path, records: CallStore, hung_up: bool, outcome: str, ended_by: str
) -> None:
    line: Any = FakeCallerLine()
    await died_with(tmp_path, load_pack(), line.id)
    async with handler(tmp_path, records, 1) as first:
        assert await first.recovery.take(line.id, answered=True) == line.id
        await CallHandler.record_taken(first, line, hung_up=hung_up)
        assert await first.recovery.snapshots.left_behind() == []
    record = await records.get(line.id)
    assert record is not None
    assert (record["outcome"], record["ended_by"]) == (outcome, ended_by)
    assert [turn["agent"] for turn in record["turns"]] == ["How can I help?"]
    (ended,) = first.events.of(CallFinished)
    assert (ended.call_id, ended.outcome) == (line.id, outcome)


async def test_a_taken_call_of_which_nothing_is_known_is_recorded_too(tmp_path: Path, records: CallStore) -> None:
    line: Any = FakeCallerLine()
    async with handler(tmp_path, records, 2) as second:
        await second.recovery.take(line.id, answered=False)
        await CallHandler.record_taken(second, line, hung_up=True)
    record = await records.get(line.id)
    assert record is not None
    assert (record["outcome"], record["turns"]) == ("caller_hung_up", [])
