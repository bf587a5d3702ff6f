"""What changes how the agents work: pause, resume, hand over, take over, listen. Each is in the audit."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from agent.console.api.operation import ApiOperation, Asked
from agent.console.context import ConsoleContext, context_of
from agent.console.control_client import AgentClient, AgentRefuses, AgentSilent
from agent.console.rights import Right
from agent.console.routing import address_of, person_of

log = logging.getLogger(__name__)


class WhichNode(BaseModel):
    """One node, or all."""

    model_config = ConfigDict(extra="forbid")
    node: Annotated[str, StringConstraints(max_length=40)] = ""
    """Empty: all."""


class Phone(BaseModel):
    """The supervisor's own phone."""

    model_config = ConfigDict(extra="forbid")
    phone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+*#_.-]{1,40}$")]
    """As the PBX knows it: ``601``."""


async def _pause(request: web.Request, asked: Asked) -> web.StreamResponse:
    return await _switch(request, asked.body.node, "pause")


async def _resume(request: web.Request, asked: Asked) -> web.StreamResponse:
    return await _switch(request, asked.body.node, "resume")


async def _switch(request: web.Request, node: str, what: str) -> web.StreamResponse:
    results = await switch_agents(request, node, what)
    done = all(result["done"] for result in results.values())
    return web.json_response({"nodes": results}, status=200 if done else 503)


async def switch_agents(request: web.Request, node: str, what: str) -> dict[str, dict[str, Any]]:
    """Have one agent, or all (``""``), ``pause`` or ``resume``; return by node whether it was ``done``, and ``detail``.

    Raises HTTPNotFound for a node that there is not.
    """
    context, person = context_of(request), person_of(request)
    clients = [client for client in context.clients if node in ("", client.name)]
    if not clients:
        raise web.HTTPNotFound(text=f"There is no node {node!r}.")

    async def one(client: AgentClient) -> dict[str, Any]:
        try:
            told = await (client.pause(person.name) if what == "pause" else client.resume(person.name))
        except AgentSilent as error:
            return {"done": False, "detail": error.message}
        return {"done": True, "detail": str(told.get("not_kept", ""))}

    results = dict(zip((client.name for client in clients), await asyncio.gather(*map(one, clients)), strict=True))
    await note_afterwards(context, request, what, {"nodes": results})
    return results


async def note_afterwards(context: ConsoleContext, request: web.Request, what: str, about: Mapping[str, Any]) -> None:
    """Note what was done. A switch for when something is wrong must not need a disk: it was done in any case."""
    try:
        await context.audit.note(person_of(request).name, what, about, address_of(request))
    except (sqlite3.Error, OSError) as error:
        log.error("%s by %s (%s) is not in the audit: %s", what, person_of(request).name, dict(about), error)


async def _act_on_call(request: web.Request, what: str, phone: str = "") -> web.StreamResponse:
    context, person, call_id = context_of(request), person_of(request), request.match_info["call_id"]
    call = context.live.call(person, call_id)
    client = next((one for one in context.clients if call is not None and one.name == call.node), None)
    if call is None or client is None:
        raise web.HTTPNotFound(text="This call does not go on any more.")
    told = {"call": call_id, "node": call.node, **({"phone": phone} if phone else {})}
    await context.audit.note(person.name, what.replace("-", "_"), told, address_of(request))
    if phone:
        answer = await client.ring_supervisor(call_id, what, phone, person.name)
    else:
        answer = await client.hand_over(call_id, person.name)
    return web.json_response({"call": call_id, "node": call.node, **answer})


async def _hand_over(request: web.Request, _: Asked) -> web.StreamResponse:
    return await _act_on_call(request, "hand-over")


async def _take_over(request: web.Request, asked: Asked) -> web.StreamResponse:
    return await _act_on_call(request, "take-over", asked.body.phone)


async def _listen(request: web.Request, asked: Asked) -> web.StreamResponse:
    return await _act_on_call(request, "listen", asked.body.phone)


async def _health(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(await health_of(context_of(request)))


async def health_of(context: ConsoleContext) -> dict[str, Any]:
    """Return how each node is: its feed, its agent's ``/status`` (None where it does not answer, with why)."""

    async def one(client: AgentClient) -> dict[str, Any]:
        feed = asdict(context.live.nodes[client.name])
        try:
            return {"name": client.name, "feed": feed, "status": await client.status(), "problem": ""}
        except AgentSilent as error:
            return {"name": client.name, "feed": feed, "status": None, "problem": error.message}

    nodes = await asyncio.gather(*map(one, context.clients))
    return {"nodes": nodes, "index": context.calls.problem, "indexing": context.calls.indexing}


async def _queues(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(await queues_of(context_of(request)))


async def queues_of(context: ConsoleContext) -> dict[str, Any]:
    """Return how the queues stand now, as the first agent that knows says; ``problem`` where none does."""

    async def one(client: AgentClient) -> Mapping[str, Any]:
        try:
            return await client.queues()
        except (AgentSilent, AgentRefuses) as error:
            return {"queues": [], "problem": error.message}

    told = await asyncio.gather(*map(one, context.clients))
    best = next((answer for answer in told if answer.get("queues") and not answer.get("problem")), None)
    best = best or next(iter(told), {"queues": [], "problem": "No agent is set."})
    return {"queues": list(best.get("queues") or ()), "problem": str(best.get("problem") or "")}


_CALL = "/calls/{call_id}"
OPERATIONS = (
    ApiOperation(
        *("POST", "/pause", _pause, Right.PAUSE, "send new calls to the staff queue from now on"),
        body=WhichNode,
        refusals=(404,),
    ),
    ApiOperation(
        *("POST", "/resume", _resume, Right.PAUSE, "let the agents take calls again"), body=WhichNode, refusals=(404,)
    ),
    ApiOperation(
        *("POST", f"{_CALL}/hand-over", _hand_over, Right.TAKE_OVER, "send a caller to the staff queue now"),
        refusals=(409,),
    ),
    ApiOperation(
        *("POST", f"{_CALL}/take-over", _take_over, Right.TAKE_OVER, "ring your phone and give you the caller"),
        body=Phone,
        refusals=(409,),
    ),
    ApiOperation(
        *("POST", f"{_CALL}/listen", _listen, Right.LISTEN, "ring your phone and let you listen"),
        body=Phone,
        refusals=(409,),
    ),
    ApiOperation("GET", "/queues", _queues, Right.HEALTH, "how the staff queues stand now", quiet=True),
    ApiOperation("GET", "/health", _health, Right.HEALTH, "how agents, dependencies and queues are", quiet=True),
)
