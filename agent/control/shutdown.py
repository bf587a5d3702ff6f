"""Shutdown of a running agent: the ``POST /stop`` endpoint and ``orderline stop``, which asks for it."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass

import requests
from aiohttp import web

from agent.common.addresses import local_url
from agent.common.untrusted import finite_number
from agent.config.control import ControlSettings
from agent.control.request_body import json_body

DRAIN_SECONDS = 300.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class StopRequest:
    """What was asked for."""

    drain_seconds: float = 0.0
    """How long live calls may go on; 0 hands them over at once."""


class StopEndpoint:
    """``POST /stop {"drain": true, "timeout": 60}``."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.request = StopRequest()

    def route(self) -> web.RouteDef:
        """Return the route for the control server."""
        return web.post("/stop", self._stop)

    async def _stop(self, request: web.Request) -> web.Response:
        data = await json_body(request, '{"drain": true, "timeout": 60}')
        try:
            seconds = finite_number(data.get("timeout", DRAIN_SECONDS)) if data.get("drain") else 0.0
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"Not a stop request: {error}\n") from error
        self.request = StopRequest(max(0.0, seconds))
        self.asked.set()
        return web.json_response({"stopping": True, "drain_seconds": self.request.drain_seconds})


def stop_agent(control: ControlSettings, *, drain: bool, timeout_seconds: float, name: str = "") -> int:
    """Ask the agent to stop and wait until it has; 0 when it is gone, 1 when it does not answer or does not end.

    ``name`` stands before what is printed.
    """
    url = local_url(control.host, control.port)
    headers = {"Authorization": f"Bearer {control.token()}"}
    try:
        body = {"drain": drain, "timeout": timeout_seconds}
        requests.post(f"{url}/stop", json=body, headers=headers, timeout=3).raise_for_status()
    except requests.RequestException as error:
        print(f"orderline: {name}the agent does not answer at {url}: {error}", file=sys.stderr)
        return 1
    deadline = time.monotonic() + (timeout_seconds if drain else 0.0) + 15.0
    while time.monotonic() < deadline:
        try:
            calls = requests.get(f"{url}/health", headers=headers, timeout=3).json()["live_calls"]
            print(f"{name}stopping, {calls} live calls", flush=True)
        except (requests.RequestException, ValueError, KeyError):
            print(f"{name}stopped")
            return 0
        time.sleep(_POLL_SECONDS if not drain else 1.0)
    print(f"orderline: {name}the agent has not stopped", file=sys.stderr)
    return 1
