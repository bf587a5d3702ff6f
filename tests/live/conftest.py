"""One private call centre for all live tests: a real Asterisk, a carrier, phones, the demo shop and the agent."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.rehearsal.call_centre import PrivateCallCentre, RehearsalHome, running_call_centre
from agent.rehearsal.private_asterisk import Asterisk
from agent.rehearsal.result import RehearsalResult, ScriptedCallResult
from agent.rehearsal.runner import load_calls, run_scripts, with_numbers
from agent.rehearsal.script import CallScript
from tests.waiting import until

SCRIPTS = Path(__file__).resolve().parents[2] / "agent" / "rehearsal" / "scripts"


class CallCentre:
    """A running private call centre and callers for it."""

    def __init__(self, stack: PrivateCallCentre, home: RehearsalHome, keep: Path) -> None:
        self.stack = stack
        self._home = home
        self._keep = keep
        self._rounds = 0

    async def play(self, script: Path | str, *, at_once: int = 1, repeat: int = 1) -> RehearsalResult:
        """Play a script file, or the text of one."""
        self._rounds += 1
        keep = self._keep / str(self._rounds)
        if isinstance(script, str):
            keep.mkdir(parents=True)
            text, script = script, keep / "script.yaml"
            script.write_text(text, encoding="utf-8")
        return await self._run([script], keep, at_once=at_once, repeat=repeat)

    async def _run(
        self, scripts: Sequence[Path | CallScript], keep: Path, *, at_once: int, repeat: int
    ) -> RehearsalResult:
        return await run_scripts(
            scripts,
            b=self.stack.phones,
            feed_url=self.stack.agent.control_url,
            feed_token=self.stack.agent.token,
            keep=keep,
            sounds_dir=self.stack.asterisk.data_dir / "sounds" / "en",
            cache_dir=self._home.shared / "callers",
            at_once=at_once,
            repeat=repeat,
        )

    async def play_until_heard(self, script: Path | str, *, at_once: int = 1, repeat: int = 1) -> RehearsalResult:
        """Play a script; calls that failed and whose words were misheard are placed once more.

        The recogniser mishears a synthetic caller now and then, more often when the machine is busy. How often is
        measured elsewhere (``make accuracy``); what the agent does with what it heard is what such a test is about.
        """
        result = await self.play(script, at_once=at_once, repeat=repeat)
        again = {call.name for call in result.calls if not call.ok and was_misheard(call)}
        if not again:
            return result
        print("misheard, placed once more:", ", ".join(sorted(again)), failures(result), sep="\n")
        files = [script] if isinstance(script, Path) else [self._keep / str(self._rounds) / "script.yaml"]
        calls = [call for call in with_numbers(load_calls(files), repeat) if call.name in again]
        self._rounds += 1
        second = await self._run(calls, self._keep / str(self._rounds), at_once=at_once, repeat=1)
        by_name = {call.name: call for call in second.calls}
        return RehearsalResult(tuple(by_name.get(call.name, call) for call in result.calls))

    async def leftovers(self) -> list[str]:
        """Channels, bridges and live calls that are still there after the last call, with a moment to go."""
        left: list[str] = []
        for _ in range(100):
            left = [
                *(await _listed(self.stack, "core show channels concise")),
                *(line for line in await _listed(self.stack, "bridge show all") if "Bridge-ID" not in line),
            ]
            if not left:
                return []
            await asyncio.sleep(0.05)
        return left

    def problems(self) -> list[str]:
        """Warnings and errors in anybody's log, but the agent's own word that this machine has too much to do."""
        lines = [
            *self.stack.pbx.log_problems(),
            *self.stack.phones.log_problems(),
            *self.stack.agent.problems(),
        ]
        return [line for line in lines if "The machine is overloaded" not in line]


async def _listed(stack: PrivateCallCentre, command: str) -> list[str]:
    return [
        f"{pbx.name}: {line}"
        for pbx in (stack.pbx, stack.phones)
        for line in (await pbx.cli(command)).splitlines()
        if line.strip()
    ]


def stored_records(call_centre: CallCentre) -> dict[str, dict[str, Any]]:
    """Every call record in the agent's database, by call id."""
    database = call_centre.stack.run_dir / "state" / "calls.sqlite"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT record FROM calls").fetchall()
    records = [json.loads(row[0]) for row in rows]
    by_id = {record["id"]: record for record in records}
    assert len(by_id) == len(records)
    return by_id


async def records_of(call_centre: CallCentre, result: RehearsalResult) -> list[dict[str, Any]]:
    """The records of these calls, in the order of the script."""
    return [await record_of(call_centre, call.call_id) for call in result.calls if call.call_id]


async def record_of(call_centre: CallCentre, call_id: str) -> dict[str, Any]:
    """The record of a call; it is written a moment after the caller is gone."""
    await until(lambda: call_id in stored_records(call_centre))
    return stored_records(call_centre)[call_id]


async def records_since(call_centre: CallCentre, before: Collection[str], calls: int = 1) -> list[dict[str, Any]]:
    """The records of the ``calls`` that came since there were only those ``before`` (call ids), the earliest first."""

    def new() -> list[dict[str, Any]]:
        return [record for call_id, record in stored_records(call_centre).items() if call_id not in before]

    await until(lambda: len(new()) >= calls)
    records = sorted(new(), key=lambda record: record["started_utc"])
    assert len(records) == calls
    return records


def was_misheard(call: ScriptedCallResult) -> bool:
    """Return whether other words were heard in a call than were spoken."""
    return any(
        turn.said.replace(" ", "").casefold() != turn.heard.replace(" ", "").casefold()
        for turn in call.turns
        if turn.said
    )


def failures(result: RehearsalResult) -> str:
    """What went wrong, for a person to read."""
    return "\n".join(
        f"{call.name}: {check.what}: {check.detail}\n    "
        + "\n    ".join(f"agent: {turn.agent} | said: {turn.said} | heard: {turn.heard}" for turn in call.turns)
        for call in result.calls
        for check in call.checks
        if not check.ok
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def call_centre(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    run_dir = tmp_path_factory.mktemp("run")
    async with running_call_centre(asterisk, home, run_dir, print) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def by_audiosocket(
    asterisk: Asterisk, home: RehearsalHome, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[CallCentre]:
    """A call centre of its own whose agent hears and speaks by AudioSocket, and does not know how the queue stands."""
    settings: dict[str, object] = {"media": {"transport": "audiosocket"}, "ami": {"host": ""}}
    async with running_call_centre(asterisk, home, tmp_path_factory.mktemp("run"), print, settings) as stack:
        yield CallCentre(stack, home, tmp_path_factory.mktemp("calls"))
