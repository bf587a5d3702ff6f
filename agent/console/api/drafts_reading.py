"""What there is to read of drafts: lists, files, changes, log, conflicts, uses, and a stream that tells of changes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.builder.change_words import unified_diffs
from agent.builder.draft import Draft
from agent.builder.errors import EditRefused
from agent.builder.headings import headings
from agent.builder.operations import RenameKind
from agent.builder.renaming import uses
from agent.builder.yaml_document import document, line_of
from agent.console.api.drafts import ONE, conflict_json, moment, summary
from agent.console.api.live import ALIVE_SECONDS, MOST_STREAMS
from agent.console.api.operation import ApiOperation, Asked
from agent.console.context import context_of
from agent.console.draft_rights import reads_all, sees_operations, sees_path, visible_tree
from agent.console.live import BACKLOG, sse
from agent.console.rights import Right
from agent.console.routing import person_of
from agent.console.sessions import COOKIE

_ShortText = Annotated[str, StringConstraints(max_length=200)]


class DraftsQuery(BaseModel):
    """Which drafts."""

    model_config = ConfigDict(extra="forbid")
    state: Literal["open", "published", "discarded", "all"] = "open"


class DraftFileQuery(BaseModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")
    file: _ShortText


class LogQuery(BaseModel):
    """Which entries."""

    model_config = ConfigDict(extra="forbid")
    after: Annotated[int, Field(ge=0, le=2**53)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class UsesQuery(BaseModel):
    """Uses of what."""

    model_config = ConfigDict(extra="forbid")
    kind: RenameKind
    name: _ShortText
    flow: _ShortText = ""
    slot: _ShortText = ""


async def _list(request: web.Request, asked: Asked) -> web.StreamResponse:
    drafts = await context_of(request).drafts.list(asked.query.state)
    return web.json_response({"drafts": [summary(draft) for draft in drafts]})


async def _draft_of(request: web.Request) -> Draft:
    return await context_of(request).drafts.get(request.match_info["draft_id"])


async def _one(request: web.Request, _: Asked) -> web.StreamResponse:
    draft, person = await _draft_of(request), person_of(request)
    before, after = draft.base_files(), draft.files()
    files = [
        {
            "file": file,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "changed": before.get(file) != text,
        }
        for file, text in sorted(after.items())
        if reads_all(person)
    ]
    return web.json_response({**summary(draft, person), "files": files})


async def _pack(request: web.Request, _: Asked) -> web.StreamResponse:
    draft, person = await _draft_of(request), person_of(request)

    def read() -> list[dict[str, Any]]:
        told = []
        for file, text in sorted(draft.files().items()):
            try:
                doc = document(file, text)
                data, problem, heads = doc.data, "", headings(doc)
            except EditRefused as refused:
                data, problem, heads = None, refused.message, []
            shown = visible_tree(person, data)
            if reads_all(person) or shown is not None:
                shown_heads = [{"path": path, "words": words} for path, words in heads if sees_path(person, path)]
                told.append({"file": file, "data": shown, "problem": problem, "headings": shown_heads})
        return told

    files = await asyncio.to_thread(read)
    return web.json_response({"seq": draft.seq, "base": draft.base, "files": files})


async def _text(request: web.Request, asked: Asked) -> web.StreamResponse:
    draft = await _draft_of(request)
    text = draft.files().get(asked.query.file)
    if text is None:
        raise web.HTTPNotFound(text="There is no such file.")
    return web.json_response({"file": asked.query.file, "seq": draft.seq, "text": text})


async def _changes(request: web.Request, _: Asked) -> web.StreamResponse:
    draft, person = await _draft_of(request), person_of(request)
    changes = await asyncio.to_thread(draft.changes)
    told = [
        {"file": one.file, "path": one.path, "kind": one.kind, "before": one.before, "after": one.after}
        for one in changes
        if sees_path(person, one.path)
    ]
    diffs = []
    if reads_all(person):
        diffs = await asyncio.to_thread(unified_diffs, draft.base_files(), draft.files())
    conflicts = [conflict_json(one) for one in draft.conflicts if sees_operations(person, one.operations)]
    return web.json_response({"seq": draft.seq, "changes": told, "diffs": diffs, "conflicts": conflicts})


async def _log(request: web.Request, asked: Asked) -> web.StreamResponse:
    draft, person = await _draft_of(request), person_of(request)
    told = []
    for entry in draft.entries:
        if not asked.query.after < entry.seq <= asked.query.after + asked.query.limit:
            continue
        shown = sees_operations(person, entry.operations)
        told.append(
            {
                "seq": entry.seq,
                "id": entry.id,
                "at": moment(entry.at),
                "who": entry.who,
                "kind": entry.kind,
                "of": entry.patch.of,
                "operations": list(entry.operations) if shown else [],
                "hidden": not shown,
                "undone": entry.seq in draft.undone,
                "dropped": entry.dropped,
                "files": sorted(entry.patch.files) if reads_all(person) else [],
            }
        )
    return web.json_response({"seq": draft.seq, "operations": told})


async def _conflicts(request: web.Request, _: Asked) -> web.StreamResponse:
    draft, person = await _draft_of(request), person_of(request)
    shown = [conflict_json(one) for one in draft.conflicts if sees_operations(person, one.operations)]
    return web.json_response({"conflicts": shown})


async def _uses(request: web.Request, asked: Asked) -> web.StreamResponse:
    draft, query = await _draft_of(request), asked.query
    files = draft.files()
    found = await asyncio.to_thread(uses, files, query.kind, query.name, query.flow, query.slot)
    lines = await asyncio.to_thread(lambda: [line_of(file, files[file], path) for file, path in found])
    told = [{"file": file, "path": path, "line": line} for (file, path), line in zip(found, lines, strict=True)]
    return web.json_response({"uses": told})


async def _events(request: web.Request, _: Asked) -> web.StreamResponse:
    drafts, person = context_of(request).drafts, person_of(request)
    queue: asyncio.Queue[Draft | None] = asyncio.Queue(BACKLOG)
    if drafts.followers >= MOST_STREAMS:
        raise web.HTTPServiceUnavailable(text="Too many pages follow the drafts. Close some, then load this one again.")

    def told(draft: Draft | None) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # a reader so far behind asks again when it comes back
            queue.put_nowait(draft)

    stop = drafts.follow(told)
    try:
        known = await drafts.list("open")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        first = "".join(_event(draft) for draft in known)
        with contextlib.suppress(ConnectionError):
            await response.write(f"retry: 1000\n\n{first}".encode())
            while not queue.full() and (message := await _next(queue)):
                await response.write(message.encode())
                session = await context_of(request).sessions.find(request.cookies.get(COOKIE, ""), used=False)
                if session is None or session.person != person:
                    await response.write(sse("over", "{}").encode())
                    break
    finally:
        stop()
    return response


async def _next(queue: asyncio.Queue[Draft | None]) -> str:
    """Return the next message, a sign of life where none comes, ``""`` at the end."""
    try:
        async with asyncio.timeout(ALIVE_SECONDS):
            draft = await queue.get()
            return "" if draft is None else _event(draft)
    except TimeoutError:
        return ": alive\n\n"


def _event(draft: Draft) -> str:
    return sse("draft", json.dumps(summary(draft), ensure_ascii=False))


OPERATIONS = (
    ApiOperation("GET", "/drafts", _list, Right.DRAFTS, "drafts, the latest changed first", DraftsQuery),
    ApiOperation(
        *("GET", "/drafts/events", _events, Right.DRAFTS, "changes of all drafts, as server-sent events"),
        answer=None,
        content_type="text/event-stream",
        quiet=True,
    ),
    ApiOperation("GET", ONE, _one, Right.DRAFTS, "one draft and its files", refusals=(409,), quiet=True),
    ApiOperation("GET", f"{ONE}/pack", _pack, Right.DRAFTS, "what the files hold", refusals=(409,), quiet=True),
    ApiOperation("GET", f"{ONE}/text", _text, Right.EDIT, "the text of a file", DraftFileQuery, refusals=(409,)),
    ApiOperation("GET", f"{ONE}/changes", _changes, Right.DRAFTS, "what it changes", refusals=(409,), quiet=True),
    ApiOperation("GET", f"{ONE}/operations", _log, Right.DRAFTS, "its log", LogQuery, refusals=(409,), quiet=True),
    ApiOperation(
        "GET", f"{ONE}/conflicts", _conflicts, Right.DRAFTS, "what is in its way", refusals=(409,), quiet=True
    ),
    ApiOperation("GET", f"{ONE}/uses", _uses, Right.EDIT, "where something is used", UsesQuery, refusals=(409,)),
)
