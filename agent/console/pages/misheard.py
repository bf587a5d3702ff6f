"""What callers said that nothing took, grouped."""

from __future__ import annotations

import asyncio
import csv
import dataclasses
import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from agent.console.call_query import CallQuery
from agent.console.context import context_of
from agent.console.numbers import without_numbers
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import address_of as browser_address
from agent.console.routing import page, person_of
from agent.console.views.call_address import PERIODS, CallAddress, read_address
from agent.console.views.misheard import MisheardView, misheard
from agent.history.export import guarded

MOST_CALLS = 600
"""The latest ones are looked at: their records are read whole."""
_AT_ONCE = 200


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/misheard", _misheard), web.get("/misheard.csv", _csv)]


@page(right=Right.MISHEARD)
async def _misheard(request: web.Request) -> web.StreamResponse:
    address = read_address(request.query.items())
    values = {"view": await _found(request, address), "address": address, "periods": PERIODS}
    return render(request, "misheard.html", {**values, "csv": f"/misheard.csv?{urlencode(address.pairs())}"})


@page(right=Right.EXPORT)
async def _csv(request: web.Request) -> web.StreamResponse:
    """Send the groups of the page as CSV."""
    context, person = context_of(request), person_of(request)
    if not person.may(Right.MISHEARD):
        raise web.HTTPForbidden(text="It needs the right misheard as well.")
    address = read_address(request.query.items())
    view = await _found(request, address)
    about = {"what": "not understood", "filter": urlencode(address.pairs())}
    await context.audit.note(person.name, "export", about, browser_address(request))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("times", "sentence", "asked", "step"))
    writer.writerows(map(guarded, (one.times, one.sentence, one.asked, one.step)) for one in view.groups)
    name = f"not-understood-{context.now():%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=text.getvalue(), content_type="text/csv", headers=headers)


async def _found(request: web.Request, address: CallAddress) -> MisheardView:
    context, person = context_of(request), person_of(request)
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
    return dataclasses.replace(misheard(records), more=more)
