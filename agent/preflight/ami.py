"""Checks what our manager-interface (AMI) user may do: log in, read queues, and nothing dangerous."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping

from agent.asterisk.manager import ManagerConversation, manager_conversation
from agent.common.addresses import host_port
from agent.preflight.finding import Finding

_SECONDS = 3.0
_PRIVILEGES = re.compile(r"\(Priv: ([^)]*)\)\s*$")
_FIX = (
    "compare [orderline] in manager.conf (secret, read=reporting, write=reporting, permit) with ami.user and "
    "ami.secret_file; then: asterisk -rx 'manager reload'"
)
_FIX_UNREACHED = (
    "in manager.conf: enabled=yes, bindaddr=127.0.0.1, port as ami.port; then: asterisk -rx 'manager reload'"
)


async def ami_findings(host: str, port: int, user: str, secret: str) -> AsyncIterator[Finding]:
    """Log in, ask for the queues, try what must be refused, log off. Never raises for what the far end does."""
    place = host_port(host, port)
    found: list[Finding] = []
    reached = False
    try:
        async with asyncio.timeout(_SECONDS), manager_conversation(host, port) as manager:
            reached = True
            found.append(await _login_finding(manager, place, user, secret))
            if found[0].verdict == "ok":
                found.append(await _rights_finding(manager, user))
    except (OSError, TimeoutError, ValueError) as error:
        reason = error or "no answer"
        if reached:
            found.append(Finding("AMI", "failed", f"{place} does not speak AMI: {reason}", _FIX))
        else:
            found.append(Finding("AMI", "failed", f"{place}: {reason}", _FIX_UNREACHED))
    for finding in found:
        yield finding


async def _login_finding(manager: ManagerConversation, place: str, user: str, secret: str) -> Finding:
    login = await manager.ask("Login", Username=user, Secret=secret, Events="off")
    if login["response"] != "Success":
        return Finding("AMI user", "failed", f"{user} at {place} is refused", _FIX)
    return Finding("AMI user", "ok", f"{user} may log in at {place}")


async def _rights_finding(manager: ManagerConversation, user: str) -> Finding:
    if (await manager.ask("QueueSummary"))["response"] != "Success":
        return Finding("AMI rights", "failed", "QueueSummary is refused", _FIX)
    beyond = rights_beyond(await manager.ask("ListCommands"))
    if (await manager.ask("Command", Command="core show version"))["response"] != "Error":
        beyond.add("command")
    if not beyond:
        return Finding("AMI rights", "ok", "it may ask for queues and run no commands")
    return Finding(
        "AMI rights",
        "warning",
        f"the user has the rights {', '.join(sorted(beyond))}: more than the agent needs",
        f"read=reporting and write=reporting for [{user}] in manager.conf; then: asterisk -rx 'manager reload'",
    )


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
