"""The addresses of all pages."""

from __future__ import annotations

from aiohttp import web

from agent.console.pages import (
    account,
    audit,
    builder,
    calls,
    impact,
    live,
    misheard,
    outbound,
    people,
    reports,
    service,
    shop_words,
)


def page_routes() -> list[web.RouteDef]:
    """Return the routes of all pages; each handler is marked with the right it needs."""
    return [
        *live.routes(),
        *calls.routes(),
        *misheard.routes(),
        *reports.routes(),
        *impact.routes(),
        *service.routes(),
        *outbound.routes(),
        *shop_words.routes(),
        *builder.routes(),
        *people.routes(),
        *audit.routes(),
        *account.routes(),
    ]
