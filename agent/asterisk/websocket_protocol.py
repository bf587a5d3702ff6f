"""chan_websocket's media socket: raw frames both ways and its text commands (Asterisk >= 20.18, 22.8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import aiohttp

from agent.asterisk.ari.client import AriClient
from agent.asterisk.ari.errors import AriUnreachable
from agent.common.tasks import cancel_and_wait

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 32000
"""Asterisk takes messages of up to 65,500 bytes; 2 s of audio is a round and safe piece."""


class MediaSocket:
    """One websocket to ``/media/<connection id>``.

    ``on_audio(pcm)`` and ``on_text(message)`` are called in the reader task, in order; ``on_closed()`` once, when the
    far end or :meth:`close` ended it. Asterisk paces what we send: hand over whole utterances.
    """

    def __init__(
        self,
        on_audio: Callable[[bytes], None],
        on_text: Callable[[str], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._on_audio = on_audio
        self._on_text = on_text
        self._on_closed = on_closed
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._may_send = asyncio.Event()
        self._may_send.set()

    async def connect(self, ari: AriClient, connection_id: str) -> None:
        """Connect with the ARI client's credentials. Raises AriUnreachable."""
        try:
            self._socket = await ari.streams.ws_connect(
                f"{ari.url}/media/{connection_id}",
                protocols=("media",),
                compress=0,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AriUnreachable(f"No media socket for {connection_id}: {error or type(error).__name__}") from error
        self._reader = asyncio.create_task(self._read(self._socket), name=f"media-{connection_id}")

    @property
    def is_open(self) -> bool:
        """True while audio can be sent."""
        return self._socket is not None and not self._socket.closed

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    self._on_audio(message.data)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self._take_text(message.data)
        finally:
            self._may_send.set()
            self._on_closed()

    def _take_text(self, text: str) -> None:
        if text.startswith("MEDIA_XOFF"):
            self._may_send.clear()
        elif text.startswith("MEDIA_XON"):
            self._may_send.set()
        else:
            self._on_text(text)

    async def send_audio(self, pcm: bytes) -> None:
        """Send audio of any length; waits while Asterisk's queue (20 s) is full. A closed socket swallows it."""
        for start in range(0, len(pcm), MAX_MESSAGE_BYTES):
            await self._may_send.wait()
            await self._send(pcm[start : start + MAX_MESSAGE_BYTES])

    async def command(self, text: str) -> None:
        """Send a text command (``FLUSH_MEDIA``, ``MARK_MEDIA id``, ...). A closed socket swallows it."""
        if text.startswith("FLUSH_MEDIA"):
            self._may_send.set()  # a flush empties the queue, and no XON follows
        await self._send(text)

    async def _send(self, data: bytes | str) -> None:
        if not self.is_open or self._socket is None:
            return
        try:
            if isinstance(data, bytes):
                await self._socket.send_bytes(data)
            else:
                await self._socket.send_str(data)
        except (aiohttp.ClientError, OSError) as error:
            log.debug("Media socket gone while sending: %s", error)

    async def close(self) -> None:
        """Close; idempotent."""
        if self._socket is not None and not self._socket.closed:
            await self._socket.close()
        if self._reader is not None and self._reader is not asyncio.current_task():
            await cancel_and_wait(self._reader)
