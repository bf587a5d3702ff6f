"""Finished calls: list, record, recording, peaks, notes, values, export."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from agent.console.api.operation import ApiOperation, Asked
from agent.console.call_query import CallQuery
from agent.console.context import context_of
from agent.console.numbers import cut_number, without_numbers
from agent.console.rights import Right
from agent.console.routing import address_of, person_of, session_of
from agent.console.sound import peaks_of, samples_of, wav_format, wav_of
from agent.errors import OrderlineError
from agent.history.export import Format
from agent.history.filters import VALUE_KINDS
from agent.history.search import CallLine

log = logging.getLogger(__name__)

MOST_COUNTED = 10_000
_SHOWN_VALUES = 1_000


class Part(BaseModel):
    """Which of a call's recordings."""

    model_config = ConfigDict(extra="forbid")
    part: Annotated[int, Field(ge=0, le=99)] = 0


class PeaksQuery(Part):
    """How fine an outline is."""

    buckets: Annotated[int, Field(ge=1, le=4000)] = 800


class NewNote(BaseModel):
    """What somebody writes about a call."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(min_length=1, max_length=4000)]


def line_json(line: CallLine) -> dict[str, Any]:
    """Return a line of the call log as JSON-like data."""
    return {**dataclasses.asdict(line), "started_at": line.started_at.isoformat(timespec="milliseconds")}


async def _list(request: web.Request, asked: Asked) -> web.StreamResponse:
    found = await context_of(request).calls.find(asked.query, person_of(request))
    return web.json_response({"calls": [line_json(line) for line in found.lines], "next": found.next})


async def _count(request: web.Request, asked: Asked) -> web.StreamResponse:
    count = await context_of(request).calls.count(asked.query, person_of(request), MOST_COUNTED)
    return web.json_response({"count": count, "or_more": count == MOST_COUNTED})


async def _values(request: web.Request, _: Asked) -> web.StreamResponse:
    kind = request.match_info["kind"]
    if kind not in VALUE_KINDS:
        raise web.HTTPNotFound(text=f"Kinds are {', '.join(VALUE_KINDS)}.")
    person = person_of(request)
    found = [] if person.scopes else await context_of(request).calls.values(kind)
    return web.json_response({"values": [{"value": value, "calls": calls} for value, calls in found[:_SHOWN_VALUES]]})


async def visible_record(request: web.Request) -> dict[str, Any]:
    """Return the record that an address names. Raises HTTPNotFound where there is none that this person may see."""
    call_id = request.match_info["call_id"]
    record = await context_of(request).calls.record(call_id, person_of(request))
    if record is None:
        raise web.HTTPNotFound(text="There is no finished call with this id.")
    return record


async def _record(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(await visible_record(request))


async def _audio(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, call_id = context_of(request), request.match_info["call_id"]
    await visible_record(request)
    file = await context.sound.find(call_id, asked.query.part)
    if file is None:
        raise web.HTTPNotFound(text="There is no recording of this call on this node.")
    form = await asyncio.to_thread(wav_format, file)
    listening = (session_of(request).number, call_id, asked.query.part)
    if context.listenings.begins(listening):  # the ranges a player asks for afterwards belong to the same listening
        told = {"call": call_id, "part": asked.query.part}
        try:
            await context.audit.note(person_of(request).name, "sound", told, address_of(request))
        except BaseException:
            context.listenings.forget(listening)
            raise
    headers = {"Content-Disposition": "inline", "Accept-Ranges": "bytes"}
    if form.plays_everywhere:
        return web.FileResponse(file, headers={**headers, "Content-Type": "audio/wav"})
    content = await asyncio.to_thread(lambda: wav_of(samples_of(file, form), form.rate))
    return _ranged(request, content, headers)


def _ranged(request: web.Request, content: bytes, headers: dict[str, str]) -> web.Response:
    """Return what was made on the fly, or the part of it that is asked for."""
    try:
        asked = request.http_range
        start, stop, _ = asked.indices(len(content))
    except ValueError:
        start, stop, asked = 0, 0, slice(1, 1)
    whole = asked.start is None and asked.stop is None
    if not whole and start >= stop:
        headers["Content-Range"] = f"bytes */{len(content)}"
        return web.Response(status=416, headers=headers)
    if not whole:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return web.Response(
        status=200 if whole else 206, body=content[start:stop], headers={**headers, "Content-Type": "audio/wav"}
    )


async def _peaks(request: web.Request, asked: Asked) -> web.StreamResponse:
    await visible_record(request)
    file = await context_of(request).sound.find(request.match_info["call_id"], asked.query.part)
    if file is None:
        raise web.HTTPNotFound(text="There is no recording of this call on this node.")
    return web.json_response(await asyncio.to_thread(peaks_of, file, asked.query.buckets))


async def _notes(request: web.Request, _: Asked) -> web.StreamResponse:
    await visible_record(request)
    notes = await context_of(request).notes.of_call(request.match_info["call_id"])
    told = [dataclasses.asdict(note) for note in notes]
    return web.json_response({"notes": told if person_of(request).may(Right.NUMBERS) else without_numbers(told)})


async def _add_note(request: web.Request, asked: Asked) -> web.StreamResponse:
    await visible_record(request)
    who = person_of(request).name
    note = await context_of(request).notes.add(request.match_info["call_id"], who, asked.body.text)
    return web.json_response(dataclasses.asdict(note), status=201)


def for_audit(query: CallQuery) -> dict[str, object]:
    """Return a filter as the audit keeps it: for ever, so a caller's number is cut, and can be erased elsewhere."""
    told = query.told()
    return {**told, "caller": cut_number(query.caller)} if query.caller else told


