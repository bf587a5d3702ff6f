"""Reads values of Asterisk's own database over the manager interface (AMI): what the dialplan noted of a call.

ARI may not: Asterisk blocks the function ``DB`` for programs outside unless ``live_dangerously`` is set. The action
DBGet needs no more than the class ``reporting``. It is asked seldom, so each question has a connection of its own.
"""

from __future__ import annotations

import asyncio
import contextlib

from agent.asterisk.ami_queues import ManagerAddress
from agent.errors import OrderlineError

ANSWER_SECONDS = 3.0
"""A manager that has not answered after this long is not asked further."""
_MOST_LINES = 2000
_LINE_BREAKS = str.maketrans("", "", "\r\n")


class ManagerUnavailable(OrderlineError):
    """The manager interface does not answer, or refuses the user."""

    code = "manager_unavailable"


class AsteriskDatabase:
    """The values that ``DB(family/key)`` has in the dialplan."""

    def __init__(self, address: ManagerAddress, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._address = address
        self._answer_seconds = answer_seconds

    async def get(self, family: str, key: str) -> str:
        """Return a value, ``""`` where there is none. Raises ManagerUnavailable."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                reader, writer = await asyncio.open_connection(self._address.host, self._address.port)
                try:
                    return await self._ask(reader, writer, family, key)
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError, EOFError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ManagerUnavailable(f"The manager interface does not answer: {reason}") from error

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, family: str, key: str) -> str:
        await reader.readline()  # the banner
        _send(writer, Action="Login", Username=self._address.user, Secret=self._address.secret, Events="off")
        login = await _packet(reader, "login")
        if login.get("response") != "Success":
            raise ManagerUnavailable(f"The manager interface refuses {self._address.user}: {login.get('message', '')}")
        _send(writer, Action="DBGet", Family=family, Key=key)
        answer = await _packet(reader, "dbget")
        if answer.get("response") != "Success":
            message = answer.get("message", "")
            if "not found" in message.lower():
                return ""
            raise ManagerUnavailable(f"The manager interface refuses DBGet: {message}")
        while answer.get("event") != "DBGetResponse":
            answer = await _packet(reader, "dbget")
        return answer.get("val", "")


def _send(writer: asyncio.StreamWriter, **headers: str) -> None:
    lines = [f"{name}: {value.translate(_LINE_BREAKS)}" for name, value in headers.items()]
    lines.append(f"ActionID: {headers['Action'].lower()}")
    writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())


async def _packet(reader: asyncio.StreamReader, action_id: str) -> dict[str, str]:
    """Return the next packet that answers an action: header in small letters -> value."""
    found: dict[str, str] = {}
    for _ in range(_MOST_LINES):
        line = (await reader.readuntil(b"\n")).decode("utf-8", "replace").strip()
        if line:
            name, _, value = line.partition(":")
            found[name.strip().lower()] = value.strip()
        elif found.get("actionid") == action_id:
            return found
        else:
            found = {}
    raise EOFError("it answered something else")
