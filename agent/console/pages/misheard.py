"""What callers said that nothing took, grouped."""

from __future__ import annotations

import csv
import dataclasses
import io
from urllib.parse import urlencode

from aiohttp import web

from agent.console.context import context_of
from agent.console.recent_records import recent_records
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import address_of as browser_address
from agent.console.routing import page, person_of
from agent.console.views.call_address import PERIODS, CallAddress, read_address
from agent.console.views.misheard import MisheardView, misheard
from agent.history.export import guarded


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/misheard", _misheard), web.get("/misheard.csv", _csv)]


@page(right=Right.MISHEARD)
async def _misheard(request: web.Request) -> web.StreamResponse:
    address = read_address(request.query.items())
    values = {
        "view": await _found(request, address),
        "address": address,
        "periods": PERIODS,
        "rights": " ".join(person_of(request).rights),
        "csv": f"/misheard.csv?{urlencode(address.pairs())}",
    }
    return render(request, "misheard.html", values)


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
    records, more = await recent_records(context, person, days)
    return dataclasses.replace(misheard(records), more=more)
