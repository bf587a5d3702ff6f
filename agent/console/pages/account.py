"""One's own account: password, second factor, colours, phone, sessions."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from agent.console.api.people import check_own_password, doer_of, switch_second_factor
from agent.console.context import context_of
from agent.console.pages.forms import SentForm, sent_form
from agent.console.rendering import render
from agent.console.rights import ROLE_HELP, Right
from agent.console.routing import address_of, page, person_of, session_of
from agent.console.sessions import set_cookie
from agent.console.totp import app_address, new_secret
from agent.console.views.frame import THEME_COOKIE, THEMES
from agent.errors import OrderlineError

_YEAR_SECONDS = 365 * 24 * 3600
_MISTAKES = frozenset({"console_people", "weak_password"})


def routes() -> list[web.RouteDef]:
    """Return the routes."""
    return [web.get("/account", _account), web.post("/account", _change)]


@page(right=Right.ACCOUNT)
async def _account(request: web.Request) -> web.StreamResponse:
    return await _account_page(request)


async def _account_page(
    request: web.Request, *, problem: str = "", told: str = "", secret: str = "", status: int = 200
) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    account = await context.accounts.find(person.name)
    if account is None:
        raise web.HTTPNotFound(text="Your account is gone.")
    shop = context.settings.shop.name
    values: dict[str, Any] = {
        "account": account,
        "role_help": ROLE_HELP[account.role],
        "preferences": {"colours": "system", "phone": "", **await context.accounts.preferences(person.id)},
        "sessions": await context.sessions.of_person(person.id),
        "own": session_of(request).hash,
        "problem": problem,
        "told": told,
        "secret": secret,
        "app_address": app_address(secret, person.name, shop) if secret else "",
        "zone": context.now().tzinfo,
    }
    return render(request, "account.html", values, status=status)


@page(right=Right.ACCOUNT)
async def _change(request: web.Request) -> web.StreamResponse:
    form = await sent_form(request)
    what = form.text("what")
    secret = form.text("secret") if what == "second_factor" else ""
    try:
        match what:
            case "password":
                return await _new_password(request, form)
            case "look":
                return await _look(request, form)
            case "offer":
                return await _account_page(request, secret=new_secret())
            case "second_factor":
                await switch_second_factor(request, form.secret("password"), secret, form.text("code"))
                told = "The second factor is on." if secret else "The second factor is off."
                return await _account_page(request, told=told)
            case "session":
                return await _end_session(request, form.text("number"))
    except OrderlineError as error:
        if error.code not in _MISTAKES:
            raise
        return await _account_page(request, problem=error.message, secret=secret, status=400)
    except web.HTTPForbidden as error:
        return await _account_page(request, problem=error.text or "", secret=secret, status=403)
    raise web.HTTPBadRequest(text="This form is not known: load the page again.")


async def _new_password(request: web.Request, form: SentForm) -> web.StreamResponse:
    context, person, session = context_of(request), person_of(request), session_of(request)
    await check_own_password(request, form.secret("old"))
    await context.accounts.set_password(person.name, form.secret("new"), by=doer_of(request))
    token = await context.sessions.begin(person.id, session.address, session.browser)
    response = web.HTTPSeeOther("/account")
    set_cookie(response, token)
    raise response


async def _look(request: web.Request, form: SentForm) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    colours, phone = form.text("colours"), form.text("phone")
    kept = await context.accounts.preferences(person.id)
    colours = colours if colours in THEMES else "system"
    await context.accounts.set_preferences(person.id, {**kept, "colours": colours, "phone": phone[:40]})
    response = web.HTTPSeeOther("/account")
    secure = request.secure
    if colours in THEMES:
        response.set_cookie(THEME_COOKIE, colours, max_age=_YEAR_SECONDS, samesite="Strict", secure=secure)
    else:
        response.del_cookie(THEME_COOKIE)
    raise response


async def _end_session(request: web.Request, number: str) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    if not await context.sessions.end_number(person.id, number):
        raise web.HTTPNotFound(text="There is no such session of yours.")
    await context.audit.note(person.name, "session_ended", {"number": number}, address_of(request))
    raise web.HTTPSeeOther("/account")
