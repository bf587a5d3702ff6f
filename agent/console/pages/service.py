"""Queues, health with the outbox, and the settings as they are in force."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from aiohttp import web

from agent.common.sqlite import transaction
from agent.console.api.actions import health_of, queues_of
from agent.console.api.calls import MOST_COUNTED
from agent.console.call_query import CallQuery
from agent.console.context import context_of
from agent.console.pages.forms import sent_form
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import address_of, page, person_of
from agent.console.views.live import node_views
from agent.console.views.queues import QueueView, queue_views
from agent.console.views.settings import settings_view
from agent.records import outbox_sql
from agent.records.database import connect

_MOST_DEAD = 200


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/queues", _queues),
        web.get("/health", _health),
        web.post("/health/outbox", _outbox),
        web.get("/settings", _settings),
    ]


@page(right=Right.HEALTH)
async def _queues(request: web.Request) -> web.StreamResponse:
    context = context_of(request)
    told, health = await asyncio.gather(queues_of(context), health_of(context))
    nodes = node_views(health, context.now().tzinfo)
    queues = await asyncio.to_thread(queue_views, context.settings.queues, context.now(), told["queues"])
    counts = await asyncio.gather(*(_today(request, queue) for queue in queues))
    values = {
        "queues": list(zip(queues, counts, strict=True)),
        "problem": told["problem"],
        "nodes": nodes,
        "paused": [node for node in nodes if node.paused],
    }
    return render(request, "queues.html", values)


async def _today(request: web.Request, queue: QueueView) -> int | None:
    context, person = context_of(request), person_of(request)
    if not person.may(Right.CALLS):
        return None
    asked = CallQuery.model_validate({"from": f"{context.now():%Y-%m-%d}", "queue": (queue.name,)})
    return await context.calls.count(asked, person, MOST_COUNTED)


@page(right=Right.HEALTH)
async def _health(request: web.Request) -> web.StreamResponse:
    return await _health_page(request)


async def _health_page(request: web.Request, told: str = "") -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    health = await health_of(context)
    dead: list[outbox_sql.OutboxEntry] = []
    problem = ""
    if person.may(Right.DEAD_LETTERS):
        try:
            dead = await asyncio.to_thread(_dead, context.calls_path)
        except sqlite3.Error as error:
            problem = f"The outbox cannot be read: {error}"
    values = {
        "nodes": node_views(health, context.now().tzinfo),
        "index_problem": health["index"],
        "dead": dead,
        "outbox_problem": problem,
        "told": told,
        "zone": context.now().tzinfo,
    }
    return render(request, "health.html", values)


@page(right=Right.DEAD_LETTERS)
async def _outbox(request: web.Request) -> web.StreamResponse:
    context, form = context_of(request), await sent_form(request)
    what, number = form.text("what"), form.text("entry")
    if what not in ("retry", "drop") or not (number.isascii() and number.isdigit() and len(number) < 18):
        raise web.HTTPBadRequest(text="Choose an entry, and whether to try it again or drop it.")
    done = await asyncio.to_thread(_change, context.calls_path, what, int(number), context.now().timestamp())
    about = {"entry": int(number), "done": done}
    await context.audit.note(person_of(request).name, f"outbox.{what}", about, address_of(request))
    if not done:
        return await _health_page(request, "This entry is not there any more: it was delivered or dropped meanwhile.")
    raise web.HTTPSeeOther("/health#outbox")


def _dead(path: Path) -> list[outbox_sql.OutboxEntry]:
    if not path.is_file():
        return []
    with closing(connect(path)) as db, transaction(db):
        return outbox_sql.rows(db, ("dead",), _MOST_DEAD)


def _change(path: Path, what: str, entry: int, now: float) -> bool:
    with closing(connect(path)) as db, transaction(db):
        return bool(outbox_sql.requeue(db, now, entry) if what == "retry" else outbox_sql.drop(db, entry))


@page(right=Right.SETTINGS)
async def _settings(request: web.Request) -> web.StreamResponse:
    values: Mapping[str, Any] = {"groups": settings_view(context_of(request).settings)}
    return render(request, "settings.html", values)
