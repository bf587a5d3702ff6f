"""Accounts and their roles."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from agent.console.api.people import doer_of
from agent.console.context import context_of
from agent.console.pages.forms import SentForm, sent_form
from agent.console.people import Account, PeopleError
from agent.console.rendering import render
from agent.console.rights import ROLE_HELP, ROLES, Right
from agent.console.routing import page, person_of
from agent.errors import OrderlineError

_MISTAKES = frozenset({"console_people", "console_right", "weak_password"})


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [
        web.get("/people", _people),
        web.post("/people", _add),
        web.get("/people/{name}", _person),
        web.post("/people/{name}", _change),
        web.post("/people/{name}/remove", _remove),
    ]


@page(right=Right.PEOPLE)
async def _people(request: web.Request) -> web.StreamResponse:
    return await _list_page(request, SentForm({}))


async def _list_page(request: web.Request, form: SentForm, problem: str = "") -> web.StreamResponse:
    context = context_of(request)
    values = {
        "people": await context.accounts.list(),
        "roles": ROLE_HELP,
        "rights": list(Right),
        "form": form,
        "problem": problem,
        "zone": context.now().tzinfo,
    }
    return render(request, "people.html", values, status=400 if problem else 200)


@page(right=Right.PEOPLE)
async def _add(request: web.Request) -> web.StreamResponse:
    form = await sent_form(request)
    try:
        await context_of(request).accounts.add(
            *(form.text("name"), form.text("role"), form.secret("password")),
            granted=form.all("granted"),
            scopes=_lines(form.text("scopes")),
            by=doer_of(request),
        )
    except OrderlineError as error:
        return await _list_page(request, form, _mistake(error))
    raise web.HTTPSeeOther("/people")


@page(right=Right.PEOPLE)
async def _person(request: web.Request) -> web.StreamResponse:
    return await _person_page(request)


async def _person_page(request: web.Request, problem: str = "") -> web.StreamResponse:
    account = await _named(request)
    values: dict[str, Any] = {
        "account": account,
        "roles": ROLE_HELP,
        "grantable": [right for right in Right if right not in ROLES[account.role]],
        "own": account.id == person_of(request).id,
        "problem": problem,
    }
    return render(request, "one_person.html", values, status=400 if problem else 200)


async def _named(request: web.Request) -> Account:
    account = await context_of(request).accounts.find(request.match_info["name"])
    if account is None:
        raise web.HTTPNotFound(text="There is no such account.")
    return account


@page(right=Right.PEOPLE)
async def _change(request: web.Request) -> web.StreamResponse:
    accounts, account, form = context_of(request).accounts, await _named(request), await sent_form(request)
    try:
        match form.text("what"):
            case "password":
                await accounts.set_password(account.name, form.secret("password"), by=doer_of(request))
            case "second_factor":
                await accounts.set_second_factor(account.name, "", by=doer_of(request))
            case _:
                await accounts.change(
                    account.name,
                    role=form.text("role"),
                    granted=form.all("granted"),
                    scopes=_lines(form.text("scopes")),
                    by=doer_of(request),
                )
    except OrderlineError as error:
        return await _person_page(request, _mistake(error))
    raise web.HTTPSeeOther("/people")


@page(right=Right.PEOPLE)
async def _remove(request: web.Request) -> web.StreamResponse:
    account = await _named(request)
    try:
        if account.id == person_of(request).id:
            raise PeopleError("Somebody else has to remove your own account.")
        await context_of(request).accounts.remove(account.name, by=doer_of(request))
    except OrderlineError as error:
        return await _person_page(request, _mistake(error))
    raise web.HTTPSeeOther("/people")


def _lines(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (line.strip() for line in text.replace(",", "\n").splitlines())))


def _mistake(error: OrderlineError) -> str:
    """Return what somebody typed wrong; raise whatever is no mistake of theirs."""
    if error.code not in _MISTAKES:
        raise error
    return error.message
