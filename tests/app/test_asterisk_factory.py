"""Connecting to an Asterisk: one that is started later, one that another controller serves, and the end of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.app.asterisk_factory import AsteriskParts, build_asterisk_parts, connect
from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import StasisOptions
from agent.asterisk.heartbeat import ApplicationTaken, Heartbeat, heartbeat_variable
from agent.asterisk.media_audiosocket import AudioSocketServer
from agent.asterisk.stasis_app import StasisApplication
from agent.asterisk.stasis_ports import HandleCall
from agent.call.inbox_events import HandOverRequested
from agent.call.ports import CallerLine, Media
from agent.config.settings import Settings
from agent.control.admission import Admission
from agent.control.pause import PauseSwitch
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

BEAT = heartbeat_variable("orderline")


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def stack() -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as opened:
        yield opened


async def until_asked_for(line: CallerLine, _: Media) -> None:
    """Hold a call until the agent stops, and give it away then."""
    event = await line.inbox.get()
    assert isinstance(event, HandOverRequested)
    await line.hand_over({}, event.reason)


def parts_of(
    asterisk: FakeAsterisk, stack: contextlib.AsyncExitStack, handle: HandleCall = until_asked_for
) -> AsteriskParts:
    ari = AriClient(asterisk.url, "orderline", "secret", "orderline")
    ari.open()
    stack.push_async_callback(ari.close)
    audiosocket = AudioSocketServer()
    telephony = StasisApplication(ari, handle, StasisOptions(), audiosocket)
    return AsteriskParts(ari, audiosocket, telephony, Heartbeat(ari))


def settings(**media: Any) -> Settings:
    return Settings.model_validate({"media": media})


async def test_an_agent_started_before_its_asterisk_connects_when_that_answers(
    asterisk: FakeAsterisk, stack: contextlib.AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    port = asterisk.port
    await asterisk.stop()
    parts = parts_of(asterisk, stack)
    connecting = asyncio.create_task(connect(parts, settings(), takeover=False, stack=stack))
    await until(lambda: "Trying again" in caplog.text)
    assert await parts.telephony.channel_ids() == [], "nobody can say who is there"
    assert not parts.telephony.adopted.is_set()
    await asterisk.start(port)
    await connecting
    assert parts.ari.connected.is_set()
    async with asyncio.timeout(5):
        await parts.telephony.adopted.wait()
    await until(lambda: asterisk.globals.get(BEAT))


async def test_at_the_end_calls_are_handed_over_before_the_connection_is_closed(asterisk: FakeAsterisk) -> None:
    async with contextlib.AsyncExitStack() as stack:
        parts = parts_of(asterisk, stack)
        await connect(parts, settings(transport="websocket"), takeover=False, stack=stack)
        await asterisk.ring("c1", "inbound", "7000")
        await until(lambda: parts.telephony.live_calls)
        await until(lambda: asterisk.globals.get(BEAT))
        assert "c1" in await parts.telephony.channel_ids()
    assert asterisk.continued == [("c1", "orderline-handover", "agent_stopping")]
    assert asterisk.globals[BEAT] == "", "nobody need wait for a sign of life"


@pytest.mark.parametrize(("modules", "listens"), [({"chan_websocket.so"}, False), (set[str](), True)])
async def test_audio_goes_by_audiosocket_where_asterisk_has_no_websocket_media(
    asterisk: FakeAsterisk, stack: contextlib.AsyncExitStack, modules: set[str], listens: bool
) -> None:
    asterisk.modules = modules
    parts = parts_of(asterisk, stack)
    await connect(parts, settings(transport="auto"), takeover=False, stack=stack)
    assert parts.audiosocket.is_listening == listens


async def test_another_controller_is_left_alone_unless_its_application_is_to_be_taken(
    asterisk: FakeAsterisk, stack: contextlib.AsyncExitStack
) -> None:
    async def beat() -> None:
        for number in range(1000):
            asterisk.globals[BEAT] = f"{number}.0 elsewhere 4711"
            await asyncio.sleep(0.1)

    async with AriClient(asterisk.url, "orderline", "secret", "orderline"):
        beating = asyncio.create_task(beat())
        parts = parts_of(asterisk, stack)
        with pytest.raises(ApplicationTaken, match="process 4711 on elsewhere"):
            await connect(parts, settings(), takeover=False, stack=stack)
        assert not parts.ari.connected.is_set()
        await connect(parts, settings(), takeover=True, stack=stack)
        assert parts.ari.connected.is_set()
        beating.cancel()


async def test_one_that_takes_no_new_calls_says_so_in_its_heartbeat(
    asterisk: FakeAsterisk, stack: contextlib.AsyncExitStack, tmp_path: Path
) -> None:
    """Whatever keeps it from taking them: it has the fewest calls then, and would get every new one."""

    async def until_hung_up(line: CallerLine, _: Media) -> None:
        await line.inbox.get()

    pause = PauseSwitch(tmp_path / "paused.json", lambda: datetime.now(UTC))
    admission = Admission(pause, max_calls=1)
    calls: Any = SimpleNamespace(take=until_hung_up, reject=None, record_taken=None)
    recovery: Any = SimpleNamespace(interrupted=SimpleNamespace(claim=lambda channel_id: ""), take=None)
    (tmp_path / "password").write_text("secret")
    address = {"url": asterisk.url, "password_file": str(tmp_path / "password")}
    two = Settings.model_validate({"ari": address, "instances": 2})
    parts = build_asterisk_parts(two, calls, admission, pause, recovery, takeover=False, stack=stack)
    await connect(parts, two, takeover=False, stack=stack)

    async def until_it_takes_calls(takes: bool) -> None:
        await until(lambda: bool(beat := asterisk.globals.get(BEAT)) and beat.endswith(" draining") != takes)

    await until_it_takes_calls(True)
    pause.begin("Alice")
    await until_it_takes_calls(False)
    pause.end("Alice")
    await until_it_takes_calls(True)
    await asterisk.ring("c1", "inbound", "7000")
    await until_it_takes_calls(False)
    await asterisk.hang_up_caller("c1")
    await until_it_takes_calls(True)


async def test_one_of_several_that_ends_says_so_before_it_hands_its_calls_over(asterisk: FakeAsterisk) -> None:
    said: list[str] = []

    async def until_asked(line: CallerLine, media: Media) -> None:
        await until_asked_for(line, media)
        said.append(asterisk.globals[BEAT])

    async with contextlib.AsyncExitStack() as stack:
        parts = parts_of(asterisk, stack, until_asked)
        two = Settings.model_validate({"instances": 2, "media": {"transport": "websocket"}})
        await connect(parts, two, takeover=False, stack=stack)
        await asterisk.ring("c1", "inbound", "7000")
        await until(lambda: parts.telephony.live_calls)
        await until(lambda: asterisk.globals.get(BEAT))
    assert [beat.rpartition(" ")[2] for beat in said] == ["draining"]
    assert asterisk.globals[BEAT] == ""
