"""Calls that go on: printed as they are now, then kept up to date in the browser."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from aiohttp import web

from agent.console.api.actions import health_of, switch_agents
from agent.console.api.calls import MOST_COUNTED
from agent.console.call_query import CallQuery
from agent.console.context import context_of
from agent.console.pages.forms import sent_form
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page, person_of
from agent.console.views.live import NodeView, live_calls, node_views

_ACTIONS = (Right.TAKE_OVER, Right.LISTEN)


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/live", _live), web.post("/live/pause", _pause), web.post("/live/resume", _resume)]


@page(right=Right.LIVE)
async def _live(request: web.Request) -> web.StreamResponse:
    return await _live_page(request)


async def _live_page(request: web.Request, problem: str = "") -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    nodes, preferences = await asyncio.gather(_nodes(request), context.accounts.preferences(person.id))
    values = {
        "calls": live_calls(context.live.snapshot(person)["calls"], context.now()),
        "nodes": nodes,
        "paused": [node for node in nodes if node.paused],
        "problem": problem or request.query.get("problem", ""),
        "phone": preferences.get("phone", ""),
        "rights": " ".join(right for right in _ACTIONS if person.may(right)),
        "today": await _today(request),
    }
    return render(request, "live.html", values)


async def _nodes(request: web.Request) -> tuple[NodeView, ...]:
    return node_views(await health_of(context_of(request)), context_of(request).now().tzinfo)


async def _today(request: web.Request) -> tuple[tuple[str, str, str], ...]:
    """Return figures of the day: words, number, and the address of their calls."""
    context, person = context_of(request), person_of(request)
    if not person.may(Right.CALLS):
        return ()
    day = f"{context.now():%Y-%m-%d}"
    kinds = (
        ("Calls today", ""),
        ("Answered", "answered"),
        ("Handed over", "handed_over"),
        ("Hung up", "caller_hung_up"),
    )
    asked = [
        CallQuery.model_validate({"from": day, **({"outcome": (outcome,)} if outcome else {})}) for _, outcome in kinds
    ]
    counts = await asyncio.gather(*(context.calls.count(query, person, MOST_COUNTED) for query in asked))
    return tuple(
        (name, "–" if count is None else str(count), f"/calls?{urlencode({'when': 'today', **_outcome(outcome)})}")
        for (name, outcome), count in zip(kinds, counts, strict=True)
    )


def _outcome(outcome: str) -> dict[str, str]:
    return {"outcome": outcome} if outcome else {}


@page(right=Right.PAUSE)
async def _pause(request: web.Request) -> web.StreamResponse:
    return await _switch(request, "pause")


@page(right=Right.PAUSE)
async def _resume(request: web.Request) -> web.StreamResponse:
    return await _switch(request, "resume")


async def _switch(request: web.Request, what: str) -> web.StreamResponse:
    node = (await sent_form(request)).text("node")
    results = await switch_agents(request, node, what)
    told = [f"{name}: {result['detail']}" for name, result in results.items() if result["detail"]]
    if told:
        return await _live_page(request, "; ".join(told))
    raise web.HTTPSeeOther("/live")
