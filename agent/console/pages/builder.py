"""The pages of the builder: frames that the browser's program fills with the draft, which it gets from the API."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.console.context import context_of
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page, person_of
from agent.console.views.builder import BUILDER_PAGES, BuilderPage, first_page, procedure_map
from agent.reports.periods import Period
from agent.reports.step_traffic import StepTraffic, step_traffic

TRAFFIC_DAYS = 30


def routes() -> list[web.RouteDef]:
    """Return the routes: one a page, and ``/builder`` itself, which leads to the first page that somebody may see."""
    return [
        web.get("/builder", _first),
        web.get("/builder/map", _map),
        *(web.get(one.path, _handler(one)) for one in BUILDER_PAGES),
    ]


@page(right=Right.ANSWERS)
async def _first(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther(first_page(person_of(request).may).path)


@page(right=Right.EDIT)
async def _map(request: web.Request) -> web.StreamResponse:
    """Answer with the drawing of a procedure as a draft has it.

    ``way`` are the steps to be lit, in their order; with ``traffic=yes`` the boxes tell of the last 30 days' calls.
    """
    draft = await context_of(request).drafts.get(request.query.get("draft", ""))
    flow, way = request.query.get("flow", ""), [step for step in request.query.get("way", "").split(",") if step]
    traffic = await _traffic(request) if request.query.get("traffic") == "yes" else None
    drawing = await asyncio.to_thread(procedure_map, draft.files(), flow, way, traffic)
    if drawing is None:
        raise web.HTTPNotFound(text="There is no map of this procedure as it is now.")
    return web.Response(text=drawing, content_type="image/svg+xml")


async def _traffic(request: web.Request) -> Mapping[str, StepTraffic]:
    """Return the calls of the last days at each step. They are counted over all calls, as reports are."""
    context, person = context_of(request), person_of(request)
    if not person.may(Right.REPORTS) or person.scopes:
        raise web.HTTPForbidden(text="The calls at each step are counted over all calls, as reports are: you may not.")
    today = context.now()
    first = today.date() - dt.timedelta(days=TRAFFIC_DAYS - 1)
    period = Period.days(first, today.date(), today.tzinfo or dt.UTC)

    def counted() -> Mapping[str, StepTraffic]:
        with context.history.told():
            return step_traffic(context.history.index, period)

    return await asyncio.to_thread(counted)


def _handler(shown: BuilderPage) -> Any:
    @page(right=shown.right)
    async def handle(request: web.Request) -> web.StreamResponse:
        context, person = context_of(request), person_of(request)
        queues = context.settings.queues
        hours = {name: queue.model_dump(mode="json", include={"hours"})["hours"] for name, queue in queues.items()}
        values = {
            "shown": shown,
            "pages": [one for one in BUILDER_PAGES if person.may(one.right)],
            "rights": " ".join(sorted(person.rights)),
            "hours": json.dumps(hours) if shown.name == "hours" else "",
        }
        return render(request, "builder.html", values)

    return handle
