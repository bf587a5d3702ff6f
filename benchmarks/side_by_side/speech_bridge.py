"""Speech bridge of the rival bot: feeds one recognition server connection as Asterisk's bridge does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence

import aiohttp

from agent.common.tasks import cancel_and_wait


class SpeechBridge:
    """Collects audio into pieces of ``piece_bytes``, sends each, and hands on what comes back.

    ``on_text(text, final)`` is called in the reader task; empty texts are passed over, as in the bridge.
    """

    def __init__(self, url: str, piece_bytes: int, on_text: Callable[[str, bool], None]) -> None:
        self._url = url
        self._piece_bytes = piece_bytes
        self._on_text = on_text
        self._audio = bytearray()
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def open(self, session: aiohttp.ClientSession, phrases: Sequence[str] | None) -> None:
        """Connect; with ``phrases`` they are all the server listens for."""
        self._socket = await session.ws_connect(self._url, compress=0)
        if phrases is not None:
            await self._socket.send_str(json.dumps({"config": {"phrase_list": list(phrases)}}, ensure_ascii=False))
        self._tasks = [asyncio.create_task(self._send(self._socket)), asyncio.create_task(self._read(self._socket))]

    def feed(self, pcm: bytes) -> None:
        """Take a frame of audio."""
        self._audio += pcm
        while len(self._audio) >= self._piece_bytes:
            self._pieces.put_nowait(bytes(self._audio[: self._piece_bytes]))
            del self._audio[: self._piece_bytes]

    async def close(self) -> None:
        """Close; idempotent."""
        await cancel_and_wait(*self._tasks)
        if self._socket is not None:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self._socket.close()

    async def _send(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while (piece := await self._pieces.get()) is not None:
            await socket.send_bytes(piece)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                answer = json.loads(message.data)
                text = str(answer.get("text") or answer.get("partial") or "")
                if text:
                    self._on_text(text, "text" in answer)
