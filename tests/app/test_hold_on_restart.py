"""A starting agent asks the callers of a dead one to hold, each of them once, and touches no others."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.app.hold_on_restart import hold_callers
from agent.app.single_instance import ensure_single_instance
from agent.asterisk.ari.client import AriClient
from agent.asterisk.heartbeat import ApplicationTaken, heartbeat_variable
from agent.config.settings import Settings
from agent.recovery.sqlite_snapshots import SqliteSnapshotStore
from tests.asterisk.fake_asterisk import FakeAsterisk

BEAT = heartbeat_variable("orderline")


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def settings(asterisk: FakeAsterisk, directory: Path, resume_seconds: int = 10) -> Settings:
    (directory / "password").write_text("secret", encoding="utf-8")
    ari = {"url": asterisk.url, "user": "orderline", "password_file": str(directory / "password")}
    call = {"resume_seconds": resume_seconds}
    return Settings.model_validate({"ari": ari, "call": call, "state_directory": str(directory)})


async def left_behind(asterisk: FakeAsterisk, directory: Path, pid: int) -> None:
    """Two callers of a killed agent: one whose conversation was kept, one of whom nothing is known."""
    keeper = await SqliteSnapshotStore.open(directory / "state.sqlite", "the-dead-one")
    keeper.keep("known", {})
    await keeper.close()
    place = {"app_name": "Stasis", "app_data": "orderline,inbound,7000"}
    for name in ("known", "unknown"):
        asterisk.channels[name] = {"id": name, "state": "Up", "dialplan": place}
    asterisk.globals[BEAT] = f"1.0 {socket.gethostname()} {pid}"


def wound(asterisk: FakeAsterisk) -> dict[str, str]:
    return {channel: value for (channel, name), value in asterisk.variables.items() if name == "TIMEOUT(absolute)"}


async def test_who_can_be_gone_on_with_is_held_and_hears_that_somebody_comes(
    asterisk: FakeAsterisk, tmp_path: Path, dead_pid: int
) -> None:
    await left_behind(asterisk, tmp_path, dead_pid)
    async with hold_callers(settings(asterisk, tmp_path)) as holding:
        assert holding.callers == 1
        assert wound(asterisk) == {"known": "10"}
        assert asterisk.played == [("known", "sound:one-moment-please")]


async def test_a_start_that_fails_again_and_again_holds_nobody_twice(
    asterisk: FakeAsterisk, tmp_path: Path, dead_pid: int
) -> None:
    await left_behind(asterisk, tmp_path, dead_pid)
    async with hold_callers(settings(asterisk, tmp_path)):
        pass
    asterisk.variables = {key: value for key, value in asterisk.variables.items() if key[1] != "TIMEOUT(absolute)"}
    asterisk.globals[BEAT] = f"1.0 {socket.gethostname()} {dead_pid}"
    async with hold_callers(settings(asterisk, tmp_path)) as holding:
        assert holding.callers == 0
        assert wound(asterisk) == {}


async def test_the_callers_of_a_living_agent_are_left_alone(asterisk: FakeAsterisk, tmp_path: Path) -> None:
    await left_behind(asterisk, tmp_path, 1)
    async with hold_callers(settings(asterisk, tmp_path)) as holding:
        assert holding.callers == 0
    assert wound(asterisk) == {}


async def test_switched_off_nobody_is_held(asterisk: FakeAsterisk, tmp_path: Path, dead_pid: int) -> None:
    await left_behind(asterisk, tmp_path, dead_pid)
    async with hold_callers(settings(asterisk, tmp_path, resume_seconds=0)) as holding:
        assert holding.callers == 0
    assert asterisk.requests == []


async def test_an_asterisk_that_does_not_answer_does_not_hold_up_the_start_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = FakeAsterisk()
    await gone.start()
    await gone.stop()
    async with hold_callers(settings(gone, tmp_path)) as holding:
        assert holding.callers == 0
    assert "are not asked to hold" in caplog.text


async def test_where_a_start_takes_too_long_nobody_is_kept_from_people(
    asterisk: FakeAsterisk, tmp_path: Path, dead_pid: int
) -> None:
    async with hold_callers(settings(asterisk, tmp_path)) as holding:
        assert holding.last_start_seconds == 0.0
        holding.ready()
    assert float((tmp_path / "start-seconds").read_text(encoding="utf-8")) < 9.0
    (tmp_path / "start-seconds").write_text("9.5", encoding="utf-8")
    await left_behind(asterisk, tmp_path, dead_pid)
    async with hold_callers(settings(asterisk, tmp_path)) as holding:
        assert holding.callers == 0
    assert wound(asterisk) == {}
    async with hold_callers(settings(asterisk, tmp_path, resume_seconds=20)) as holding:
        assert holding.callers == 1


async def test_a_second_agent_is_refused_before_it_loads_anything(asterisk: FakeAsterisk, tmp_path: Path) -> None:
    async def beat() -> None:
        for number in range(1000):
            asterisk.globals[BEAT] = f"{number}.0 elsewhere 4711"
            await asyncio.sleep(0.1)

    async with AriClient(asterisk.url, "orderline", "secret", "orderline"):
        beating = asyncio.create_task(beat())
        with pytest.raises(ApplicationTaken, match="process 4711 on elsewhere"):
            await ensure_single_instance(settings(asterisk, tmp_path))
        beating.cancel()
        asterisk.globals[BEAT] = ""
        await ensure_single_instance(settings(asterisk, tmp_path))


async def test_where_asterisk_is_away_the_first_look_says_nothing(tmp_path: Path) -> None:
    gone = FakeAsterisk()
    await gone.start()
    await gone.stop()
    await ensure_single_instance(settings(gone, tmp_path))
