"""The addresses of all pages."""

from __future__ import annotations

from aiohttp import web

from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page


def page_routes() -> list[web.RouteDef]:
    """Return the routes of all pages; each handler is marked with the right it needs."""
    return [web.get("/account", _account)]


@page(right=Right.ACCOUNT)
async def _account(request: web.Request) -> web.StreamResponse:
    return render(request, "account.html")
