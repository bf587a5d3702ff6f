"""What each address of the console needs: marks on its handlers, which the server demands of every one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from agent.console.hosts import Origin
from agent.console.rights import ConsolePerson, Right
from agent.console.sessions import ConsoleSession

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
H = TypeVar("H", bound=Callable[..., Any])
BODY_SECONDS = 10.0
_MARK = "_console_access"
PERSON = web.RequestKey("person", ConsolePerson)
SESSION = web.RequestKey("session", ConsoleSession)
ORIGIN = web.RequestKey("origin", Origin)


@dataclass(frozen=True)
class Access:
    """Who may use a handler."""

    right: Right | None
    """None: everybody, signed in or not."""
    quiet: bool = False
    """Using it is nothing its owner does: it keeps no session from going idle (what pages ask for by themselves)."""


@contextlib.asynccontextmanager
async def body_in_time() -> AsyncIterator[None]:
    """Hold this around the reading of a body. Raises HTTPRequestTimeout for one that does not come."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text=f"The body has not come within {BODY_SECONDS:g} s.") from error


async def form_of(request: web.Request) -> Mapping[str, str]:
    """Return the text fields of a form, none of what is no plain form. Raises HTTPRequestTimeout."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    async with body_in_time():
        form = await request.post()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def page(*, right: Right | str | None, quiet: bool = False) -> Callable[[H], H]:
    """Mark a handler with the right it needs (``None``: none, not even a sign-in)."""

    def mark(handler: H) -> H:
        setattr(handler, _MARK, Access(None if right is None else Right(right), quiet))
        return handler

    return mark


def access_of(handler: object) -> Access | None:
    """Return what a handler is marked with, None where it is not."""
    found = getattr(handler, _MARK, None)
    return found if isinstance(found, Access) else None


def unmarked(routes: Sequence[web.AbstractRouteDef]) -> list[str]:
    """Return the addresses whose handlers are not marked."""
    return [route.path for route in routes if isinstance(route, web.RouteDef) and access_of(route.handler) is None]


def person_of(request: web.Request) -> ConsolePerson:
    """Return who is signed in; for handlers that need a right."""
    return request[PERSON]


def visitor_of(request: web.Request) -> ConsolePerson | None:
    """Return who is signed in, None for nobody."""
    return request.get(PERSON)


def session_of(request: web.Request) -> ConsoleSession:
    """Return the session; for handlers that need a right."""
    return request[SESSION]


def address_of(request: web.Request) -> str:
    """Return the browser's address."""
    return request[ORIGIN].address
