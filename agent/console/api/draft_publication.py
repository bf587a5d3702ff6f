"""Publishing a draft: what it changes, and putting it in force."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.builder.publication import PublicationOrder, PublicationResult
from agent.console.api.operation import ApiOperation, Asked
from agent.console.api.publications import begin_publication, changes_json
from agent.console.builder_sources import DraftId
from agent.console.context import context_of
from agent.console.rights import Right
from agent.console.routing import person_of
from agent.dialog.pack.pack_files import edition_of

log = logging.getLogger(__name__)


class DraftReview(BaseModel):
    """Which draft is looked at."""

    model_config = ConfigDict(extra="forbid")
    draft: DraftId


class DraftOrder(BaseModel):
    """Why a draft is published."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]
    seq: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """The entry up to which its changes were looked at: what was added since is not published."""
    despite_tests: bool = False
    """Although tests fail."""
    unconfirmed: bool = False
    """Although no agent answers that could confirm it."""


async def _review(request: web.Request, asked: Asked) -> web.StreamResponse:
    draft = await context_of(request).drafts.get(asked.body.draft)
    before, after = draft.base_files(), draft.files()
    told = await asyncio.to_thread(changes_json, before, after)
    by = sorted({entry.who for entry in draft.entries if entry.operations})
    return web.json_response({**told, "hand_edited": [], "by": by, "seq": draft.seq})


async def _publish(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, who, body = context_of(request), person_of(request).name, asked.body
    draft = await context.drafts.get(request.match_info["draft_id"])
    if draft.state != "open":
        raise web.HTTPConflict(text=f"This draft is {draft.state}: begin another one.")
    if body.seq not in (None, draft.seq):
        raise web.HTTPConflict(text="The draft has been changed since you looked at it: look at the changes once more.")
    if draft.conflicts:
        raise web.HTTPConflict(text="Two people have changed the same thing: settle it first.")
    base, files = await asyncio.to_thread(context.desk.directory.read), draft.files()
    if edition_of(base) != draft.edition_in_files:
        raise web.HTTPConflict(text="The files have changed meanwhile: look at the changes once more.")

    async def note(result: PublicationResult) -> None:
        if result.number is not None and result.state in ("in_force", "unconfirmed"):
            try:
                await context.drafts.published(draft.id, who, draft.seq)
            except (sqlite3.Error, OSError) as error:  # the next start of the console notes it
                log.error("It cannot be noted that the draft %s has been published: %s", draft.id, error)

    order = PublicationOrder(
        base=base,
        files=files,
        who=who,
        reason=body.reason,
        despite_tests=body.despite_tests,
        unconfirmed=body.unconfirmed,
    )
    return await begin_publication(request, order, {"draft": draft.id}, note)


_JOB = {"type": "object", "required": ["job"], "properties": {"job": {"type": "string"}}}
OPERATIONS = (
    ApiOperation(
        *("POST", "/publications/review", _review, Right.PUBLISH, "what a draft changes, in words and lines"),
        body=DraftReview,
        refusals=(404, 409),
    ),
    ApiOperation(
        *("POST", "/drafts/{draft_id}/publish", _publish, Right.PUBLISH, "test a draft and put it in force"),
        body=DraftOrder,
        answer=_JOB,
        status=202,
        refusals=(409,),
    ),
)
