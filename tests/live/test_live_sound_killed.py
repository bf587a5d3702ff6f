"""An agent is killed in the middle of a recorded call: the recording is finished by the next one, found, and erased."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import SCRIPTS, CallCentre, stored_records
from tests.live.phones_by_hand import PhonesByHand, phones_by_hand
from tests.live.test_live_sound import ALIGNED_SECONDS, RATE, finished, nearest, onsets
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUDIBLE = 500
AUDIBLE_DBFS = -40.0
PAUSE_FRAMES = 40
"""Of 20 ms: who speaks pauses for less."""
HEARD_SECONDS = 10.0
PATIENCE_SECONDS = 30.0
BEGUN_SECONDS = 2.0
"""So much is recorded before the caller says anything."""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def recording(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    settings: dict[str, Any] = {
        "call": {"consent": "ask", "resume_seconds": 60},
        "sound": {"keep": "yes", "least_free_mb": "10"},
    }
    async with running_call_centre(asterisk, home, tmp_path_factory.mktemp("killed"), print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


@pytest_asyncio.fixture(loop_scope="session")
async def floor(recording: CallCentre, home: RehearsalHome) -> AsyncIterator[PhonesByHand]:
    async with phones_by_hand(recording, home) as phones:
        yield phones


class RecordedCall:
    """A caller who agrees to be recorded and asks for an order; then speaks on while the agent is killed."""

    def __init__(self, floor: PhonesByHand, caller: str) -> None:
        self._caller = caller
        self._floor = floor
        self._agent = floor.call_centre.stack.agent
        self._state = floor.call_centre.stack.run_dir / "state"
        self._known = set(stored_records(floor.call_centre))

    def raw_files(self) -> list[Path]:
        """What Asterisk records, or has recorded, and nobody has finished."""
        return list((self._state / "sound" / "incoming").glob("*.sln"))

    async def until_the_kill(self) -> None:
        """Call, agree, ask; then the agent is killed with an answer in its ears that nothing was written of."""
        self.leg = await self._floor.phone("7000", caller=self._caller)
        await until(lambda: any(level > AUDIBLE_DBFS for level in self.leg.heard.levels_dbfs), PATIENCE_SECONDS)
        await self.leg.press("1")
        await until(lambda: self._recorded_seconds() > BEGUN_SECONDS, PATIENCE_SECONDS)
        await self._ask()
        asked = self._recorded_seconds()
        await until(lambda: self._recorded_seconds() > asked + BEGUN_SECONDS, PATIENCE_SECONDS)
        await self.leg.say(await self._floor.speech("i will tell you my secret"))
        self._agent.signal(signal.SIGKILL)
        await self._agent.reap()
        assert "my secret" not in self._snapshots(), "the last words were not written down"

    async def _ask(self) -> None:
        """Ask for an order when the agent listens; again where it did not understand."""
        words = await self._floor.speech("where is my order")
        for _ in range(3):
            await until(self._agent_is_silent, PATIENCE_SECONDS)
            await self.leg.say(words)
            with contextlib.suppress(TimeoutError):
                await until(lambda: "where is my order" in self._snapshots(), HEARD_SECONDS)
                return
        raise AssertionError(f"never understood: {self._snapshots()}")

    def _agent_is_silent(self) -> bool:
        return max(self.leg.heard.levels_dbfs[-PAUSE_FRAMES:], default=0.0) < AUDIBLE_DBFS

    async def record(self) -> dict[str, Any]:
        """The call's record, once there is one."""
        await until(lambda: set(stored_records(self._floor.call_centre)) - self._known, PATIENCE_SECONDS)
        (call_id,) = set(stored_records(self._floor.call_centre)) - self._known
        return stored_records(self._floor.call_centre)[call_id]

    async def orderline(self, *words: str) -> str:
        line = (sys.executable, "-m", "agent", *words, "--config", str(self._agent.config_dir))
        process = await asyncio.create_subprocess_exec(
            *line, cwd=SCRIPTS.parents[2], stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output = (await process.communicate())[0].decode()
        assert process.returncode == 0, output
        return output

    async def is_found_and_erased(self, record: dict[str, Any], directory: Path) -> None:
        """The call is in the index, its sound can be had; after the caller is erased neither is there."""
        assert record["id"] in await self.orderline("calls", "find", "--caller", self._caller, "--fault")
        copied = directory / "call.wav"
        await self.orderline("records", "sound", record["id"], "-o", str(copied))
        kept = self._state / "sound" / "kept" / f"{record['sound']['name']}.wav"
        assert copied.read_bytes() == kept.read_bytes()
        assert "1 recordings" in await self.orderline("records", "erase", "--caller", self._caller)
        assert not kept.exists()
        assert record["id"] not in await self.orderline("calls", "find")
        assert self.raw_files() == []

    def _recorded_seconds(self) -> float:
        return max((file.stat().st_size for file in self.raw_files()), default=0) / 2 / RATE

    def _snapshots(self) -> str:
        with closing(sqlite3.connect(f"file:{self._state / 'state.sqlite'}?mode=ro", uri=True)) as db:
            return json.dumps([kept for (kept,) in db.execute("SELECT kept FROM live_calls")])


async def test_the_recording_of_a_call_that_goes_to_staff_is_finished_by_the_next_start(
    floor: PhonesByHand, tmp_path: Path
) -> None:
    call = RecordedCall(floor, "2025550177")
    await call.until_the_kill()
    ringing = await floor.desk.ring("601", "2025550177", PATIENCE_SECONDS)
    assert ringing is not None, "the caller reaches a person without the agent"
    await call.leg.hang_up()
    assert call.raw_files(), "nobody has finished the recording"

    await floor.call_centre.stack.agent.start()
    record = await call.record()
    await floor.over()
    left, right = await finished(floor.call_centre, record["id"])
    (part,) = record["sound"]["parts"]
    print(f"{record['outcome']}, {len(left) / RATE} s of sound, part {part}, silent {record['sound']['silent']}")
    assert record["outcome"] in ("lost", "rescued")
    assert len(left) == len(right) > part["from_seconds"] * RATE
    asked = next(turn for turn in record["turns"] if "where is my order" in turn["heard"])
    last = record["turns"][-1]
    assert abs(nearest(onsets(right), asked["audible_at_seconds"])) <= ALIGNED_SECONDS, "the agent's words are in place"
    assert np.abs(left[: round(last["at_seconds"] * RATE)]).max() > AUDIBLE, "what was written down can be heard"
    assert not left[round(last["at_seconds"] * RATE) :].any(), "what was not is silent"
    await call.is_found_and_erased(record, tmp_path)


async def test_a_call_that_the_next_agent_goes_on_with_has_one_recording_with_both_parts(
    floor: PhonesByHand, tmp_path: Path
) -> None:
    call = RecordedCall(floor, "2025550178")
    await call.until_the_kill()
    began = len(call.leg.heard.stamps)
    await floor.call_centre.stack.agent.start()
    await until(lambda: len(call.raw_files()) == 4, PATIENCE_SECONDS)
    await until(lambda: any(level > AUDIBLE_DBFS for level in call.leg.heard.levels_dbfs[began:]), PATIENCE_SECONDS)
    assert not await call.leg.ends_within(BEGUN_SECONDS)
    await call.leg.hang_up()
    await floor.over()

    record = await call.record()
    left, right = await finished(floor.call_centre, record["id"])
    parts = [part["from_seconds"] for part in record["sound"]["parts"]]
    print(f"{record['outcome']}, {len(left) / RATE} s of sound, parts {parts}, silent {record['sound']['silent']}")
    assert (record["outcome"], len(parts)) == ("caller_hung_up", 2)
    assert any("restarted" in fault for fault in record["faults"])
    assert len(left) == len(right) > parts[1] * RATE
    assert onsets(right[round(parts[1] * RATE) :]), "the second agent is heard"
    kept = next(turn for turn in reversed(record["turns"]) if turn["at_seconds"] < parts[1])
    assert not left[round(kept["at_seconds"] * RATE) : round(parts[1] * RATE)].any(), "what was not written is silent"
    await call.is_found_and_erased(record, tmp_path)
