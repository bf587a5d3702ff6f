"""Signing in and out. Whatever is wrong with a sign-in, the words and the time are the same."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from aiohttp import web

from agent.console.context import ConsoleContext, context_of
from agent.console.people import Account
from agent.console.rendering import render
from agent.console.rights import Right
from agent.console.routing import address_of, form_of, page, person_of, visitor_of
from agent.console.sessions import COOKIE, delete_cookie, set_cookie

WRONG = "Name, password or code is wrong."
MOST_NAME_CHARS = 64
_STARTS = ((Right.LIVE, "/live"), (Right.PROMOTIONS, "/promotions"), (Right.ACCOUNT, "/account"))


def sign_in_routes() -> list[web.RouteDef]:
    """Return ``/login``, ``/logout`` and ``/``."""
    return [
        web.get("/", _start),
        web.get("/login", _form),
        web.post("/login", _sign_in),
        web.post("/logout", _sign_out),
    ]


@page(right=Right.ACCOUNT)
async def _start(request: web.Request) -> web.StreamResponse:
    person = person_of(request)
    raise web.HTTPSeeOther(next(where for right, where in _STARTS if person.may(right)))


@page(right=None)
async def _form(request: web.Request) -> web.StreamResponse:
    if visitor_of(request) is not None:
        raise web.HTTPSeeOther("/")
    return _again(request, "", "", request.query.get("next", ""))


@page(right=None)
async def _sign_in(request: web.Request) -> web.StreamResponse:
    context, address = context_of(request), address_of(request)
    form = await form_of(request)
    name, password, code, where = (form.get(key, "") for key in ("name", "password", "code", "next"))
    name = name.strip()
    known = len(name) <= MOST_NAME_CHARS and await context.sessions.known_address(name, address)
    if wait := context.limits.wait_seconds(name, address, known=known):
        seconds = math.ceil(wait)
        message = f"There were too many failures. Try again in {_span(seconds)}."
        return _again(request, message, name, where, status=429, headers={"Retry-After": str(seconds)})
    context.limits.begin(name, address, known=known)
    account = await _proved(context, name, password, code)
    if account is None:
        if context.limits.failed(address):
            exists = await context.accounts.find(name) is not None
            told = {"name": name if exists else "(no such account)"}  # it may be a password in the wrong field
            await context.audit.note("(nobody)", "sign_in_failed", told, address)
        return _again(request, WRONG, name, where, status=401)
    token = await context.sessions.begin(
        *(account.id, address, request.headers.get("User-Agent", "")), instead_of=request.cookies.get(COOKIE, "")
    )
    await context.audit.note(account.name, "sign_in", {}, address)
    context.limits.succeeded(name, address, known=known)
    response = web.HTTPSeeOther(own_page(where))
    set_cookie(response, token)
    raise response


async def _proved(context: ConsoleContext, name: str, password: str, code: str) -> Account | None:
    """Return the account that somebody has proved to be theirs, None for any reason not to."""
    account = await context.accounts.find(name) if len(name) <= MOST_NAME_CHARS else None
    stored = await context.accounts.password_hash(account.name) if account is not None else None
    if not await context.passwords.verify(stored, password) or account is None or stored is None:
        return None
    if account.second_factor and not await context.accounts.accepts_code(account.name, code):
        return None
    if context.passwords.is_outdated(stored):
        await context.accounts.renew_hash(account.name, password)
    return account


@page(right=Right.ACCOUNT)
async def _sign_out(request: web.Request) -> web.StreamResponse:
    context = context_of(request)
    await context.sessions.end(request.cookies.get(COOKIE, ""))
    await context.audit.note(person_of(request).name, "sign_out", {}, address_of(request))
    response = web.HTTPSeeOther("/login")
    delete_cookie(response)
    raise response


def own_page(where: str) -> str:
    """Return the page to go to after the sign-in: one of ours, whatever the address said."""
    try:
        parts = urlsplit(where)
    except ValueError:
        return "/"
    ours = where.startswith("/") and not where.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return where if ours and where.isprintable() and "\\" not in where else "/"


def _again(
    request: web.Request,
    message: str,
    name: str,
    where: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> web.Response:
    values = {"message": message, "name": name[:MOST_NAME_CHARS], "next": own_page(where) if where else ""}
    return render(request, "login.html", values, status=status, headers=headers)


def _span(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 120 else f"{math.ceil(seconds / 60)} minutes"
