"""Checks what our manager-interface (AMI) user may do: log in, read queues, and nothing dangerous."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

from agent.common.addresses import host_port
from agent.preflight.finding import Finding

_SECONDS = 3.0
_MAX_LINES = 2000
_PRIVILEGES = re.compile(r"\(Priv: ([^)]*)\)\s*$")
_FIX = (
    "compare [orderline] in manager.conf (secret, read=reporting, write=reporting, permit) with ami.user and "
    "ami.secret_file; then: asterisk -rx 'manager reload'"
)


async def ami_findings(host: str, port: int, user: str, secret: str) -> AsyncIterator[Finding]:
    """Log in, ask for the queues, try what must be refused, log off. Never raises for what the far end does."""
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        yield Finding(
            "AMI",
            "failed",
            f"{host_port(host, port)}: {error or 'no answer'}",
            "in manager.conf: enabled=yes, bindaddr=127.0.0.1, port as ami.port; then: asterisk -rx 'manager reload'",
        )
        return
    try:
        async with asyncio.timeout(_SECONDS):
            await reader.readline()  # Asterisk Call Manager/x.y.z
            login = {"Action": "Login", "Username": user, "Secret": secret, "Events": "off"}
            if (await _ask(reader, writer, login)).get("response") != "Success":
                yield Finding("AMI user", "failed", f"{user} at {host_port(host, port)} is refused", _FIX)
                return
            yield Finding("AMI user", "ok", f"{user} may log in at {host_port(host, port)}")
            if (await _ask(reader, writer, {"Action": "QueueSummary"})).get("response") != "Success":
                yield Finding("AMI rights", "failed", "QueueSummary is refused", _FIX)
                return
            allowed = await _ask(reader, writer, {"Action": "ListCommands"})
            beyond = rights_beyond(allowed)
            refused = await _ask(reader, writer, {"Action": "Command", "Command": "core show version"})
            if refused.get("response") not in ("Error", ""):
                beyond.add("command")
            if beyond:
                yield Finding(
                    "AMI rights",
                    "warning",
                    f"the user has the rights {', '.join(sorted(beyond))}: more than the agent needs",
                    f"read=reporting and write=reporting for [{user}] in manager.conf; "
                    "then: asterisk -rx 'manager reload'",
                )
            else:
                yield Finding("AMI rights", "ok", "it may ask for queues and run no commands")
    except (OSError, TimeoutError, ValueError) as error:
        yield Finding("AMI", "failed", f"{host_port(host, port)} does not speak AMI: {error or 'no answer'}", _FIX)
    finally:
        writer.close()


def rights_beyond(commands: Mapping[str, str]) -> set[str]:
    """Return the classes a user has beyond reporting; the answer to ``ListCommands`` is action -> ``(Priv: a,b)``."""
    asked: list[set[str]] = []
    for text in commands.values():
        if classes := _PRIVILEGES.search(text):
            names = {name.strip() for name in classes[1].split(",")} - {"all", "<none>", ""}
            if names and "reporting" not in names:
                asked.append(names)
    found = {name for names in asked if len(names) == 1 for name in names}
    # any one class of several is enough for an action; which one a user has is only known from the others
    return found | {" or ".join(sorted(names)) for names in asked if not names & found}


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, action: Mapping[str, str]) -> dict[str, str]:
    """Send one action; return the fields of its response, keys in small letters. Events in between are passed over."""
    writer.write("".join(f"{key}: {value}\r\n" for key, value in action.items()).encode() + b"\r\n")
    await writer.drain()
    fields: dict[str, str] = {}
    for _ in range(_MAX_LINES):
        line = await reader.readline()
        if not line:
            raise OSError("the connection was closed")
        text = line.decode("utf-8", "replace").strip()
        if text:
            key, _, value = text.partition(":")
            fields.setdefault(key.strip().lower(), value.strip())
        elif "response" in fields:
            return fields
        else:
            fields = {}
    raise ValueError("an answer without end")
