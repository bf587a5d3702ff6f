"""A short conversation with Asterisk's manager interface (AMI): an action, its response, the event that follows it.

For questions asked seldom, each with a connection of its own. The queues are watched over a connection that stays
(:mod:`agent.asterisk.ami_queues`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

_MOST_LINES = 2000
_LINE_BREAKS = str.maketrans("", "", "\r\n")


class ManagerConversation:
    """One connection, one action at a time; see :func:`manager_conversation`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, action: str, **headers: str) -> dict[str, str]:
        """Send an action; return its response, header in small letters -> value.

        A header that comes twice keeps its first value. Raises OSError for a connection that ends, ValueError for what
        is not AMI.
        """
        lines = [f"{name}: {value.translate(_LINE_BREAKS)}" for name, value in headers.items()]
        head = [f"Action: {action}", f"ActionID: {action.lower()}"]
        self._writer.write("".join(f"{line}\r\n" for line in [*head, *lines, ""]).encode())
        await self._writer.drain()
        return await self._packet(action, "response")

    async def event(self, action: str, name: str) -> dict[str, str]:
        """Return the next event of a name that answers an action asked before; raises as :meth:`ask`."""
        while (packet := await self._packet(action, "event"))["event"] != name:
            pass
        return packet

    async def _packet(self, action: str, header: str) -> dict[str, str]:
        """Return the next packet that answers an action and has a header; others are passed over."""
        found: dict[str, str] = {}
        for _ in range(_MOST_LINES):
            line = await self._reader.readline()
            if not line:
                raise OSError("the connection was closed")
            if text := line.decode("utf-8", "replace").strip():
                name, _, value = text.partition(":")
                found.setdefault(name.strip().lower(), value.strip())
            elif header in found and found.get("actionid") == action.lower():
                return found
            else:
                found = {}
        raise ValueError("an answer without end")


@contextlib.asynccontextmanager
async def manager_conversation(host: str, port: int) -> AsyncIterator[ManagerConversation]:
    """Connect and read the greeting; nobody is logged in yet. Raises OSError and ValueError; set a time limit."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        await reader.readline()  # Asterisk Call Manager/x.y.z
        yield ManagerConversation(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
