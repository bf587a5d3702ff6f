"""Accounts, one's own account and sessions, and the audit."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.console.api.operation import ApiOperation, Asked
from agent.console.audit import AuditEntry, rows_for_csv
from agent.console.context import context_of
from agent.console.people import Account, Doer, PeopleError
from agent.console.rights import ROLES, Right
from agent.console.routing import address_of, person_of, session_of
from agent.console.sessions import ConsoleSession, set_cookie
from agent.console.totp import accepted_step, app_address, new_secret
from agent.history.export import guarded

Text = Annotated[str, StringConstraints(max_length=200)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Role = Annotated[str, StringConstraints(pattern=f"^({'|'.join(ROLES)})$")]
Rights = Annotated[tuple[Right, ...], Field(max_length=50)]
Scopes = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^(queue|dialled):[^\s:][^\x00-\x1f]{0,79}$")], ...],
    Field(max_length=50),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewPerson(_Body):
    """An account to make."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
    role: Role
    password: Secret
    granted: Rights = ()
    scopes: Scopes = ()


class PersonChange(_Body):
    """What is left out stays as it is."""

    role: Role | None = None
    granted: Rights | None = None
    scopes: Scopes | None = None
    password: Secret | None = None
    second_factor: Annotated[str, StringConstraints(pattern="^off$")] | None = None
    """``off``: for somebody who has lost the phone."""


class NewPassword(_Body):
    """One's own."""

    old: Secret
    new: Secret


class SecondFactor(_Body):
    """Switches it on: the secret that was shown, and a code of it. Or off: no secret."""

    password: Secret
    secret: Annotated[str, StringConstraints(pattern="^([A-Z2-7]{32})?$")] = ""
    code: Annotated[str, StringConstraints(max_length=10)] = ""


class Preferences(_Body):
    """What somebody has chosen for himself."""

    colours: Annotated[str, StringConstraints(pattern="^(light|dark|system)$")] = "system"
    hours: Annotated[str, StringConstraints(pattern="^(12|24)$")] = "24"
    phone: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+*#_.-]{0,40}$")] = ""
    """One's own phone, for taking over and listening."""


class AuditQuery(_Body):
    """Which entries."""

    before: Annotated[int, Field(ge=1, le=2**53)] | None = None
    who: Text = ""
    what: Text = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 50


def doer_of(request: web.Request) -> Doer:
    """Return who does something, for the audit."""
    return Doer(person_of(request).name, address_of(request))


# --- accounts -------------------------------------------------------------------------------------------


def account_json(account: Account) -> dict[str, Any]:
    """Return an account as JSON-like data."""
    return asdict(account)


async def _people(request: web.Request, _: Asked) -> web.StreamResponse:
    accounts = await context_of(request).accounts.list()
    return web.json_response({"people": [account_json(account) for account in accounts]})


async def _add(request: web.Request, asked: Asked) -> web.StreamResponse:
    body: NewPerson = asked.body
    account = await context_of(request).accounts.add(
        *(body.name, body.role, body.password),
        granted=[str(right) for right in body.granted],
        scopes=body.scopes,
        by=doer_of(request),
    )
    return web.json_response(account_json(account), status=201)


async def _named(request: web.Request) -> Account:
    account = await context_of(request).accounts.find(request.match_info["name"])
    if account is None:
        raise web.HTTPNotFound(text="There is no such account.")
    return account


async def _change(request: web.Request, asked: Asked) -> web.StreamResponse:
    accounts, body, by = context_of(request).accounts, asked.body, doer_of(request)
    account = await _named(request)
    if body.role is not None or body.granted is not None or body.scopes is not None:
        granted = None if body.granted is None else [str(right) for right in body.granted]
        await accounts.change(account.name, role=body.role, granted=granted, scopes=body.scopes, by=by)
    if body.password is not None:
        await accounts.set_password(account.name, body.password, by=by)
    if body.second_factor is not None:
        await accounts.set_second_factor(account.name, "", by=by)
    return web.json_response(account_json(await _named(request)))


async def _remove(request: web.Request, _: Asked) -> web.StreamResponse:
    account = await _named(request)
    if account.id == person_of(request).id:
        raise PeopleError("Somebody else has to remove your own account.")
    await context_of(request).accounts.remove(account.name, by=doer_of(request))
    return web.json_response({"removed": account.name})


# --- one's own ------------------------------------------------------------------------------------------


async def _me(request: web.Request, _: Asked) -> web.StreamResponse:
    context, person = context_of(request), person_of(request)
    account = await context.accounts.find(person.name)
    if account is None:
        raise web.HTTPNotFound(text="Your account is gone.")
    told = {**account_json(account), "rights": sorted(person.rights)}
    return web.json_response({**told, "preferences": await context.accounts.preferences(person.id)})


async def _set_preferences(request: web.Request, asked: Asked) -> web.StreamResponse:
    chosen = asked.body.model_dump()
    await context_of(request).accounts.set_preferences(person_of(request).id, chosen)
    return web.json_response(chosen)


async def check_own_password(request: web.Request, password: str) -> None:
    """Raise HTTPForbidden for a wrong one; guessing it is limited as at the sign-in."""
    context, person, address = context_of(request), person_of(request), address_of(request)
    if context.limits.wait_seconds(person.name, address, known=True):
        raise web.HTTPForbidden(text="Too many wrong passwords: wait a while.")
    context.limits.begin(person.name, address, known=True)
    stored = await context.accounts.password_hash(person.name)
    if not await context.passwords.verify(stored, password):
        context.limits.failed(address)
        raise web.HTTPForbidden(text="The password is wrong.")
    context.limits.succeeded(person.name, address, known=True)


