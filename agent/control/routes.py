"""The control server's routes for supervisors: active calls, pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from agent.control.pause import PauseSwitch
from agent.control.request_body import json_body


def control_routes(pause: PauseSwitch, calls: Callable[[], Sequence[Any]]) -> list[web.RouteDef]:
    """Return the routes ``GET /calls``, ``POST /pause`` and ``POST /resume``; the two take ``{"by": "who"}``.

    Their answers say in ``not_kept`` why what was asked for will not outlive a restart, ``""`` when it will.
    """

    async def live(_: web.Request) -> web.Response:
        paused = pause.now
        return web.json_response({"paused": asdict(paused) if paused else None, "calls": calls()})

    async def begin(request: web.Request) -> web.Response:
        begun = pause.begin(await _who(request))
        return web.json_response({**asdict(begun), "not_kept": pause.not_kept})

    async def end(request: web.Request) -> web.Response:
        pause.end(await _who(request))
        return web.json_response({"paused": None, "not_kept": pause.not_kept})

    return [web.get("/calls", live), web.post("/pause", begin), web.post("/resume", end)]


async def _who(request: web.Request) -> str:
    by = (await json_body(request, '{"by": "who"}')).get("by", "")
    return by if isinstance(by, str) else ""
