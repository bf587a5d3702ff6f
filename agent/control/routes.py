"""The control server's routes for supervisors: active calls, pause, resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from agent.control.pause import PauseError, PauseSwitch


def control_routes(pause: PauseSwitch, calls: Callable[[], Sequence[Any]]) -> list[web.RouteDef]:
    """Return the routes ``GET /calls``, ``POST /pause`` and ``POST /resume``; the two take ``{"by": "who"}``."""

    async def live(_: web.Request) -> web.Response:
        paused = pause.now
        return web.json_response({"paused": asdict(paused) if paused else None, "calls": calls()})

    async def begin(request: web.Request) -> web.Response:
        try:
            return web.json_response(asdict(pause.begin(await _who(request))))
        except PauseError as error:
            raise web.HTTPInternalServerError(text=f"{error.message}\n") from error

    async def end(request: web.Request) -> web.Response:
        try:
            pause.end(await _who(request))
        except PauseError as error:
            raise web.HTTPInternalServerError(text=f"{error.message}\n") from error
        return web.json_response({"paused": None})

    return [web.get("/calls", live), web.post("/pause", begin), web.post("/resume", end)]


async def _who(request: web.Request) -> str:
    if not request.can_read_body:
        return ""
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text='A body is {"by": "who"}.\n') from error
    return str(body.get("by", "")) if isinstance(body, dict) else ""
