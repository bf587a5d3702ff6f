"""Calls are recorded by a real Asterisk: caller left, agent right, on the record's clock, and only with consent."""

from __future__ import annotations

import sqlite3
import wave
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from tests.live.conftest import CallCentre, failures, records_of, stored_records
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

RATE = 8000
LOUD = 40
"""Above the noise of the line, and below the soft beginning of a word ("Th...")."""
QUIET_SECONDS = 0.15
ALIGNED_SECONDS = 0.06
FINISHED_SECONDS = 60.0

SCRIPT = """
calls:
  - name: yes to recording
    dial: "7000"
    voice: joe
    steps:
      - expect: /keep a record/
      - say: "yes"
      - expect: /Maple and Finch/
      - say: where is my order
      - expect: /order number/
      - say: one oh four seven three
      - expect: /postcode|zip/
      - say: nine seven two oh one
      - expect: /order/
      - hang_up
  - name: no to recording, by keypad
    dial: "7000"
    voice: joe
    steps:
      - expect: /keep a record/
      - keys: "2"
      - say: where is my order
      - hang_up
"""

Samples = npt.NDArray[np.int64]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def recording(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("sound")
    settings: dict[str, Any] = {"call": {"consent": "ask"}, "sound": {"keep": "yes", "least_free_mb": "10"}}
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("kept"))


async def finished(call_centre: CallCentre, call_id: str) -> tuple[Samples, Samples]:
    """Wait until the recording of a call is finished; return its left and right side."""
    state = call_centre.stack.run_dir / "state"
    await until(lambda: _kept(state / "calls.sqlite", call_id), FINISHED_SECONDS)
    name = _kept(state / "calls.sqlite", call_id)
    with wave.open(str(state / "sound" / "kept" / f"{name}.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, RATE)
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2).astype(np.int64)
    return sound[:, 0], sound[:, 1]


def _kept(database: Path, call_id: str) -> str:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        row = db.execute("SELECT name FROM sounds WHERE call_id = ? AND state = 'kept'", (call_id,)).fetchone()
    return str(row[0]) if row else ""


def onsets(side: Samples) -> list[float]:
    """When the side begins to sound after a pause, in seconds."""
    found, last = [], -RATE
    for at in np.flatnonzero(np.abs(side) > LOUD).tolist():
        if at - last > QUIET_SECONDS * RATE:
            found.append(at / RATE)
        last = at
    return found


def nearest(times: list[float], wanted: float) -> float:
    """How far the nearest of some times is from the wanted one."""
    return min((time - wanted for time in times), key=abs, default=99.0)


def audible(turns: list[dict[str, Any]], name: str, silent: list[dict[str, Any]], since: float) -> Iterator[float]:
    """The times of this name that lie in the recording and where nothing was silenced."""
    for turn in turns:
        at = turn.get(name)
        if at is None or at < since or (name == "heard_from_seconds" and not turn["heard"]):
            continue
        if not any(span["from_seconds"] - 0.3 <= at <= (span["until_seconds"] or 1e9) + 0.3 for span in silent):
            yield at


async def test_consent_decides_and_both_sides_are_on_the_records_clock(recording: CallCentre) -> None:
    result = await recording.play(SCRIPT)
    assert result.calls[0].ok, failures(result)
    agreed, refused = await records_of(recording, result)
    left, right = await finished(recording, agreed["id"])
    (part,) = agreed["sound"]["parts"]
    silent, turns = agreed["sound"]["silent"], agreed["turns"]

    began = round(part["from_seconds"] * RATE)
    assert agreed["consent"] == "given"
    assert began > RATE, "the question was asked before"
    assert not left[: began - 1].any()
    assert not right[: began - 1].any()

    spoken = list(audible(turns, "audible_at_seconds", silent, part["from_seconds"]))
    agent = {at: round(nearest(onsets(right), at), 3) for at in spoken}
    answers = list(audible(turns, "heard_from_seconds", silent, part["from_seconds"]))
    caller = {at: round(nearest(onsets(left), at), 3) for at in answers}
    print(f"agent's words against the record: {agent}; caller's: {caller}; part {part}")
    assert len(agent) >= 2
    assert len(caller) >= 1
    assert all(abs(apart) <= ALIGNED_SECONDS for apart in (*agent.values(), *caller.values())), (agent, caller)

    asked = next(turn for turn in turns if turn["slot"] in ("postcode", "second_fact", "zip"))
    following = turns[turns.index(asked) + 1]
    secret = slice(round(asked["audible_at_seconds"] * RATE), round(following["audible_at_seconds"] * RATE))
    assert asked["heard"], "the postcode was heard"
    assert not left[secret].any(), "and is silent"
    assert right[secret].any(), "while the question is not"

    assert refused["consent"] == "refused"
    assert refused["sound"] is None
    sound = recording.stack.run_dir / "state" / "sound"
    with_sound = [record for record in stored_records(recording).values() if record["sound"]]
    assert len(list((sound / "kept").iterdir())) == len(with_sound)
    assert list((sound / "incoming").iterdir()) == []
    assert recording.problems() == []


TO_STAFF = """
calls:
  - name: to a person
    dial: "7000"
    voice: joe
    steps:
      - say: I want to talk to a person
      - human:
          phone: "601"
          says: hello, this is the service desk
          talks: hello, I have a question about my invoice
          hangs_up: caller
"""


@pytest.mark.parametrize("with_staff", [False, True])
async def test_a_recording_ends_at_the_hand_over_unless_the_shop_wants_more(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory, with_staff: bool
) -> None:
    run_dir = tmp_path_factory.mktemp("staff")
    sound = {"keep": "yes", "least_free_mb": "10", "with_staff": "yes" if with_staff else "no"}
    settings: dict[str, Any] = {"call": {"consent": "announce"}, "sound": sound}
    async with running_call_centre(asterisk, home, run_dir, print, settings) as stack:
        call_centre = CallCentre(stack, home, tmp_path_factory.mktemp("kept"))
        result = await call_centre.play(TO_STAFF)
        assert result.ok, failures(result)
        (record,) = await records_of(call_centre, result)
        left, right = await finished(call_centre, record["id"])
        assert call_centre.problems() == []
    assert record["consent"] == "announced"
    assert record["outcome"] == "handed_over"
    handed_over = round((record["duration_seconds"] + 0.2) * RATE)
    print(f"{len(left) / RATE} s of sound, {record['duration_seconds']} s with the agent")
    assert onsets(right[:handed_over]), "the agent was recorded"
    assert record["sound"]["staff"] is with_staff
    if with_staff:
        assert onsets(left[handed_over:]), "the caller's question to the staff"
        assert onsets(right[handed_over:]), "the staff's words"
    else:
        assert len(left) <= handed_over
