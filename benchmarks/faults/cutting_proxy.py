"""Proxy between the agent and Asterisk's HTTP server that can cut the event stream or the audio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(eq=False)
class _Wire:
    kind: str
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter

    def look(self, data: bytes) -> None:
        """See what goes out: a connection that served requests may become an event stream or audio later."""
        if data.startswith(b"GET /ari/events"):
            self.kind = "events"
        elif data.startswith(b"GET /media/"):
            self.kind = "media"


class CuttingProxy:
    """Passes bytes on, and knows event streams (``/ari/events``) and audio (``/media/``) by their requests."""

    def __init__(self, host: str, port: int) -> None:
        """``host`` and ``port`` are Asterisk's."""
        self._host, self._port = host, port
        self._wires: set[_Wire] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where the agent should find Asterisk."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut everything and listen no more."""
        if self._server is not None:
            self._server.close()
        self.cut("")

    def cut(self, kind: str) -> int:
        """Cut the wires of one kind (``events``, ``media``), ``""`` for all; returns how many."""
        wires = [wire for wire in self._wires if kind in ("", wire.kind)]
        for wire in wires:
            wire.near.transport.abort()
            wire.far.transport.abort()
        return len(wires)

    async def _connect(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            far_reader, far = await asyncio.open_connection(self._host, self._port)
        except OSError:
            near.transport.abort()
            return
        wire = _Wire("requests", near, far)
        self._wires.add(wire)
        try:
            await asyncio.gather(_pass_on(reader, far, wire.look), _pass_on(far_reader, near))
        finally:
            self._wires.discard(wire)


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Callable[[bytes], None] = lambda data: None
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            look(data)
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()
