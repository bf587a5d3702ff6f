"""Calls to customers: campaign, jobs, dry run, do-not-call list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.console.api.outbound import call_again, leave_alone, refuse_scoped, switch_campaign
from agent.console.context import context_of
from agent.console.customer_calls import CAMPAIGN_STATES
from agent.console.pages.forms import sent_form
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page, person_of
from agent.console.views import outbound as views
from agent.outbound.model import OutboundError
from agent.outbound.ports import OutboundUnavailable

_RESULT_DAYS = 30


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/outbound", _outbound), web.post("/outbound", _change)]


@page(right=Right.JOBS)
async def _outbound(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def _page(request: web.Request, problem: str = "", told: str = "") -> web.StreamResponse:
    refuse_scoped(request)
    calls, zone = context_of(request).customer_calls, context_of(request).now().tzinfo
    chosen = request.query.get("view", "waiting")
    chosen = chosen if chosen in views.VIEWS else "waiting"
    values: dict[str, Any] = {"used": calls.used, "enabled": calls.enabled, "chosen": chosen, "views": views.VIEWS}
    values |= {"problem": problem, "told": told, "number": request.query.get("number", "").strip()[:40]}
    if calls.used:
        try:
            values |= await _contents(request, chosen, values["number"])
        except OutboundUnavailable:
            raise
        except OutboundError as error:
            values |= {**await _contents(request, chosen, ""), "problem": error.message}
        values["campaign"] = views.campaign_view(await calls.campaign(), zone)
        values["figures"] = views.result_figures(await calls.results(_RESULT_DAYS))
    return render(request, "outbound.html", values, status=400 if problem else 200)


async def _contents(request: web.Request, chosen: str, number: str) -> Mapping[str, Any]:
    calls, zone = context_of(request).customer_calls, context_of(request).now().tzinfo
    whole = person_of(request).may(Right.NUMBERS)
    if chosen == "do-not-call":
        listed = await calls.suppressions(number)
        return {
            "numbers": views.number_rows(listed, zone, whole_numbers=whole),
            "listed": len(listed),
            "more": len(listed) > views.MOST_NUMBERS,
        }
    if chosen == "dry-run":
        found, more = await calls.forecast()
        return {"rows": views.forecast_rows(found, zone, whole_numbers=whole), "more": more, "notes": ()}
    jobs = await calls.jobs(every=chosen == "all")
    return {
        "rows": views.job_rows(jobs.jobs, zone, whole_numbers=whole),
        "more": jobs.more,
        "notes": views.note_rows(jobs.notes, zone, whole_numbers=whole),
    }


@page(right=Right.JOBS)
async def _change(request: web.Request) -> web.StreamResponse:
    form = await sent_form(request)
    what = form.text("what")
    if what in CAMPAIGN_STATES:
        await switch_campaign(request, what)
        raise web.HTTPSeeOther("/outbound")
    if what not in ("suppress", "unsuppress"):
        raise web.HTTPBadRequest(text="Choose what is to be done.")
    try:
        if what == "suppress":
            scope = "surveys" if form.text("scope") == "surveys" else "all"
            _, jobs = await leave_alone(request, form.text("number"), scope)
            told = f"The number is not called any more; {jobs} {'job was' if jobs == 1 else 'jobs were'} dropped."
        else:
            _, entries = await call_again(request, form.text("number"))
            told = "The number may be called again." if entries else "The number was not on the list."
    except OutboundUnavailable:
        raise
    except OutboundError as error:
        return await _page(request, problem=f"{error.message}.")
    return await _page(request, told=told)