async def _export(request: web.Request, asked: Asked, form: Format) -> web.StreamResponse:
    context, person, query = context_of(request), person_of(request), asked.query
    pieces = context.calls.export(query, person, form)
    first = await anext(pieces, b"")  # what is wrong with the filter or the index is told before anything is sent
    told = {"format": form, "filter": for_audit(query)}
    await context.audit.note(person.name, "export", told, address_of(request))
    name = f"calls-{context.now():%Y%m%d-%H%M%S}.{form}"
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
    )
    await response.prepare(request)
    await response.write(first)
    try:
        async for piece in pieces:
            await response.write(piece)
    except OrderlineError as error:
        log.error("An export of %s has broken off: %s", person.name, error)
        if request.transport is not None:
            request.transport.abort()  # half a file must not look like a whole one
        raise ConnectionResetError from error
    await response.write_eof()
    return response


async def _csv(request: web.Request, asked: Asked) -> web.StreamResponse:
    return await _export(request, asked, "csv")


async def _jsonl(request: web.Request, asked: Asked) -> web.StreamResponse:
    return await _export(request, asked, "jsonl")


_LIST = {"type": "object", "required": ["calls", "next"], "properties": {"calls": {"type": "array"}}}
_CALL = "/calls/{call_id}"

OPERATIONS = (
    ApiOperation("GET", "/calls", _list, Right.CALLS, "finished calls, the latest first", CallQuery, answer=_LIST),
    ApiOperation("GET", "/calls/count", _count, Right.CALLS, "how many there are, up to 10,000", CallQuery),
    ApiOperation(
        "GET", "/calls.csv", _csv, Right.EXPORT, "their facts", CallQuery, answer=None, content_type="text/csv"
    ),
    ApiOperation(
        *("GET", "/calls.jsonl", _jsonl, Right.EXPORT, "whole records, one a line", CallQuery),
        answer=None,
        content_type="application/x-ndjson",
    ),
    ApiOperation("GET", "/values/{kind}", _values, Right.CALLS, "what calls can be found by, with numbers of calls"),
    ApiOperation("GET", _CALL, _record, Right.CALLS, "one whole record"),
    ApiOperation(
        *("GET", f"{_CALL}/audio", _audio, Right.SOUND, "its recording: caller left, agent right", Part),
        answer=None,
        content_type="audio/wav",
        refusals=(416,),
    ),
    ApiOperation("GET", f"{_CALL}/peaks", _peaks, Right.SOUND, "the outline of its recording", PeaksQuery),
    ApiOperation("GET", f"{_CALL}/notes", _notes, Right.CALLS, "what people wrote about it"),
    ApiOperation(*("POST", f"{_CALL}/notes", _add_note, Right.NOTES, "write a note"), body=NewNote, status=201),
)
