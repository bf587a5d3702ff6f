"""A call that has outlived its process goes on where it was, or goes to a person with its story."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.dialog.contract import Listen
from agent.dialog.pack.loader import FlowPack
from agent.recovery.interrupted_calls import MAX_SNAPSHOT_AGE_SECONDS, InterruptedCalls
from agent.recovery.snapshot import CallSnapshot
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from tests.recovery.killed_agent import FACTS, RENDER, died_with

DATA = Path(__file__).parent / "data"


async def found_in(directory: Path) -> list[CallSnapshot]:
    store = await SqliteSnapshotStore.open(directory / "state.sqlite", "this-one")
    found = list(await store.left_behind())
    await store.close()
    return found


def interrupted(snapshots: list[CallSnapshot], age_seconds: float = 0.0) -> InterruptedCalls:
    return InterruptedCalls(snapshots, [one.call_id for one in snapshots], lambda: time.time() + age_seconds)


def line(channel_id: str, known_as: str = "", *, state: str = "Up") -> AsteriskCallerLine:
    ari = AriClient("http://127.0.0.1:1", "orderline", "secret", "orderline")
    channel = {"id": channel_id, "state": state, "caller": {"number": "2025550143"}}
    return AsteriskCallerLine(ari, channel, ["inbound", "7000"], StasisOptions(), adopted=True, known_as=known_as)


async def test_a_call_of_a_dead_agent_goes_on_where_it_was(tmp_path: Path, pack: FlowPack) -> None:
    await died_with(tmp_path, pack, "c-1", "where is order one oh four seven three")
    found = interrupted(await found_in(tmp_path))
    assert found.claim("c-1") == "c-1"
    conversation, resumed = found.restore(line("c-1", "c-1"), pack, FACTS, RENDER)
    assert resumed is not None
    assert resumed.hand_over == ""
    assert conversation.slots["order_number"] == "10473"
    assert conversation.resume().say[0].id == "lost_you"


async def test_what_was_kept_by_other_procedures_goes_to_a_person_with_its_record(
    tmp_path: Path, pack: FlowPack
) -> None:
    await died_with(tmp_path, pack, "c-1")
    (snapshot,) = await found_in(tmp_path)
    state: dict[str, Any] = {**snapshot.state}
    state["conversation"] = {**state["conversation"], "pack": "another edition"}
    found = interrupted([CallSnapshot("c-1", snapshot.holder, snapshot.at, state)])
    _, resumed = found.restore(line("c-1", "c-1"), pack, FACTS, RENDER)
    assert resumed is not None
    assert resumed.hand_over == "controller_restarted"
    assert resumed.record.turns[0].agent == "How can I help?"


async def test_what_was_kept_too_long_ago_goes_to_a_person(tmp_path: Path, pack: FlowPack) -> None:
    await died_with(tmp_path, pack, "c-1")
    found = interrupted(await found_in(tmp_path), MAX_SNAPSHOT_AGE_SECONDS + 1)
    _, resumed = found.restore(line("c-1", "c-1"), pack, FACTS, RENDER)
    assert resumed is not None
    assert resumed.hand_over == "controller_restarted"


async def test_a_snapshot_of_another_version_goes_to_a_person(pack: FlowPack) -> None:
    state: Mapping[str, Any] = {"version": 0}
    found = interrupted([CallSnapshot("c-1", "the-dead-one", time.time(), state)])
    _, resumed = found.restore(line("c-1", "c-1"), pack, FACTS, RENDER)
    assert resumed is not None
    assert (resumed.hand_over, resumed.record.id) == ("controller_restarted", "c-1")


async def test_a_caller_nobody_knows_goes_to_a_person_and_one_not_yet_answered_is_greeted(pack: FlowPack) -> None:
    found = interrupted([])
    assert found.claim("c-9") == ""
    _, answered = found.restore(line("c-9"), pack, FACTS, RENDER)
    assert answered is not None
    assert answered.hand_over == "controller_restarted"
    _, ringing = found.restore(line("c-8", state="Ring"), pack, FACTS, RENDER)
    assert ringing is None


def test_the_latest_visit_on_a_channel_is_the_one_gone_on_with() -> None:
    found = interrupted(
        [CallSnapshot("c-1", "x", 1.0), CallSnapshot("c-1-ab", "x", 2.0), CallSnapshot("c-2", "x", 3.0)]
    )
    assert found.claim("c-1") == "c-1-ab"
    assert found.claimed == {"c-1-ab"}
    assert {one.call_id for one in found.unclaimed} == {"c-1", "c-2"}


def test_what_other_nodes_hold_can_be_claimed_but_is_never_counted_as_lost() -> None:
    found = InterruptedCalls([CallSnapshot("ours", "x", 1.0), CallSnapshot("theirs", "y", 1.0)], ["ours"])
    assert [one.call_id for one in found.unclaimed] == ["ours"]
    assert found.claim("theirs") == "theirs"


class TestAnUpgradeFromTheFirstVersion:
    """``data/state-9c6d8ad.sql`` is what commit 9c6d8ad left of a call: the number is known, the postcode is not."""

    CALL = "1772443800.7"

    async def snapshot(self, directory: Path) -> CallSnapshot:
        with closing(sqlite3.connect(directory / "state.sqlite")) as database:
            database.executescript((DATA / "state-9c6d8ad.sql").read_text(encoding="utf-8"))
            database.execute("UPDATE live_calls SET at = ?", (time.time(),))  # after a day it is forgotten
            database.commit()
        (found,) = await found_in(directory)
        return CallSnapshot(found.call_id, found.holder, time.time(), found.state)

    async def test_a_call_goes_on_where_the_procedures_are_the_same(self, tmp_path: Path, pack: FlowPack) -> None:
        old = await self.snapshot(tmp_path)
        state: dict[str, Any] = {**old.state}
        state["conversation"] = {**state["conversation"], "pack": pack.fingerprint}
        found = interrupted([CallSnapshot(old.call_id, old.holder, old.at, state)])
        assert found.claim(self.CALL) == self.CALL
        conversation, resumed = found.restore(line(self.CALL, self.CALL), pack, FACTS, RENDER)
        assert resumed is not None
        assert (resumed.hand_over, resumed.record.caller.name) == ("", "Maria Lopez")
        assert conversation.slots["order_number"] == "10473"
        turn = conversation.resume()
        assert isinstance(turn.then, Listen)
        assert turn.then.slot == "postcode"

    async def test_it_goes_to_staff_with_its_record_where_they_are_not(self, tmp_path: Path, pack: FlowPack) -> None:
        found = interrupted([await self.snapshot(tmp_path)])
        _, resumed = found.restore(line(self.CALL, self.CALL), pack, FACTS, RENDER)
        assert resumed is not None
        assert resumed.hand_over == "controller_restarted"
        assert resumed.record.turns[0].heard == "where is order one oh four seven three"
