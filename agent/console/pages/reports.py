"""Reports: a list of them, and each with plots, tables and links from every number to its calls."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
from contextlib import AbstractContextManager
from functools import partial

from aiohttp import web

from agent.console.context import context_of
from agent.console.rendering import render
from agent.console.rights import ConsolePerson, Right
from agent.console.routing import address_of as browser_address
from agent.console.routing import page, person_of
from agent.console.views.call_address import read_address
from agent.console.views.reports import report_filter, report_period, report_view
from agent.reports.model import Report
from agent.reports.periods import By, InvalidPeriod
from agent.reports.printing import as_json, write_csv
from agent.reports.registry import REPORTS, build_report

_BY: dict[str, By | None] = {"": None, "hour": "hour", "day": "day", "week": "week"}


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/reports", _first),
        web.get("/reports/{name}.{form:csv|json}", _file),
        web.get("/reports/{name}", _report),
    ]


@page(right=Right.REPORTS)
async def _first(_: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther(f"/reports/{next(iter(REPORTS))}")


async def _made(request: web.Request) -> Report:
    context, name = context_of(request), request.match_info["name"]
    if name not in REPORTS:
        raise web.HTTPNotFound(text=f"There is no report {name}. There are {', '.join(REPORTS)}.")
    _refuse_scoped(person_of(request))
    address, now = read_address(request.query.items()), context.now()
    try:
        period = report_period(address, now)
        by = _BY.get(request.query.get("group", ""))
        build = partial(build_report, name, context.history.index, period, by, report_filter(address))
        return await asyncio.to_thread(_within, context.history.told(), build)
    except InvalidPeriod as error:
        raise web.HTTPBadRequest(text=error.message) from error


def _within(told: AbstractContextManager[None], build: partial[Report]) -> Report:
    with told:
        return build()


def _refuse_scoped(person: ConsolePerson) -> None:
    """Reports count all calls: who may see some of them alone gets none."""
    if person.scopes:
        raise web.HTTPForbidden(text="Reports count the calls of all queues and numbers; your account sees some alone.")


@page(right=Right.REPORTS)
async def _report(request: web.Request) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    report = await _made(request)
    address, now = read_address(request.query.items()), context.now()
    zone = now.tzinfo or dt.UTC
    view = report_view(report, address, request.query.get("group", ""), zone, sees_small=person.may(Right.NUMBERS))
    return render(request, "report.html", {"view": view})


@page(right=Right.EXPORT)
async def _file(request: web.Request) -> web.StreamResponse:
    context, form = context_of(request), request.match_info["form"]
    report = await _made(request)
    about = {"report": report.name, "filter": request.query_string, "format": form}
    await context.audit.note(person_of(request).name, "export", about, browser_address(request))
    text = _csv(report) if form == "csv" else json.dumps(as_json(report), indent=1)
    kind = "text/csv" if form == "csv" else "application/json"
    name = f"{report.name}-{context.now():%Y%m%d}.{form}"
    return web.Response(text=text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _csv(report: Report) -> str:
    out = io.StringIO()
    write_csv([report], out)
    return out.getvalue()