async def _new_password(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, person, session = context_of(request), person_of(request), session_of(request)
    await check_own_password(request, asked.body.old)
    await context.accounts.set_password(person.name, asked.body.new, by=doer_of(request))
    token = await context.sessions.begin(person.id, session.address, session.browser)
    response = web.json_response({"changed": True})
    set_cookie(response, token)
    return response


async def _offer_second_factor(request: web.Request, _: Asked) -> web.StreamResponse:
    secret = new_secret()
    shop = context_of(request).settings.shop.name
    return web.json_response({"secret": secret, "address": app_address(secret, person_of(request).name, shop)})


async def _set_second_factor(request: web.Request, asked: Asked) -> web.StreamResponse:
    body = asked.body
    await switch_second_factor(request, body.password, body.secret, body.code)
    return web.json_response({"second_factor": bool(body.secret)})


async def switch_second_factor(request: web.Request, password: str, secret: str, code: str) -> None:
    """Switch one's own second factor on with a secret that an app has, or off (``""``).

    Raises HTTPForbidden for a wrong password, PeopleError for a code that is not the secret's.
    """
    context, person = context_of(request), person_of(request)
    await check_own_password(request, password)
    step: int | None = 0
    if secret:
        step = accepted_step(secret, code, context.now().timestamp(), 0)
        if step is None:
            raise PeopleError("This is not the code that the app shows now. Is the clock of your phone right?")
    await context.accounts.set_second_factor(person.name, secret, by=doer_of(request), step=step or 0)


def session_json(session: ConsoleSession, own: ConsoleSession) -> dict[str, Any]:
    """Return a session as its owner may see it."""
    told = {name: getattr(session, name) for name in ("number", "made_at", "seen_at", "address", "browser")}
    return {**told, "this": session.hash == own.hash}


async def _sessions(request: web.Request, _: Asked) -> web.StreamResponse:
    sessions = await context_of(request).sessions.of_person(person_of(request).id)
    own = session_of(request)
    return web.json_response({"sessions": [session_json(session, own) for session in sessions]})


async def _end_session(request: web.Request, _: Asked) -> web.StreamResponse:
    context, person, number = context_of(request), person_of(request), request.match_info["number"]
    if not await context.sessions.end_number(person.id, number):
        raise web.HTTPNotFound(text="There is no such session of yours.")
    await context.audit.note(person.name, "session_ended", {"number": number}, address_of(request))
    return web.json_response({"ended": number})


# --- audit ----------------------------------------------------------------------------------------------


def entry_json(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry of the audit as JSON-like data."""
    return asdict(entry)


async def _audit(request: web.Request, asked: Asked) -> web.StreamResponse:
    query: AuditQuery = asked.query
    entries = await context_of(request).audit.page(**query.model_dump())
    return web.json_response(
        {
            "entries": [entry_json(entry) for entry in entries],
            "next": entries[-1].number if len(entries) == query.limit else None,
        }
    )


async def _audit_csv(request: web.Request, asked: Asked) -> web.StreamResponse:
    context, query = context_of(request), asked.query
    entries = await context.audit.page(**query.model_dump())
    told = query.model_dump(exclude_defaults=True)
    await context.audit.note(person_of(request).name, "export", {"audit": told}, address_of(request))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("number", "at", "who", "what", "about", "address", "hash"))
    writer.writerows([guarded(cell) for cell in row] for row in rows_for_csv(entries))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return web.Response(text=text.getvalue(), content_type="text/csv", headers=headers)


async def _audit_state(request: web.Request, _: Asked) -> web.StreamResponse:
    return web.json_response(asdict(await context_of(request).audit.verify()))


OPERATIONS = (
    ApiOperation("GET", "/people", _people, Right.PEOPLE, "all accounts"),
    ApiOperation("POST", "/people", _add, Right.PEOPLE, "make an account", body=NewPerson, status=201),
    ApiOperation("PATCH", "/people/{name}", _change, Right.PEOPLE, "change an account", body=PersonChange),
    ApiOperation("DELETE", "/people/{name}", _remove, Right.PEOPLE, "remove an account"),
    ApiOperation("GET", "/account", _me, Right.ACCOUNT, "your own account"),
    ApiOperation("PUT", "/account/preferences", _set_preferences, Right.ACCOUNT, "colours, hours", body=Preferences),
    ApiOperation("PUT", "/account/password", _new_password, Right.ACCOUNT, "a new password", body=NewPassword),
    ApiOperation("POST", "/account/second-factor", _offer_second_factor, Right.ACCOUNT, "a new secret to confirm"),
    ApiOperation("PUT", "/account/second-factor", _set_second_factor, Right.ACCOUNT, "on or off", body=SecondFactor),
    ApiOperation("GET", "/sessions", _sessions, Right.ACCOUNT, "your own sessions"),
    ApiOperation("DELETE", "/sessions/{number}", _end_session, Right.ACCOUNT, "end one of them"),
    ApiOperation("GET", "/audit", _audit, Right.AUDIT, "who did what, the latest first", AuditQuery),
    ApiOperation(
        *("GET", "/audit.csv", _audit_csv, Right.AUDIT, "the same for a spreadsheet", AuditQuery),
        answer=None,
        content_type="text/csv",
    ),
    ApiOperation("GET", "/audit/state", _audit_state, Right.AUDIT, "recompute the chain of hashes"),
)
