"""What callers said that nothing took, grouped."""

from __future__ import annotations

import dataclasses

from aiohttp import web

from agent.console.context import context_of
from agent.console.recent_records import recent_records
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page, person_of
from agent.console.views.call_address import PERIODS, read_address
from agent.console.views.misheard import misheard


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/misheard", _misheard)]


@page(right=Right.MISHEARD)
async def _misheard(request: web.Request) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    address = read_address(request.query.items())
    days = {name: text for name, text in address.api_pairs(context.now()) if name in ("from", "to")}
    records, more = await recent_records(context, person, days)
    view = misheard(records)
    values = {
        "view": dataclasses.replace(view, more=more),
        "address": address,
        "periods": PERIODS,
        "rights": " ".join(person.rights),
    }
    return render(request, "misheard.html", values)
