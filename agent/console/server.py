"""The console's HTTP server: every request passes one gate before a page sees it, every answer gets its headers."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from agent.console.api import OPERATIONS
from agent.console.api.openapi import openapi
from agent.console.context import CONTEXT, ConsoleContext, context_of
from agent.console.csrf import FIELD, HEADER, SAFE_METHODS, has_token, own_origin
from agent.console.errors import problem_of
from agent.console.headers import STATIC_PREFIX, add_headers
from agent.console.page_routes import page_routes
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import ORIGIN, PERSON, SESSION, Handler, access_of, form_of, page, unmarked
from agent.console.sessions import COOKIE
from agent.console.sign_in import sign_in_routes
from agent.errors import OrderlineError

log = logging.getLogger(__name__)

STATIC = Path(__file__).resolve().parent / "static"
MOST_BODY_BYTES = 1024 * 1024
_NO_SIGN_IN_HINT = frozenset({"/", "/login"})


def console_application(context: ConsoleContext, routes: Sequence[web.RouteDef] | None = None) -> web.Application:
    """Return the application; ``routes`` are the pages (:func:`agent.console.page_routes.page_routes` unless given).

    Every handler is marked with :func:`agent.console.routing.page`. Raises ValueError for one that is not.
    """
    pages = page_routes() if routes is None else routes
    own = [
        web.get("/healthz", _alive),
        web.get("/api/openapi.json", _openapi),
        web.get(STATIC_PREFIX + "{name:.+}", _static),
        *sign_in_routes(),
        *(operation.route() for operation in OPERATIONS),
    ]
    if open_doors := unmarked([*own, *pages]):
        raise ValueError(f"nobody said who may use {', '.join(open_doors)}: mark the handlers with @page(right=...)")
    application = web.Application(middlewares=[_tell_errors, _gate], client_max_size=MOST_BODY_BYTES)
    application[CONTEXT] = context
    application.add_routes([*own, *pages])
    application.on_response_prepare.append(add_headers)
    application.on_shutdown.append(_end_readers)
    return application


# --- the gate -------------------------------------------------------------------------------------------


@web.middleware
async def _gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through: by its host, its origin, its session, its token and its person's rights, in this order."""
    context = context_of(request)
    origin = request[ORIGIN] = context.hosts.origin(request)
    if (missing := request.match_info.http_exception) is not None:
        raise missing
    access = access_of(request.match_info.handler)
    if access is None:
        raise web.HTTPForbidden(text="Nobody said who may see this page.")
    changes = request.method not in SAFE_METHODS
    if changes and not own_origin(request.headers, origin):
        raise web.HTTPForbidden(text="Changes are taken from the console's own pages only.")
    token = request.cookies.get(COOKIE, "")
    session = await context.sessions.find(token, used=not access.quiet) if token else None
    if session is not None:
        request[SESSION], request[PERSON] = session, session.person
    if access.right is None:
        return await handler(request)
    if session is None:
        raise _sign_in_first(request)
    if changes and not has_token(await _given_token(request), token):
        raise web.HTTPForbidden(text="This page is out of date: load it again, then repeat what you did.")
    if not session.person.may(access.right):
        raise web.HTTPForbidden(text=f"You may not do this: it needs the right {access.right}. An admin can grant it.")
    return await handler(request)


async def _given_token(request: web.Request) -> str:
    if HEADER in request.headers:
        return request.headers[HEADER]
    return (await form_of(request)).get(FIELD, "")


def _sign_in_first(request: web.Request) -> web.HTTPException:
    if _is_api(request) or request.method not in SAFE_METHODS:
        return web.HTTPUnauthorized(text="Sign in first.")
    where = "" if request.path in _NO_SIGN_IN_HINT else f"?next={quote(request.path_qs, safe='')}"
    return web.HTTPSeeOther(f"/login{where}")


# --- errors ---------------------------------------------------------------------------------------------


@web.middleware
async def _tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer failures in the form of what was asked for: a page, or problem+json."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _answer(request, error, dict(error.headers))
    except (OrderlineError, sqlite3.Error, OSError) as error:
        if isinstance(error, ConnectionError):
            raise  # the browser has left
        return _answer(request, error, {})
    except Exception as error:
        log.exception("%s %s has failed", request.method, request.path)
        return _answer(request, error, {})


def _answer(request: web.Request, error: BaseException, headers: dict[str, str]) -> web.StreamResponse:
    problem = problem_of(error)
    kept = {name: value for name, value in headers.items() if name in ("Allow", "Retry-After", "Content-Range")}
    if problem.status == 503:
        kept.setdefault("Retry-After", "2")
        log.warning("%s %s: %s", request.method, request.path, problem.detail)
    if _is_api(request):
        return web.json_response(
            problem.json(), status=problem.status, headers=kept, content_type="application/problem+json"
        )
    return render(request, "error.html", {"problem": problem}, status=problem.status, headers=kept)


def _is_api(request: web.Request) -> bool:
    return request.path.startswith("/api/")


# --- what needs no sign-in ------------------------------------------------------------------------------


@page(right=None)
async def _alive(_: web.Request) -> web.StreamResponse:
    return web.Response(text="orderline console: alive\n")


@page(right=Right.ACCOUNT)
async def _openapi(_: web.Request) -> web.StreamResponse:
    return web.json_response(openapi(OPERATIONS))


@page(right=None)
async def _static(request: web.Request) -> web.StreamResponse:
    """Serve a file of the package: by a name that is looked up among those that are there, never joined to a path."""
    files = {str(file.relative_to(STATIC)): file for file in STATIC.rglob("*") if file.is_file()}
    file = files.get(request.match_info["name"])
    if file is None:
        raise web.HTTPNotFound(text="There is no such file.")
    return web.FileResponse(file)


async def _end_readers(application: web.Application) -> None:
    application[CONTEXT].drafts.end_followers()
    await application[CONTEXT].live.close()
