"""A call's recording begins on its media leg; whatever is missing, the call goes on or is told that its audio broke."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from agent.asterisk import sound_leg
from agent.asterisk.ari.client import AriClient
from agent.asterisk.channel import AsteriskCallerLine, StasisOptions
from agent.asterisk.sound_leg import MediaLegRecorder
from agent.asterisk.stasis_app import StasisApplication
from agent.call.errors import MediaLostError
from agent.call.ports import Media
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

PLACE = "DIALPLAN_EXISTS(orderline-sound,s,1)"


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    fake.modules = {"app_mixmonitor.so"}
    fake.functions[PLACE] = "1"
    await fake.start()
    fake.channels["media"] = {"id": "media", "state": "Up"}
    fake.bridges["bridge"] = set()
    yield fake
    await fake.stop()


async def test_the_leg_goes_through_the_dialplan_and_is_bridged_again(asterisk: FakeAsterisk, ari: AriClient) -> None:
    before = time.monotonic()
    began = await MediaLegRecorder(ari, "media", "bridge").start("/sound/incoming/abc-1")
    assert began is not None
    assert before <= began <= time.monotonic()
    assert asterisk.continued == [("media", "orderline-sound", "s")]
    assert asterisk.variables["media", "ORDERLINE_SOUND"] == "/sound/incoming/abc-1"
    assert asterisk.variables["media", "ORDERLINE_APP"] == "orderline"
    assert asterisk.bridges["bridge"] == {"media"}


@pytest.mark.parametrize("missing", ["module", "dialplan"])
async def test_without_module_or_dialplan_the_leg_stays_where_it_is(
    asterisk: FakeAsterisk, ari: AriClient, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    if missing == "module":
        asterisk.modules.clear()
    else:
        asterisk.functions[PLACE] = "0"
    assert await MediaLegRecorder(ari, "media", "bridge").start("/x") is None
    assert asterisk.continued == []
    assert "orderline check" in caplog.text


async def test_a_leg_that_does_not_come_back_is_a_broken_call(
    asterisk: FakeAsterisk, ari: AriClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asterisk.media_leg_comes_back = False
    monkeypatch.setattr(sound_leg, "RETURN_SECONDS", 0.1)
    with pytest.raises(MediaLostError, match="did not come back"):
        await MediaLegRecorder(ari, "media", "bridge").start("/x")


async def test_a_leg_that_is_gone_is_no_recording_and_no_error(asterisk: FakeAsterisk, ari: AriClient) -> None:
    del asterisk.channels["media"]
    assert await MediaLegRecorder(ari, "media", "bridge").start("/x") is None


async def test_the_way_through_the_dialplan_is_no_new_call(asterisk: FakeAsterisk, ari: AriClient) -> None:
    calls: list[str] = []
    recorded = asyncio.Event()

    async def handle(line: AsteriskCallerLine, media: Media) -> None:
        calls.append(line.channel_id)
        assert line.sound_leg is not None
        assert await line.sound_leg.start("/x") is not None
        recorded.set()
        await line.hang_up()

    telephony = StasisApplication(ari, handle, StasisOptions())
    await asterisk.ring("c1", "inbound", "7000")
    await asyncio.wait_for(recorded.wait(), 20)
    await until(lambda: not telephony.live_calls)
    assert calls == ["c1"]


async def test_a_leg_that_comes_back_when_its_call_is_over_is_hung_up(asterisk: FakeAsterisk, ari: AriClient) -> None:
    async def handle(line: AsteriskCallerLine, media: Media) -> None:
        raise AssertionError("it is no call")

    StasisApplication(ari, handle, StasisOptions())
    asterisk.channels["stray"] = {"id": "stray", "state": "Up"}
    await asterisk.emit({"type": "StasisStart", "args": ["sound"], "channel": asterisk.channels["stray"]})
    await until(lambda: "stray" not in asterisk.channels)
