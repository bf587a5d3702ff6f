"""The media websocket: packets of any length in, silence in real time out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asterisk.ari.client import AriClient
from agent.asterisk.media_websocket import SilencePacing, WebsocketMedia
from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, Inbox, PlaybackFinished
from agent.common.audio import FRAME_BYTES
from tests.asterisk.fake_asterisk import FakeAsterisk
from tests.waiting import until

FRAME_SECONDS = 0.02


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAsterisk]:
    asterisk = FakeAsterisk()
    await asterisk.start()
    yield asterisk
    await asterisk.stop()


@pytest.mark.parametrize("packet_bytes", [160, 320, 480, 640, 960, 333])
async def test_the_callers_packets_reach_the_call_as_whole_frames(pbx: FakeAsterisk, packet_bytes: int) -> None:
    audio = bytes(range(256)) * 15
    async with AriClient(pbx.url, "orderline", "secret", "orderline") as ari:
        inbox: Inbox = asyncio.Queue()
        media = WebsocketMedia(ari, "media-1", inbox)
        await media.open()
        for at in range(0, len(audio), packet_bytes):
            await pbx.send_audio("media-1", audio[at : at + packet_bytes])
        reader, heard = InboxReader(inbox, quiet_after_seconds=None), b""
        while len(heard) < len(audio):
            event = await reader.next()
            assert isinstance(event, AudioFrame)
            assert len(event.pcm) % FRAME_BYTES == 0
            heard += event.pcm
        await media.close()
    assert heard == audio


async def test_a_packet_of_60_ms_is_answered_by_60_ms_of_silence(pbx: FakeAsterisk) -> None:
    async with AriClient(pbx.url, "orderline", "secret", "orderline") as ari:
        media = WebsocketMedia(ari, "media-1", asyncio.Queue())
        await media.open()
        await pbx.send_audio("media-1", bytes(3 * FRAME_BYTES))
        await until(lambda: pbx.media_bytes > 0)
        assert pbx.media_bytes >= 3 * FRAME_BYTES
        await media.close()


async def test_a_prompt_does_not_wait_behind_the_silence_before_it(pbx: FakeAsterisk) -> None:
    async with AriClient(pbx.url, "orderline", "secret", "orderline") as ari:
        inbox: Inbox = asyncio.Queue()
        media = WebsocketMedia(ari, "media-1", inbox)
        await media.open()
        await until(lambda: pbx.media_bytes > 0)  # the leg is kept alive with silence
        await media.play(bytes(FRAME_BYTES), "m1")
        await media.play(bytes(FRAME_BYTES), "m2")  # behind a prompt that is still to be heard: nothing is thrown away
        assert [await inbox.get() for _ in range(2)] == [PlaybackFinished("m1"), PlaybackFinished("m2")]
        buffered = ["START_MEDIA_BUFFERING", "STOP_MEDIA_BUFFERING"]
        assert pbx.media_commands == ["FLUSH_MEDIA", *buffered, "MARK_MEDIA m1", *buffered, "MARK_MEDIA m2"]
        await media.close()


async def test_silence_begins_again_behind_a_prompt_and_after_a_flush(pbx: FakeAsterisk) -> None:
    async with AriClient(pbx.url, "orderline", "secret", "orderline") as ari:
        inbox: Inbox = asyncio.Queue()
        media = WebsocketMedia(ari, "media-1", inbox)
        await media.open()
        await until(lambda: pbx.media_bytes > 0)
        for stop in (inbox.get, media.flush):
            await media.play(bytes(FRAME_BYTES), "m1")
            await stop()
            before = pbx.media_bytes
            await until(lambda before=before: pbx.media_bytes > before + FRAME_BYTES)
        await media.close()


@given(st.sampled_from([10, 20, 30, 40, 60, 150]), st.lists(st.floats(-4, 4), min_size=50, max_size=200))
def test_silence_lasts_to_the_next_packet_and_hardly_longer(packet_ms: int, late_ms: list[float]) -> None:
    pacing, played_out, packet = SilencePacing(), 0.0, packet_ms / 1000
    for index, late in enumerate(late_ms):
        now = 100 + index * packet + late / 1000
        played_out = max(played_out, now) + pacing.frames_due(now, packet) * FRAME_SECONDS
        assert packet - FRAME_SECONDS / 3 <= played_out - now <= packet + FRAME_SECONDS


@given(st.lists(st.tuples(st.floats(0.001, 3), st.sampled_from([0.02, 0.06, 0.2])), min_size=1, max_size=100))
def test_a_stall_is_not_made_up_for(steps: list[tuple[float, float]]) -> None:
    pacing, now, played_out = SilencePacing(), 0.0, 0.0
    for pause, ahead in steps:
        now += pause
        played_out = max(played_out, now) + pacing.frames_due(now, ahead) * FRAME_SECONDS
        assert played_out - now <= 0.2 + FRAME_SECONDS


def test_after_a_flush_silence_begins_anew() -> None:
    pacing = SilencePacing()
    assert pacing.frames_due(5.0, 0.2) == 10
    assert pacing.frames_due(5.0, 0.2) == 0
    pacing.flushed()
    assert pacing.frames_due(5.0, 0.2) == 10
