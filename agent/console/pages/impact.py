"""The impact model: a form, and what comes of it. The answers stand in the address, so a result can be sent on."""

from __future__ import annotations

import asyncio

from aiohttp import web

from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page
from agent.console.views.impact import impact_form, impact_view, read_answers
from agent.impact.model import estimate


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/impact", _impact)]


@page(right=Right.REPORTS)
async def _impact(request: web.Request) -> web.StreamResponse:
    query = dict(request.query)
    inputs, problems = read_answers(query)
    if not query or problems:
        return render(request, "impact.html", {"view": impact_form(inputs, query, problems)})
    result = await asyncio.to_thread(estimate, inputs)
    return render(request, "impact.html", {"view": impact_view(result, query, problems)})
