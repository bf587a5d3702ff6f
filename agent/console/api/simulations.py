"""Checks of procedures that may not be published yet, and simulated calls on them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.builder.simulation_input import CallerTurn, CallSetup, Name
from agent.config.timezone import shop_zone
from agent.console.api.calls import visible_record
from agent.console.api.operation import ApiOperation, Asked
from agent.console.builder_sources import SourceRef, source_files
from agent.console.context import context_of
from agent.console.draft_rights import sees_path
from agent.console.rights import Right
from agent.console.routing import address_of, person_of
from agent.dialog.contract import QueueAvailability

_FILE = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}\.yaml$")]


class CheckOrder(BaseModel):
    """What is checked."""

    model_config = ConfigDict(extra="forbid")
    source: SourceRef = SourceRef()


class SimulationOrder(CallSetup):
    """What a simulated call plays, and how it comes in."""

    source: SourceRef = SourceRef()


class NewOutcomes(BaseModel):
    """How services and the queue answer from now on."""

    model_config = ConfigDict(extra="forbid")
    outcomes: Annotated[dict[Name, Name], Field(max_length=100)] = {}
    queue: QueueAvailability | None = None


class TurnsBack(BaseModel):
    """How many turns are taken back."""

    model_config = ConfigDict(extra="forbid")
    turns: Annotated[int, Field(ge=1, le=500)] = 1


class PlayAgain(BaseModel):
    """On which files; those of the same source as they are now where none is named."""

    model_config = ConfigDict(extra="forbid")
    source: SourceRef | None = None


class SavedTestOrder(BaseModel):
    """How a call is kept as a test."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    file: _FILE = "console.yaml"
    save: bool = False


async def _check(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    whole = person.may(Right.PROCEDURES)
    if not whole and (asked.body.source.draft is None or not person.may(Right.DRAFTS)):
        raise web.HTTPForbidden(text=f"You may not do this: it needs the right {Right.PROCEDURES}.")
    source = await source_files(context, asked.body.source)
    found = dict(await context.desk.judge.check(source.files))
    if not whole:
        shown = [one for one in found["findings"] if sees_path(person, one["path"])]
        mistakes = sum(one["severity"] == "error" for one in shown)
        found |= {"findings": shown, "mistakes": mistakes, "warnings": len(shown) - mistakes}
    return web.json_response({**found, "seq": source.seq})


async def _begin(request: web.Request, asked: Asked) -> web.StreamResponse:
    context = context_of(request)
    order: SimulationOrder = asked.body
    source = await source_files(context, order.source)
    told = order.model_dump(exclude={"source"})
    setup = CallSetup.model_validate({**told, "now": _in_shop(order.now, context.settings.shop.timezone)})
    person = person_of(request).id
    state = await context.desk.simulations.begin(person, order.source.to_json(), source.files, setup)
    return web.json_response(state, status=201)


def _in_shop(now: datetime, timezone: str) -> datetime:
    return now if now.tzinfo is not None else now.replace(tzinfo=shop_zone(timezone))


def _of(request: web.Request) -> tuple[int, str]:
    return person_of(request).id, request.match_info["id"]


async def _state(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(await context_of(request).desk.simulations.state(*_of(request)))


async def _take(request: web.Request, asked: Asked) -> web.StreamResponse:
    turn: CallerTurn = asked.body
    return web.json_response(await context_of(request).desk.simulations.take(*_of(request), turn))


async def _change(request: web.Request, asked: Asked) -> web.StreamResponse:
    order: NewOutcomes = asked.body
    simulations = context_of(request).desk.simulations
    return web.json_response(await simulations.change(*_of(request), order.outcomes, order.queue))


async def _back(request: web.Request, asked: Asked) -> web.StreamResponse:
    return web.json_response(await context_of(request).desk.simulations.back(*_of(request), asked.body.turns))


async def _again(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, (person, id) = context_of(request), _of(request)
    simulations = context.desk.simulations
    source = asked.body.source or SourceRef.model_validate(dict(simulations.source(person, id)))
    files = (await source_files(context, source)).files
    return web.json_response(await simulations.again(person, id, source.to_json(), files))


async def _save(request: web.Request, asked: Asked) -> web.StreamResponse:
    order: SavedTestOrder = asked.body
    text = await context_of(request).desk.simulations.write_test(*_of(request), order.name)
    return await saved_test(request, text, order)


async def saved_test(request: web.Request, text: str, order: SavedTestOrder, **more: Any) -> web.StreamResponse:
    """Answer with a test as YAML, kept in its file where that is asked for."""
    context = context_of(request)
    if order.save:
        await asyncio.to_thread(context.desk.tests.add, order.file, text)
        told = {"file": order.file, "call": order.name}
        await context.audit.note(person_of(request).name, "test.added", told, address_of(request))
    return web.json_response({"yaml": text, "file": order.file, "saved": order.save, **more})


async def _of_call(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, order = context_of(request), asked.body
    if not person_of(request).may(Right.CALLS):
        raise web.HTTPForbidden(text=f"You may not do this: it needs the right {Right.CALLS}. An admin can grant it.")
    record = await visible_record(request)
    files = (await source_files(context, SourceRef())).files
    found = await context.desk.judge.record_test(files, record, order.name)
    return await saved_test(request, found["yaml"], order, notes=found["notes"])


async def _end(request: web.Request, _: Asked) -> web.StreamResponse:
    person, id = _of(request)
    await context_of(request).desk.simulations.end(person, id)
    return web.json_response({"ended": id})


_ONE = "/simulations/{id}"
OPERATIONS = (
    ApiOperation(
        *("POST", "/check", _check, Right.ACCOUNT, "what is wrong with procedures, as far as one sees them"),
        body=CheckOrder,
        refusals=(404,),
    ),
    ApiOperation(
        *("POST", "/simulations", _begin, Right.TEST, "begin a simulated call"),
        body=SimulationOrder,
        status=201,
        refusals=(404, 409),
    ),
    ApiOperation("GET", _ONE, _state, Right.TEST, "where a simulated call is, with all its turns", quiet=True),
    ApiOperation(
        *("POST", f"{_ONE}/turns", _take, Right.TEST, "what the caller does, or a service answers"),
        body=CallerTurn,
        refusals=(409,),
    ),
    ApiOperation(
        *("POST", f"{_ONE}/outcomes", _change, Right.TEST, "how services answer from now on"), body=NewOutcomes
    ),
    ApiOperation(*("POST", f"{_ONE}/back", _back, Right.TEST, "take turns back"), body=TurnsBack, refusals=(409,)),
    ApiOperation(
        *("POST", f"{_ONE}/again", _again, Right.TEST, "the same turns on the files as they are now"),
        body=PlayAgain,
        refusals=(404, 409),
    ),
    ApiOperation(
        *("POST", f"{_ONE}/test", _save, Right.TEST, "the call as a test"), body=SavedTestOrder, refusals=(409,)
    ),
    ApiOperation(
        *("POST", "/calls/{call_id}/test", _of_call, Right.TEST, "a finished call as a test, numbers made up"),
        body=SavedTestOrder,
        refusals=(409,),
    ),
    ApiOperation("DELETE", _ONE, _end, Right.TEST, "forget a simulated call"),
)
