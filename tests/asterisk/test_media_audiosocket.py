"""AudioSocket: we keep the clock, and only calls we expect get a voice."""

from __future__ import annotations

import asyncio
import struct
import uuid
from collections.abc import AsyncIterator

import pytest

from agent.asterisk.ari.client import AriClient
from agent.asterisk.media_audiosocket import AudioSocketMedia, AudioSocketServer, read_message
from agent.call.inbox import InboxReader
from agent.call.inbox_events import AudioFrame, Inbox, MediaLost, PlaybackFinished
from agent.common.audio import FRAME_BYTES
from tests.asterisk.fake_asterisk import FakeAsterisk


class FakeAudioSocketPeer:
    """Asterisk's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, server: AudioSocketServer, call: str) -> FakeAudioSocketPeer:
        host, port = server.address.split(":")
        phone = cls(*await asyncio.open_connection(host, int(port)))
        phone.send(0x01, uuid.UUID(call).bytes)
        return phone

    def send(self, kind: int, payload: bytes = b"") -> None:
        self.writer.write(struct.pack(">BH", kind, len(payload)) + payload)

    async def hear(self) -> bytes:
        kind, payload = await read_message(self.reader)
        assert kind == 0x10
        return payload


class OpenedLeg:
    """A media leg that is up, with the phone at its other end."""

    def __init__(self, media: AudioSocketMedia, phone: FakeAudioSocketPeer, inbox: Inbox) -> None:
        self.media = media
        self.phone = phone
        self.inbox = inbox


@pytest.fixture
async def server() -> AsyncIterator[AudioSocketServer]:
    server = AudioSocketServer()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def leg(server: AudioSocketServer) -> AsyncIterator[OpenedLeg]:
    asterisk = FakeAsterisk()
    await asterisk.start()
    async with AriClient(asterisk.url, "orderline", "secret", "orderline") as ari:
        inbox: Inbox = asyncio.Queue()
        media = AudioSocketMedia(server, ari, "media-1", inbox)
        opening = asyncio.create_task(media.open())
        await asyncio.sleep(0)
        phone = await FakeAudioSocketPeer.connect(server, media.uuid)
        await opening
        yield OpenedLeg(media, phone, inbox)
        phone.writer.close()
        await media.close()
        assert asterisk.channels == {}
    await asterisk.stop()


@pytest.mark.parametrize("packet_bytes", [160, 480, 640, 960, 333])
async def test_the_callers_packets_reach_the_call_as_whole_frames(leg: OpenedLeg, packet_bytes: int) -> None:
    audio = bytes(range(256)) * 15
    for at in range(0, len(audio), packet_bytes):
        leg.phone.send(0x10, audio[at : at + packet_bytes])
    reader, heard = InboxReader(leg.inbox, quiet_after_seconds=None), b""
    while len(heard) < len(audio):
        event = await reader.next()
        assert isinstance(event, AudioFrame)
        assert len(event.pcm) % FRAME_BYTES == 0
        heard += event.pcm
    assert heard == audio


async def test_the_callers_frames_arrive_in_the_inbox(leg: OpenedLeg) -> None:
    leg.phone.send(0x10, b"\x01\x02" * 160)
    leg.phone.send(0x10, b"\x03\x04" * 160)
    assert [await leg.inbox.get(), await leg.inbox.get()] == [
        AudioFrame(b"\x01\x02" * 160),
        AudioFrame(b"\x03\x04" * 160),
    ]


async def test_silence_flows_while_nothing_is_said(leg: OpenedLeg) -> None:
    assert [await leg.phone.hear() for _ in range(5)] == [bytes(FRAME_BYTES)] * 5


async def test_an_utterance_leaves_in_20_ms_frames_and_reports_its_end(leg: OpenedLeg) -> None:
    await leg.media.play(b"\x07" * (FRAME_BYTES * 3 + 100), "m1")
    async with asyncio.timeout(5):
        while not any(frame := await leg.phone.hear()):
            pass
        heard = [frame, await leg.phone.hear(), await leg.phone.hear(), await leg.phone.hear()]
        assert heard[:3] == [b"\x07" * FRAME_BYTES] * 3
        assert heard[3] == b"\x07" * 100 + bytes(FRAME_BYTES - 100)
        assert await leg.inbox.get() == PlaybackFinished("m1")


async def test_a_flush_silences_the_rest_without_a_mark(leg: OpenedLeg) -> None:
    await leg.media.play(b"\x07" * (FRAME_BYTES * 500), "m1")
    async with asyncio.timeout(5):
        while not any(await leg.phone.hear()):
            pass
        await leg.media.flush()
        while any(await leg.phone.hear()):
            pass
    assert leg.inbox.empty()


async def test_a_connection_that_breaks_is_told_to_the_call(leg: OpenedLeg) -> None:
    leg.phone.writer.close()
    async with asyncio.timeout(5):
        assert isinstance(await leg.inbox.get(), MediaLost)


async def test_a_stranger_is_dropped(server: AudioSocketServer) -> None:
    phone = await FakeAudioSocketPeer.connect(server, str(uuid.uuid4()))
    async with asyncio.timeout(5):
        assert await phone.reader.read() == b""
    phone.writer.close()


async def test_garbage_instead_of_an_id_is_dropped(server: AudioSocketServer) -> None:
    host, port = server.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"\x01\x00\x03abc")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()
