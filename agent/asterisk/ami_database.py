"""Reads values of Asterisk's own database over the manager interface (AMI): what the dialplan noted of a call.

ARI may not: Asterisk blocks the function ``DB`` for programs outside unless ``live_dangerously`` is set. The action
DBGet needs no more than the class ``reporting``. It is asked seldom, so each question has a connection of its own.
"""

from __future__ import annotations

import asyncio

from agent.asterisk.ami_queues import ManagerAddress
from agent.asterisk.manager import ManagerConversation, manager_conversation
from agent.errors import OrderlineError

ANSWER_SECONDS = 3.0
"""A manager that has not answered after this long is not asked further."""


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
            async with (
                asyncio.timeout(self._answer_seconds),
                manager_conversation(self._address.host, self._address.port) as manager,
            ):
                return await self._ask(manager, family, key)
        except (OSError, TimeoutError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ManagerUnavailable(f"The manager interface does not answer: {reason}") from error

    async def _ask(self, manager: ManagerConversation, family: str, key: str) -> str:
        user = self._address.user
        login = await manager.ask("Login", Username=user, Secret=self._address.secret, Events="off")
        if login["response"] != "Success":
            raise ManagerUnavailable(f"The manager interface refuses {user}: {login.get('message', '')}")
        answer = await manager.ask("DBGet", Family=family, Key=key)
        if answer["response"] == "Success":
            return (await manager.event("DBGet", "DBGetResponse")).get("val", "")
        message = answer.get("message", "")
        if "not found" in message.lower():
            return ""
        raise ManagerUnavailable(f"The manager interface refuses DBGet: {message}")
