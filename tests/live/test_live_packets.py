"""Callers whose audio comes in RTP packets of other lengths than 20 ms are heard, by a real Asterisk."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from typing import Any

import numpy as np
import pytest

from agent.asterisk.ari.client import AriClient
from agent.common.tasks import cancel_and_wait
from agent.rehearsal.call_centre import RehearsalHome
from agent.rehearsal.live_feed import LiveFeedClient
from agent.rehearsal.script import Speech
from agent.rehearsal.voices import Voices
from tests.live.conftest import CallCentre

pytestmark = pytest.mark.asyncio(loop_scope="session")
APP = "packets"
SAID = ("where is my order", "one oh four seven three")
QUIET_ULAW = b"\xff"
PCMU = 0
BYTES_PER_MS = 8
WAIT_SECONDS = 30.0


def ulaw(pcm: np.ndarray[Any, np.dtype[np.int16]]) -> bytes:
    """G.711 mu-law of 16-bit samples."""
    level = np.minimum(np.abs(pcm.astype(np.int32)), 32635) + 132
    exponent = np.floor(np.log2(level)).astype(np.int32) - 7
    coded = (np.where(pcm < 0, 0x80, 0) | (exponent << 4) | ((level >> (exponent + 3)) & 0x0F)) ^ 0xFF
    return bytes(coded.astype(np.uint8))


class RtpCaller:
    """Sends speech, and silence between, to one channel of Asterisk in packets of a length."""

    def __init__(self, packet_ms: int) -> None:
        self._packet_ms = packet_ms
        self._size = packet_ms * BYTES_PER_MS
        self._speech = b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    def say(self, audio: bytes) -> None:
        """Say it from the next packet on."""
        self._speech += audio

    async def send(self, to: tuple[str, int]) -> None:
        """Send in real time until cancelled."""
        clock = asyncio.get_running_loop().time
        began = clock()
        for number in itertools.count():
            payload, self._speech = self._speech[: self._size], self._speech[self._size :]
            header = struct.pack(">BBHII", 0x80, PCMU, number & 0xFFFF, (number * self._size) & 0xFFFFFFFF, 7)
            self.socket.sendto(header + payload.ljust(self._size, QUIET_ULAW), to)
            await asyncio.sleep(began + (number + 1) * self._packet_ms / 1000 - clock())


@pytest.mark.parametrize("packet_ms", [10, 30, 40, 60])
async def test_a_number_is_heard_whatever_the_length_of_the_packets(
    call_centre: CallCentre, home: RehearsalHome, packet_ms: int
) -> None:
    await hear_a_number(call_centre, home, packet_ms)


@pytest.mark.parametrize("packet_ms", [10, 30, 40, 60])
async def test_a_number_is_heard_by_audiosocket_too(
    by_audiosocket: CallCentre, home: RehearsalHome, packet_ms: int
) -> None:
    await hear_a_number(by_audiosocket, home, packet_ms)


async def hear_a_number(call_centre: CallCentre, home: RehearsalHome, packet_ms: int) -> None:
    """Say a request and a number in packets of this length; both are to be heard."""
    stack = call_centre.stack
    voices = Voices(home.shared / "callers")
    audio = [ulaw(np.asarray(await voices.render(Speech(said, said, "joe", 1.0), -20.0), "<i2")) for said in SAID]
    ari = AriClient(stack.pbx.ari_url, stack.pbx.ari_user, stack.pbx.ari_password, APP)
    caller = RtpCaller(packet_ms)
    here = f"127.0.0.1:{caller.socket.getsockname()[1]}"
    entered = asyncio.Event()
    ari.on("StasisStart", lambda _: entered.set())
    sending: asyncio.Task[None] | None = None
    await ari.start()
    try:
        async with (
            LiveFeedClient(stack.agent.control_url, stack.agent.token) as feed,
            feed.follow("") as call,
            asyncio.timeout(90),
        ):
            channel = await ari.channels.external_media(
                f"rtp-caller-{packet_ms}", app=APP, params={"external_host": here, "format": "ulaw"}
            )
            port = int(channel["channelvars"]["UNICASTRTP_LOCAL_PORT"])
            sending = asyncio.create_task(caller.send(("127.0.0.1", port)))
            await entered.wait()
            await ari.channels.continue_in_dialplan(channel["id"], context="from-carrier", extension="7000")
            for told, speech in enumerate(audio, 1):
                await call.wait_for(lambda told=told: len(call.named("listening")) >= told, WAIT_SECONDS)
                caller.say(speech)
            await call.wait_for(lambda: len(call.named("listening")) > len(audio), WAIT_SECONDS)
            await ari.channels.hangup(channel["id"])
    finally:
        if sending is not None:
            await cancel_and_wait(sending)
        await ari.close()
        caller.socket.close()
    assert [said.data["heard"] for said in call.named("caller_said")] == list(SAID)
    assert await call_centre.leftovers() == []
