"""Calls to customers: jobs, dry run, pause, stop, do-not-call list. What is changed or exported is in the audit."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.console.api.actions import note_afterwards
from agent.console.api.operation import ApiOperation, Asked
from agent.console.context import context_of
from agent.console.numbers import cut_number, without_numbers
from agent.console.rights import Right
from agent.console.routing import address_of, person_of
from agent.outbound.model import SuppressionScope
from agent.outbound.overview import job_data
from agent.outbound.store import Campaign
from agent.outbound.suppression import write_csv

Scope = Annotated[str, StringConstraints(pattern=r"^(all|surveys)$")]


class JobQuery(BaseModel):
    """Which jobs."""

    model_config = ConfigDict(extra="forbid")
    state: Annotated[str, StringConstraints(pattern=r"^(waiting|all)$")] = "waiting"


class ResultsQuery(BaseModel):
    """Of how many days."""

    model_config = ConfigDict(extra="forbid")
    days: Annotated[int, Field(ge=1, le=3650)] = 30


class NumberToLeaveAlone(BaseModel):
    """A number for the do-not-call list."""

    model_config = ConfigDict(extra="forbid")
    number: Annotated[str, StringConstraints(pattern=r"^[0-9+() ./-]{3,40}$")]
    """As it is dialled, or with ``+`` and the country."""
    scope: Scope = "all"


class NumberToCallAgain(BaseModel):
    """A number that may be called again."""

    model_config = ConfigDict(extra="forbid")
    number: Annotated[str, StringConstraints(pattern=r"^[0-9+() ./-]{3,40}$")]


def refuse_scoped(request: web.Request) -> None:
    """Jobs belong to no queue and no dialled number: who may see some calls alone sees none of them."""
    if person_of(request).scopes:
        raise web.HTTPForbidden(text="Calls to customers are of no queue; your account sees the calls of some alone.")


async def switch_campaign(request: web.Request, what: str) -> Campaign:
    """``pause``, ``resume`` or ``stop`` calls to customers, and write it down."""
    refuse_scoped(request)
    context, person = context_of(request), person_of(request)
    campaign = await context.customer_calls.switch(what, person.name)
    await note_afterwards(context, request, f"outbound.{what}", {})
    return campaign


async def leave_alone(request: web.Request, number: str, scope: str) -> tuple[str, int]:
    """Put a number on the do-not-call list; returns it whole, and how many jobs were dropped. Raises OutboundError."""
    refuse_scoped(request)
    context, person = context_of(request), person_of(request)
    whole, dropped = await context.customer_calls.suppress(number, SuppressionScope(scope), person.name)
    about = {"number": cut_number(whole), "scope": scope, "dropped": dropped}
    await context.audit.note(person.name, "outbound.suppress", about, address_of(request))
    return whole, dropped


async def call_again(request: web.Request, number: str) -> tuple[str, int]:
    """Take a number off the list, and write it down before; returns it in full and how many entries it had."""
    refuse_scoped(request)
    context, person = context_of(request), person_of(request)
    await context.audit.note(person.name, "outbound.unsuppress", {"number": cut_number(number)}, address_of(request))
    return await context.customer_calls.unsuppress(number)


def _for(request: web.Request, told: Mapping[str, Any]) -> web.Response:
    shown = told if person_of(request).may(Right.NUMBERS) else without_numbers(told)
    return web.json_response(shown)


async def _jobs(request: web.Request, asked: Asked) -> web.StreamResponse:
    refuse_scoped(request)
    found = await context_of(request).customer_calls.jobs(every=asked.query.state == "all")
    told = {
        "campaign": vars(found.campaign),
        "jobs": [job_data(job) for job in found.jobs],
        "more": found.more,
        "notes": [vars(note) for note in found.notes],
    }
    return _for(request, told)


async def _dry_run(request: web.Request, _: Asked) -> web.StreamResponse:
    refuse_scoped(request)
    calls = context_of(request).customer_calls
    found, more = await calls.forecast()
    jobs = [
        {
            **job_data(one.job),
            "would": one.would,
            "when": one.when.isoformat(timespec="seconds") if one.when else None,
            "why": one.why,
        }
        for one in found
    ]
    return _for(request, {"campaign": vars(await calls.campaign()), "jobs": jobs, "more": more})


async def _results(request: web.Request, asked: Asked) -> web.StreamResponse:
    refuse_scoped(request)
    return web.json_response(await context_of(request).customer_calls.results(asked.query.days))


async def _pause(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(vars(await switch_campaign(request, "pause")))


async def _resume(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(vars(await switch_campaign(request, "resume")))


async def _stop(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(vars(await switch_campaign(request, "stop")))


async def _leave_alone(request: web.Request, asked: Asked) -> web.StreamResponse:
    whole, dropped = await leave_alone(request, asked.body.number, asked.body.scope)
    return _for(request, {"number": whole, "scope": asked.body.scope, "dropped": dropped})


async def _call_again(request: web.Request, asked: Asked) -> web.StreamResponse:
    whole, entries = await call_again(request, asked.body.number)
    return _for(request, {"number": whole, "removed": entries})


async def _list(request: web.Request, _: Asked) -> web.StreamResponse:
    """Write the do-not-call list as the command's export does: it can be brought in again."""
    refuse_scoped(request)
    context, person = context_of(request), person_of(request)
    if not (person.may(Right.JOBS) and person.may(Right.NUMBERS)):
        raise web.HTTPForbidden(text="This list holds whole numbers: it needs the rights jobs and numbers as well.")
    listed = await context.customer_calls.suppressions()
    about = {"what": "do-not-call list", "numbers": len(listed)}
    await context.audit.note(person.name, "export", about, address_of(request))
    out = io.StringIO()
    write_csv(listed, out)
    name = f"do-not-call-{context.now():%Y%m%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text=out.getvalue(), content_type="text/csv", headers=headers)


_JOBS = {"type": "object", "required": ["campaign", "jobs", "more"], "properties": {"jobs": {"type": "array"}}}
OPERATIONS = (
    ApiOperation(
        "GET", "/outbound/jobs", _jobs, Right.JOBS, "jobs of calls to customers, the next first", JobQuery, answer=_JOBS
    ),
    ApiOperation(
        *("GET", "/outbound/dry-run", _dry_run, Right.JOBS, "who would be called, when, and who not and why"),
        answer=_JOBS,
    ),
    ApiOperation(
        "GET", "/outbound/results", _results, Right.JOBS, "what calls to customers came to, by purpose", ResultsQuery
    ),
    ApiOperation("POST", "/outbound/pause", _pause, Right.JOBS, "begin no new call to a customer"),
    ApiOperation("POST", "/outbound/resume", _resume, Right.JOBS, "call customers, within windows and caps"),
    ApiOperation("POST", "/outbound/stop", _stop, Right.JOBS, "begin no new call, and cancel those that ring"),
    ApiOperation(
        *("POST", "/outbound/do-not-call", _leave_alone, Right.JOBS, "put a number on the do-not-call list"),
        body=NumberToLeaveAlone,
    ),
    ApiOperation(
        *("POST", "/outbound/do-not-call/remove", _call_again, Right.JOBS, "take a number off the do-not-call list"),
        body=NumberToCallAgain,
    ),
    ApiOperation(
        *("GET", "/outbound/do-not-call.csv", _list, Right.EXPORT, "the do-not-call list"),
        answer=None,
        content_type="text/csv",
    ),
)
