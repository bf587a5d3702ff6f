"""What callers said that nothing took, grouped."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.console.call_query import CallQuery
from agent.console.context import context_of
from agent.console.numbers import without_numbers
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page, person_of
from agent.console.views.call_address import PERIODS, read_address
from agent.console.views.misheard import misheard

MOST_CALLS = 600
"""The latest ones are looked at: their records are read whole."""
_AT_ONCE = 200


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/misheard", _misheard)]


@page(right=Right.MISHEARD)
async def _misheard(request: web.Request) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    address = read_address(request.query.items())
    days = {name: text for name, text in address.api_pairs(context.now()) if name in ("from", "to")}
    query = CallQuery.model_validate({**days, "limit": _AT_ONCE})
    records: list[Mapping[str, Any]] = []
    more = True
    while more and len(records) < MOST_CALLS:
        found = await context.calls.find(query, person)
        ids = [line.id for line in found.lines]
        part = await asyncio.to_thread(context.history.index.records, ids)
        records += [record if person.may(Right.NUMBERS) else without_numbers(record) for record in part.values()]
        query, more = query.model_copy(update={"after": found.next}), bool(found.next)
    view = misheard(records)
    values = {"view": dataclasses.replace(view, more=more), "address": address, "periods": PERIODS, "rights": " ".join(person.rights)}
    return render(request, "misheard.html", values)
