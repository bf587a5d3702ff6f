"""Drafts of procedures: begun, changed, taken back, put aside. What is there to read of them is in drafts_reading."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent.builder.draft import Draft, DraftConflict
from agent.builder.edit_requests import EditRequest
from agent.builder.errors import DraftMissing
from agent.builder.operations import MOST_PATH_PARTS
from agent.common.untrusted import storable
from agent.console.api.operation import ApiOperation, Asked
from agent.console.context import context_of
from agent.console.draft_rights import PersonEdits, may_do
from agent.console.rights import ConsolePerson, Right
from agent.console.routing import address_of, person_of

MOST_TOGETHER = 200
MOST_BODY_BYTES = 2 * 1024 * 1024
"""An operation may hold a file's text, before and after."""
_ID = r"^[A-Za-z0-9_.:-]{1,64}$"
RequestId = Annotated[str, StringConstraints(pattern=_ID)]
DraftName = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]


class NewDraft(BaseModel):
    """A draft of the procedures as they are."""

    model_config = ConfigDict(extra="forbid")
    name: DraftName
    client: RequestId
    """Given by the browser: the same one gets the same draft."""


class DraftNamed(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid")
    name: DraftName


class AskedOperation(BaseModel):
    """One operation, or several that are one step to undo: all of them or none."""

    model_config = ConfigDict(extra="forbid")
    id: RequestId
    """Given by the browser: what is sent twice is done once."""
    operation: dict[str, Any] | None = None
    operations: Annotated[list[dict[str, Any]], Field(max_length=MOST_TOGETHER)] = []

    @model_validator(mode="after")
    def _one_way(self) -> AskedOperation:
        if self.operation is not None and self.operations:
            raise ValueError("operation or operations, not both: one of them would be lost")
        return self


class Operations(BaseModel):
    """What is to be done, one after the other."""

    model_config = ConfigDict(extra="forbid")
    seen: Annotated[int, Field(ge=0, le=2**53)]
    """The entry up to which the browser knows the draft."""
    operations: Annotated[list[AskedOperation], Field(min_length=1, max_length=MOST_TOGETHER)]


class Undo(BaseModel):
    """One step back."""

    model_config = ConfigDict(extra="forbid")
    id: RequestId
    of: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """An entry; one's own latest edit without it."""


class Redo(BaseModel):
    """One step forward again."""

    model_config = ConfigDict(extra="forbid")
    id: RequestId


class Settled(BaseModel):
    """How a conflict is settled."""

    model_config = ConfigDict(extra="forbid")
    take: Literal["mine", "theirs"]


def moment(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def summary(draft: Draft, person: ConsolePerson | None = None) -> dict[str, Any]:
    """Return a draft as JSON; with ``person`` also whether they can undo and redo, which needs its log."""
    told = {
        "id": draft.id,
        "name": draft.name,
        "state": draft.state,
        "owner": draft.owner,
        "made_at": moment(draft.made_at),
        "changed_at": moment(draft.changed_at),
        "changed_by": draft.changed_by,
        "base": draft.base,
        "seq": draft.seq,
        "conflicts": len(draft.conflicts),
    }
    if person is not None:
        told["can_undo"] = draft.to_undo(person.name) is not None
        told["can_redo"] = draft.to_redo(person.name) is not None
    return told


def conflict_json(conflict: DraftConflict) -> dict[str, Any]:
    """Return a conflict as JSON; file and path are those of the operation that was in the way."""
    last = conflict.operations[-1] if conflict.operations else {}
    return {
        "number": conflict.number,
        "id": conflict.id,
        "at": moment(conflict.at),
        "who": conflict.who,
        "operations": list(conflict.operations),
        "reason": conflict.reason,
        "mine": conflict.mine,
        "theirs": conflict.theirs,
        "file": last.get("file", ""),
        "path": last.get("path", [])[:MOST_PATH_PARTS],
    }


async def _begin(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    draft = await context.drafts.open(storable(asked.body.name), person.name, f"{person.id}-{asked.body.client}")
    if draft.seq == 0 and draft.state == "open":
        await _note(request, "draft.open", draft)
    return web.json_response(summary(draft, person), status=201)


async def _rename(request: web.Request, asked: Asked) -> web.StreamResponse:
    person = person_of(request)
    draft = await context_of(request).drafts.rename(_draft_id(request), storable(asked.body.name), person.name)
    await _note(request, "draft.rename", draft)
    return web.json_response(summary(draft, person))


async def _discard(request: web.Request, _: Asked) -> web.StreamResponse:
    person = person_of(request)
    await _check_whole(request)
    draft = await context_of(request).drafts.discard(_draft_id(request), person.name)
    await _note(request, "draft.discard", draft)
    return web.json_response(summary(draft, person))


async def _restore(request: web.Request, _: Asked) -> web.StreamResponse:
    person = person_of(request)
    await _check_whole(request)
    draft = await context_of(request).drafts.restore(_draft_id(request), person.name)
    await _note(request, "draft.restore", draft)
    return web.json_response(summary(draft, person))


async def _check_whole(request: web.Request) -> None:
    """Raise HTTPForbidden where a draft holds what this person may not change: nobody puts that aside for others."""
    draft = await context_of(request).drafts.get(_draft_id(request))
    person = person_of(request)
    if draft.owner != person.name and not all(
        may_do(person, entry.operations) for entry in draft.entries if entry.operations
    ):
        raise web.HTTPForbidden(text="This draft holds changes that you may not make.")


async def _operations(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    together = [
        EditRequest(one.id, tuple([one.operation] if one.operation is not None else one.operations))
        for one in asked.body.operations
    ]
    draft, answers = await context.drafts.apply(
        _draft_id(request), person.name, together, asked.body.seen, PersonEdits(person)
    )
    return web.json_response({"seq": draft.seq, "results": answers})


async def _undo(request: web.Request, asked: Asked) -> web.StreamResponse:
    person, drafts = person_of(request), context_of(request).drafts
    rights = PersonEdits(person)
    draft, answer = await drafts.undo(_draft_id(request), person.name, asked.body.id, asked.body.of, rights)
    return web.json_response({"seq": draft.seq, **answer})


async def _redo(request: web.Request, asked: Asked) -> web.StreamResponse:
    person = person_of(request)
    drafts = context_of(request).drafts
    draft, answer = await drafts.redo(_draft_id(request), person.name, asked.body.id, PersonEdits(person))
    return web.json_response({"seq": draft.seq, **answer})


async def _settle(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person, number = context_of(request), person_of(request), _number(request)
    draft, answer = await context.drafts.settle(
        _draft_id(request), person.name, number, asked.body.take, PersonEdits(person)
    )
    await _note(request, "draft.settle", draft, number=number, take=asked.body.take)
    return web.json_response({**answer, "seq": draft.seq})


def _draft_id(request: web.Request) -> str:
    return request.match_info["draft_id"]


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise DraftMissing("There is no such conflict.")
    return int(text)


async def _note(request: web.Request, what: str, draft: Draft, **more: Any) -> None:
    about = {"draft": draft.id, "name": draft.name, **more}
    await context_of(request).audit.note(person_of(request).name, what, about, address_of(request))


ONE = "/drafts/{draft_id}"
OPERATIONS = (
    ApiOperation(
        *("POST", "/drafts", _begin, Right.DRAFTS, "begin a draft of the procedures"),
        body=NewDraft,
        status=201,
        refusals=(409,),
    ),
    ApiOperation(*("PATCH", ONE, _rename, Right.DRAFTS, "give a draft another name"), body=DraftNamed),
    ApiOperation(*("DELETE", ONE, _discard, Right.DRAFTS, "put a draft aside; it is kept"), refusals=(409,)),
    ApiOperation(*("POST", f"{ONE}/restore", _restore, Right.DRAFTS, "take it up again"), refusals=(409,)),
    ApiOperation(
        *("POST", f"{ONE}/operations", _operations, Right.DRAFTS, "change a draft; each result says what came of it"),
        body=Operations,
        refusals=(409,),
        most_body_bytes=MOST_BODY_BYTES,
    ),
    ApiOperation(*("POST", f"{ONE}/undo", _undo, Right.DRAFTS, "take an edit back"), body=Undo, refusals=(409,)),
    ApiOperation(*("POST", f"{ONE}/redo", _redo, Right.DRAFTS, "do it again"), body=Redo, refusals=(409,)),
    ApiOperation(
        *("POST", f"{ONE}/conflicts/{{number}}", _settle, Right.DRAFTS, "settle a conflict"),
        body=Settled,
        refusals=(409,),
    ),
)
