"""The audio of a call over AudioSocket, for Asterisk 18 and later without chan_websocket: we keep the 20 ms clock.

Protocol: one TCP connection a call; messages of a type byte, a 16-bit big-endian length and the payload; type 0x01
carries the call's UUID (16 bytes), 0x10 signed linear 8 kHz little-endian, 0x00 hang-up, 0xff error
(docs.asterisk.org, "AudioSocket"; types also in Asterisk's res_audiosocket.h).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriError, AriUnreachable
from agent.call.inbox_events import AudioFrame, Inbox, MediaLost, PlaybackFinished
from agent.common.addresses import host_port
from agent.common.audio import FRAME_BYTES, FRAME_MS
from agent.common.log_rate import LogRate
from agent.common.tasks import cancel_and_wait

log = logging.getLogger(__name__)

_HANGUP, _ID, _AUDIO, _ERROR = 0x00, 0x01, 0x10, 0xFF
_SILENCE = bytes(FRAME_BYTES)
_MAX_BEHIND_SECONDS = 0.2


@dataclass
class _Utterance:
    pcm: bytes
    mark: str
    position: int = 0


@dataclass
class _Playout:
    """What is still to be said, frame by frame."""

    queue: deque[_Utterance] = field(default_factory=deque)

    def next_frame(self) -> tuple[bytes, str | None]:
        """The next 20 ms and the mark that ends with it, if any."""
        if not self.queue:
            return _SILENCE, None
        utterance = self.queue[0]
        frame = utterance.pcm[utterance.position : utterance.position + FRAME_BYTES]
        utterance.position += FRAME_BYTES
        if utterance.position < len(utterance.pcm):
            return frame, None
        self.queue.popleft()
        return frame.ljust(FRAME_BYTES, b"\0"), utterance.mark


class AudioSocketMedia:
    """:class:`agent.call.ports.Media` on one AudioSocket connection."""

    def __init__(
        self,
        server: AudioSocketServer,
        ari: AriClient,
        channel_id: str,
        inbox: Inbox,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """``variables`` are set on the media channel."""
        self._variables = variables
        self.channel_id = channel_id
        self.uuid = str(uuid.uuid4())
        self._server = server
        self._ari = ari
        self._inbox = inbox
        self._playout = _Playout()
        self._closing = False
        self._connected = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Create the channel and wait until Asterisk has connected to us and it can be bridged. Raises AriError."""
        self._server.expect(self)
        try:
            with self._ari.entering_stasis(self.channel_id) as in_stasis:
                await self._ari.channels.external_media(
                    self.channel_id,
                    app=self._ari.app,
                    params={
                        "external_host": self._server.address,
                        "transport": "tcp",
                        "encapsulation": "audiosocket",
                        "format": "slin",
                        "data": self.uuid,
                    },
                    variables=self._variables,
                )
                async with asyncio.timeout(3.0):
                    await self._connected.wait()
                    await in_stasis.wait()
        except TimeoutError as error:
            await self.close()
            raise AriUnreachable("The AudioSocket leg did not come up within 3 s.") from error
        except AriError:
            await self.close()
            raise

    async def play(self, pcm: bytes, mark: str) -> None:
        """Queue a whole utterance; ``PlaybackFinished(mark)`` follows when its last frame has left."""
        self._playout.queue.append(_Utterance(pcm, mark))

    async def flush(self) -> None:
        """Stop at the next frame."""
        self._playout.queue.clear()

    async def close(self) -> None:
        """Drop the connection and hang the channel up; idempotent."""
        self._closing = True
        self._server.forget(self)
        if self._writer is not None:
            self._writer.close()
        with contextlib.suppress(AriUnreachable):
            await self._ari.channels.hangup(self.channel_id)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the audio both ways until one end closes; called by the server."""
        self._writer = writer
        self._connected.set()
        mouth = asyncio.create_task(self._speak(writer), name=f"audiosocket-{self.channel_id}")
        try:
            while True:
                kind, payload = await read_message(reader)
                if kind == _AUDIO:
                    self._inbox.put_nowait(AudioFrame(payload))
                elif kind in (_HANGUP, _ERROR):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            log.debug("AudioSocket %s ended", self.channel_id)
        finally:
            await cancel_and_wait(mouth)
            if not self._closing:
                self._inbox.put_nowait(MediaLost("audio socket closed"))

    async def _speak(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not writer.is_closing():
            frame, mark = self._playout.next_frame()
            writer.write(struct.pack(">BH", _AUDIO, len(frame)) + frame)
            if mark is not None:
                self._inbox.put_nowait(PlaybackFinished(mark))
            due += FRAME_MS / 1000
            now = loop.time()
            if now - due > _MAX_BEHIND_SECONDS:
                due = now  # after a stall, do not send a burst: the phone would drop it
            await asyncio.sleep(max(0.0, due - now))


class AudioSocketServer:
    """Listens on loopback and gives each connection to the call that expects its UUID."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._expected: dict[str, AudioSocketMedia] = {}
        self._server: asyncio.Server | None = None
        self._lines = LogRate(log, "AudioSocket connections of strangers")

    @property
    def address(self) -> str:
        """``host:port`` for Asterisk to connect to."""
        return host_port(self._host, self._port)

    @property
    def is_listening(self) -> bool:
        """False before :meth:`start`, and for ever where audio goes by websocket."""
        return self._server is not None

    async def start(self) -> None:
        """Begin to listen; port 0 takes a free one."""
        self._server = await asyncio.start_server(self._connected, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
            for media in tuple(self._expected.values()):
                await media.close()

    def expect(self, media: AudioSocketMedia) -> None:
        """Accept a connection with this call's UUID."""
        self._expected[media.uuid] = media

    def forget(self, media: AudioSocketMedia) -> None:
        """Accept it no more."""
        self._expected.pop(media.uuid, None)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.timeout(2.0):
                kind, payload = await read_message(reader)
            media = self._expected.get(str(uuid.UUID(bytes=payload))) if kind == _ID and len(payload) == 16 else None
            if media is None:
                if self._lines.allows(""):
                    log.warning("An AudioSocket connection without a known call was dropped")
                return
            await media.serve(reader, writer)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            if self._lines.allows(""):
                log.warning("An AudioSocket connection ended before it said which call it was")
        finally:
            writer.close()


async def read_message(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One message: its type and payload. Raises IncompleteReadError at the end of the stream."""
    header = await reader.readexactly(3)
    kind, length = struct.unpack(">BH", header)
    return kind, await reader.readexactly(length) if length else b""
