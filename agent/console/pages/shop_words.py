"""Promotions and answers, as the procedures' knowledge file has them: for the shop's staff, to be read."""

from __future__ import annotations

from aiohttp import web

from agent.console.context import context_of
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page
from agent.console.views.shop_words import answer_rows, promotion_rows


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/promotions", _promotions), web.get("/answers", _answers)]


@page(right=Right.PROMOTIONS)
async def _promotions(request: web.Request) -> web.StreamResponse:
    reading = await context_of(request).procedures.read()
    rows = promotion_rows(reading.contents, context_of(request).now().date())
    return render(request, "promotions.html", {"rows": rows, "problems": reading.problems})


@page(right=Right.ANSWERS)
async def _answers(request: web.Request) -> web.StreamResponse:
    reading = await context_of(request).procedures.read()
    return render(request, "answers.html", {"rows": answer_rows(reading.contents), "problems": reading.problems})
