"""The control server's routes for supervisors: calls, queues, pause, resume; one call to the queue or to a phone."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from aiohttp import web

from agent.call.queue_status import StaffQueues
from agent.control.pause import PauseSwitch, clean_name
from agent.control.request_body import json_body

log = logging.getLogger(__name__)

_PHONE = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""No sign that could make it an address elsewhere."""
SUPERVISOR_ASKED = "supervisor_asked"
"""The reason of a hand-over that a supervisor wanted."""

HandOverOne = Callable[[str, str], bool]
"""``hand_over(call_id, reason)`` has one call go to the staff queue; False where it does not go on."""
RingSupervisor = Callable[[str, str, str], Awaitable[str]]
"""``ring(call_id, what, phone)`` rings a supervisor's phone to ``listen`` to a call or to ``take-over``.

Returns why that cannot be, ``""`` when the phone rings.
"""


def call_routes(hand_over: HandOverOne, ring: RingSupervisor) -> list[web.RouteDef]:
    """Return the routes of one call.

    ``POST /calls/{id}/hand-over`` with ``{"by": "who"}``; ``.../listen`` and ``.../take-over`` with
    ``{"by": "who", "phone": "601"}``. 404: the call does not go on; 409: the phone cannot ring.
    """

    async def give(request: web.Request) -> web.Response:
        call_id, by = request.match_info["call_id"], await _who(request)
        if not hand_over(call_id, SUPERVISOR_ASKED):
            raise web.HTTPNotFound(text="This call does not go on any more.\n")
        log.warning("Call %s goes to the staff queue: %s wants it", call_id, clean_name(by) or "somebody")
        return web.json_response({"done": True})

    async def ring_phone(request: web.Request) -> web.Response:
        call_id, what = request.match_info["call_id"], request.match_info["what"]
        body = await json_body(request, '{"by": "who", "phone": "601"}')
        phone, by = body.get("phone"), body.get("by")
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            raise web.HTTPBadRequest(text="'phone' is the name of a phone as the PBX knows it: 601.\n")
        if refusal := await ring(call_id, what, phone):
            raise web.HTTPConflict(text=f"{refusal}\n")
        log.warning("%s rings for %s: %s of call %s", phone, clean_name(str(by or "")) or "somebody", what, call_id)
        return web.json_response({"done": True})

    return [
        web.post("/calls/{call_id}/hand-over", give),
        web.post("/calls/{call_id}/{what:listen|take-over}", ring_phone),
    ]


def queue_routes(queues: StaffQueues | None) -> list[web.RouteDef]:
    """Return the route ``GET /queues``: how the staff queues stand now, and in ``problem`` why that is not known.

    A queue of which Asterisk does not tell has null for ``callers``, ``available`` and ``logged_in``.
    """

    async def standings(_: web.Request) -> web.Response:
        try:
            found = await queues.standings() if queues is not None else []
        except (OSError, ValueError) as error:  # a file of holidays
            return web.json_response({"queues": [], "problem": str(error)})
        told = [
            {
                "name": one.name,
                **asdict(one.report),
                "callers": one.state.callers if one.state else None,
                "available": one.state.available if one.state else None,
                "logged_in": one.state.logged_in if one.state else None,
            }
            for one in found
        ]
        return web.json_response({"queues": told, "problem": queues.problem if queues is not None else ""})

    return [web.get("/queues", standings)]


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
