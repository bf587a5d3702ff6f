"""Tests of procedures, their publication, and the editions that were published."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.builder.change_words import change_sentences, unified_diffs
from agent.builder.desk import BuilderDesk
from agent.builder.jobs import BuilderJob, Told
from agent.builder.pack_directory import check_name
from agent.builder.pack_tests import PackTestFile
from agent.builder.publication import PublicationOrder, PublicationResult
from agent.console.api.operation import ApiOperation, Asked
from agent.console.builder_sources import SourceRef, source_files
from agent.console.context import ConsoleContext, context_of
from agent.console.rights import Right
from agent.console.routing import address_of, person_of
from agent.dialog.pack.pack_files import edition_of
from agent.dialog.tools.text_call_model import text_calls_of

log = logging.getLogger(__name__)

CURRENT = "current"
_AUDITED_SENTENCES = 12
_MOST_TEXT_BYTES = 1_000_000
_FileName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Reason = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]


class TestRunOrder(BaseModel):
    """Which procedures are tested."""

    __test__ = False
    model_config = ConfigDict(extra="forbid")
    source: SourceRef = SourceRef()


class TestFileText(BaseModel):
    """A file of calls in text as somebody has edited it."""

    __test__ = False
    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, StringConstraints(max_length=250_000)]
    sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
    """Of what was edited; empty for a new file."""


class TextsOrder(BaseModel):
    """Files of the procedures as somebody has written them, to be published as they are."""

    model_config = ConfigDict(extra="forbid")
    base: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    """The edition they were made from: what the files must still hold."""
    files: Annotated[dict[_FileName, str | None], Field(min_length=1, max_length=200)]
    """File -> its whole text, null to remove it; the others stay."""
    reason: _Reason
    despite_tests: bool = False
    """Although tests fail."""
    unconfirmed: bool = False
    """Although no agent answers that could confirm it."""


class RestoreOrder(BaseModel):
    """Why an older edition comes back."""

    model_config = ConfigDict(extra="forbid")
    reason: _Reason
    despite_tests: bool = True
    """Although tests of today fail on the older edition."""
    unconfirmed: bool = False


class EditionsQuery(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")
    before: Annotated[int, Field(ge=1, le=2**53)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class FileQuery(BaseModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")
    file: _FileName


# --- jobs and tests -------------------------------------------------------------------------------------


def job_begun(job: BuilderJob) -> web.Response:
    """Answer that some work has begun."""
    return web.json_response({"job": job.id}, status=202)


async def _job(request: web.Request, _: Asked) -> web.StreamResponse:
    job = context_of(request).desk.jobs.get(request.match_info["id"], person_of(request).id)
    if job is None:
        raise web.HTTPNotFound(text="There is no such work of yours, or it is forgotten.")
    return web.json_response(job.to_json())


def _file_json(held: PackTestFile) -> dict[str, Any]:
    return {"file": held.file, "text": held.text, "sha256": held.sha256}


async def _test_files(request: web.Request, _: Asked) -> web.StreamResponse:
    tests = context_of(request).desk.tests

    def listed() -> list[dict[str, Any]]:
        found = []
        for held in tests.read_all():
            calls, findings = text_calls_of(held.file, held.text)
            found.append({"file": held.file, "calls": len(calls), "problem": str(findings[0]) if findings else ""})
        return found

    return web.json_response({"directory": str(tests.directory), "files": await asyncio.to_thread(listed)})


async def _test_file(request: web.Request, _: Asked) -> web.StreamResponse:
    tests, name = context_of(request).desk.tests, request.match_info["file"]
    held = next((one for one in await asyncio.to_thread(tests.read_all) if one.file == name), None)
    if held is None:
        raise web.HTTPNotFound(text="There is no such file of tests.")
    return web.json_response(_file_json(held))


async def _write_test_file(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, name, body = context_of(request), request.match_info["file"], asked.body
    held = await asyncio.to_thread(context.desk.tests.write, name, body.text, body.sha256)
    await context.audit.note(person_of(request).name, "test.written", {"file": name}, address_of(request))
    return web.json_response(_file_json(held))


async def _run_tests(request: web.Request, asked: Asked) -> web.StreamResponse:
    context = context_of(request)
    files = (await source_files(context, asked.body.source)).files

    async def run(told: Told) -> dict[str, Any]:
        return dict(await context.desk.judge.tests(files, told))

    return job_begun(context.desk.jobs.begin("tests", person_of(request).id, run))


# --- publication ----------------------------------------------------------------------------------------


def changes_json(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Any]:
    """Return what changed, in sentences and as a diff."""
    sentences = [sentence.to_json() for sentence in change_sentences(before, after)]
    return {"sentences": sentences, "diffs": unified_diffs(before, after)}


async def _publish_texts(request: web.Request, asked: Asked) -> web.StreamResponse:
    desk, body = context_of(request).desk, asked.body
    for right in (Right.EDIT, Right.FORMULAS):  # whole files may hold anything
        if not person_of(request).may(right):
            raise web.HTTPForbidden(text=f"You may not do this: it needs the right {right}. An admin can grant it.")
    for name in body.files:
        check_name(name)
    base = await asyncio.to_thread(desk.directory.read)
    if edition_of(base) != body.base:
        raise web.HTTPConflict(text=f"The procedures are another edition by now: {edition_of(base)}.")
    files = {name: text for name, text in {**base, **body.files}.items() if text is not None}
    order = PublicationOrder(
        base=base, files=files, who=person_of(request).name, reason=body.reason, despite_tests=body.despite_tests,
        unconfirmed=body.unconfirmed,
    )  # fmt: skip
    return await begin_publication(request, order, {})


async def begin_publication(
    request: web.Request,
    order: PublicationOrder,
    about: Mapping[str, Any],
    done: Callable[[PublicationResult], Awaitable[None]] | None = None,
) -> web.Response:
    """Begin to publish and answer with the job; what came of it goes to ``done``, and into the audit with ``about``."""
    context = context_of(request)
    if not context.desk.writable:
        raise web.HTTPConflict(
            text="These are the procedures inside of the program. Copy them to a directory of the shop's own, and name "
            "it in the settings: flows_directory."
        )
    who, address = person_of(request).name, address_of(request)

    async def publish(told: Told) -> dict[str, Any]:
        result = await context.desk.publisher.publish(order, told)
        try:  # what is in force is in force, also when that cannot be written down
            await _audit_publication(context, order, result, who, address, about)
        except (sqlite3.Error, OSError) as error:
            log.error("A publication by %s (%s) is not in the audit: %s", who, result.state, error)
        if done is not None:
            await done(result)
        return result.to_json()

    return job_begun(context.desk.jobs.begin("publication", person_of(request).id, publish))


async def _audit_publication(
    context: ConsoleContext,
    order: PublicationOrder,
    result: PublicationResult,
    who: str,
    address: str,
    about: Mapping[str, Any],
) -> None:
    sentences = await asyncio.to_thread(change_sentences, order.base, order.files)
    told = {
        **about, "state": result.state, "edition": result.edition, "number": result.number, "reason": order.reason,
        "files": list(result.files), "changes": [one.words[:200] for one in sentences[:_AUDITED_SENTENCES]],
    }  # fmt: skip
    if order.despite_tests and result.tests and result.tests["failed"]:
        told["despite_tests"] = len(result.tests["failed"])
    await context.audit.note(who, order.kind, told, address)


# --- editions -------------------------------------------------------------------------------------------


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise web.HTTPNotFound(text="Editions have numbers.")
    return int(text)


async def _editions(request: web.Request, asked: Asked) -> web.StreamResponse:
    desk = context_of(request).desk
    edition = await _edition_in_place(desk)
    lines = await desk.editions.lines(before=asked.query.before, limit=asked.query.limit)
    number = await _number_in_force(desk, edition)
    return web.json_response({"editions": [line.to_json(number) for line in lines], "in_force": edition})


async def _edition(request: web.Request, _: Asked) -> web.StreamResponse:
    desk = context_of(request).desk
    line = await desk.editions.line(_number(request.match_info["number"]))
    told = line.to_json(await _number_in_force(desk, await _edition_in_place(desk)))
    return web.json_response({**told, "names": list(line.names)})


async def _edition_in_place(desk: BuilderDesk) -> str:
    return edition_of(await asyncio.to_thread(desk.directory.read))


async def _number_in_force(desk: BuilderDesk, edition: str) -> int | None:
    """Return which kept edition the files hold; None after an edit by hand."""
    latest = await desk.editions.latest()
    return latest.number if latest is not None and latest.edition == edition else None


async def _text(request: web.Request, asked: Asked) -> web.StreamResponse:
    files = await context_of(request).desk.editions.files(_number(request.match_info["number"]))
    if asked.query.file not in files:
        raise web.HTTPNotFound(text="This edition has no such file.")
    return web.json_response({"file": asked.query.file, "text": files[asked.query.file]})


async def _compare(request: web.Request, _: Asked) -> web.StreamResponse:
    desk, second = context_of(request).desk, request.match_info["second"]
    before = await desk.editions.files(_number(request.match_info["first"]))
    if second == CURRENT:
        after: Mapping[str, str] = await asyncio.to_thread(desk.directory.read)
    else:
        after = await desk.editions.files(_number(second))
    return web.json_response(await asyncio.to_thread(changes_json, before, after))


async def _restore(request: web.Request, asked: Asked) -> web.StreamResponse:
    desk, number = context_of(request).desk, _number(request.match_info["number"])
    body: RestoreOrder = asked.body
    files = await desk.editions.files(number)
    order = PublicationOrder(
        base=await asyncio.to_thread(desk.directory.read), files=files, who=person_of(request).name,
        reason=body.reason, kind="restored", restores=number, despite_tests=body.despite_tests,
        unconfirmed=body.unconfirmed,
    )  # fmt: skip
    return await begin_publication(request, order, {"restores": number})


_ONE = "/editions/{number}"
_JOB = {"type": "object", "required": ["job"], "properties": {"job": {"type": "string"}}}
OPERATIONS = (
    ApiOperation(
        "GET", "/jobs/{id}", _job, Right.ACCOUNT, "how far work of one's own is, and what came of it", quiet=True
    ),
    ApiOperation("GET", "/tests", _test_files, Right.PROCEDURES, "files of calls in text that test the procedures"),
    ApiOperation("GET", "/tests/{file}", _test_file, Right.PROCEDURES, "one of them"),
    ApiOperation(
        *("PUT", "/tests/{file}", _write_test_file, Right.TEST, "write one of them"),
        body=TestFileText,
        most_body_bytes=_MOST_TEXT_BYTES,
        refusals=(409,),
    ),
    ApiOperation(
        *("POST", "/tests/run", _run_tests, Right.TEST, "play all tests"),
        body=TestRunOrder,
        status=202,
        answer=_JOB,
        refusals=(404,),
    ),
    ApiOperation(
        *("POST", "/publications", _publish_texts, Right.PUBLISH, "publish whole files, made from the present edition"),
        body=TextsOrder,
        most_body_bytes=_MOST_TEXT_BYTES,
        status=202,
        answer=_JOB,
        refusals=(409,),
    ),
    ApiOperation(
        "GET", "/editions", _editions, Right.PROCEDURES, "published editions, the latest first", EditionsQuery
    ),
    ApiOperation("GET", _ONE, _edition, Right.PROCEDURES, "one edition"),
    ApiOperation("GET", f"{_ONE}/text", _text, Right.PROCEDURES, "the text of one of its files", FileQuery),
    ApiOperation(
        "GET", "/editions/{first}/compare/{second}", _compare, Right.PROCEDURES, "what changed between two editions"
    ),
    ApiOperation(
        *("POST", f"{_ONE}/restore", _restore, Right.PUBLISH, "publish the contents of an older edition again"),
        body=RestoreOrder,
        status=202,
        answer=_JOB,
        refusals=(409,),
    ),
)
