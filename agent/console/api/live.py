"""Calls that go on: a snapshot, and server-sent events that follow it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.console.api.operation import ApiOperation, Asked
from agent.console.context import ConsoleContext, context_of
from agent.console.live import LiveReader, sse
from agent.console.rights import Right
from agent.console.routing import person_of
from agent.console.sessions import COOKIE

ALIVE_SECONDS = 15.0
"""A sign of life, and a look whether the session still is."""
MOST_STREAMS = 400
MOST_STREAMS_OF_ONE = 40
"""Tabs of one person: a browser opens six connections at most, so this is several browsers."""
_MOST_AT_ONCE = 64


class EventsQuery(BaseModel):
    """From where to go on."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    last_event_id: Annotated[str, StringConstraints(max_length=2_000)] = Field(default="", alias="last-event-id")
    """As the header ``Last-Event-ID``, for those who cannot send it."""


async def _live(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(context_of(request).live.snapshot(person_of(request)))


async def _events(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    if context.live.streams() >= MOST_STREAMS or context.live.streams(person.id) >= MOST_STREAMS_OF_ONE:
        raise web.HTTPServiceUnavailable(text="Too many pages follow the calls. Close some, then load this one again.")
    last = request.headers.get("Last-Event-ID", "")[:2_000] or asked.query.last_event_id
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    with context.live.reading(person, last) as reader, contextlib.suppress(ConnectionError):
        await _send(context, request, response, reader)
    return response


async def _send(
    context: ConsoleContext, request: web.Request, response: web.StreamResponse, reader: LiveReader
) -> None:
    loop = asyncio.get_running_loop()
    look_at = loop.time() + ALIVE_SECONDS
    await response.write(b"retry: 1000\n\n")
    while True:
        frames: list[str] = []
        try:
            async with asyncio.timeout_at(look_at):
                frames.append(await reader.next())
        except TimeoutError:
            frames.append(": alive\n\n")
        while len(frames) < _MOST_AT_ONCE and not reader.queue.empty():
            frames.append(await reader.next())
        if loop.time() >= look_at:
            look_at = loop.time() + ALIVE_SECONDS
            if not await _still_signed_in(context, request, reader):
                frames = [sse("over", "{}")]
        await response.write("".join(frames).encode())
        if frames[-1].startswith(("event: over", "event: behind")):
            return


async def _still_signed_in(context: ConsoleContext, request: web.Request, reader: LiveReader) -> bool:
    session = await context.sessions.find(request.cookies.get(COOKIE, ""), used=False)
    return session is not None and session.person == reader.person


OPERATIONS = (
    ApiOperation(
        "GET", "/live", _live, Right.LIVE, "nodes and calls as they are now, with all that was said", quiet=True
    ),
    ApiOperation(
        *("GET", "/events", _events, Right.LIVE, "the same and what follows, as server-sent events", EventsQuery),
        answer=None,
        content_type="text/event-stream",
        quiet=True,
    ),
)
