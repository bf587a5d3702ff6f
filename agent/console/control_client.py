"""Speaks to the running agents of one or several nodes through their own HTTP servers, with their tokens."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from agent.common.untrusted import parse_json
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

_SECONDS = 3.0
_HEARTBEAT_SECONDS = 10.0
_TAKE_OVER_SECONDS = 40.0
"""A phone is rung meanwhile."""
_MOST_BYTES = 8_000_000


class AgentSilent(OrderlineError):
    """An agent does not answer, or refuses."""

    code = "agent_silent"
    retryable = True


class AgentRefuses(OrderlineError):
    """An agent answers that it will not do what is asked: no such call, no such phone."""

    code = "agent_refuses"


@dataclass(frozen=True)
class NodeAddress:
    """One node's agent."""

    name: str
    url: str
    """``http://127.0.0.1:8188``."""
    token: Callable[[], str]
    """Reads the bearer token; a new one is taken up without a restart. Raises OrderlineError."""


class AgentClient:
    """One node's agent. Methods raise :class:`AgentSilent`."""

    def __init__(self, address: NodeAddress, session: aiohttp.ClientSession) -> None:
        """``session`` is shared by all nodes and belongs to the caller."""
        self.address = address
        self._session = session

    @property
    def name(self) -> str:
        """The node's name."""
        return self.address.name

    async def status(self) -> Mapping[str, Any]:
        """Return the agent's ``/status``: calls, dependencies, procedures, pause."""
        return await self._ask("GET", "/status")

    async def calls(self) -> Mapping[str, Any]:
        """Return ``{"paused": ..., "calls": [...]}``."""
        return await self._ask("GET", "/calls")

    async def queues(self) -> Mapping[str, Any]:
        """Return ``{"queues": [...], "problem": ""}``: how the staff queues stand now. Also raises AgentRefuses."""
        return await self._ask("GET", "/queues")

    async def pause(self, by: str) -> Mapping[str, Any]:
        """Send new calls to the staff queue from now on."""
        return await self._ask("POST", "/pause", {"by": by})

    async def resume(self, by: str) -> Mapping[str, Any]:
        """Let the agent take calls again."""
        return await self._ask("POST", "/resume", {"by": by})

    async def hand_over(self, call_id: str, by: str) -> Mapping[str, Any]:
        """Have one call go to the staff queue now. Also raises :class:`AgentRefuses`."""
        return await self._ask("POST", f"/calls/{quote(call_id, safe='')}/hand-over", {"by": by})

    async def ring_supervisor(self, call_id: str, what: str, phone: str, by: str) -> Mapping[str, Any]:
        """Ring a supervisor's phone and let it ``listen`` to a call, or ``take-over``. Also raises AgentRefuses."""
        path = f"/calls/{quote(call_id, safe='')}/{what}"
        return await self._ask("POST", path, {"by": by, "phone": phone}, seconds=_TAKE_OVER_SECONDS)

    async def feed(self, *, after: int, epoch: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the live feed's messages after a place, what was missed first, until the connection ends.

        Raises :class:`AgentSilent` where there is no connection, or no more.
        """
        where = {"after": str(after), "epoch": epoch}
        try:
            async with self._session.ws_connect(
                f"{self.address.url}/live",
                params=where,
                headers=self.headers(),
                heartbeat=_HEARTBEAT_SECONDS,
                max_msg_size=_MOST_BYTES,
            ) as socket:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT and (told := self._told(message.data)) is not None:
                        yield told
        except aiohttp.WSServerHandshakeError as error:
            why = "refuses the console's token" if error.status == 401 else f"answers with {error.status}"
            raise AgentSilent(f"The agent of {self.name} {why}.") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AgentSilent(f"The agent of {self.name} does not answer at {self.address.url}: {error}") from error

    def _told(self, text: str) -> Mapping[str, Any] | None:
        try:
            told = parse_json(text, most_chars=_MOST_BYTES)
        except ValueError as error:
            log.warning("The feed of %s sent something that is no JSON (%s); passed over", self.name, error)
            return None
        return told if isinstance(told, dict) else None

    def headers(self) -> dict[str, str]:
        """Return the headers that open the agent's server. Raises :class:`AgentSilent` without a token."""
        try:
            return {"Authorization": f"Bearer {self.address.token()}"}
        except OrderlineError as error:
            raise AgentSilent(f"{self.name}: {error.message}") from error

    async def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = _SECONDS
    ) -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._session.request(
                method, self.address.url + path, json=body, headers=self.headers(), timeout=timeout
            ) as answer:
                content = await answer.content.read(_MOST_BYTES)
                text = content.decode("utf-8", "replace")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = str(error) or "it takes too long"
            raise AgentSilent(f"The agent of {self.name} does not answer at {self.address.url}: {why}") from error
        if answer.status == 401:
            raise AgentSilent(f"The agent of {self.name} refuses the console's token: is control.token_file the same?")
        if 400 <= answer.status < 500:
            raise AgentRefuses(text.strip()[:300] or f"The agent of {self.name} refuses ({answer.status}).")
        try:
            told = parse_json(text, most_chars=_MOST_BYTES)
        except ValueError as error:
            raise AgentSilent(f"The agent of {self.name} answers with something that is no JSON: {error}") from error
        if answer.status != 200 or not isinstance(told, dict):
            raise AgentSilent(f"The agent of {self.name} answers with {answer.status}.")
        return told
