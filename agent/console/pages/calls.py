"""The call log, and one finished call."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from aiohttp import web
from multidict import MultiDict

from agent.console.api.calls import MOST_COUNTED, visible_record
from agent.console.call_query import CallQuery, InvalidQuery, read_query
from agent.console.context import context_of
from agent.console.numbers import without_numbers
from agent.console.pages.forms import sent_form
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import page, person_of
from agent.console.views import labels
from agent.console.views.call_address import read_address
from agent.console.views.call_log import OFFERED, ShownCalls, call_log
from agent.console.views.call_map import call_maps, longest
from agent.console.views.one_call import one_call
from agent.errors import OrderlineError

_BACK = "/calls"
_SEARCH_CODES = frozenset({"search", "query"})


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/calls", _log),
        web.get("/calls/{call_id}", _call),
        web.post("/calls/{call_id}/notes", _add_note),
    ]


@page(right=Right.CALLS)
async def _log(request: web.Request) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    address, now = read_address(request.query.items()), context.now()
    shown = await _found(request, MultiDict(address.api_pairs(now)))
    kinds = () if person.scopes else OFFERED  # what others' calls hold is not offered
    found = await asyncio.gather(*map(context.calls.values, kinds))
    values = dict(zip(kinds, found, strict=True))
    view = call_log(address, shown, values, now, may_export=person.may(Right.EXPORT))
    return render(request, "calls.html", {"view": view})


async def _found(request: web.Request, asked: MultiDict[str]) -> ShownCalls:
    """Return the calls asked for; none, with what is wrong, where the search cannot be done as it was asked."""
    context, person = context_of(request), person_of(request)
    try:
        query = read_query(CallQuery, asked)
        assert isinstance(query, CallQuery)  # noqa: S101 - what was asked for, for the type checker
        first = query.model_copy(update={"after": ""})
        page_of, count = await asyncio.gather(
            context.calls.find(query, person), context.calls.count(first, person, MOST_COUNTED)
        )
    except OrderlineError as error:
        if not isinstance(error, InvalidQuery) and error.code not in _SEARCH_CODES:
            raise
        return ShownCalls((), "", None, problems=(error.message,))
    late = context.calls.problem
    problems = (f"The latest calls may be missing: {late}",) if late else ()
    return ShownCalls(page_of.lines, page_of.next, count, MOST_COUNTED, problems)


@page(right=Right.CALLS)
async def _call(request: web.Request) -> web.StreamResponse:
    return await _call_page(request)


async def _call_page(request: web.Request, problem: str = "", text: str = "") -> web.StreamResponse:
    context, person, call_id = context_of(request), person_of(request), request.match_info["call_id"]
    record = await visible_record(request)
    recordings = await context.sound.count(call_id)
    view = one_call(record, may_hear=person.may(Right.SOUND), recordings=recordings)
    notes = [dataclasses.asdict(note) for note in await context.notes.of_call(call_id)]
    whole = request.query.get("map") == "whole"
    procedures = await context.procedures.of_edition(view.edition)
    maps = await asyncio.to_thread(call_maps, procedures.contents, view.raw_trail, whole=whole)
    values: dict[str, Any] = {
        "view": view,
        "maps": maps,
        "longest_map": longest(maps),
        "whole_maps": whole,
        "map_note": _map_note(view.edition, procedures.edition),
        "back": _back(request),
        "part_names": [(part, labels.word_for("parts", part)) for part in labels.PARTS],
        "notes": notes if person.may(Right.NUMBERS) else without_numbers(notes),
        "zone": context.now().tzinfo,
        "note_problem": problem,
        "note_text": text,
    }
    return render(request, "call.html", values, status=400 if problem else 200)


def _map_note(of_call: str, drawn: str) -> str:
    if not of_call or of_call == drawn:
        return ""
    return f"The call ran on edition {of_call}, which is not kept; the map is that of the procedures now ({drawn})."


def _back(request: web.Request) -> str:
    """Return the list that somebody came from, with its filter, as far as the browser says."""
    came_from = request.headers.get("Referer", "")
    _, found, query = came_from.partition(f"://{request.host}{_BACK}?")
    return f"{_BACK}?{query}" if found else _BACK


@page(right=Right.NOTES)
async def _add_note(request: web.Request) -> web.StreamResponse:
    context, call_id = context_of(request), request.match_info["call_id"]
    await visible_record(request)
    text = (await sent_form(request)).text("text")
    try:
        await context.notes.add(call_id, person_of(request).name, text)
    except OrderlineError as error:
        if error.code != "note":
            raise
        return await _call_page(request, error.message, text)
    raise web.HTTPSeeOther(f"/calls/{call_id}#notes")
